//! Letters that were not sent, for a person to look after.

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, Utc};

use super::columns::column;
use super::{Store, StoreError};
use crate::domain::FindingId;

/// A letter that has not been sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnsentLetter {
    /// Its number.
    pub id: i64,
    /// The sponsor's name.
    pub sponsor: String,
    /// The day in Asia/Shanghai.
    pub day: NaiveDate,
    /// The word of the channel.
    pub channel: String,
    /// `waiting`, `sending`, `failed` or `uncertain`.
    pub state: String,
    /// Attempts made.
    pub attempts: i32,
    /// Why the last one failed.
    pub last_error: Option<String>,
    /// How many findings it tells of.
    pub notices: i64,
}

impl Store {
    /// Every letter that has not been sent, oldest first.
    pub async fn unsent_letters(&self) -> Result<Vec<UnsentLetter>, StoreError> {
        let letters = sqlx::query_as!(
            UnsentLetter,
            r#"select l.id, u.name as sponsor, l.day, l.channel, l.state, l.attempts, l.last_error,
                   (select count(*) from notices n where n.letter_id = l.id) as "notices!"
               from letters l join units u on u.id = l.unit_id
               where l.state <> 'sent' order by l.id"#
        )
        .fetch_all(&self.pool)
        .await?;
        Ok(letters)
    }

    /// The letters that are to tell of these findings and have not been sent: day, channel, state.
    pub async fn unsent_letters_of(
        &self,
        findings: &[FindingId],
    ) -> Result<BTreeMap<FindingId, (NaiveDate, String, String)>, StoreError> {
        let rows = sqlx::query!(
            "select n.finding_id, l.day, l.channel, l.state
             from notices n join letters l on l.id = n.letter_id
             where n.finding_id = any($1) and n.issued_at is null",
            &column(findings, |finding| finding.0)
        )
        .fetch_all(&self.pool)
        .await?;
        let letters = rows
            .into_iter()
            .map(|row| (FindingId(row.finding_id), (row.day, row.channel, row.state)));
        Ok(letters.collect())
    }

    /// Has a letter that was given up, or of which nobody knew whether it arrived, sent again;
    /// `false` where it is neither.
    pub async fn resend_letter(&self, id: i64, now: DateTime<Utc>) -> Result<bool, StoreError> {
        let moved = sqlx::query!(
            "update letters set state = 'waiting', attempts = 0, next_attempt_at = $2
             where id = $1 and state in ('failed', 'uncertain')",
            id,
            now
        )
        .execute(&self.pool)
        .await?;
        Ok(moved.rows_affected() > 0)
    }
}
