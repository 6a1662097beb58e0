use std::time::Instant;

use sqlx::PgPool;

/// Fills an empty database: accounts, and posts over a year in the order of their time, as a crawl
/// writes them down.
pub(crate) async fn fill(pool: &PgPool, accounts: i64, posts: i64) -> anyhow::Result<()> {
    let there: i64 = sqlx::query_scalar("select count(*) from posts").fetch_one(pool).await?;
    if there == posts {
        return Ok(());
    }
    if there > 0 {
        anyhow::bail!("the database holds {there} posts already; a fresh one is needed");
    }
    let begun = Instant::now();
    sqlx::query("insert into units (name) values ('某单位')").execute(pool).await?;
    sqlx::query(
        "insert into accounts (key, platform, handle, name, sponsor_id, region, lifecycle,
             created_at, updated_at)
         select 'B' || n, 'weibo', n::text, '账号' || n, (select min(id) from units), '441200',
             'running', '2026-01-01', '2026-01-01'
         from generate_series(1, $1) as n",
    )
    .bind(accounts)
    .execute(pool)
    .await?;
    let batch = 500_000;
    let mut done = 0;
    while done < posts {
        sqlx::query(
            "insert into posts (account_id, ref, page, part, url, title, form, origin, claimed_at,
                 claimed_precision, claimed_text, first_seen, last_seen, text_digest, likes,
                 comments, shares, sampled_at, recorded_at)
             select f.first + (i * 7919 + i / 13) % $1, 'p' || i, 'timeline', 'all',
                 'https://m.example.cn/status/' || i, '关于第 ' || i || ' 号事项的通知', 'text',
                 case when i % 3 = 0 then 'repost' else 'original' end, t, 'second',
                 to_char(t, 'YYYY-MM-DD HH24:MI:SS'), t + interval '1 hour',
                 t + make_interval(secs => 3600 + (i * 31) % 500000),
                 'sha256:' || md5(i::text) || md5((i + 1)::text), to_jsonb(i % 500),
                 to_jsonb(i % 70), to_jsonb(i % 90), t + interval '1 hour', t + interval '1 hour'
             from generate_series($2::bigint, $3::bigint) as i,
                 (select min(id) as first from accounts) f,
                 lateral (select timestamptz '2025-10-07 00:00+08'
                     + make_interval(secs => i * (365 * 86400.0) / $4::float8) as t) as at",
        )
        .bind(accounts)
        .bind(done)
        .bind((done + batch).min(posts) - 1)
        .bind(posts)
        .execute(pool)
        .await?;
        done += batch;
    }
    sqlx::query("vacuum analyze posts").execute(pool).await?;
    eprintln!("filled in {:.0} s", begun.elapsed().as_secs_f64());
    Ok(())
}
