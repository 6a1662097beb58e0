use axum::Json;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use chrono::{DateTime, Duration, Utc};
use serde::Serialize;

use crate::observe::{
    Availability, ColumnState, Currency, SiteRules, availability, column_counts, column_currency,
    home_currency,
};
use crate::store::{SiteColumn, SiteFacts};

use super::access::Caller;
use super::accounts::seen;
use super::problem::ProblemDetail;
use super::query::beijing;
use super::site::Site;

/// What the national rules ask of a site, as far as it can be seen; times are RFC 3339 at +08:00.
#[derive(Debug, Serialize)]
struct SiteReport {
    host: String,
    address: String,
    availability: AvailabilityView,
    home: CurrencyView,
    columns: ColumnsView,
}

/// 站点无法访问: failures of the probes that count, over the last whole days.
#[derive(Debug, Serialize)]
struct AvailabilityView {
    from: String,
    to: String,
    verdict: &'static str,
    failed: u32,
    counted: u32,
    /// Null where nothing counts.
    failed_ratio: Option<f64>,
    /// Probes that say nothing of the site: our own outages, our pacing, walls.
    unknown: u32,
    /// Days with fewer counted probes than the rule asks for.
    short_days: Vec<String>,
}

/// 首页不更新, or one column: `updated`, `stale`, `blank`, `undetermined`.
#[derive(Debug, Serialize)]
struct CurrencyView {
    verdict: &'static str,
    /// The newest date known, or when a change was seen.
    newest_at: Option<String>,
}

/// 栏目不更新: counts by the classes of the rule, and every column.
#[derive(Debug, Serialize)]
struct ColumnsView {
    columns: u32,
    stale: u32,
    long_stale: u32,
    blank: u32,
    undetermined: u32,
    /// Whether the counts fail the site; null where unread columns decide.
    fails: Option<bool>,
    items: Vec<ColumnView>,
}

#[derive(Debug, Serialize)]
struct ColumnView {
    name: String,
    address: String,
    class: &'static str,
    class_title: &'static str,
    #[serde(flatten)]
    currency: CurrencyView,
    items: Option<u32>,
    looked_at: Option<String>,
    blank_since: Option<String>,
    reason: Option<String>,
}

pub(super) async fn show(
    State(site): State<Site>,
    caller: Caller,
    key: Result<Path<String>, PathRejection>,
) -> Result<Json<impl Serialize>, ProblemDetail> {
    let key = seen(&site, &caller, key).await?.key;
    let now = site.clock.now();
    // The days monitored are whole: one more reaches back over the one that has begun.
    let probes_since = now - Duration::days(i64::from(site.rules.probe_days) + 1);
    let looks_since = site.rules.home.edge(now);
    let read = site.reads.site_facts(&key, probes_since, looks_since);
    match site.ask("site_facts", read).await? {
        Some(facts) => Ok(Json(report(facts, &site.rules, now))),
        None => Err(ProblemDetail::not_found(format!("{key:?} stands on no watched site"))),
    }
}

fn report(facts: SiteFacts, rules: &SiteRules, now: DateTime<Utc>) -> SiteReport {
    let states: Vec<ColumnState> = facts.columns.iter().map(|one| one.state.clone()).collect();
    let counts = column_counts(&states, rules, now);
    SiteReport {
        availability: availability(&facts.probes, rules, now).into(),
        home: home_currency(&facts.home, &states, rules, now).into(),
        columns: ColumnsView {
            columns: counts.columns,
            stale: counts.stale,
            long_stale: counts.long_stale,
            blank: counts.blank,
            undetermined: counts.undetermined,
            fails: counts.fails,
            items: facts.columns.into_iter().map(|one| column(one, rules, now)).collect(),
        },
        host: facts.host,
        address: facts.address,
    }
}

fn column(column: SiteColumn, rules: &SiteRules, now: DateTime<Utc>) -> ColumnView {
    let state = column.state;
    ColumnView {
        class: state.class.as_str(),
        class_title: state.class.title(),
        currency: column_currency(&state, rules, now).into(),
        name: column.name,
        address: column.address,
        items: column.items,
        looked_at: state.looked_at.map(beijing),
        blank_since: state.blank_since.map(beijing),
        reason: column.reason,
    }
}

impl From<Availability> for AvailabilityView {
    fn from(found: Availability) -> Self {
        let ratio = f64::from(found.failed) / f64::from(found.counted);
        Self {
            from: beijing(found.from),
            to: beijing(found.to),
            verdict: found.verdict.as_str(),
            failed: found.failed,
            counted: found.counted,
            failed_ratio: Some(ratio).filter(|ratio| ratio.is_finite()),
            unknown: found.unknown,
            short_days: found.short_days.iter().map(ToString::to_string).collect(),
        }
    }
}

impl From<Currency> for CurrencyView {
    fn from(found: Currency) -> Self {
        let newest_at = match found {
            Currency::Updated(at) => Some(at),
            Currency::Stale(newest) => newest,
            Currency::Blank | Currency::Undetermined => None,
        };
        Self { verdict: found.as_str(), newest_at: newest_at.map(beijing) }
    }
}
