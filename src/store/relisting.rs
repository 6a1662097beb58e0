//! Posts that are listed again: what moves with each later listing, and their samples.

use serde_json::Value;
use sqlx::PgConnection;

use super::StoreError;
use super::columns::{column, count_json};
use super::listing::ListedRow;

/// The stored word of the kind of content, as listed last.
fn form(listed: &ListedRow<'_>) -> Option<String> {
    listed.last.form.map(|form| form.as_str().to_owned())
}

/// Writes what moves of posts that changed, each with whether it stands in its list: last seen,
/// text, newest numbers. A number that changed, or a post that passed 1, 3 or 7 days since its last
/// sample, gets a sample.
pub(super) async fn update(
    connection: &mut PgConnection,
    changed: &[(&ListedRow<'_>, bool)],
) -> Result<(), StoreError> {
    if changed.is_empty() {
        return Ok(());
    }
    sqlx::query!(
        "with seen as materialized (
             select n.account_id, n.ref, n.seen_at, n.recorded_at, n.stands, n.told,
                 coalesce(n.url, p.url) as new_url, coalesce(n.title, p.title) as new_title,
                 coalesce(n.form, p.form) as new_form,
                 coalesce(nullif(n.origin, 'unknown'), p.origin) as new_origin,
                 coalesce(n.text_digest, p.text_digest) as new_digest,
                 coalesce(n.text_simhash, p.text_simhash) as new_simhash,
                 coalesce(n.reads, p.reads) as new_reads, coalesce(n.likes, p.likes) as new_likes,
                 coalesce(n.comments, p.comments) as new_comments,
                 coalesce(n.shares, p.shares) as new_shares,
                 array_remove(array[case when n.reads is not null then 'reads' end,
                     case when n.likes is not null then 'likes' end,
                     case when n.comments is not null then 'comments' end,
                     case when n.shares is not null then 'shares' end], null) as given,
                 coalesce(n.reads, n.likes, n.comments, n.shares) is not null and (
                     (coalesce(n.reads, p.reads), coalesce(n.likes, p.likes),
                         coalesce(n.comments, p.comments), coalesce(n.shares, p.shares))
                         is distinct from (p.reads, p.likes, p.comments, p.shares)
                     or exists (select from (values (interval '24 hours'), (interval '72 hours'),
                             (interval '168 hours')) as passed (age)
                         where p.claimed_at + passed.age > p.sampled_at
                             and p.claimed_at + passed.age <= n.seen_at)
                 ) as is_sample
             from unnest($1::bigint[], $2::text[], $3::timestamptz[], $4::timestamptz[],
                 $5::text[], $6::text[], $7::text[], $8::text[], $9::text[], $10::text[],
                 $11::jsonb[], $12::jsonb[], $13::jsonb[], $14::jsonb[], $15::bool[],
                 $16::bytea[])
                 as n (account_id, ref, seen_at, recorded_at, url, title, form, origin,
                     text_digest, text_simhash, reads, likes, comments, shares, stands, told)
             join posts p on p.account_id = n.account_id and p.ref = n.ref
         ), sampled as (
             insert into post_samples (account_id, ref, at, recorded_at, reads, likes, comments,
                 shares)
             select account_id, ref, seen_at, recorded_at, new_reads, new_likes, new_comments,
                 new_shares
             from seen where is_sample
             on conflict (account_id, ref, at) do nothing
         )
         update posts p set
             last_seen = s.seen_at, url = s.new_url, title = s.new_title, form = s.new_form,
             origin = s.new_origin, text_digest = s.new_digest, text_simhash = s.new_simhash,
             reads = s.new_reads, likes = s.new_likes, comments = s.new_comments,
             shares = s.new_shares, imported = p.imported - s.given,
             sampled_at = case when s.is_sample then s.seen_at else p.sampled_at end,
             stands = s.stands, told = s.told
         from seen s
         where p.account_id = s.account_id and p.ref = s.ref",
        &column(changed, |(r, _)| r.account),
        &column(changed, |(r, _)| r.reference) as &[&str],
        &column(changed, |(r, _)| r.seen_at),
        &column(changed, |(r, _)| r.recorded_at),
        &column(changed, |(r, _)| r.last.url.clone()) as &[Option<String>],
        &column(changed, |(r, _)| r.last.title.clone()) as &[Option<String>],
        &column(changed, |(r, _)| form(r)) as &[Option<String>],
        &column(changed, |(r, _)| r.last.origin.as_str().to_owned()),
        &column(changed, |(r, _)| r.last.text_digest.clone()) as &[Option<String>],
        &column(changed, |(r, _)| r.last.text_simhash.clone()) as &[Option<String>],
        &column(changed, |(r, _)| count_json(r.last.reads.as_ref())) as &[Option<Value>],
        &column(changed, |(r, _)| count_json(r.last.likes.as_ref())) as &[Option<Value>],
        &column(changed, |(r, _)| count_json(r.last.comments.as_ref())) as &[Option<Value>],
        &column(changed, |(r, _)| count_json(r.last.shares.as_ref())) as &[Option<Value>],
        &column(changed, |(_, stands)| *stands),
        &column(changed, |(r, _)| r.told.to_vec()),
    )
    .execute(connection)
    .await?;
    Ok(())
}
