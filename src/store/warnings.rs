//! The early warning as it was last computed, and findings as the metrics show them.

use chrono::{DateTime, Utc};

use super::columns::{column, misread};
use super::{Store, StoreError};
use crate::domain::{AccountId, ActiveFinding, FindingCell, RegionCode};

/// A warning of one account.
#[derive(Debug, Clone, PartialEq)]
pub struct StoredWarning {
    /// The account.
    pub account: AccountId,
    /// Days since the last post.
    pub quiet_days: f64,
    /// How surprising that is, in bits.
    pub surprise_bits: f64,
    /// The probability, 0–1, that no post appears before the deadline.
    pub silent_by_deadline: f64,
    /// The last post.
    pub last_post_at: DateTime<Utc>,
    /// When the account becomes dormant.
    pub deadline_at: DateTime<Utc>,
}

/// A warning as it is listed.
#[derive(Debug, Clone, PartialEq)]
pub struct ListedWarning {
    /// 账号编号.
    pub key: String,
    /// 账号名称.
    pub name: String,
    /// Platform id.
    pub platform: String,
    /// What is warned of.
    pub warning: StoredWarning,
}

impl Store {
    /// Replaces the warnings of the accounts looked at.
    pub async fn save_warnings(
        &self,
        looked: &[AccountId],
        warnings: &[StoredWarning],
        now: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        let mut transaction = self.pool.begin().await?;
        sqlx::query!(
            "delete from warnings where account_id = any($1)",
            &column(looked, |account| account.0)
        )
        .execute(&mut *transaction)
        .await?;
        sqlx::query!(
            "insert into warnings (account_id, quiet_days, surprise_bits, silent_by_deadline,
                 last_post_at, deadline_at, computed_at)
             select w.*, $7 from unnest($1::bigint[], $2::float8[], $3::float8[], $4::float8[],
                 $5::timestamptz[], $6::timestamptz[]) as w
             on conflict (account_id) do nothing",
            &column(warnings, |one| one.account.0),
            &column(warnings, |one| one.quiet_days),
            &column(warnings, |one| one.surprise_bits),
            &column(warnings, |one| one.silent_by_deadline),
            &column(warnings, |one| one.last_post_at),
            &column(warnings, |one| one.deadline_at),
            now
        )
        .execute(&mut *transaction)
        .await?;
        transaction.commit().await?;
        Ok(())
    }

    /// At most `limit` warnings, the most surprising first.
    pub async fn warnings(&self, limit: u32) -> Result<Vec<ListedWarning>, StoreError> {
        let rows = sqlx::query!(
            "select a.key, a.name, a.platform, w.account_id, w.quiet_days, w.surprise_bits,
                 w.silent_by_deadline, w.last_post_at, w.deadline_at
             from warnings w join accounts a on a.id = w.account_id
             where a.in_ledger and a.lifecycle not in ('closed', 'cancelled')
             order by w.surprise_bits desc, w.silent_by_deadline desc, a.key limit $1",
            i64::from(limit)
        )
        .fetch_all(&self.pool)
        .await?;
        let warnings = rows.into_iter().map(|row| ListedWarning {
            key: row.key,
            name: row.name,
            platform: row.platform,
            warning: StoredWarning {
                account: AccountId(row.account_id),
                quiet_days: row.quiet_days,
                surprise_bits: row.surprise_bits,
                silent_by_deadline: row.silent_by_deadline,
                last_post_at: row.last_post_at,
                deadline_at: row.deadline_at,
            },
        });
        Ok(warnings.collect())
    }

    /// How many findings of each rule, severity and region are not done with.
    pub async fn finding_cells(&self) -> Result<Vec<FindingCell>, StoreError> {
        let rows = sqlx::query!(
            r#"select f.rule, f.severity, coalesce(a.region, f.area, '') as "region!",
                   count(*) as "findings!", count(f.account_id) as "of_accounts!"
               from findings f left join accounts a on a.id = f.account_id
               where f.state not in ('closed', 'dismissed')
               group by 1, 2, 3 order by 1, 2, 3"#
        )
        .fetch_all(&self.pool)
        .await?;
        let cells = rows.into_iter().map(|row| {
            Ok(FindingCell {
                rule: row.rule,
                severity: row.severity,
                region: read_region(&row.region)?,
                findings: row.findings.unsigned_abs(),
                of_accounts: row.of_accounts.unsigned_abs(),
            })
        });
        cells.collect()
    }

    /// At most `limit` findings of accounts that are not done with, the gravest and then the oldest
    /// first.
    pub async fn active_findings(&self, limit: u32) -> Result<Vec<ActiveFinding>, StoreError> {
        let rows = sqlx::query!(
            r#"select a.key, a.platform, a.region as "region!", f.rule, f.severity,
                   coalesce(u.code, u.name) as "sponsor_key!"
               from findings f
               join accounts a on a.id = f.account_id join units u on u.id = a.sponsor_id
               where f.state not in ('closed', 'dismissed')
               order by array_position(array['veto', 'serious', 'minor', 'watch'], f.severity),
                   f.raised_at, f.id
               limit $1"#,
            i64::from(limit)
        )
        .fetch_all(&self.pool)
        .await?;
        let findings = rows.into_iter().map(|row| {
            Ok(ActiveFinding {
                key: row.key,
                platform: row.platform,
                region: row.region.parse().map_err(|_| misread("a region", &row.region))?,
                sponsor_key: row.sponsor_key,
                rule: row.rule,
                severity: row.severity,
            })
        });
        findings.collect()
    }
}

/// A sponsor's finding is about no region.
fn read_region(code: &str) -> Result<Option<RegionCode>, StoreError> {
    if code.is_empty() {
        return Ok(None);
    }
    code.parse().map(Some).map_err(|_| misread("a region", code))
}
