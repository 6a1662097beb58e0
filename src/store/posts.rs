//! Posts as they stand, read back.

use chrono::{DateTime, Utc};
use serde_json::Value;

use super::columns::{misread, read_count, read_moment};
use super::{Store, StoreError};
use crate::domain::{AccountId, Count, Form, Origin, Word};
use crate::observe::ListedPost;

/// A post as it stands in the database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredPost {
    /// When it was listed, and by what it was missed.
    pub listed: ListedPost,
    /// As-of time of the newest observation that listed it.
    pub last_seen: DateTime<Utc>,
    /// The absolute address.
    pub url: Option<String>,
    /// The title.
    pub title: Option<String>,
    /// The kind of content.
    pub form: Option<Form>,
    /// Own work or a repost.
    pub origin: Origin,
    /// `sha256:…` of the normalised text.
    pub text_digest: Option<String>,
    /// 64-bit similarity digest, sixteen hexadecimal digits.
    pub text_simhash: Option<String>,
    /// As-of time of the newest numbers.
    pub sampled_at: Option<DateTime<Utc>>,
    /// Reads or plays, newest known.
    pub reads: Option<Count>,
    /// Likes, newest known.
    pub likes: Option<Count>,
    /// Comments, newest known.
    pub comments: Option<Count>,
    /// Shares, newest known.
    pub shares: Option<Count>,
}

/// One row, in the order of the table.
pub(super) struct PostRow {
    reference: String,
    claimed_at: Option<DateTime<Utc>>,
    claimed_precision: Option<String>,
    first_seen: DateTime<Utc>,
    last_seen: DateTime<Utc>,
    missed_by: Option<DateTime<Utc>>,
    seen_before: Option<DateTime<Utc>>,
    recorded_at: DateTime<Utc>,
    url: Option<String>,
    title: Option<String>,
    form: Option<String>,
    origin: String,
    text_digest: Option<String>,
    text_simhash: Option<String>,
    sampled_at: Option<DateTime<Utc>>,
    reads: Option<Value>,
    likes: Option<Value>,
    comments: Option<Value>,
    shares: Option<Value>,
    page: String,
    first_text_digest: Option<String>,
}

fn read_form(word: &str) -> Result<Form, StoreError> {
    [Form::Text, Form::Image, Form::Video, Form::Article, Form::Live]
        .into_iter()
        .find(|form| form.as_str() == word)
        .ok_or_else(|| misread("a form", word))
}

fn read_origin(word: &str) -> Result<Origin, StoreError> {
    [Origin::Original, Origin::Repost, Origin::Unknown]
        .into_iter()
        .find(|origin| origin.as_str() == word)
        .ok_or_else(|| misread("an origin", word))
}

impl PostRow {
    pub(super) fn into_stored(self) -> Result<StoredPost, StoreError> {
        Ok(StoredPost {
            listed: ListedPost {
                reference: self.reference.into(),
                page: self.page.into(),
                claimed: read_moment(self.claimed_at, self.claimed_precision)?,
                first_seen: self.first_seen,
                missed_by: self.missed_by,
                seen_before: self.seen_before,
                text_digest: self.first_text_digest.map(Word::from),
                recorded_at: self.recorded_at,
            },
            last_seen: self.last_seen,
            url: self.url,
            title: self.title,
            form: self.form.as_deref().map(read_form).transpose()?,
            origin: read_origin(&self.origin)?,
            text_digest: self.text_digest,
            text_simhash: self.text_simhash,
            sampled_at: self.sampled_at,
            reads: read_count(self.reads)?,
            likes: read_count(self.likes)?,
            comments: read_count(self.comments)?,
            shares: read_count(self.shares)?,
        })
    }
}

impl Store {
    /// The platform's ids of an account's newest posts since an instant, at most `limit`, for
    /// questions about each; those that are known to have no comment are left out.
    pub async fn posts_to_ask(
        &self,
        account: AccountId,
        since: DateTime<Utc>,
        limit: u32,
    ) -> Result<Vec<String>, StoreError> {
        let refs = sqlx::query_scalar!(
            "select ref from posts
             where account_id = $1 and coalesce(claimed_at, first_seen) >= $2
               and comments is distinct from '0'::jsonb
             order by coalesce(claimed_at, first_seen) desc, ref limit $3",
            account.0,
            since,
            i64::from(limit)
        )
        .fetch_all(&self.pool)
        .await?;
        Ok(refs)
    }

    /// At most `limit` posts of an account, the newest first by the time they claim, else by that
    /// at which they were first seen: those before a place, which is such a time and a reference.
    pub async fn post_page(
        &self,
        account: AccountId,
        before: Option<(DateTime<Utc>, &str)>,
        limit: u32,
    ) -> Result<Vec<StoredPost>, StoreError> {
        let (at, reference) = before.unzip();
        let rows = sqlx::query_as!(
            PostRow,
            r#"select ref as reference, claimed_at, claimed_precision, first_seen,
                   case when stands then greatest(last_seen, l.seen_at) else last_seen end
                       as "last_seen!",
                   missed_by, seen_before, recorded_at, url, title, form, origin, text_digest,
                   text_simhash, sampled_at, reads, likes, comments, shares, p.page,
                   first_text_digest
               from posts p
               left join lists l on l.account_id = p.account_id and l.page = p.page
               where p.account_id = $1
                 and ($2::timestamptz is null or (coalesce(claimed_at, first_seen), ref) < ($2, $3))
               order by coalesce(claimed_at, first_seen) desc, ref desc limit $4"#,
            account.0,
            at,
            reference,
            i64::from(limit)
        )
        .fetch_all(&self.pool)
        .await?;
        rows.into_iter().map(PostRow::into_stored).collect()
    }
}
