//! The later life of posts: missing from a list, and listed again.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use sqlx::PgConnection;

use super::columns::{column, misread, to_micros};
use super::known::KnownPost;
use super::listing::{self, ListedRow, Listing};
use super::record::VisitRecord;
use super::{Store, StoreError};
use crate::domain::AccountId;
use crate::observe::{
    Bracket, MarkKind, Observation, Outcome, PostMark, claims_shift_seconds, is_redated,
};

const KINDS: [(MarkKind, &str); 5] = [
    (MarkKind::Absent, "absent"),
    (MarkKind::Listed, "listed"),
    (MarkKind::Gone, "gone"),
    (MarkKind::Open, "open"),
    (MarkKind::Redated, "redated"),
];

pub(super) fn word(kind: MarkKind) -> &'static str {
    KINDS.iter().find(|(known, _)| *known == kind).map_or("", |(_, word)| word)
}

fn read_kind(word: &str) -> Result<MarkKind, StoreError> {
    let found = KINDS.iter().find(|(_, known)| *known == word);
    found.map(|(kind, _)| *kind).ok_or_else(|| misread("a mark", word))
}

impl Store {
    /// Marks since `since` in the later life of posts, in order of time, and whenever it was that a
    /// post was listed with another time; accounts and posts without any are absent.
    pub async fn post_marks(
        &self,
        accounts: &[AccountId],
        since: DateTime<Utc>,
    ) -> Result<BTreeMap<AccountId, Vec<PostMark>>, StoreError> {
        let rows = sqlx::query!(
            r#"select account_id as "account_id!", ref as "ref!", at as "at!", kind as "kind!",
                 page as "page!", started_at as "started_at!", last_seen as "last_seen!",
                 recorded_at as "recorded_at!"
             from post_marks where account_id = any($1) and at >= $2
             union all
             select account_id, ref, at, kind, page, started_at, last_seen, recorded_at
             from post_marks where account_id = any($1) and kind = 'redated' and at < $2
             order by 1, 3, 2, 4"#,
            &column(accounts, |account| account.0),
            since
        )
        .fetch_all(&self.pool)
        .await?;
        let mut marks: BTreeMap<AccountId, Vec<PostMark>> = BTreeMap::new();
        for row in rows {
            marks.entry(AccountId(row.account_id)).or_default().push(PostMark {
                reference: row.r#ref,
                page: row.page,
                started_at: row.started_at,
                at: row.at,
                kind: read_kind(&row.kind)?,
                last_seen: row.last_seen,
                recorded_at: row.recorded_at,
            });
        }
        Ok(marks)
    }
}

/// By how many seconds each record's known items claim another time than when first listed.
pub(super) fn claims_shifts(records: &[&VisitRecord], listed: &Listing<'_>) -> Vec<i32> {
    let shift = |record: &&VisitRecord| {
        claims_shift_seconds(record.posts.iter().filter_map(|post| {
            let known = known(listed, record, listing::reference(post)?)?;
            Some((known.claimed?, post.published?))
        }))
    };
    records.iter().map(shift).collect()
}

fn known<'a>(listed: &'a Listing<'_>, record: &VisitRecord, post: &str) -> Option<&'a KnownPost> {
    listed.find(record.account.0, post)?.known.as_ref()
}

/// Notes the posts that are listed again after they had been missing.
pub(super) async fn note_listed(
    connection: &mut PgConnection,
    records: &[&VisitRecord],
    listed: &Listing<'_>,
) -> Result<(), StoreError> {
    let again: Vec<(&ListedRow<'_>, DateTime<Utc>)> = listed
        .known()
        .filter(|(_, known)| known.may_have_marks)
        .map(|(row, known)| (row, known.last_seen))
        .filter(|(row, last_seen)| *last_seen < to_micros(row.seen_at))
        .collect();
    if again.is_empty() {
        return Ok(());
    }
    let visit = |record: usize| &records[record].visit;
    sqlx::query!(
        "insert into post_marks (account_id, ref, at, kind, page, started_at, last_seen,
             recorded_at)
         select n.account_id, n.ref, n.at, 'listed', n.page, n.started_at, n.last_seen,
             n.recorded_at
         from unnest($1::bigint[], $2::text[], $3::timestamptz[], $4::text[], $5::timestamptz[],
             $6::timestamptz[], $7::timestamptz[])
             as n (account_id, ref, at, page, started_at, recorded_at, last_seen)
         where exists (select from post_marks m
             where m.account_id = n.account_id and m.ref = n.ref
                 and m.kind not in ('listed', 'redated')
                 and m.at > n.last_seen and m.at < n.at)
         on conflict (account_id, ref, at, kind) do nothing",
        &column(&again, |(row, _)| row.account),
        &column(&again, |(row, _)| row.reference) as &[&str],
        &column(&again, |(row, _)| row.seen_at),
        &column(&again, |(row, _)| visit(row.last_record).page.to_string()),
        &column(&again, |(row, _)| visit(row.last_record).started_at),
        &column(&again, |(row, _)| visit(row.last_record).recorded_at),
        &column(&again, |(_, last_seen)| *last_seen),
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Notes the posts that are listed by the page kind that listed them first with another time than
/// then, once. Where the source has moved all its times none has been dated anew.
pub(super) async fn note_redated(
    connection: &mut PgConnection,
    records: &[&VisitRecord],
    shifts: &[i32],
    listed: &Listing<'_>,
) -> Result<(), StoreError> {
    let unmoved = records.iter().zip(shifts).filter(|(_, shift)| **shift == 0);
    let redated: Vec<(&VisitRecord, DateTime<Utc>, &str)> = unmoved
        .filter_map(|(record, _)| match &record.visit.outcome {
            Outcome::Observed(seen) => Some((*record, seen.as_of)),
            _ => None,
        })
        .flat_map(|(record, at)| record.posts.iter().map(move |post| (record, at, post)))
        .filter_map(|(record, at, post)| {
            let reference = listing::reference(post)?;
            let before = known(listed, record, reference);
            let before = before.filter(|before| before.page == record.visit.page)?;
            is_redated(before.claimed?, post.published?).then_some((record, at, reference))
        })
        .collect();
    if redated.is_empty() {
        return Ok(());
    }
    sqlx::query!(
        "insert into post_marks (account_id, ref, at, kind, page, started_at, last_seen,
             recorded_at)
         select distinct on (r.account_id, r.ref) r.account_id, r.ref, r.at, 'redated', r.page,
             r.started_at, r.at, r.recorded_at
         from unnest($1::bigint[], $2::text[], $3::timestamptz[], $4::text[], $5::timestamptz[],
             $6::timestamptz[]) as r (account_id, ref, at, page, started_at, recorded_at)
         where not exists (select from post_marks m
             where m.account_id = r.account_id and m.ref = r.ref and m.kind = 'redated')
         order by r.account_id, r.ref, r.at
         on conflict (account_id, ref, at, kind) do nothing",
        &column(&redated, |(record, ..)| record.account.0),
        &column(&redated, |(.., reference)| *reference) as &[&str],
        &column(&redated, |(_, at, _)| *at),
        &column(&redated, |(record, ..)| record.visit.page.to_string()),
        &column(&redated, |(record, ..)| record.visit.started_at),
        &column(&redated, |(record, ..)| record.visit.recorded_at),
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Notes the posts that are missing from lists which show what is older and what is newer. To be
/// called after lists and posts have moved; once a day for each post is enough.
pub(super) async fn note_absent(
    connection: &mut PgConnection,
    records: &[&VisitRecord],
) -> Result<(), StoreError> {
    let full: Vec<(&VisitRecord, &Observation, Bracket)> = records
        .iter()
        .filter_map(|record| match &record.visit.outcome {
            Outcome::Observed(seen) => Some((*record, seen, seen.bracket?)),
            _ => None,
        })
        .collect();
    if full.is_empty() {
        return Ok(());
    }
    // Each list is read once, not once for each of its posts.
    sqlx::query!(
        "insert into post_marks (account_id, ref, at, kind, page, started_at, last_seen,
             recorded_at)
         with read as materialized (
             select n.*, l.seen_at
             from unnest($1::bigint[], $2::text[], $3::timestamptz[], $4::timestamptz[],
                 $5::timestamptz[], $6::timestamptz[], $7::timestamptz[])
                 as n (account_id, page, as_of, started_at, recorded_at, older, newer)
             left join lists l on l.account_id = n.account_id and l.page = n.page
         )
         select p.account_id, p.ref, r.as_of, 'absent', r.page, r.started_at, seen.last,
             r.recorded_at
         from read r
         join posts p on p.account_id = r.account_id and p.page = r.page
             and coalesce(p.claimed_at, p.first_seen) > r.older
             and coalesce(p.claimed_at, p.first_seen) < r.newer
             and p.claimed_at + case p.claimed_precision
                 when 'minute' then interval '1 minute' when 'hour' then interval '1 hour'
                 when 'day' then interval '1 day' else interval '1 microsecond' end <= r.newer
         cross join lateral (select case when p.stands then greatest(p.last_seen, r.seen_at)
             else p.last_seen end as last) seen
         where seen.last < r.as_of and not exists (select from post_marks m
             where m.account_id = p.account_id and m.ref = p.ref and m.at > seen.last
                 and m.kind = 'absent' and (m.at at time zone 'Asia/Shanghai')::date
                     = (r.as_of at time zone 'Asia/Shanghai')::date)
         on conflict (account_id, ref, at, kind) do nothing",
        &column(&full, |(record, ..)| record.account.0),
        &column(&full, |(record, ..)| record.visit.page.to_string()),
        &column(&full, |(_, seen, _)| seen.as_of),
        &column(&full, |(record, ..)| record.visit.started_at),
        &column(&full, |(record, ..)| record.visit.recorded_at),
        &column(&full, |(.., bracket)| bracket.older),
        &column(&full, |(.., bracket)| bracket.newer),
    )
    .execute(connection)
    .await?;
    Ok(())
}
