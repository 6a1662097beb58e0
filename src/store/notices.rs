//! The ladder: notices with their deadlines, what came of them, and published namings.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};

use super::bulletins::Naming;
use super::columns::column;
use super::{Store, StoreError};
use crate::domain::{AccountId, FindingId};

/// A notice that was sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IssuedNotice {
    /// Its number.
    pub id: i64,
    /// Of which finding.
    pub finding: FindingId,
    /// Which notice of it, from 1.
    pub stage: i32,
    /// The account, where it is about one.
    pub account: Option<AccountId>,
    /// When it was sent.
    pub issued_at: DateTime<Utc>,
    /// The end of its time.
    pub deadline: DateTime<Utc>,
    /// What came of it.
    pub outcome: NoticeOutcome,
    /// When that was written down; absent until it is told whether it was followed.
    pub told_at: Option<DateTime<Utc>>,
}

/// What came of a notice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NoticeOutcome {
    /// Not told yet, with the reason where its time is over.
    Pending(Option<String>),
    /// A new post answered it.
    Answered {
        /// The platform's id.
        post: String,
        /// When it was published.
        at: DateTime<Utc>,
    },
    /// It is proven that nothing answered it.
    Missed,
    /// What it was about was settled before it was sent.
    Withdrawn,
}

impl NoticeOutcome {
    fn word(&self) -> &'static str {
        match self {
            Self::Pending(_) => "pending",
            Self::Answered { .. } => "answered",
            Self::Missed => "missed",
            Self::Withdrawn => "withdrawn",
        }
    }
}

struct NoticeRow {
    id: i64,
    finding_id: i64,
    stage: i32,
    account_id: Option<i64>,
    issued_at: DateTime<Utc>,
    deadline: DateTime<Utc>,
    outcome: String,
    answered_ref: Option<String>,
    answered_at: Option<DateTime<Utc>>,
    doubt: Option<String>,
    told_at: Option<DateTime<Utc>>,
}

impl From<NoticeRow> for IssuedNotice {
    fn from(row: NoticeRow) -> Self {
        Self {
            id: row.id,
            finding: FindingId(row.finding_id),
            stage: row.stage,
            account: row.account_id.map(AccountId),
            issued_at: row.issued_at,
            deadline: row.deadline,
            outcome: match (row.outcome.as_str(), row.answered_at) {
                ("answered", Some(at)) => {
                    NoticeOutcome::Answered { post: row.answered_ref.unwrap_or_default(), at }
                }
                ("missed", _) => NoticeOutcome::Missed,
                ("withdrawn", _) => NoticeOutcome::Withdrawn,
                _ => NoticeOutcome::Pending(row.doubt),
            },
            told_at: row.told_at,
        }
    }
}

impl Store {
    /// Notices to update of which it is not told yet whether they were followed.
    pub async fn pending_updates(&self) -> Result<Vec<IssuedNotice>, StoreError> {
        let rows = sqlx::query_as!(
            NoticeRow,
            r#"select id, finding_id, stage, account_id, issued_at as "issued_at!",
                   deadline as "deadline!", outcome, answered_ref, answered_at, doubt, told_at
               from notices
               where is_update and issued_at is not null and account_id is not null
                 and outcome = 'pending'
               order by id"#
        )
        .fetch_all(&self.pool)
        .await?;
        Ok(rows.into_iter().map(IssuedNotice::from).collect())
    }

    /// Every notice of a finding that was sent, oldest first.
    pub async fn notices_of(&self, finding: FindingId) -> Result<Vec<IssuedNotice>, StoreError> {
        let rows = sqlx::query_as!(
            NoticeRow,
            r#"select id, finding_id, stage, account_id, issued_at as "issued_at!",
                   deadline as "deadline!", outcome, answered_ref, answered_at, doubt, told_at
               from notices where finding_id = $1 and issued_at is not null order by stage"#,
            finding.0
        )
        .fetch_all(&self.pool)
        .await?;
        Ok(rows.into_iter().map(IssuedNotice::from).collect())
    }

    /// Writes down what came of notices; one that was told is not told otherwise.
    pub async fn save_outcomes(
        &self,
        outcomes: &[(i64, NoticeOutcome)],
        now: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        let answer = |outcome: &NoticeOutcome| match outcome {
            NoticeOutcome::Answered { post, at } => (Some(post.clone()), Some(*at)),
            _ => (None, None),
        };
        let doubt = |outcome: &NoticeOutcome| match outcome {
            NoticeOutcome::Pending(doubt) => doubt.clone(),
            _ => None,
        };
        sqlx::query!(
            "update notices n set outcome = o.outcome, answered_ref = o.ref,
                 answered_at = o.at, doubt = o.doubt,
                 told_at = case when o.outcome in ('answered', 'missed') then $6::timestamptz end
             from unnest($1::bigint[], $2::text[], $3::text[], $4::timestamptz[], $5::text[])
                 as o (id, outcome, ref, at, doubt)
             where n.id = o.id and n.outcome = 'pending'
               and (n.outcome, n.doubt) is distinct from (o.outcome, o.doubt)",
            &column(outcomes, |one| one.0),
            &column(outcomes, |one| one.1.word().to_owned()),
            &column(outcomes, |one| answer(&one.1).0) as &[Option<String>],
            &column(outcomes, |one| answer(&one.1).1) as &[Option<DateTime<Utc>>],
            &column(outcomes, |one| doubt(&one.1)) as &[Option<String>],
            now
        )
        .execute(&self.pool)
        .await?;
        Ok(())
    }

    /// The notices to update of every account that has a missed one or a naming.
    pub async fn ladder_notices(
        &self,
    ) -> Result<BTreeMap<AccountId, Vec<IssuedNotice>>, StoreError> {
        let rows = sqlx::query_as!(
            NoticeRow,
            r#"select id, finding_id, stage, account_id, issued_at as "issued_at!",
                   deadline as "deadline!", outcome, answered_ref, answered_at, doubt, told_at
               from notices n
               where is_update and issued_at is not null and account_id is not null
                 and (exists (select from notices m where m.account_id = n.account_id
                         and m.is_update and m.outcome = 'missed')
                     or exists (select from namings g where g.account_id = n.account_id))
               order by account_id, issued_at, id"#
        )
        .fetch_all(&self.pool)
        .await?;
        let mut notices: BTreeMap<AccountId, Vec<IssuedNotice>> = BTreeMap::new();
        for notice in rows.into_iter().map(IssuedNotice::from) {
            if let Some(account) = notice.account {
                notices.entry(account).or_default().push(notice);
            }
        }
        Ok(notices)
    }

    /// The namings of each account, each bulletin once, those that a correction took back included:
    /// each says from when until when it stood.
    pub async fn namings(&self) -> Result<BTreeMap<AccountId, Vec<Naming>>, StoreError> {
        let rows = sqlx::query!(
            r#"select distinct on (n.account_id, n.bulletin) n.account_id as "account_id!",
                   n.published_at, n.finding_id,
                   coalesce(b.published_at, n.published_at) as "known_from!",
                   c.published_at as "known_until?"
               from namings n
               left join bulletins b on b.id = n.issue
               left join bulletins c on c.supersedes = n.issue
               where n.account_id is not null
               order by n.account_id, n.bulletin, n.published_at, n.finding_id"#
        )
        .fetch_all(&self.pool)
        .await?;
        let mut namings: BTreeMap<AccountId, Vec<Naming>> = BTreeMap::new();
        for row in rows {
            let naming = Naming {
                named_at: row.published_at,
                finding: FindingId(row.finding_id),
                known_from: row.known_from,
                known_until: row.known_until,
            };
            namings.entry(AccountId(row.account_id)).or_default().push(naming);
        }
        namings.values_mut().for_each(|of_one| of_one.sort_by_key(|one| one.named_at));
        Ok(namings)
    }
}
