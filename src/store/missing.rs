//! Posts that their lists leave out, and what their own addresses answer.

use chrono::{DateTime, TimeDelta, Utc};
use sqlx::PgConnection;

use super::columns::column;
use super::marks::word;
use super::record::VisitRecord;
use super::{Store, StoreError};
use crate::domain::{AccountId, shanghai_date, shanghai_midnight};
use crate::observe::MarkKind;

/// A post that its list leaves out, and whose own address can be asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MissingPost {
    /// Whose post.
    pub account: AccountId,
    /// The platform's id, or the address where there is none.
    pub reference: String,
    /// Its own address, as the list gave it.
    pub address: String,
    /// Its title, where its list gave one.
    pub title: Option<String>,
}

/// What the own address of a missing post answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AskedPost {
    /// The platform's id, or the address where there is none.
    pub reference: String,
    /// As-of time of the answer.
    pub at: DateTime<Utc>,
    /// Whether the page says that the post was deleted; otherwise it shows the post.
    pub gone: bool,
}

/// Days on which its own address must have answered that a post is gone; then it is asked as seldom
/// as one that shows its post: a site may come back from its trouble.
const GONE_DAYS: i64 = 2;

/// A post whose own address has told what it can is asked about again after this time.
const AGAIN_AFTER: TimeDelta = TimeDelta::days(7);

impl Store {
    /// The posts, of one account or of all, that are missing from their list since `since` and
    /// whose own address is to be asked now, in another order every day, so that none keeps others
    /// waiting for ever.
    ///
    /// An address that answered "gone" is asked once more on another day of Asia/Shanghai; one that
    /// did on two days, or showed the post, after a week.
    pub async fn missing_posts(
        &self,
        account: Option<AccountId>,
        since: DateTime<Utc>,
        now: DateTime<Utc>,
    ) -> Result<Vec<MissingPost>, StoreError> {
        let rows = sqlx::query!(
            r#"select p.account_id as "account_id!", p.ref as "reference!", p.url as "address!",
                   p.title
               from (select distinct account_id, ref from post_marks
                     where kind = 'absent' and at >= $2
                       and ($1::bigint is null or account_id = $1)) missing
               join posts p on p.account_id = missing.account_id and p.ref = missing.ref
               left join lists l on l.account_id = p.account_id and l.page = p.page
               cross join lateral (
                   select case when p.stands then greatest(p.last_seen, l.seen_at)
                       else p.last_seen end as last
               ) seen
               cross join lateral (
                   select max(m.at) filter (where m.kind = 'absent') as absent,
                       max(m.at) filter (where m.kind = 'open') as open
                   from post_marks m
                   where m.account_id = p.account_id and m.ref = p.ref and m.at > seen.last
               ) since
               cross join lateral (
                   select max(m.at) as at,
                       count(distinct (m.at at time zone 'Asia/Shanghai')::date) as days
                   from post_marks m
                   where m.account_id = p.account_id and m.ref = p.ref and m.kind = 'gone'
                       and m.at > greatest(seen.last, since.open)
               ) gone
               where p.url is not null and since.absent is not null
                 and case when gone.days = 0 then coalesce(since.open <= $4, true)
                     when gone.days < $5 then gone.at < $3
                     else gone.at <= $4 end
               order by p.account_id, md5(p.ref || ($3::timestamptz)::text), p.ref"#,
            account.map(|account| account.0),
            since,
            shanghai_midnight(shanghai_date(now)),
            now - AGAIN_AFTER,
            GONE_DAYS
        )
        .fetch_all(&self.pool)
        .await?;
        let posts = rows.into_iter().map(|row| MissingPost {
            account: AccountId(row.account_id),
            reference: row.reference,
            address: row.address,
            title: row.title,
        });
        Ok(posts.collect())
    }
}

/// Notes what the own addresses of missing posts answered; posts that are not known are left out.
pub(super) async fn note_asked(
    connection: &mut PgConnection,
    records: &[&VisitRecord],
) -> Result<(), StoreError> {
    let asked: Vec<(&VisitRecord, &AskedPost)> = records
        .iter()
        .flat_map(|record| record.details.found.asked.iter().map(move |post| (*record, post)))
        .collect();
    if asked.is_empty() {
        return Ok(());
    }
    let kind = |gone: bool| if gone { MarkKind::Gone } else { MarkKind::Open };
    sqlx::query!(
        "insert into post_marks (account_id, ref, at, kind, page, started_at, last_seen,
             recorded_at)
         select p.account_id, p.ref, a.at, a.kind, a.page, a.started_at,
             case when p.stands then greatest(p.last_seen, l.seen_at) else p.last_seen end,
             a.recorded_at
         from unnest($1::bigint[], $2::text[], $3::timestamptz[], $4::text[], $5::text[],
             $6::timestamptz[], $7::timestamptz[])
             as a (account_id, ref, at, kind, page, started_at, recorded_at)
         join posts p on p.account_id = a.account_id and p.ref = a.ref
         left join lists l on l.account_id = p.account_id and l.page = p.page
         on conflict (account_id, ref, at, kind) do nothing",
        &column(&asked, |(record, _)| record.account.0),
        &column(&asked, |(_, post)| post.reference.clone()),
        &column(&asked, |(_, post)| post.at),
        &column(&asked, |(_, post)| word(kind(post.gone)).to_owned()),
        &column(&asked, |(record, _)| record.visit.page.to_string()),
        &column(&asked, |(record, _)| record.visit.started_at),
        &column(&asked, |(record, _)| record.visit.recorded_at),
    )
    .execute(connection)
    .await?;
    Ok(())
}
