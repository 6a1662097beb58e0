//! Runs of a scheme over a period, and the points they gave.

use chrono::{DateTime, Utc};
use rust_decimal::Decimal;
use serde_json::Value;

use super::columns::column;
use super::{Store, StoreError};
use crate::domain::AccountId;

/// The number of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ScoreRunId(pub i64);

/// What a run computes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewScoreRun {
    /// The period, such as `2026Q3`.
    pub period: String,
    /// Id of the scheme.
    pub scheme: String,
    /// Digest of the scheme file.
    pub scheme_digest: String,
    /// The monitoring cutoff (监测时间点).
    pub cutoff: DateTime<Utc>,
    /// Facts recorded later are not seen.
    pub known_at: DateTime<Utc>,
}

/// One account's points in one dimension.
#[derive(Debug, Clone, PartialEq)]
pub struct Score {
    /// The account.
    pub account: AccountId,
    /// The dimension, as the scheme names it.
    pub dimension: String,
    /// Points, or why there are none.
    pub points: Result<Decimal, String>,
    /// Least and greatest points the bounded inputs allow.
    pub interval: Option<(Decimal, Decimal)>,
    /// Covered share of the period, 0–1.
    pub coverage: Option<f64>,
    /// The measures used, by name.
    pub inputs: Value,
    /// One line for each point gained or lost, naming the clause.
    pub lines: Value,
}

/// A score with the run that gave it.
#[derive(Debug, Clone, PartialEq)]
pub struct StoredScore {
    /// The run.
    pub run: ScoreRunId,
    /// What it computed.
    pub of: NewScoreRun,
    /// The score.
    pub score: Score,
}

/// How one quantile of a platform's accounts stands in one dimension.
#[derive(Debug, Clone, PartialEq)]
pub struct ScoreQuantile {
    /// Platform id.
    pub platform: String,
    /// The dimension.
    pub dimension: String,
    /// 0.1, 0.25, 0.5, 0.75 or 0.9.
    pub quantile: f64,
    /// Points.
    pub points: f64,
}

impl Store {
    /// Begins a run. Its scores are shown nowhere until [`Store::close_score_run`].
    pub async fn open_score_run(
        &self,
        run: &NewScoreRun,
        now: DateTime<Utc>,
    ) -> Result<ScoreRunId, StoreError> {
        let id = sqlx::query_scalar!(
            "insert into score_runs (period, scheme, scheme_digest, cutoff, known_at, started_at)
             values ($1, $2, $3, $4, $5, $6) returning id",
            run.period,
            run.scheme,
            run.scheme_digest,
            run.cutoff,
            run.known_at,
            now
        )
        .fetch_one(&self.pool)
        .await?;
        Ok(ScoreRunId(id))
    }

    /// Adds scores to a run; one that is there already stays as it is.
    pub async fn save_scores(&self, run: ScoreRunId, scores: &[Score]) -> Result<(), StoreError> {
        sqlx::query!(
            "insert into scores (account_id, run_id, dimension, points, reason, interval_low,
                 interval_high, coverage, inputs, lines)
             select s.account_id, $1, s.dimension, s.points, s.reason, s.low, s.high, s.coverage,
                 s.inputs, s.lines
             from unnest($2::bigint[], $3::text[], $4::numeric[], $5::text[], $6::numeric[],
                 $7::numeric[], $8::float8[], $9::jsonb[], $10::jsonb[])
                 as s (account_id, dimension, points, reason, low, high, coverage, inputs, lines)
             on conflict (account_id, run_id, dimension) do nothing",
            run.0,
            &column(scores, |score| score.account.0),
            &column(scores, |score| score.dimension.clone()),
            &column(scores, |score| score.points.clone().ok()) as &[Option<Decimal>],
            &column(scores, |score| score.points.clone().err()) as &[Option<String>],
            &column(scores, |score| score.interval.map(|one| one.0)) as &[Option<Decimal>],
            &column(scores, |score| score.interval.map(|one| one.1)) as &[Option<Decimal>],
            &column(scores, |score| score.coverage) as &[Option<f64>],
            &column(scores, |score| score.inputs.clone()),
            &column(scores, |score| score.lines.clone()),
        )
        .execute(&self.pool)
        .await?;
        Ok(())
    }

    /// Ends a run: from now on its scores are the newest.
    pub async fn close_score_run(
        &self,
        run: ScoreRunId,
        now: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        sqlx::query!(
            "update score_runs set finished_at = $2 where id = $1 and finished_at is null",
            run.0,
            now
        )
        .execute(&self.pool)
        .await?;
        Ok(())
    }

    /// The newest score of each dimension, of one account or of all, in the order of accounts;
    /// `period` keeps to runs of that period.
    pub async fn latest_scores(
        &self,
        account: Option<AccountId>,
        period: Option<&str>,
    ) -> Result<Vec<StoredScore>, StoreError> {
        let rows = sqlx::query!(
            "select distinct on (s.account_id, s.dimension) s.account_id, s.dimension, s.run_id,
                 s.points, s.reason, s.interval_low, s.interval_high, s.coverage, s.inputs, s.lines,
                 r.period, r.scheme, r.scheme_digest, r.cutoff, r.known_at
             from scores s join score_runs r on r.id = s.run_id
             where r.finished_at is not null
               and ($1::bigint is null or s.account_id = $1)
               and ($2::text is null or r.period = $2)
             order by s.account_id, s.dimension, r.finished_at desc, r.id desc",
            account.map(|account| account.0),
            period
        )
        .fetch_all(&self.pool)
        .await?;
        let scores = rows.into_iter().map(|row| StoredScore {
            run: ScoreRunId(row.run_id),
            of: NewScoreRun {
                period: row.period,
                scheme: row.scheme,
                scheme_digest: row.scheme_digest,
                cutoff: row.cutoff,
                known_at: row.known_at,
            },
            score: Score {
                account: AccountId(row.account_id),
                dimension: row.dimension,
                points: row.points.ok_or(row.reason.unwrap_or_default()),
                interval: row.interval_low.zip(row.interval_high),
                coverage: row.coverage,
                inputs: row.inputs,
                lines: row.lines,
            },
        });
        Ok(scores.collect())
    }

    /// Quantiles of the newest points, by platform and dimension.
    pub async fn score_quantiles(&self) -> Result<Vec<ScoreQuantile>, StoreError> {
        let rows = sqlx::query!(
            r#"with newest as (
                 select distinct on (s.account_id, s.dimension) a.platform, s.dimension, s.points
                 from scores s join score_runs r on r.id = s.run_id
                 join accounts a on a.id = s.account_id
                 where r.finished_at is not null and a.in_ledger
                   and a.lifecycle not in ('closed', 'cancelled')
                 order by s.account_id, s.dimension, r.finished_at desc, r.id desc
             ), spread as (
                 select platform, dimension,
                     percentile_cont(array[0.1, 0.25, 0.5, 0.75, 0.9])
                         within group (order by points::float8) as points
                 from newest where points is not null group by platform, dimension
             )
             select platform, dimension, q.quantile as "quantile!", q.points as "points!"
             from spread, unnest(array[0.1, 0.25, 0.5, 0.75, 0.9]::float8[], spread.points)
                 as q (quantile, points)
             order by platform, dimension, quantile"#
        )
        .fetch_all(&self.pool)
        .await?;
        let quantiles = rows.into_iter().map(|row| ScoreQuantile {
            platform: row.platform,
            dimension: row.dimension,
            quantile: row.quantile,
            points: row.points,
        });
        Ok(quantiles.collect())
    }
}
