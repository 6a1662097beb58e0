//! Verdicts and roll-ups of a run, and what earlier runs gave.

use chrono::{DateTime, Utc};
use rust_decimal::Decimal;
use serde_json::Value;

use super::columns::column;
use super::{ScoreRunId, Store, StoreError};
use crate::domain::AccountId;

/// Pass or fail of one account in a run.
#[derive(Debug, Clone, PartialEq)]
pub struct ScoreVerdict {
    /// The account.
    pub account: AccountId,
    /// `pass`, `fail`, `undetermined` or `not_judged`.
    pub result: String,
    /// What decided it, in Chinese.
    pub reasons: Vec<String>,
    /// Every veto with its state and inputs.
    pub vetoes: Value,
    /// Every other flag with its state and inputs.
    pub flags: Value,
    /// The row of the assignments that chose the scheme.
    pub assigned_by: Option<String>,
}

/// A score of a sponsor, supervisor or area.
#[derive(Debug, Clone, PartialEq)]
pub struct ScoreRollup {
    /// The roll-up's id.
    pub rollup: String,
    /// `sponsor`, `supervisor`, `region`, `city` or `province`.
    pub subject_kind: String,
    /// Who, or which area.
    pub subject: String,
    /// Points, or why there are none.
    pub points: Result<Decimal, String>,
    /// Least and greatest points.
    pub interval: Option<(Decimal, Decimal)>,
    /// The parts with their accounts, the vetoed and the left out.
    pub lines: Value,
}

/// One account's earlier score.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PastScore {
    /// The account.
    pub account: AccountId,
    /// The points.
    pub points: Decimal,
    /// The least they can be.
    pub low: Decimal,
    /// The most they can be.
    pub high: Decimal,
}

impl Store {
    /// Puts verdicts into a run, in place of those that were there.
    pub async fn save_verdicts(
        &self,
        run: ScoreRunId,
        verdicts: &[ScoreVerdict],
    ) -> Result<(), StoreError> {
        sqlx::query!(
            "insert into score_verdicts as o (account_id, run_id, result, reasons, vetoes, flags,
                 assigned_by)
             select v.account_id, $1, v.result,
                 array(select jsonb_array_elements_text(v.reasons)), v.vetoes, v.flags,
                 v.assigned_by
             from unnest($2::bigint[], $3::text[], $4::jsonb[], $5::jsonb[], $6::jsonb[],
                 $7::text[]) as v (account_id, result, reasons, vetoes, flags, assigned_by)
             order by v.account_id
             on conflict (account_id, run_id) do update set
                 result = excluded.result, reasons = excluded.reasons, vetoes = excluded.vetoes,
                 flags = excluded.flags, assigned_by = excluded.assigned_by
             where (o.result, o.reasons, o.vetoes, o.flags, o.assigned_by) is distinct from
                 (excluded.result, excluded.reasons, excluded.vetoes, excluded.flags,
                  excluded.assigned_by)",
            run.0,
            &column(verdicts, |one| one.account.0),
            &column(verdicts, |one| one.result.clone()),
            &column(verdicts, |one| Value::from(one.reasons.clone())),
            &column(verdicts, |one| one.vetoes.clone()),
            &column(verdicts, |one| one.flags.clone()),
            &column(verdicts, |one| one.assigned_by.clone()) as &[Option<String>],
        )
        .execute(&self.pool)
        .await?;
        Ok(())
    }

    /// Puts the roll-ups of a run in place of all that were there.
    pub async fn save_rollups(
        &self,
        run: ScoreRunId,
        rollups: &[ScoreRollup],
    ) -> Result<(), StoreError> {
        let mut transaction = self.pool.begin().await?;
        sqlx::query!("delete from score_rollups where run_id = $1", run.0)
            .execute(&mut *transaction)
            .await?;
        sqlx::query!(
            "insert into score_rollups (run_id, rollup, subject_kind, subject, points, reason,
                 interval_low, interval_high, lines)
             select $1, * from unnest($2::text[], $3::text[], $4::text[], $5::numeric[],
                 $6::text[], $7::numeric[], $8::numeric[], $9::jsonb[])",
            run.0,
            &column(rollups, |one| one.rollup.clone()),
            &column(rollups, |one| one.subject_kind.clone()),
            &column(rollups, |one| one.subject.clone()),
            &column(rollups, |one| one.points.clone().ok()) as &[Option<Decimal>],
            &column(rollups, |one| one.points.clone().err()) as &[Option<String>],
            &column(rollups, |one| one.interval.map(|ends| ends.0)) as &[Option<Decimal>],
            &column(rollups, |one| one.interval.map(|ends| ends.1)) as &[Option<Decimal>],
            &column(rollups, |one| one.lines.clone()),
        )
        .execute(&mut *transaction)
        .await?;
        transaction.commit().await?;
        Ok(())
    }

    /// How many accounts of a scheme's newest finished run of a period have each verdict.
    pub async fn verdict_counts(
        &self,
        period: &str,
        scheme: &str,
    ) -> Result<Vec<(String, i64)>, StoreError> {
        let rows = sqlx::query!(
            r#"select v.result, count(*) as "count!" from score_verdicts v
               where v.run_id = (select id from score_runs where period = $1 and scheme = $2
                   and finished_at is not null order by finished_at desc, id desc limit 1)
               group by v.result order by v.result"#,
            period,
            scheme
        )
        .fetch_all(&self.pool)
        .await?;
        Ok(rows.into_iter().map(|row| (row.result, row.count)).collect())
    }

    /// What accounts had in a dimension, or composite, of a scheme's newest finished run of a
    /// period, as known by `known_at`.
    pub async fn past_scores(
        &self,
        period: &str,
        scheme: &str,
        dimension: &str,
        known_at: DateTime<Utc>,
    ) -> Result<Vec<PastScore>, StoreError> {
        let rows = sqlx::query!(
            r#"select s.account_id, s.points as "points!", s.interval_low, s.interval_high
               from scores s
               where s.dimension = $3 and s.points is not null
                 and s.run_id = (select id from score_runs where period = $1 and scheme = $2
                     and finished_at is not null and known_at <= $4
                     order by finished_at desc, id desc limit 1)"#,
            period,
            scheme,
            dimension,
            known_at
        )
        .fetch_all(&self.pool)
        .await?;
        let past = rows.into_iter().map(|row| PastScore {
            account: AccountId(row.account_id),
            points: row.points,
            low: row.interval_low.unwrap_or(row.points),
            high: row.interval_high.unwrap_or(row.points),
        });
        Ok(past.collect())
    }
}
