//! Everything but posts that measures rest on: visits, samples, followers, messages, canaries.

use std::time::Instant;

use sqlx::PgPool;

/// Days between two visits of an account: as seldom as the daemon ever visits.
pub(crate) const VISIT_DAYS: i32 = 2;

/// Fills what the quarter and the look back of the longest silence tier need: from 21 June, ten
/// days before the quarter of zombies ends, to the fifth day after the third quarter.
pub(crate) async fn fill(pool: &PgPool, visit_days: i32) -> anyhow::Result<()> {
    let there: bool =
        sqlx::query_scalar("select exists (select from visits)").fetch_one(pool).await?;
    if there {
        return Ok(());
    }
    let begun = Instant::now();
    sqlx::query("select xunjian_ensure_partitions('2026-01-01', '2026-12-01')")
        .execute(pool)
        .await?;
    for statement in [
        "insert into host_leases (host) values ('m.weibo.cn')",
        "insert into accounts (key, in_ledger, platform, handle, name, lifecycle, created_at,
             updated_at)
         select 'canary:weibo:' || n, false, 'weibo', 'canary' || n, '金丝雀' || n, 'running',
             '2026-01-01', '2026-01-01' from generate_series(1, 4) as n",
        "insert into crawl_targets (account_id, page, part, host, is_canary, due_at, speaks)
         select id, 'timeline', 'all', 'm.weibo.cn', not in_ledger, '2026-12-01', true
         from accounts",
        "insert into canary_looks (host, page, at, account_id, adapter, healthy, recorded_at)
         select 'm.weibo.cn', 'timeline', t, a.id, 'sha256:adapter', true, t + interval '1 minute'
         from accounts a, generate_series(timestamptz '2026-06-01 00:00+08', '2026-10-07 00:00+08',
             interval '6 hours') as t
         where not a.in_ledger",
        // A list of ten posts reaches back about a month.
        "insert into visits (account_id, started_at, page, part, recorded_at, host, adapter, source,
             outcome, status, bytes, duration_ms, items, as_of, span_low, span_high, confirming,
             new_items, body_digest, bracket_older, bracket_newer, dated, named, counted,
             identified)
         select a.id, t, 'timeline', 'all', t + interval '1 second', 'm.weibo.cn',
             'sha256:adapter', 'crawl', 'observed', 200, 21000, 300, 10, t, t - interval '30 days',
             t, true, 0, 'sha256:' || md5(a.id::text) || md5(t::text), t - interval '30 days', t,
             10, 10, 10, true
         from accounts a, lateral generate_series(
             timestamptz '2026-06-21 00:00+08' + a.id % 172800 * interval '1 second',
             '2026-10-05 00:00+08', make_interval(days => $1)) as t
         where a.in_ledger",
        // The numbers at one, three and seven days of age, and once between.
        "insert into post_samples (account_id, ref, at, recorded_at, likes, comments, shares)
         select p.account_id, p.ref, p.claimed_at + make_interval(hours => age.hours + 5),
             p.claimed_at + make_interval(hours => age.hours + 5), to_jsonb(age.hours + 3),
             to_jsonb(age.hours % 7), to_jsonb(age.hours % 5)
         from posts p, (values (24), (72), (168)) as age (hours)
         where p.claimed_at >= '2026-06-30 00:00+08' and p.claimed_at < '2026-10-01 00:00+08'
           and $1 > 0",
        "insert into account_samples (account_id, at, recorded_at, followers, posts_total)
         select a.id, t, t, to_jsonb(a.id * 37 % 900001 + extract(day from t)::bigint),
             to_jsonb(100)
         from accounts a, generate_series(timestamptz '2026-06-20 09:00+08',
             '2026-10-05 00:00+08', interval '7 days') as t
         where a.in_ledger and $1 > 0",
        // A tenth has a message board, with twenty messages a quarter.
        "insert into inquiries (account_id, ref, asked_at, replied_at, precision, official,
             first_seen, last_seen, reply_seen_at, recorded_at)
         select a.id, 'm' || n, t, t + make_interval(hours => 5 + n * 7), 'minute', true, t,
             '2026-10-01 00:00+08', t + make_interval(hours => 5 + n * 7), t
         from accounts a, generate_series(1, 20) as n,
             lateral (select timestamptz '2026-07-01 10:00+08' + make_interval(days => n * 4) as t)
                 as asked
         where a.in_ledger and a.id % 10 = 0 and $1 > 0",
        "insert into visits (account_id, started_at, page, part, recorded_at, host, adapter, source,
             outcome, items, as_of, confirming)
         select a.id, t, 'comments', '', t, 'm.weibo.cn', 'sha256:adapter', 'crawl', 'observed', 5,
             t, true
         from accounts a, generate_series(timestamptz '2026-07-01 08:00+08',
             '2026-10-05 00:00+08', interval '4 days') as t
         where a.in_ledger and a.id % 10 = 0 and $1 > 0",
    ] {
        let mut query = sqlx::query(statement);
        if statement.contains("$1") {
            query = query.bind(visit_days);
        }
        query.execute(pool).await?;
    }
    sqlx::query("vacuum analyze").execute(pool).await?;
    eprintln!("the rest filled in {:.0} s", begun.elapsed().as_secs_f64());
    Ok(())
}
