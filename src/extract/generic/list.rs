//! The list of dated links of a column page of an unknown site.

use std::collections::{HashMap, HashSet};
use std::ops::Range;
use std::sync::LazyLock;

use chrono::{DateTime, Utc};
use regex::Regex;

use crate::domain::Finding;

use super::entry::{Entry, entries};
use super::outline::Outline;
use super::written::list_dates;

/// The least confidence with which a list is told.
const CONFIDENCE_MIN: f64 = 0.6;

/// Entries beyond which a longer list is no surer.
const ENTRIES_FULL: f64 = 20.0;

/// Characters of a title from which on it is no name of a column.
const TITLE_FULL: f64 = 12.0;

/// Share of neighbours that must stand newest first.
const ORDERED_MIN: f64 = 0.85;

/// How much text before a list may be its heading, and after it its pager, in bytes.
const HEADING_WITHIN: usize = 90;
const PAGER_WITHIN: usize = 240;

fn fixed(pattern: &str) -> Regex {
    Regex::new(pattern).expect("a fixed pattern")
}

/// Headings of lists that are not the column's.
static SIDE_HEADING: LazyLock<Regex> = LazyLock::new(|| {
    fixed(concat!(
        r"热点|热门|热文|热榜|排行|推荐|相关|阅读榜|点击榜|点击量|猜你|图片新闻|专题|友情链接|",
        r"您可能|延伸阅读|最新发布|最近更新|",
        r"(?i)(?-u:\b)hot(?-u:\b)|(?-u:\b)related(?-u:\b)|(?-u:\b)recommend",
    ))
});
static PAGER: LazyLock<Regex> = LazyLock::new(|| {
    fixed(
        r"下一?页|末页|尾页|上一?页|首页|共 ?\d+ ?[页条]|\d+ ?/ ?\d+ ?页|(?i)(?-u:\b)next(?-u:\b)|»",
    )
});

/// Whether words stand above a list that is not the column's.
pub(in crate::extract) fn is_side_heading(words: &str) -> bool {
    SIDE_HEADING.is_match(words)
}

/// A column's list, with how sure it is.
#[derive(Debug)]
pub(super) struct List {
    pub(super) entries: Vec<Entry>,
    pub(super) finding: Finding,
}

/// Entries that stand side by side.
struct Group {
    container: usize,
    /// From the first entry to the last, in bytes of the outline's text.
    range: Range<usize>,
    entries: Vec<Entry>,
    score: f64,
    ordered: f64,
}

/// Reads a column page, or says why it is refused.
pub(super) fn read(outline: &Outline<'_>, observed_at: DateTime<Utc>) -> Result<List, String> {
    let dates = list_dates(outline, observed_at);
    let found = entries(outline, &dates);
    if found.is_empty() {
        return Err("no list: no link with a date beside it".to_owned());
    }
    let mut groups = joined(outline, grouped(found));
    for group in &mut groups {
        (group.score, group.ordered) = score(outline, group);
    }
    groups.sort_by(|a, b| b.score.total_cmp(&a.score));
    let others = groups.iter().skip(1).map(|group| group.score).fold(0.0, f64::max);
    let Some(best) = groups.into_iter().next() else { return Err("no list".to_owned()) };
    let confidence = best.score / (best.score + others + 1.0);
    let finding = Finding {
        place: format!(
            "{} entries in {}, {:.0} % of them newest first",
            best.entries.len(),
            path(outline, best.container),
            best.ordered * 100.0
        ),
        confidence_percent: (confidence * 100.0).round().clamp(0.0, 99.0) as u8,
    };
    if best.entries.len() < 2 || confidence < CONFIDENCE_MIN {
        return Err(format!(
            "list not sure enough ({} %): {}{}",
            finding.confidence_percent,
            finding.place,
            if others > best.score / 2.0 { ", another one is as likely" } else { "" }
        ));
    }
    Ok(List { entries: best.entries, finding })
}

/// Entries with the same element around them.
fn grouped(found: Vec<Entry>) -> Vec<Group> {
    let mut groups: Vec<Group> = Vec::new();
    let mut places: HashMap<usize, usize> = HashMap::new();
    for entry in found {
        let range = entry.range.clone();
        let next = groups.len();
        let place = *places.entry(entry.container).or_insert(next);
        match groups.get_mut(place) {
            Some(group) => {
                group.range.start = group.range.start.min(range.start);
                group.range.end = group.range.end.max(range.end);
                group.entries.push(entry);
            }
            None => groups.push(Group {
                container: entry.container,
                range,
                entries: vec![entry],
                score: 0.0,
                ordered: 0.0,
            }),
        }
    }
    groups
}

/// Lists that a template cut in pieces of a few rows: side by side, of one kind, in one order.
fn joined(outline: &Outline<'_>, groups: Vec<Group>) -> Vec<Group> {
    let kind = |group: &Group| {
        let part = &outline.parts[group.container];
        (part.parent, part.name, part.attr("class"))
    };
    let mut out: Vec<Group> = Vec::new();
    for mut group in groups {
        let last = out.last_mut().filter(|last| {
            let ends = last.entries.last().map(|entry| entry.moment.at);
            let begins = group.entries.first().map(|entry| entry.moment.at);
            let between = outline.text.get(last.range.end..group.range.start);
            kind(last) == kind(&group)
                && ends >= begins
                && between.is_some_and(|text| text.trim().is_empty())
                && is_ordered(last)
                && is_ordered(&group)
        });
        match last {
            Some(last) => {
                last.range.end = group.range.end;
                last.entries.append(&mut group.entries);
            }
            None => out.push(group),
        }
    }
    out
}

fn is_ordered(group: &Group) -> bool {
    ordered(&group.entries) >= ORDERED_MIN
}

/// The share of neighbours of which the upper is not older; of one entry, all.
fn ordered(entries: &[Entry]) -> f64 {
    if entries.len() < 2 {
        return 1.0;
    }
    let right = entries.windows(2).filter(|pair| pair[0].moment.at >= pair[1].moment.at).count();
    right as f64 / (entries.len() - 1) as f64
}

/// How much speaks for a group: many entries, long titles, newest first, a pager behind it, few
/// undated links between; against it its place in the margin and the words above it.
fn score(outline: &Outline<'_>, group: &Group) -> (f64, f64) {
    let distinct = group.entries.iter().map(|entry| &entry.href).collect::<HashSet<_>>().len();
    let characters = group.entries.iter().map(|entry| entry.title.chars().count()).sum::<usize>();
    let mean = characters as f64 / group.entries.len().max(1) as f64;
    let ordered = ordered(&group.entries);
    let order = match ordered {
        share if share >= ORDERED_MIN => 1.0,
        share if share >= 0.65 => 0.6,
        _ => 0.2,
    };
    let undated = undated_links(outline, group);
    let dated = distinct as f64 / (distinct + undated).max(1) as f64;
    let mut score = (distinct as f64).min(ENTRIES_FULL) * (mean / TITLE_FULL).min(1.0) * order;
    score *= dated.powi(2);
    if group.entries.iter().all(|entry| entry.margin) {
        score *= 0.1;
    }
    let above = outline.before(group.range.start, HEADING_WITHIN);
    let above = above.trim_end().rsplit('\n').take(2);
    if above.into_iter().any(|line| line.chars().count() <= 16 && is_side_heading(line)) {
        score *= 0.15;
    }
    let below = outline.after(group.range.end, PAGER_WITHIN);
    if below.trim_start().lines().take(6).any(|line| PAGER.is_match(line)) {
        score *= 2.0;
    }
    (score, ordered)
}

/// Other titles between the entries: a list in which only some have dates is another kind of list.
fn undated_links(outline: &Outline<'_>, group: &Group) -> usize {
    let known = group.entries.iter().map(|entry| entry.href.as_str()).collect::<HashSet<_>>();
    let inside = outline.links_in(&group.range).iter().filter(|link| {
        let part = &outline.parts[**link];
        let titled = outline.text_of(**link).chars().count() >= 8;
        let href = part.attr("href").unwrap_or_default();
        let within = part.range.start >= group.range.start && part.range.end <= group.range.end;
        within && titled && !known.contains(href.trim()) && !is_entry_s_own(group, part.range.start)
    });
    inside.count()
}

/// Whether a place is inside of one entry; they stand in the order of the text.
fn is_entry_s_own(group: &Group, at: usize) -> bool {
    let after = group.entries.partition_point(|entry| entry.own.start <= at);
    after.checked_sub(1).is_some_and(|before| group.entries[before].own.contains(&at))
}

/// `div.list > ul`: an element and the one around it.
fn path(outline: &Outline<'_>, index: usize) -> String {
    let name = |index: usize| {
        let part = &outline.parts[index];
        let classes = part.attr("class").unwrap_or_default();
        let class = classes.split_whitespace().next().map(|class| format!(".{class}"));
        format!("{}{}", part.name, class.unwrap_or_default())
    };
    let mut names = outline.around(index).take(2).map(name).collect::<Vec<_>>();
    names.reverse();
    names.join(" > ")
}
