//! Sending the letters of the outbox: taken one at a time, ended once.

use chrono::{DateTime, Days, NaiveDate, Utc};
use sqlx::PgConnection;

use super::columns::misread;
use super::finding_row::read_state;
use super::steps::{StepRequest, step};
use super::{Store, StoreError};
use crate::domain::{
    AccountId, By, FindingId, FindingState, Step, shanghai_date, shanghai_midnight,
};

/// A letter taken to be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Letter {
    /// Its number.
    pub id: i64,
    /// The same for every attempt.
    pub idempotency_key: String,
    /// The sponsor's name.
    pub sponsor: String,
    /// The account whose 通知方式 is the address.
    pub addressee: Option<AccountId>,
    /// The day in Asia/Shanghai.
    pub day: NaiveDate,
    /// The word of the channel.
    pub channel: String,
    /// Attempts made, this one included.
    pub attempts: i32,
    /// The findings it tells of, with their stage.
    pub notices: Vec<(FindingId, i32)>,
}

/// How an attempt to send ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SendOutcome {
    /// Sent.
    Sent,
    /// Not sent; again at this time, or given up where there is none.
    Failed(String, Option<DateTime<Utc>>),
}

impl Store {
    /// Takes a due letter for sending, at most `budget` a day on its channel; `None` where nothing
    /// is due. What it was to tell and is no longer so is taken out of it first.
    pub async fn take_letter(
        &self,
        channel: &str,
        budget: u32,
        lease_until: DateTime<Utc>,
        now: DateTime<Utc>,
    ) -> Result<Option<Letter>, StoreError> {
        let mut transaction = self.pool.begin().await?;
        sqlx::query!(
            "delete from notices n using findings f, letters l
             where f.id = n.finding_id and l.id = n.letter_id and n.issued_at is null
               and l.state = 'waiting' and f.state not in ('approved', 'reopened')"
        )
        .execute(&mut *transaction)
        .await?;
        sqlx::query!(
            "delete from letters l where l.state = 'waiting'
               and not exists (select from notices n where n.letter_id = l.id)"
        )
        .execute(&mut *transaction)
        .await?;
        let row = sqlx::query!(
            "update letters l set state = 'sending', attempts = attempts + 1, lease_until = $3
             from units u
             where u.id = l.unit_id and l.id = (
                 select d.id from letters d
                 where d.state = 'waiting' and d.channel = $1 and d.next_attempt_at <= $2
                   and (select count(*) from letters s where s.channel = $1
                       and s.sent_at >= $4) < $5
                 order by d.next_attempt_at, d.id limit 1 for update skip locked)
             returning l.id, l.idempotency_key, u.name as sponsor, l.account_id, l.day, l.channel,
                 l.attempts",
            channel,
            now,
            lease_until,
            shanghai_midnight(shanghai_date(now)),
            i64::from(budget)
        )
        .fetch_optional(&mut *transaction)
        .await?;
        let Some(row) = row else {
            transaction.commit().await?;
            return Ok(None);
        };
        let notices = sqlx::query!(
            "select finding_id, stage from notices where letter_id = $1 order by finding_id",
            row.id
        )
        .fetch_all(&mut *transaction)
        .await?;
        transaction.commit().await?;
        Ok(Some(Letter {
            id: row.id,
            idempotency_key: row.idempotency_key,
            sponsor: row.sponsor,
            addressee: row.account_id.map(AccountId),
            day: row.day,
            channel: row.channel,
            attempts: row.attempts,
            notices: notices
                .into_iter()
                .map(|notice| (FindingId(notice.finding_id), notice.stage))
                .collect(),
        }))
    }

    /// Letters whose sender died: `repeatable` channels may send again, of the others nobody knows
    /// whether they arrived. Returns how many are uncertain now.
    pub async fn recover_letters(
        &self,
        repeatable: &[String],
        now: DateTime<Utc>,
    ) -> Result<u64, StoreError> {
        let uncertain = sqlx::query!(
            r#"update letters set lease_until = null, next_attempt_at = $2,
                 state = case when channel = any($1) then 'waiting' else 'uncertain' end
               where state = 'sending' and lease_until <= $2
               returning state = 'uncertain' as "uncertain!""#,
            repeatable,
            now
        )
        .fetch_all(&self.pool)
        .await?;
        Ok(uncertain.iter().filter(|row| row.uncertain).count() as u64)
    }

    /// Writes down how an attempt ended. A letter that was sent sets its notices' deadlines and
    /// moves their findings, all at once.
    pub async fn letter_ended(
        &self,
        letter: i64,
        outcome: &SendOutcome,
        now: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        let mut transaction = self.pool.begin().await?;
        match outcome {
            SendOutcome::Failed(reason, again_at) => {
                sqlx::query!(
                    "update letters set state = case when $3::timestamptz is null then 'failed'
                         else 'waiting' end, lease_until = null, last_error = $2,
                         next_attempt_at = coalesce($3, next_attempt_at)
                     where id = $1 and state = 'sending'",
                    letter,
                    reason,
                    *again_at
                )
                .execute(&mut *transaction)
                .await?;
            }
            SendOutcome::Sent => {
                let sent = sqlx::query!(
                    "update letters set state = 'sent', sent_at = $2, lease_until = null,
                         last_error = null
                     where id = $1 and state in ('sending', 'uncertain')",
                    letter,
                    now
                )
                .execute(&mut *transaction)
                .await?;
                if sent.rows_affected() > 0 {
                    issue_notices(&mut transaction, letter, now).await?;
                }
            }
        }
        transaction.commit().await?;
        Ok(())
    }
}

/// Sets the deadlines of a sent letter's notices and moves their findings; what was settled while
/// it was being sent is withdrawn.
async fn issue_notices(
    connection: &mut PgConnection,
    letter: i64,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    let rows = sqlx::query!(
        "select n.id, n.finding_id, n.stage, f.deadline_days, f.state
         from notices n join findings f on f.id = n.finding_id
         where n.letter_id = $1 and n.issued_at is null order by n.finding_id for update",
        letter
    )
    .fetch_all(&mut *connection)
    .await?;
    for row in rows {
        // The day of the notice is not counted; the last day counts to its end.
        let days = u64::try_from(row.deadline_days).unwrap_or(1) + 1;
        let day = shanghai_date(now).checked_add_days(Days::new(days));
        let deadline = shanghai_midnight(day.ok_or_else(|| misread("a deadline", days))?);
        let is_told =
            matches!(read_state(&row.state)?, FindingState::Approved | FindingState::Reopened);
        sqlx::query!(
            "update notices set issued_at = $2, deadline = $3,
                 outcome = case when $4 then outcome else 'withdrawn' end
             where id = $1",
            row.id,
            now,
            deadline,
            is_told
        )
        .execute(&mut *connection)
        .await?;
        if !is_told {
            continue;
        }
        sqlx::query!("update findings set deadline = $2 where id = $1", row.finding_id, deadline)
            .execute(&mut *connection)
            .await?;
        let request = StepRequest {
            finding: FindingId(row.finding_id),
            step: Step::Notify,
            by: By::Job,
            actor: "job:notices".to_owned(),
            reason: format!("第 {} 次通知已发出", row.stage),
            expires_on: None,
        };
        let _told = step(&mut *connection, &request, now).await?;
    }
    Ok(())
}
