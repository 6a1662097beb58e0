//! The outbox of notices: one letter for each sponsor, address and day, sent once.

use std::fmt;

use chrono::{DateTime, NaiveDate, Utc};

use super::columns::column;
use super::secrets::Field;
use super::{Store, StoreError};
use crate::domain::{AccountId, FindingId};

/// A finding whose sponsor is to be told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ToNotify {
    /// Which finding.
    pub finding: FindingId,
    /// The rule's id.
    pub rule: String,
    /// The sponsor's number and name.
    pub sponsor: (i64, String),
    /// The account it is about; of a sponsor's finding none.
    pub account: Option<AccountId>,
    /// The account whose 通知方式 is used; the first of the sponsor that has one.
    pub addressee: Option<AccountId>,
    /// Which notice it would be, from 1.
    pub stage: i32,
}

/// How the ledger says that an account's people are reached; decrypted for the time of a sending.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Contact {
    /// 责任人.
    pub officer: Option<String>,
    /// 通知方式.
    pub notify: Option<String>,
}

/// A letter to be put into the outbox.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewLetter {
    /// What has been written is not written again.
    pub idempotency_key: String,
    /// The sponsor's number.
    pub sponsor: i64,
    /// The account whose 通知方式 is the address; none: the printed letter.
    pub addressee: Option<AccountId>,
    /// The day in Asia/Shanghai.
    pub day: NaiveDate,
    /// The word of the channel.
    pub channel: &'static str,
    /// Not to be sent before.
    pub not_before: DateTime<Utc>,
    /// What it tells: finding, stage, whether it is a notice to update, account.
    pub notices: Vec<(FindingId, i32, bool, Option<AccountId>)>,
}

impl fmt::Debug for Contact {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let said = |field: &Option<String>| if field.is_some() { "***" } else { "-" };
        write!(f, "Contact({}, {})", said(&self.officer), said(&self.notify))
    }
}

impl Store {
    /// Findings that are approved, or were reopened, and of which no unsent letter tells.
    pub async fn findings_to_notify(&self, limit: u32) -> Result<Vec<ToNotify>, StoreError> {
        let rows = sqlx::query!(
            r#"select f.id, f.rule, f.account_id, u.id as sponsor_id, u.name as sponsor,
                   w.id as "addressee?", coalesce(n.stage, 0) + 1 as "stage!"
               from findings f
               left join accounts a on a.id = f.account_id
               join units u on u.id = coalesce(a.sponsor_id, f.unit_id)
               left join lateral (
                   select o.id from accounts o
                   where o.sponsor_id = u.id and o.notify is not null and o.in_ledger
                   order by o.id <> coalesce(f.account_id, 0), o.id limit 1) w on true
               left join lateral (
                   select max(p.stage) as stage, bool_or(p.issued_at is null) as unsent
                   from notices p where p.finding_id = f.id) n on true
               where f.state in ('approved', 'reopened') and n.unsent is not true
               order by u.id, f.id limit $1"#,
            i64::from(limit)
        )
        .fetch_all(&self.pool)
        .await?;
        let found = rows.into_iter().map(|row| ToNotify {
            finding: FindingId(row.id),
            rule: row.rule,
            sponsor: (row.sponsor_id, row.sponsor),
            account: row.account_id.map(AccountId),
            addressee: row.addressee.map(AccountId),
            stage: row.stage,
        });
        Ok(found.collect())
    }

    /// Whom to reach for an account.
    ///
    /// # Errors
    /// [`StoreError::Secret`] where it was encrypted under another key.
    pub async fn contact(&self, account: AccountId) -> Result<Contact, StoreError> {
        let row =
            sqlx::query!("select key, officer, notify from accounts where id = $1", account.0)
                .fetch_optional(&self.pool)
                .await?;
        let Some(row) = row else { return Ok(Contact::default()) };
        let open = |field, sealed: Option<String>| {
            sealed.map(|text| self.secrets.open(&row.key, field, &text)).transpose()
        };
        Ok(Contact {
            officer: open(Field::Officer, row.officer)?,
            notify: open(Field::Notify, row.notify)?,
        })
    }

    /// Puts a letter into the outbox. One of the same key that waits takes the notices in addition;
    /// one that was sent or given up takes none, and `false` is returned: another day.
    pub async fn write_letter(
        &self,
        letter: &NewLetter,
        now: DateTime<Utc>,
    ) -> Result<bool, StoreError> {
        let mut transaction = self.pool.begin().await?;
        sqlx::query!(
            "insert into letters (idempotency_key, unit_id, account_id, day, channel,
                 next_attempt_at, created_at)
             values ($1, $2, $3, $4, $5, $6, $7) on conflict (idempotency_key) do nothing",
            letter.idempotency_key,
            letter.sponsor,
            letter.addressee.map(|account| account.0),
            letter.day,
            letter.channel,
            letter.not_before,
            now
        )
        .execute(&mut *transaction)
        .await?;
        let id = sqlx::query_scalar!(
            "select id from letters where idempotency_key = $1 and state = 'waiting' for update",
            letter.idempotency_key
        )
        .fetch_optional(&mut *transaction)
        .await?;
        let Some(id) = id else { return Ok(false) };
        sqlx::query!(
            "insert into notices (finding_id, stage, letter_id, is_update, account_id)
             select n.finding_id, n.stage, $1, n.is_update, n.account_id
             from unnest($2::bigint[], $3::int[], $4::bool[], $5::bigint[])
                 as n (finding_id, stage, is_update, account_id)
             on conflict (finding_id, stage) do nothing",
            id,
            &column(&letter.notices, |one| one.0.0),
            &column(&letter.notices, |one| one.1),
            &column(&letter.notices, |one| one.2),
            &column(&letter.notices, |one| one.3.map(|account| account.0)) as &[Option<i64>],
        )
        .execute(&mut *transaction)
        .await?;
        transaction.commit().await?;
        Ok(true)
    }
}
