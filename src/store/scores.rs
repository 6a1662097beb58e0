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
    /// Begins the run of a period and scheme, or begins it again as of a later time. The scores of
    /// a new one are shown nowhere until [`Store::close_score_run`]; those of one begun again stand
    /// until they are replaced.
    pub async fn open_score_run(
        &self,
        run: &NewScoreRun,
        now: DateTime<Utc>,
    ) -> Result<ScoreRunId, StoreError> {
        let id = sqlx::query_scalar!(
            "insert into score_runs (period, scheme, scheme_digest, cutoff, known_at, started_at)
             values ($1, $2, $3, $4, $5, $6)
             on conflict (period, scheme, scheme_digest) do update set cutoff = excluded.cutoff,
                 known_at = excluded.known_at, started_at = excluded.started_at
             returning id",
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

    /// Puts scores into a run, each account and dimension once, in place of what was there. What
    /// stands the same is not written.
    pub async fn save_scores(&self, run: ScoreRunId, scores: &[Score]) -> Result<(), StoreError> {
        sqlx::query!(
            "insert into scores as o (account_id, run_id, dimension, points, reason, interval_low,
                 interval_high, coverage, inputs, lines)
             select s.account_id, $1, s.dimension, s.points, s.reason, s.low, s.high, s.coverage,
                 s.inputs, s.lines
             from unnest($2::bigint[], $3::text[], $4::numeric[], $5::text[], $6::numeric[],
                 $7::numeric[], $8::float8[], $9::jsonb[], $10::jsonb[])
                 as s (account_id, dimension, points, reason, low, high, coverage, inputs, lines)
             order by s.account_id, s.dimension
             on conflict (account_id, run_id, dimension) do update set
                 points = excluded.points, reason = excluded.reason,
                 interval_low = excluded.interval_low, interval_high = excluded.interval_high,
                 coverage = excluded.coverage, inputs = excluded.inputs, lines = excluded.lines
             where (o.points, o.reason, o.interval_low, o.interval_high, o.coverage, o.inputs,
                     o.lines)
                 is distinct from (excluded.points, excluded.reason, excluded.interval_low,
                     excluded.interval_high, excluded.coverage, excluded.inputs, excluded.lines)",
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
        sqlx::query!("update score_runs set finished_at = $2 where id = $1", run.0, now)
            .execute(&self.pool)
            .await?;
        Ok(())
    }

    /// Quantiles of the newest finished run, by platform and dimension.
    pub async fn score_quantiles(&self) -> Result<Vec<ScoreQuantile>, StoreError> {
        let rows = sqlx::query!(
            r#"with newest as (
                 select distinct on (r.scheme) r.id from score_runs r
                 where r.finished_at is not null and r.known_at = (
                     select k.known_at from score_runs k where k.finished_at is not null
                     order by k.finished_at desc, k.id desc limit 1)
                 order by r.scheme, r.finished_at desc, r.id desc
             ), scored as (
                 select a.platform, s.dimension, s.points
                 from newest n join scores s on s.run_id = n.id
                 join accounts a on a.id = s.account_id
                 where s.points is not null and a.in_ledger
                   and a.lifecycle not in ('closed', 'cancelled')
             ), spread as (
                 select platform, dimension,
                     percentile_cont(array[0.1, 0.25, 0.5, 0.75, 0.9])
                         within group (order by points::float8) as points
                 from scored group by platform, dimension
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
