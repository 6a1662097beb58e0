//! One account's time as a picture shows it: posts, visits, what they cover, and the gaps.

use chrono::{DateTime, Utc};
use maud::{Markup, html};

use crate::domain::Reason;
use crate::observe::{Gap, History, Outcome, Window, coverage, covered};

use super::tables::head;
use super::words::{length, share, when};

/// Lines of the table at most; older ones are told of.
const ROWS_MAX: usize = 200;

/// What came of a visit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Look {
    Read,
    Gone,
    Failed(Reason),
}

/// A stretch of time, `(from, to]`.
pub(super) type Stretch = (DateTime<Utc>, DateTime<Utc>);

/// Everything that the picture shows, oldest first.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Scene {
    pub(super) from: DateTime<Utc>,
    pub(super) to: DateTime<Utc>,
    pub(super) posts: Vec<DateTime<Utc>>,
    pub(super) looks: Vec<(DateTime<Utc>, Look)>,
    pub(super) covered: Vec<Stretch>,
    pub(super) gaps: Vec<Gap>,
    /// Covered share of the whole.
    pub(super) ratio: f64,
    pub(super) confirmations: Vec<DateTime<Utc>>,
    /// What the verdict speaks of, where it speaks of a stretch.
    pub(super) window: Option<Stretch>,
}

impl Scene {
    /// What a history shows between two times, as it is known at the second.
    pub(super) fn new(
        history: &History,
        (from, to): Stretch,
        confirmations: &[DateTime<Utc>],
        window: Option<Window>,
    ) -> Self {
        let inside = |at: &DateTime<Utc>| from < *at && *at <= to;
        let posts = history.posts.iter();
        let posts = posts.map(|post| post.claimed.map_or(post.first_seen, |claimed| claimed.at));
        let mut posts: Vec<_> = posts.filter(inside).collect();
        posts.sort_unstable();
        let looks = history.visits.iter().map(|visit| {
            let look = match visit.outcome {
                Outcome::Observed(_) => Look::Read,
                Outcome::Gone { .. } => Look::Gone,
                Outcome::Failed(reason) => Look::Failed(reason),
            };
            (visit.started_at, look)
        });
        let mut looks: Vec<_> = looks.filter(|(at, _)| inside(at)).collect();
        looks.sort_unstable();
        let seen = covered(history, to);
        let seen = seen.spans().iter().filter(|span| span.high > from && span.low < to);
        let found = coverage(history, from, to, to);
        Self {
            from,
            to,
            posts,
            looks,
            covered: seen.map(|span| (span.low.max(from), span.high.min(to))).collect(),
            gaps: found.gaps,
            ratio: found.ratio,
            confirmations: confirmations.iter().copied().filter(inside).collect(),
            window: window.map(|one| (one.start.max(from), one.end.min(to))).filter(|(a, b)| a < b),
        }
    }

    /// Visits from which nothing was learned of the account.
    pub(super) fn failures(&self) -> usize {
        self.looks.iter().filter(|(_, look)| matches!(look, Look::Failed(_))).count()
    }

    /// The same as a table: every stretch that was covered or was not, newest first.
    pub(super) fn table(&self) -> Markup {
        let gaps = self.gaps.iter().enumerate();
        let gaps = gaps.map(|(at, gap)| ((gap.from, gap.to), Some((at + 1, gap.cause))));
        let mut rows: Vec<(Stretch, Option<(usize, Reason)>)> =
            self.covered.iter().map(|one| (*one, None)).chain(gaps).collect();
        rows.sort_by_key(|row| std::cmp::Reverse(row.0));
        let unshown = rows.len().saturating_sub(ROWS_MAX);
        html! {
            table.cards {
                caption {
                    "各时段是否被观察覆盖（共 " (share(self.ratio)) "），新的在前"
                }
                (head(&["时段", "长度", "情况"]))
                tbody {
                    @for ((from, to), gap) in rows.iter().take(ROWS_MAX) {
                        tr {
                            th scope="row" { (when(*from)) " 至 " (when(*to)) }
                            td data-label="长度" { (length(*to - *from)) }
                            td data-label="情况" {
                                @match gap {
                                    None => "已覆盖",
                                    Some((number, cause)) => {
                                        strong { "缺口 " (number) } "：" (cause.title())
                                    }
                                }
                            }
                        }
                    }
                }
            }
            @if unshown > 0 {
                p.note { "更早的 " (unshown) " 段未在此列出，可缩短时段查看，或由接口 coverage 取得。" }
            }
        }
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::domain::Moment;
    use crate::observe::{ListedPost, Observation, Source, Span, Visit};

    pub(in crate::http::page) fn at(day: u32, hour: u32) -> DateTime<Utc> {
        format!("2026-11-{day:02}T{hour:02}:00:00Z").parse().unwrap()
    }

    /// Read on the 2nd back to the 1st and on the 6th back to the 4th, walled on the 3rd, with two
    /// posts.
    pub(in crate::http::page) fn known() -> History {
        let visit = |started_at, outcome| Visit {
            page: "timeline".into(),
            part: "all".into(),
            started_at,
            recorded_at: started_at,
            adapter: "a".into(),
            source: Source::Person,
            items: 1,
            outcome,
        };
        let read = |low, high| {
            visit(
                high,
                Outcome::Observed(Observation {
                    as_of: high,
                    span: Some(Span { low, high }),
                    bracket: None,
                    claims_shift_seconds: 0,
                    exhausted: false,
                    empty: false,
                    confirming: true,
                    posts_total: None,
                    new_items: 0,
                    upstream_success: None,
                    registered_at: None,
                }),
            )
        };
        let post = |published, first_seen| ListedPost {
            reference: format!("p{published}").into(),
            page: "timeline".into(),
            claimed: Some(Moment::second(published)),
            first_seen,
            missed_by: None,
            seen_before: None,
            text_digest: None,
            recorded_at: first_seen,
        };
        History {
            visits: vec![
                read(at(1, 0), at(2, 0)),
                visit(at(3, 0), Outcome::Failed(Reason::Blocked)),
                read(at(4, 0), at(6, 0)),
            ],
            posts: vec![post(at(1, 12), at(2, 0)), post(at(5, 0), at(6, 0))],
            ..History::default()
        }
    }

    pub(in crate::http::page) fn scene() -> Scene {
        Scene::new(&known(), (at(1, 0), at(7, 0)), &[at(6, 0)], None)
    }

    #[test]
    fn a_history_is_shown_with_its_gaps_and_their_causes() {
        let scene = scene();
        assert_eq!(scene.posts, [at(1, 12), at(5, 0)]);
        let looks = [
            (at(2, 0), Look::Read),
            (at(3, 0), Look::Failed(Reason::Blocked)),
            (at(6, 0), Look::Read),
        ];
        assert_eq!(scene.looks, looks);
        assert_eq!(scene.covered, [(at(1, 0), at(2, 0)), (at(4, 0), at(6, 0))]);
        let gaps: Vec<_> = scene.gaps.iter().map(|gap| (gap.from, gap.to, gap.cause)).collect();
        let (blocked, unseen) = (Reason::Blocked, Reason::NotCovered);
        assert_eq!(gaps, [(at(2, 0), at(4, 0), blocked), (at(6, 0), at(7, 0), unseen)]);
        assert_eq!((scene.ratio, scene.failures()), (0.5, 1));
    }

    #[test]
    fn the_table_says_all_that_the_picture_shows() {
        let table = scene().table().into_string();
        for words in ["50.0%", "缺口 1", "平台拦截访问", "缺口 2", "有时段未观察到", "2 天"]
        {
            assert!(table.contains(words), "{words}: {table}");
        }
        assert_eq!(table.matches("<tr>").count(), 5);
    }

    #[test]
    fn lines_beyond_the_most_are_told_of() {
        let mut scene = scene();
        scene.covered = vec![(at(1, 0), at(2, 0)); ROWS_MAX + 1];
        assert!(scene.table().into_string().contains("更早的 3 段"));
    }
}
