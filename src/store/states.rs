//! The current verdict of each account, and which accounts need a new one.

use chrono::{DateTime, Utc};
use sqlx::PgConnection;

use super::canary::NewLook;
use super::columns::{column, misread};
use super::{Store, StoreError};
use crate::domain::{AccountId, Activity};
use crate::observe::{Covered, Span};

/// The verdict on one account, as judged.
#[derive(Debug, Clone, PartialEq)]
pub struct AccountState {
    /// The account.
    pub account: AccountId,
    /// The activity proven.
    pub activity: Activity,
    /// The newest proven post.
    pub last_post_at: Option<DateTime<Utc>>,
    /// As-of time of the newest observation.
    pub last_observation_at: Option<DateTime<Utc>>,
    /// When the account crosses into dormancy if it does not post.
    pub silence_deadline_at: Option<DateTime<Utc>>,
    /// Covered share of the dormant window, 0–1.
    pub coverage: f64,
    /// The covered time that the verdict rests on.
    pub covered: Covered,
    /// The instant it was judged as of.
    pub judged_at: DateTime<Utc>,
    /// When time alone changes the verdict.
    pub next_crossing_at: Option<DateTime<Utc>>,
}

/// An account to be judged, and what the verdict will have seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ToJudge {
    /// The account.
    pub account: AccountId,
    /// The count of news at the time of asking; handed back with the verdict, so that what arrives
    /// while it is being judged asks for the next.
    pub news: i64,
}

impl Store {
    /// At most `limit` accounts with numbers above `after` that need a verdict at `now`:
    /// something was learned since the last, or time alone changes it. Closed and cancelled
    /// accounts are not judged.
    pub async fn to_judge(
        &self,
        after: Option<AccountId>,
        now: DateTime<Utc>,
        limit: u32,
    ) -> Result<Vec<ToJudge>, StoreError> {
        // The planner does not carry the bound over the join: without it in each table, every batch
        // would read the other from its beginning.
        let rows = sqlx::query!(
            "select s.account_id, s.news
             from account_states s join accounts a on a.id = s.account_id
             where (s.news <> s.judged_news or s.next_crossing_at <= $1)
               and a.in_ledger and a.lifecycle not in ('closed', 'cancelled')
               and s.account_id > $3 and a.id > $3
             order by s.account_id limit $2",
            now,
            i64::from(limit),
            after.map_or(i64::MIN, |account| account.0)
        )
        .fetch_all(&self.pool)
        .await?;
        let accounts = rows
            .into_iter()
            .map(|row| ToJudge { account: AccountId(row.account_id), news: row.news });
        Ok(accounts.collect())
    }

    /// Writes verdicts, each with what [`Store::to_judge`] gave for its account, in one statement.
    /// A verdict as of an earlier instant than the one that stands is not written.
    pub async fn save_states(
        &self,
        verdicts: &[(ToJudge, AccountState)],
    ) -> Result<(), StoreError> {
        sqlx::query!(
            "with verdict as (
                 select v.* from unnest($1::bigint[], $2::bigint[], $3::text[], $4::text[],
                     $5::timestamptz[], $6::timestamptz[], $7::timestamptz[], $8::float8[],
                     $9::timestamptz[], $10::timestamptz[], $11::text[])
                     as v (account_id, news, activity, reason, last_post_at, last_observation_at,
                         silence_deadline_at, coverage, judged_at, next_crossing_at, covered)
                 join account_states s on s.account_id = v.account_id
                 order by v.account_id for update of s
             )
             update account_states s set
                 activity_since = case when s.activity = v.activity
                     then coalesce(s.activity_since, v.judged_at) else v.judged_at end,
                 activity = v.activity, reason = v.reason, last_post_at = v.last_post_at,
                 last_observation_at = v.last_observation_at,
                 silence_deadline_at = v.silence_deadline_at, coverage = v.coverage,
                 judged_at = v.judged_at, next_crossing_at = v.next_crossing_at,
                 judged_news = v.news, covered = v.covered::tstzmultirange
             from verdict v
             where s.account_id = v.account_id
               and (s.judged_at is null or s.judged_at <= v.judged_at)",
            &column(verdicts, |(_, state)| state.account.0),
            &column(verdicts, |(asked, _)| asked.news),
            &column(verdicts, |(_, state)| state.activity.as_str().to_owned()),
            &column(verdicts, |(_, state)| state.activity.reason().map(|r| r.as_str().to_owned()))
                as &[Option<String>],
            &column(verdicts, |(_, state)| state.last_post_at) as &[Option<DateTime<Utc>>],
            &column(verdicts, |(_, state)| state.last_observation_at) as &[Option<DateTime<Utc>>],
            &column(verdicts, |(_, state)| state.silence_deadline_at) as &[Option<DateTime<Utc>>],
            &column(verdicts, |(_, state)| state.coverage),
            &column(verdicts, |(_, state)| state.judged_at),
            &column(verdicts, |(_, state)| state.next_crossing_at) as &[Option<DateTime<Utc>>],
            &column(verdicts, |(_, state)| multirange(&state.covered)),
        )
        .execute(&self.pool)
        .await?;
        Ok(())
    }
}

/// Covered time as Postgres reads a `tstzmultirange`.
fn multirange(covered: &Covered) -> String {
    let range = |span: &Span| format!("({},{}]", span.low.to_rfc3339(), span.high.to_rfc3339());
    format!("{{{}}}", covered.spans().iter().map(range).collect::<Vec<_>>().join(","))
}

/// Has accounts judged again: those of which something was learned, and those whose verdict may
/// turn on new looks at canaries.
///
/// A look bears on the accounts of its host and page kind that are not active, and says something
/// new to them where it differs from the look before it, or where they were visited since that one,
/// be it at a page kind of the host that has no canary of its own.
/// An account's own looks do not count for it. One statement, so that all rows are locked in order.
pub(super) async fn tell_news(
    connection: &mut PgConnection,
    accounts: &[i64],
    looks: &[NewLook],
) -> Result<(), StoreError> {
    sqlx::query!(
        "with look as (
             select n.host, n.page, n.account_id, before.at as before_at,
                 before.account_id as before_account,
                 (before.adapter, before.healthy) is distinct from (n.adapter, n.healthy) as differs
             from unnest($2::text[], $3::text[], $4::timestamptz[], $5::bigint[], $6::text[],
                 $7::bool[]) as n (host, page, at, account_id, adapter, healthy)
             left join lateral (
                 select l.at, l.account_id, l.adapter, l.healthy from canary_looks l
                 where l.host = n.host and l.page = n.page
                   and (l.at, l.account_id) < (n.at, n.account_id)
                 order by l.at desc, l.adapter = n.adapter and l.healthy = n.healthy limit 1
             ) before on true
         ), asked as materialized (
             select unnest($1::bigint[]) as account_id
             union
             select t.account_id from look
             join crawl_targets t on t.host = look.host and t.page = look.page
             join account_states o on o.account_id = t.account_id and o.activity <> 'active'
             where t.account_id <> look.account_id
               and (look.differs or t.account_id = look.before_account
                   or t.last_visit_at > look.before_at
                   or exists (select from crawl_targets beside
                       where beside.account_id = t.account_id and beside.host = look.host
                         and beside.last_visit_at > look.before_at))
         ), concerned as materialized (
             select s.account_id from asked join account_states s on s.account_id = asked.account_id
             order by s.account_id for update of s
         )
         update account_states s set news = s.news + 1 from concerned c
         where s.account_id = c.account_id",
        accounts,
        &column(looks, |look| look.host.clone()),
        &column(looks, |look| look.page.clone()),
        &column(looks, |look| look.at),
        &column(looks, |look| look.account_id),
        &column(looks, |look| look.adapter.clone()),
        &column(looks, |look| look.healthy),
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Reads the two stored words of an activity.
pub(super) fn read_activity(word: &str, reason: Option<&str>) -> Result<Activity, StoreError> {
    Activity::from_words(word, reason).ok_or_else(|| misread("an activity", (word, reason)))
}
