//! A made-up nation in the database: accounts of twelve platforms in every province.

use sqlx::PgPool;

/// Accounts, their sponsors, standings, followers, three scores each, and findings of a fifth.
pub(crate) async fn fill(pool: &PgPool, accounts: u32) -> anyhow::Result<()> {
    for statement in [
        "insert into units (name)
         select '某市某区第' || n || '号机关办公室' from generate_series(0, $1 / 5) as n",
        "insert into accounts (key, platform, handle, name, sponsor_id, region, category, lifecycle,
             created_at, updated_at)
         select platform || ':' || 5000000000 + n, platform, (5000000000 + n)::text,
             '某市某区发布第' || n || '号', u.first + n / 5,
             (11 + n % 31)::text || lpad((1 + n % 12)::text, 2, '0')
                 || lpad((1 + n % 9)::text, 2, '0'),
             (array['发布', '服务', '互动'])[1 + n % 3], 'running', now() - interval '2 years', now()
         from generate_series(0, $1 - 1) as n, (select min(id) as first from units) u,
             lateral (select (array['weibo', 'wechat', 'douyin', 'kuaishou', 'bilibili', 'toutiao',
                 'portal', 'app', 'feed', 'wechat_channels', 'xiaohongshu', 'board'])[1 + n % 12]
                 as platform) p",
        // Judged already, so that nothing is to be judged.
        "insert into account_states (account_id, activity, reason, activity_since, last_post_at,
             last_observation_at, silence_deadline_at, coverage, judged_at, judged_news)
         select a.id, w.activity, case when w.activity = 'undetermined' then 'blocked' end,
             now() - interval '9 days', now() - a.id % 900 * interval '1 hour 7 seconds',
             now() - a.id % 90 * interval '1 minute', now() + a.id % 300 * interval '1 hour',
             (a.id % 1000) / 1000.0, now(), 1
         from accounts a, lateral (select (array['active', 'active', 'active', 'active', 'active',
             'watch', 'dormant', 'zombie', 'undetermined', 'empty'])[1 + a.id % 10] as activity) w
         where a.in_ledger and $1 > 0",
        "insert into account_profiles (account_id, handle, name, followers, sampled_at)
         select id, handle, name, to_jsonb(id * 37 % 900001), now() from accounts
         where in_ledger and $1 > 0",
        "insert into score_runs (period, scheme, scheme_digest, cutoff, known_at, started_at,
             finished_at)
         select '2026Q3', 'default', 'sha256:0', now(), now(), now(), now() where $1 > 0",
        "insert into scores (account_id, run_id, dimension, points, inputs, lines)
         select a.id, r.id, d.dimension, round((a.id * d.factor % 10001) / 100.0, 2), '{}', '[]'
         from accounts a, score_runs r,
             (values ('diligence', 31), ('influence', 37), ('responsiveness', 41))
                 as d (dimension, factor)
         where a.in_ledger and $1 > 0",
        "insert into findings (rule, rule_title, clause, source, advice, rule_digest, severity,
             account_id, occasion, statement, inputs, evidence, state_since, needs_approval,
             deadline_days, raised_by, raised_at, updated_at)
         select 'rule_' || id % 9, '停更', '一', '某文件', '整改', 'sha256:0',
             (array['veto', 'serious', 'minor', 'watch'])[1 + id % 4], id, '2026', '两周未更新',
             '{}', '[]', now(), true, 15, 'job', now(), now()
         from accounts where in_ledger and id % 5 = 0 and $1 > 0",
    ] {
        sqlx::query(statement).bind(i32::try_from(accounts)?).execute(pool).await?;
    }
    sqlx::query("vacuum analyze").execute(pool).await?;
    Ok(())
}
