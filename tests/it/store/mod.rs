//! The store against a real server, one database for each test.

mod claims;
mod copying;
mod daemons;
mod evidence;
mod finishing;
mod histories;
mod identities;
mod judging;
mod ledger;
mod lists;
mod marks;
mod platforms;
mod reach;
mod schema;
mod score_rows;
mod scoring;
mod secrets;
mod verdicts;
mod watching;

use chrono::{DateTime, TimeDelta, Utc};
use xunjian::domain::{
    AccountId, Count, Identity, LedgerEntry, Lifecycle, Moment, Post, Precision,
};
use xunjian::observe::{CanaryLook, Observation, Outcome, Source, Span, Visit};
use xunjian::store::{
    ClaimRequest, Claimed, FactsOf, LedgerChanges, NextVisit, Store, TargetSpec, Validators,
    VisitDetails, VisitEvidence, VisitRecord,
};

fn instant(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

/// Noon of 2026-11-22, UTC, and minutes from there.
fn at(minute: i64) -> DateTime<Utc> {
    instant("2026-11-22T12:00:00Z") + TimeDelta::minutes(minute)
}

/// What was known at the end of all time of a stretch of minutes.
fn facts(from: i64, to: i64) -> FactsOf {
    FactsOf {
        since: at(from),
        asked_from: at(from - 1),
        from: at(from),
        to: at(to),
        known_at: at(1_000_000),
    }
}

fn entry(key: &str) -> LedgerEntry {
    LedgerEntry {
        key: key.into(),
        platform: "weibo".into(),
        handle: format!("handle-{key}"),
        name: format!("平安{key}"),
        url: None,
        sponsor: "某市公安局".into(),
        sponsor_code: None,
        supervisor: Some("某市人民政府办公室".into()),
        region: "441500".parse().unwrap(),
        level: None,
        category: Some("发布".into()),
        role: None,
        lifecycle: Lifecycle::Running,
        filed_on: None,
        opened_on: None,
        closed_on: None,
        population: None,
        exemption: None,
        exempt_until: None,
        officer: None,
        notify: None,
        operator: None,
        contract_until: None,
        site_id: None,
        notes: std::collections::BTreeMap::new(),
    }
}

/// Accounts `a0`, `a1`, … in the ledger.
async fn accounts(store: &Store, count: usize) -> Vec<AccountId> {
    let added = (0..count).map(|number| entry(&format!("a{number}"))).collect();
    let changes = LedgerChanges { added, ..LedgerChanges::default() };
    store.apply_ledger(&changes, "tester", "setup", at(-100)).await.unwrap();
    store.accounts().await.unwrap().into_iter().map(|account| account.id).collect()
}

fn target(account: AccountId, host: &str) -> TargetSpec {
    TargetSpec {
        account,
        page: "timeline".into(),
        part: "all".into(),
        host: host.into(),
        is_canary: false,
        speaks: true,
        address: None,
    }
}

/// One account with one target on `m.example.cn`.
async fn one_target(store: &Store) -> AccountId {
    let account = accounts(store, 1).await[0];
    store.sync_targets(&[target(account, "m.example.cn")], at(-10)).await.unwrap();
    account
}

fn request(owner: &str, minute: i64) -> ClaimRequest<'_> {
    ClaimRequest {
        owner,
        now: at(minute),
        lease: TimeDelta::minutes(5),
        limit: 1000,
        per_host: 1000,
        new_hosts: None,
        busy_hosts: &[],
        within_budget: true,
        accounts: None,
    }
}

/// A record of a visit that observed a newest-first list at `minute`, back to `low`.
fn observed(account: AccountId, minute: i64, low: i64, posts: Vec<Post>) -> VisitRecord {
    VisitRecord {
        account,
        host: Some("m.example.cn".into()),
        lease: None,
        visit: Visit {
            items: 0,
            page: "timeline".into(),
            part: "all".into(),
            started_at: at(minute),
            recorded_at: at(minute),
            adapter: "adapter-1".into(),
            source: Source::Crawl,
            outcome: Outcome::Observed(Observation {
                as_of: at(minute),
                span: Some(Span { low: at(low), high: at(minute) }),
                bracket: None,
                claims_shift_seconds: 0,
                exhausted: false,
                empty: false,
                confirming: true,
                posts_total: Some(Count::Exact(345)),
                new_items: 0,
                upstream_success: None,
                registered_at: None,
            }),
        },
        status: Some(200),
        bytes: Some(20_000),
        duration_ms: Some(150),
        body_digest: Some(format!("digest-{minute}")),
        seen_at: at(minute),
        identity: Some(Identity {
            name: Some("平安某市".into()),
            followers: Some(Count::Exact(1000)),
            ..Identity::default()
        }),
        posts,
        inquiries: Vec::new(),
        details: VisitDetails::default(),
        look: None,
        next: None,
        evidence: VisitEvidence::Nothing,
    }
}

/// A record of a visit to a canary of `host` at `minute`, with what it says of the host.
fn looked(canary: AccountId, host: &str, minute: i64, healthy: bool) -> VisitRecord {
    let look = CanaryLook {
        page: "timeline".into(),
        at: at(minute),
        adapter: "adapter-1".into(),
        healthy,
        recorded_at: at(minute),
    };
    let record = observed(canary, minute, minute - 1000, Vec::new());
    VisitRecord { host: Some(host.into()), look: Some(look), ..record }
}

/// The record of a claimed target, observed at `minute`, due again a day later.
fn finished(claimed: &Claimed, minute: i64, posts: Vec<Post>) -> VisitRecord {
    let next = NextVisit {
        due_at: at(minute) + TimeDelta::days(1),
        validators: Validators { etag: Some("\"v1\"".into()), last_modified: None },
        rate: None,
        rhythm: None,
        capacity: None,
        deadline_at: None,
        purpose: None,
        held_back: false,
    };
    let observed = observed(claimed.account, minute, minute - 1000, posts);
    let visit = Visit { page: claimed.page.as_str().into(), ..observed.visit };
    VisitRecord { lease: Some(claimed.lease.clone()), next: Some(next), visit, ..observed }
}

fn post(reference: &str, claimed_minute: i64, likes: u64) -> Post {
    let claimed = Moment { at: at(claimed_minute), precision: Precision::Minute };
    Post {
        reference: Some(reference.into()),
        url: Some(format!("https://m.example.cn/{reference}")),
        published: Some(claimed),
        published_text: Some("5分钟前".into()),
        likes: Some(Count::Exact(likes)),
        ..Post::default()
    }
}
