//! Reading back what bears on the activity of many accounts at once.

use std::collections::{BTreeMap, HashMap};

use chrono::{DateTime, Utc};

use super::columns::column;
use super::drifts::PageDrift;
use super::history_rows::{self, ListedPostRow, LookRow};
use super::{Store, StoreError};
use crate::domain::{AccountId, shanghai_midnight};
use crate::observe::{CanaryLook, History, ListedPost, Outcome, Visit};

/// A host and page kind, and the account looked at with the look.
pub(super) type Looks = HashMap<(String, String), Vec<(i64, CanaryLook)>>;

/// A history that is being read, and the pages that it is read from.
pub(super) struct Pages {
    platform: String,
    /// Host and page of every target that speaks for it.
    pages: Vec<(String, String)>,
    pub(super) history: History,
}

impl Store {
    /// Everything known since `since` that bears on the activity of these accounts: visits started
    /// then, posts that claim it or were first seen then with the newest and the oldest post of
    /// all, looks at canaries of their hosts and page kinds other than themselves.
    ///
    /// `parts` are those of the account's targets. Looks that repeat what their neighbours say,
    /// with no visit of the account between, are left out: a host's canaries are looked at far more
    /// often than one of its accounts is visited.
    pub async fn histories(
        &self,
        accounts: &[AccountId],
        since: DateTime<Utc>,
    ) -> Result<BTreeMap<AccountId, History>, StoreError> {
        let ids = column(accounts, |account| account.0);
        let mut known = self.histories_begun(&ids).await?;
        let mut connection = self.pool.acquire().await?;
        for row in history_rows::since(&mut connection, &ids, since).await? {
            if let Some(one) = known.get_mut(&row.account_id) {
                one.history.visits.push(row.into_visit()?);
            }
        }
        drop(connection);
        for (account, post) in self.listed_posts(&ids, since).await? {
            if let Some(one) = known.get_mut(&account) {
                one.history.posts.push(post);
            }
        }
        let looks = self.looks(&known, since).await?;
        let drifts = self.drifts(since).await?;
        let told = |(id, one): (i64, Pages)| {
            (AccountId(id), one.with_drifts(&drifts).with_looks(id, &looks))
        };
        Ok(known.into_iter().map(told).collect())
    }

    /// Histories without facts: dates, parts, and whether there are canaries.
    pub(super) async fn histories_begun(
        &self,
        ids: &[i64],
    ) -> Result<BTreeMap<i64, Pages>, StoreError> {
        let rows = sqlx::query!(
            r#"with pages as materialized (
                 select t.account_id, t.page, t.part, t.host from crawl_targets t
                 where t.account_id = any($1) and t.speaks
               ), canaries as materialized (
                 select w.host, w.page, min(c.account_id) as least, max(c.account_id) as greatest
                 from (select distinct p.host, p.page from pages p) w
                 join crawl_targets c on c.host = w.host and c.page = w.page and c.is_canary
                 group by w.host, w.page
               )
               select a.id, a.platform, a.opened_on, a.filed_on, t.page as "page?",
                   t.part as "part?", t.host as "host?",
                   coalesce(c.least <> a.id or c.greatest <> a.id, false) as "has_canary!"
               from accounts a left join pages t on t.account_id = a.id
                   left join canaries c on c.host = t.host and c.page = t.page
               where a.id = any($1)
               order by a.id, t.page"#,
            ids
        )
        .fetch_all(&self.pool)
        .await?;
        let mut known = BTreeMap::new();
        for row in rows {
            let one = known.entry(row.id).or_insert_with(|| Pages::of(row.platform));
            one.history.opened_at = row.opened_on.map(shanghai_midnight);
            one.history.filed_at = row.filed_on.map(shanghai_midnight);
            one.history.has_canary |= row.has_canary;
            if let (Some(host), Some(page)) = (row.host, row.page) {
                one.pages.push((host, page));
            }
            if let Some(part) =
                row.part.filter(|part| !part.is_empty() && !one.history.parts.contains(part))
            {
                one.history.parts.push(part);
            }
        }
        Ok(known)
    }

    async fn listed_posts(
        &self,
        ids: &[i64],
        since: DateTime<Utc>,
    ) -> Result<Vec<(i64, ListedPost)>, StoreError> {
        let rows = sqlx::query_as!(
            ListedPostRow,
            r#"select wanted.account_id as "account_id!", p.ref as "reference!", p.claimed_at,
                   p.claimed_precision, p.first_seen as "first_seen!", p.missed_by, p.seen_before,
                   p.recorded_at as "recorded_at!", p.page as "page!", p.first_text_digest
               from unnest($1::bigint[]) as wanted (account_id), lateral (
                   (select * from posts n where n.account_id = wanted.account_id
                    order by coalesce(n.claimed_at, n.first_seen) desc limit 1)
                   union
                   (select * from posts o where o.account_id = wanted.account_id
                    order by coalesce(o.claimed_at, o.first_seen) limit 1)
                   union
                   select * from posts r where r.account_id = wanted.account_id
                       and (coalesce(r.claimed_at, r.first_seen) >= $2 or r.first_seen >= $2)
               ) p
               order by wanted.account_id, p.first_seen, p.ref"#,
            ids,
            since
        )
        .fetch_all(&self.pool)
        .await?;
        rows.into_iter().map(ListedPostRow::into_post).collect()
    }

    pub(super) async fn looks(
        &self,
        known: &BTreeMap<i64, Pages>,
        since: DateTime<Utc>,
    ) -> Result<Looks, StoreError> {
        let mut pages: Vec<&(String, String)> = known.values().flat_map(|one| &one.pages).collect();
        pages.sort_unstable();
        pages.dedup();
        let rows = sqlx::query_as!(
            LookRow,
            "select l.host, l.page, l.account_id, l.at, l.adapter, l.healthy, l.recorded_at
             from canary_looks l
             join unnest($1::text[], $2::text[]) as w (host, page)
                 on l.host = w.host and l.page = w.page
             where l.at >= $3 order by l.at, l.account_id",
            &column(&pages, |page| page.0.clone()),
            &column(&pages, |page| page.1.clone()),
            since
        )
        .fetch_all(&self.pool)
        .await?;
        Ok(LookRow::gathered(rows))
    }
}

impl Pages {
    fn of(platform: String) -> Self {
        Self { platform, pages: Vec::new(), history: History::default() }
    }

    pub(super) fn with_drifts(mut self, drifts: &[PageDrift]) -> Self {
        let concerns = |drift: &&PageDrift| {
            let on_host = |(host, page): &(String, String)| {
                drift.drift.page == *page && (drift.host == "*" || drift.host == *host)
            };
            drift.platform == self.platform && self.pages.iter().any(on_host)
        };
        self.history.drifts = drifts.iter().filter(concerns).map(|one| one.drift.clone()).collect();
        self
    }

    pub(super) fn with_looks(mut self, account: i64, looks: &Looks) -> History {
        let mut instants: Vec<_> = self.history.visits.iter().flat_map(instants_of).collect();
        instants.sort_unstable();
        for page in &self.pages {
            let all = looks.get(page).map(Vec::as_slice).unwrap_or_default();
            let others: Vec<&CanaryLook> =
                all.iter().filter(|(canary, _)| *canary != account).map(|(_, look)| look).collect();
            self.history.has_canary |= !others.is_empty();
            self.history.canaries.extend(telling(&others, &instants).cloned());
        }
        self.history
    }
}

/// Every instant of a visit that a look can be before or after.
fn instants_of(visit: &Visit) -> impl Iterator<Item = DateTime<Utc>> {
    let (as_of, upstream) = match &visit.outcome {
        Outcome::Observed(seen) => (Some(seen.as_of), seen.upstream_success),
        Outcome::Gone { as_of, .. } => (Some(*as_of), None),
        Outcome::Failed(_) => (None, None),
    };
    [Some(visit.started_at), Some(visit.recorded_at), as_of, upstream].into_iter().flatten()
}

/// The looks, in order of time, that say something their neighbours do not: of a run of equal ones
/// without a visit between them, the first and the last.
///
/// `instants` are those of the visits, in order. A visit is settled by the first look after it and
/// voided back to the last healthy look before a failed one; both are ends of such runs.
fn telling<'a>(
    looks: &'a [&'a CanaryLook],
    instants: &[DateTime<Utc>],
) -> impl Iterator<Item = &'a CanaryLook> {
    let same = |one: &CanaryLook, other: &CanaryLook| {
        one.healthy == other.healthy && one.adapter == other.adapter
    };
    // A run ends before an index: where another thing is said, or a visit lies between. Visits are
    // far fewer than looks.
    let mut ends: Vec<usize> =
        (1..looks.len()).filter(|&index| !same(looks[index - 1], looks[index])).collect();
    for instant in instants {
        let before = looks.partition_point(|look| look.at < *instant);
        let beyond = looks.partition_point(|look| look.at <= *instant);
        ends.extend(before.max(1)..(beyond + 1).min(looks.len()));
    }
    let edges = [0, looks.len().saturating_sub(1)].into_iter().filter(|_| !looks.is_empty());
    let mut kept: Vec<usize> =
        ends.into_iter().flat_map(|end| [end - 1, end]).chain(edges).collect();
    kept.sort_unstable();
    kept.dedup();
    kept.into_iter().map(|index| looks[index])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(minute: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(1_790_000_000 + minute * 60, 0).unwrap()
    }

    fn check(looks: &[(i64, bool)], visits: &[i64], kept: &[i64]) {
        let looks: Vec<CanaryLook> = looks
            .iter()
            .map(|&(minute, healthy)| CanaryLook {
                page: "timeline".into(),
                at: at(minute),
                adapter: "a".into(),
                healthy,
                recorded_at: at(minute),
            })
            .collect();
        let borrowed: Vec<&CanaryLook> = looks.iter().collect();
        let instants: Vec<_> = visits.iter().map(|minute| at(*minute)).collect();
        let found: Vec<_> = telling(&borrowed, &instants).map(|look| look.at).collect();
        assert_eq!(found, kept.iter().map(|minute| at(*minute)).collect::<Vec<_>>());
    }

    #[test]
    fn only_looks_that_say_something_are_kept() {
        check(&[], &[5], &[]);
        check(&[(1, true), (2, true), (3, true), (4, true)], &[], &[1, 4]);
        check(&[(1, true), (3, true), (5, true), (7, true)], &[4], &[1, 3, 5, 7]);
        check(
            &[(1, true), (2, true), (3, true), (4, false), (5, false), (6, false)],
            &[],
            &[1, 3, 4, 6],
        );
        check(&[(1, true), (2, true), (3, true), (4, true), (5, true)], &[4], &[1, 3, 4, 5]);
        check(&[(2, true), (4, true), (6, true)], &[1, 7], &[2, 6]);
        check(&[(2, true), (4, true), (4, true), (4, true), (6, true)], &[4], &[2, 4, 4, 4, 6]);
        check(&[(2, true)], &[2], &[2]);
    }
}
