//! Frozen assessments, read back.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use futures::stream::{self, Stream, StreamExt, TryStreamExt};

use super::columns::column;
use super::{Store, StoreError};
use crate::domain::AccountId;

/// Lines read at once: an account's posts of a quarter stand in one.
const BATCH: i64 = 200;

/// One version of a frozen assessment, without its accounts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Assessment {
    /// Its number.
    pub id: i64,
    /// The period.
    pub period: String,
    /// The scheme asked for; absent: those of the assignments.
    pub scheme: Option<String>,
    /// 1 for the first.
    pub version: u32,
    /// The number of the version that this one corrects.
    pub supersedes: Option<i64>,
    /// The number of the version that corrects this one; absent where it is the newest.
    pub superseded_by: Option<i64>,
    /// 监测时间点.
    pub cutoff: DateTime<Utc>,
    /// Facts recorded later were not known.
    pub known_at: DateTime<Utc>,
    /// When it was frozen.
    pub frozen_at: DateTime<Utc>,
    /// By whom.
    pub actor: String,
    /// Why.
    pub reason: String,
    /// How many accounts it holds.
    pub accounts: u64,
    /// How many lines of roll-ups and rankings.
    pub summaries: u64,
    /// `sha256:…` of its lines.
    pub digest: String,
}

/// Which accounts of an assessment are asked for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct FrozenFilter<'a> {
    /// The platform's id.
    pub platform: Option<&'a str>,
    /// The first digits of the region.
    pub area: Option<&'a str>,
}

struct Row {
    id: i64,
    period: String,
    scheme: Option<String>,
    version: i32,
    supersedes: Option<i64>,
    superseded_by: Option<i64>,
    cutoff: DateTime<Utc>,
    known_at: DateTime<Utc>,
    frozen_at: DateTime<Utc>,
    actor: String,
    reason: String,
    accounts: i64,
    summaries: i64,
    digest: String,
}

impl From<Row> for Assessment {
    fn from(row: Row) -> Self {
        Self {
            id: row.id,
            period: row.period,
            scheme: row.scheme,
            version: row.version.unsigned_abs(),
            supersedes: row.supersedes,
            superseded_by: row.superseded_by,
            cutoff: row.cutoff,
            known_at: row.known_at,
            frozen_at: row.frozen_at,
            actor: row.actor,
            reason: row.reason,
            accounts: row.accounts.unsigned_abs(),
            summaries: row.summaries.unsigned_abs(),
            digest: row.digest,
        }
    }
}

impl Store {
    /// Every version of every assessment, of one period or of all: the newest period first, within
    /// it by scheme, and of each the newest version first.
    pub async fn assessments(&self, period: Option<&str>) -> Result<Vec<Assessment>, StoreError> {
        let rows = sqlx::query_as!(
            Row,
            r#"select a.id, a.period, a.scheme, a.version, a.supersedes,
                   n.id as "superseded_by?", a.cutoff, a.known_at, a.frozen_at, a.actor, a.reason,
                   a.accounts, a.digest, (select count(*) from assessment_summaries s
                       where s.assessment_id = a.id) as "summaries!"
               from assessments a left join assessments n on n.supersedes = a.id
               where $1::text is null or a.period = $1
               order by a.cutoff desc, a.period, a.scheme nulls first, a.version desc"#,
            period
        )
        .fetch_all(&self.pool)
        .await?;
        Ok(rows.into_iter().map(Assessment::from).collect())
    }

    /// One version by its number.
    pub async fn assessment(&self, id: i64) -> Result<Option<Assessment>, StoreError> {
        let row = sqlx::query_as!(
            Row,
            r#"select a.id, a.period, a.scheme, a.version, a.supersedes,
                   n.id as "superseded_by?", a.cutoff, a.known_at, a.frozen_at, a.actor, a.reason,
                   a.accounts, a.digest, (select count(*) from assessment_summaries s
                       where s.assessment_id = a.id) as "summaries!"
               from assessments a left join assessments n on n.supersedes = a.id
               where a.id = $1"#,
            id
        )
        .fetch_optional(&self.pool)
        .await?;
        Ok(row.map(Assessment::from))
    }

    /// The first line of a bundle; `None` where there is no such assessment.
    pub async fn assessment_head(&self, id: i64) -> Result<Option<String>, StoreError> {
        let head = sqlx::query_scalar!("select head from assessments where id = $1", id)
            .fetch_optional(&self.pool)
            .await?;
        Ok(head)
    }

    /// The line of one account.
    pub async fn frozen_account(&self, id: i64, key: &str) -> Result<Option<String>, StoreError> {
        let line = sqlx::query_scalar!(
            "select line from assessment_accounts where assessment_id = $1 and key = $2",
            id,
            key
        )
        .fetch_optional(&self.pool)
        .await?;
        Ok(line)
    }

    /// At most `limit` lines after a place, in their order, with their places.
    pub async fn frozen_page(
        &self,
        id: i64,
        after: i64,
        limit: i64,
        filter: FrozenFilter<'_>,
    ) -> Result<Vec<(i64, String)>, StoreError> {
        let rows = sqlx::query!(
            "select place, line from assessment_accounts
             where assessment_id = $1 and place > $2 and ($4::text is null or platform = $4)
               and starts_with(region, $5)
             order by place limit $3",
            id,
            after,
            limit,
            filter.platform,
            filter.area.unwrap_or_default()
        )
        .fetch_all(&self.pool)
        .await?;
        Ok(rows.into_iter().map(|row| (row.place, row.line)).collect())
    }

    /// The lines of roll-ups and rankings, in their order.
    pub async fn assessment_summaries(&self, id: i64) -> Result<Vec<String>, StoreError> {
        let lines = sqlx::query_scalar!(
            "select line from assessment_summaries where assessment_id = $1 order by place",
            id
        )
        .fetch_all(&self.pool)
        .await?;
        Ok(lines)
    }

    /// How many accounts of these versions lie in an area; those without any are left out.
    pub async fn frozen_counts(
        &self,
        ids: &[i64],
        area: &str,
    ) -> Result<Vec<(i64, u64)>, StoreError> {
        let rows = sqlx::query!(
            r#"select assessment_id, count(*) as "accounts!" from assessment_accounts
               where assessment_id = any($1) and starts_with(region, $2) group by 1 order by 1"#,
            ids,
            area
        )
        .fetch_all(&self.pool)
        .await?;
        Ok(rows.into_iter().map(|row| (row.assessment_id, row.accounts.unsigned_abs())).collect())
    }

    /// Every account's line, in their order; a batch is in memory at a time.
    pub fn frozen_lines(&self, id: i64) -> impl Stream<Item = Result<String, StoreError>> + '_ {
        stream::try_unfold(0, move |after| async move {
            let page = self.frozen_page(id, after, BATCH, FrozenFilter::default()).await?;
            let Some(last) = page.last().map(|(place, _)| *place) else { return Ok(None) };
            let lines = page.into_iter().map(|(_, line)| Ok(line));
            Ok::<_, StoreError>(Some((stream::iter(lines), last)))
        })
        .try_flatten()
        .boxed()
    }

    /// When each account last posted before an instant, as known by `known_at`: the claimed time,
    /// never later than it was first seen.
    pub async fn last_posts(
        &self,
        accounts: &[AccountId],
        before: DateTime<Utc>,
        known_at: DateTime<Utc>,
    ) -> Result<BTreeMap<AccountId, DateTime<Utc>>, StoreError> {
        let rows = sqlx::query!(
            r#"select wanted.account_id as "account_id!", p.at as "at!"
               from unnest($1::bigint[]) as wanted (account_id), lateral (
                   select least(coalesce(claimed_at, first_seen), first_seen) as at from posts
                   where account_id = wanted.account_id
                     and coalesce(claimed_at, first_seen) < $2 and recorded_at <= $3
                   order by coalesce(claimed_at, first_seen) desc limit 1
               ) p"#,
            &column(accounts, |account| account.0),
            before,
            known_at
        )
        .fetch_all(&self.pool)
        .await?;
        Ok(rows.into_iter().map(|row| (AccountId(row.account_id), row.at)).collect())
    }
}
