//! What scores are computed from, read with whole tables and account by account, from odd rows.

use chrono::{DateTime, TimeDelta, Utc};
use futures::TryStreamExt;
use sqlx::{AssertSqlSafe, PgPool};
use xunjian::domain::{AccountId, Count, Reason};
use xunjian::observe::Outcome;
use xunjian::store::{FactsOf, ScoreInput, Store};

use super::{accounts, instant};
use crate::support::database;

/// The begin of a month long ago, UTC, and minutes from there.
fn at(minute: i64) -> DateTime<Utc> {
    instant("2026-03-01T00:00:00Z") + TimeDelta::minutes(minute)
}

const ODD: [&str; 4] = ["O'Neil \"§\"", "back\\slash\\n", "多行\n\t\u{1F600}", ""];

/// The period begins ten minutes after what is read of the past.
fn of() -> FactsOf {
    FactsOf {
        since: at(-110),
        asked_from: at(-111),
        from: at(-100),
        to: at(100),
        known_at: at(1000),
    }
}

async fn insert_posts(pool: &PgPool, account: AccountId) {
    let capped = r#"{"value": 100001, "low": 100001}"#;
    let rounded = r#"{"value": 12000, "low": 11500, "high": 12499}"#;
    let hidden = r#"{"hidden": "login_required"}"#;
    // Claimed, first seen and written down at; numbers.
    type Odd<'a> = (&'a str, Option<i64>, i64, i64, Option<&'a str>);
    let rows: [Odd<'_>; 14] = [
        (ODD[0], Some(-100), -90, -90, Some(capped)),
        (ODD[1], Some(99), 99, 99, Some(rounded)),
        (ODD[2], None, 0, 0, Some(hidden)),
        (ODD[3], Some(5), 6, 6, None),
        ("at its end", Some(100), 101, 101, Some("7")),
        ("claims the past", Some(-5000), 50, 50, Some("18446744073709551615")),
        ("claims the future", Some(9_000_000), 60, 60, Some("0")),
        ("between", Some(-105), -104, -104, Some("1")),
        ("at the begin of all", Some(-110), -110, -110, Some("1")),
        ("seen later", Some(-50), 500, 500, Some("1")),
        ("known later", Some(10), 11, 2000, Some("1")),
        ("undated and later", None, 100, 100, Some("1")),
        ("long ago", Some(-9000), -8999, -8999, Some("3")),
        ("longer ago", Some(-9900), -9899, -9899, Some("3")),
    ];
    for (reference, claimed, seen, recorded, number) in rows {
        sqlx::query(
            "insert into posts (account_id, ref, page, part, url, title, form, origin, claimed_at,
                 claimed_precision, first_seen, last_seen, missed_by, seen_before, text_digest,
                 first_text_digest, reads, likes, comments, shares, sampled_at, recorded_at)
             values ($1, $2, 'timeline', 'all', 'https://m.example.cn/', $3, $4, $5, $6, $7, $8, $8,
                 $9, $10, $11, $12, $13::text::jsonb, null, $13::text::jsonb, '3', $14, $15)",
        )
        .bind(account.0)
        .bind(reference)
        .bind((!reference.is_empty()).then_some(format!("标题 {reference}")))
        .bind(number.map(|_| "video"))
        .bind(if number.is_some() { "repost" } else { "unknown" })
        .bind(claimed.map(at))
        .bind(claimed.map(|minute| if minute < 0 { "day" } else { "second" }))
        .bind(at(seen))
        .bind(number.map(|_| at(seen - 1)))
        .bind((seen > 0).then(|| at(seen - 2)))
        .bind(number.map(|_| "sha256:text"))
        .bind(claimed.map(|_| "sha256:first"))
        .bind(number)
        .bind((seen % 2 == 0).then(|| at(seen)))
        .bind(at(recorded))
        .execute(pool)
        .await
        .unwrap();
    }
    // Minutes and when they were written down: the ends of the period, and what was known later.
    for (reference, minute, recorded) in [
        (ODD[0], 30, 30),
        (ODD[0], -100, -100),
        (ODD[0], 100, 100),
        (ODD[0], -101, -101),
        (ODD[2], 99, 99),
        (ODD[1], 20, 2000),
        (ODD[3], 10, 10),
    ] {
        sqlx::query(
            "insert into post_samples (account_id, ref, at, recorded_at, reads, likes)
             values ($1, $2, $3, $4, $5::text::jsonb, '12')",
        )
        .bind(account.0)
        .bind(reference)
        .bind(at(minute))
        .bind(at(recorded))
        .bind((minute > 0).then_some(capped))
        .execute(pool)
        .await
        .unwrap();
    }
}

async fn insert_visits(pool: &PgPool, account: AccountId) {
    sqlx::query(
        "insert into visits (account_id, started_at, page, part, recorded_at, host, adapter, source,
             outcome, reason, items, as_of, span_low, span_high, exhausted, empty, confirming,
             posts_total, new_items, upstream_success, registered_at, registered_precision,
             bracket_older, bracket_newer, claims_shift_seconds)
         select $1, $2::timestamptz + v.minute * interval '1 minute', v.page, v.part,
             $2::timestamptz + v.minute * interval '1 minute', v.host, 'sha256:''a''', v.source,
             v.outcome, v.reason, v.items,
             case when v.reason is null then $2::timestamptz end, low, high, v.flag, not v.flag,
             v.flag, v.total, v.items - 1, high, low,
             case when low is not null then 'day' end, low, high, v.items * -60
         from (values
             (-110, 'timeline', 'all', 'm.example.cn', 'crawl', 'observed', null, 3, true,
                 '12'::jsonb),
             (-111, 'timeline', 'all', 'm.example.cn', 'crawl', 'observed', null, 3, true, '1'),
             (10, 'timeline', 'all', 'left.example.cn', 'bridge', 'failed', 'blocked', 0, false,
                 null),
             (10, 'profile', '栏目', null, 'import', 'gone', null, 0, true, null),
             (11, 'export', 'all', null, 'person', 'observed', null, 2, false,
                 '{\"value\": 100001, \"low\": 100001}'),
             (20, 'board', '', 'm.example.cn', 'crawl', 'observed', null, 2, false, null),
             (30, 'board', '', 'm.example.cn', 'crawl', 'failed', 'limited', 2, false, null),
             (40, 'site', '-', 'm.example.cn', 'crawl', 'observed', null, 2, false, null)
         ) as v (minute, page, part, host, source, outcome, reason, items, flag, total),
         lateral (select case when flag then $2::timestamptz - interval '3 days' end as low,
             case when flag then $2::timestamptz end as high) as ends",
    )
    .bind(account.0)
    .bind(at(0))
    .execute(pool)
    .await
    .unwrap();
}

async fn make_months(pool: &PgPool) {
    run(pool, "select xunjian_ensure_partitions('2026-02-01', '2026-03-31')").await;
}

async fn run(pool: &PgPool, statement: &'static str) {
    sqlx::query(statement).execute(pool).await.unwrap();
}

async fn all(store: &Store) -> Vec<ScoreInput> {
    store.score_inputs(of()).try_collect().await.unwrap()
}

#[tokio::test]
async fn odd_rows_are_read_the_same_with_whole_tables_and_by_account() {
    let (store, database) = database().await;
    let ids = accounts(&store, 3).await;
    make_months(&database.pool).await;
    for account in [ids[2], ids[0]] {
        insert_posts(&database.pool, account).await;
        insert_visits(&database.pool, account).await;
    }
    let inputs = all(&store).await;
    let accounts: Vec<_> = inputs.iter().map(|one| one.account.clone()).collect();
    assert_eq!(store.inputs_of(accounts.clone(), of()).await.unwrap(), inputs);
    for (account, input) in accounts.into_iter().zip(&inputs) {
        assert_eq!(store.score_input(account, of()).await.unwrap(), *input);
    }
    assert!(inputs[1].posts.is_empty() && inputs[1].history.visits.is_empty());

    let input = &inputs[0];
    let refs: Vec<_> = input.posts.iter().map(|one| one.listed.reference.as_str()).collect();
    let [quoted, slashed, lines, empty] = ODD;
    let inside =
        ["claims the past", quoted, "seen later", lines, empty, slashed, "claims the future"];
    assert_eq!(refs, inside);
    let pages = store.post_page(ids[0], None, u32::MAX).await.unwrap();
    for post in &input.posts {
        let stands = pages.iter().find(|one| one.listed.reference == post.listed.reference);
        let stored = stands.unwrap();
        assert_eq!(post.listed, stored.listed);
        assert_eq!((&post.title, post.form), (&stored.title, stored.form));
        assert_eq!(post.origin, stored.origin);
        assert_eq!(post.text_digest.as_deref(), stored.text_digest.as_deref());
        assert_eq!((post.sampled_at, &post.reads), (stored.sampled_at, &stored.reads));
        assert_eq!((&post.likes, &post.comments), (&stored.likes, &stored.comments));
        assert_eq!(post.shares, stored.shares);
    }
    let capped = Count::Bounded { value: 100_001, low: 100_001, high: None };
    let samples = |reference| -> Vec<_> {
        let all = input.samples.of(reference).iter();
        all.map(|one| (one.at, one.reads.clone(), one.likes.clone(), one.shares.clone())).collect()
    };
    let twelve = || Some(Count::Exact(12));
    let of_quoted =
        [(at(-100), None, twelve(), None), (at(30), Some(capped.clone()), twelve(), None)];
    assert_eq!(samples(quoted), of_quoted);
    assert_eq!(samples(lines), [(at(99), Some(capped.clone()), twelve(), None)]);
    assert_eq!((samples(slashed).len(), samples(empty).len(), samples("none").len()), (0, 1, 0));

    // What everybody is told of an account's observations, by other statements.
    let mut histories = store.histories(&ids, of().since).await.unwrap();
    let mut history = histories.remove(&ids[0]).unwrap();
    history.posts.retain(|post| post.recorded_at <= of().known_at);
    assert_eq!(input.history.posts, history.posts);
    assert_eq!(input.history.visits, history.visits);
    assert_eq!(input.history, history);
    assert_eq!(history.visits.len(), 4);
    assert_eq!(history.visits[2].outcome, Outcome::Failed(Reason::Blocked));
    // The newest look at a board, as of when it was.
    assert_eq!(input.messages_read_at, Some(at(0)));
}

/// February and March have ended.
fn in_spring() -> DateTime<Utc> {
    instant("2026-04-15T00:00:00Z")
}

/// What of ended months is packed says the same as the rows do, one by one.
async fn check_packed(store: &Store, what: &str) -> Vec<ScoreInput> {
    let later =
        FactsOf { since: at(-5), asked_from: at(-6), from: at(-4), to: at(15), known_at: at(25) };
    for of in [later, of()] {
        let inputs: Vec<_> = store.score_inputs(of).try_collect().await.unwrap();
        let accounts = inputs.iter().map(|one| one.account.clone()).collect();
        assert_eq!(store.inputs_of(accounts, of).await.unwrap(), inputs, "{what}");
    }
    all(store).await
}

async fn late_rows(pool: &PgPool) -> i64 {
    sqlx::query_scalar("select count(*) from late_rows").fetch_one(pool).await.unwrap()
}

async fn pack(store: &Store) -> usize {
    store.pack_months(in_spring()).await.unwrap()
}

/// Three accounts, the first and the last of them with rows in two months of all three tables.
async fn with_rows(store: &Store, pool: &PgPool) -> Vec<AccountId> {
    let ids = accounts(store, 3).await;
    make_months(pool).await;
    for account in [ids[2], ids[0]] {
        insert_posts(pool, account).await;
        insert_visits(pool, account).await;
    }
    ids
}

#[tokio::test]
async fn ended_months_are_read_packed() {
    let (store, database) = database().await;
    let pool = &database.pool;
    with_rows(&store, pool).await;
    let inputs = all(&store).await;
    assert_eq!(store.pack_months(instant("2026-03-03T23:59:00Z")).await.unwrap(), 0);
    assert_eq!(late_rows(pool).await, 0, "what is not packed is read as it is");
    assert_eq!(pack(&store).await, 6);
    assert_eq!(check_packed(&store, "packed").await, inputs);
    assert_eq!(pack(&store).await, 0);
    // Nothing is told of what goes now.
    for table in ["visits", "post_samples", "posts"] {
        for statement in [
            format!("alter table {table} disable trigger user"),
            format!("create table {table}_aside as select * from {table}"),
            format!(
                "delete from {table} where coalesce(to_jsonb({table}) ->> 'ref', '') <> 'claims the future'"
            ),
        ] {
            sqlx::query(AssertSqlSafe(statement)).execute(pool).await.unwrap();
        }
    }
    let packed = all(&store).await;
    for (packed, input) in packed.iter().zip(&inputs) {
        assert_eq!(packed.history.visits, input.history.visits);
        assert_eq!((&packed.posts, &packed.samples), (&input.posts, &input.samples));
    }
}

/// Every reading asks whether there are late rows: it must not pass over those that were.
#[tokio::test]
async fn many_late_rows_leave_no_room_behind() {
    let (store, database) = database().await;
    let pool = &database.pool;
    with_rows(&store, pool).await;
    let old = "insert into late_rows (packed, month, account_id)
         select 'posts', '2020-01-01', number from generate_series(1, 10001) as number";
    sqlx::query(old).execute(pool).await.unwrap();
    assert_eq!(pack(&store).await, 6);
    let bytes: i64 =
        sqlx::query_scalar("select pg_relation_size('late_rows')").fetch_one(pool).await.unwrap();
    assert_eq!((late_rows(pool).await, bytes), (0, 0));
}

#[tokio::test]
async fn what_comes_late_is_read_beside_what_is_packed() {
    let (store, database) = database().await;
    let pool = &database.pool;
    let ids = with_rows(&store, pool).await;
    assert_eq!(pack(&store).await, 6);
    insert_visits(pool, ids[1]).await;
    insert_posts(pool, ids[1]).await;
    let inputs = check_packed(&store, "an account that had no rows").await;
    assert_eq!(inputs[1].history.visits.len(), inputs[0].history.visits.len());
    assert_eq!(inputs[1].posts.len(), inputs[0].posts.len());
    let posts = [
        ("title", "'新'"),
        ("form", "'live'"),
        ("origin", "'original'"),
        ("text_digest", "'sha256:other'"),
        ("first_text_digest", "'sha256:other'"),
        ("reads", "'{\"hidden\": \"login_required\"}'"),
        ("likes", "'77'"),
        ("comments", "'78'"),
        ("shares", "null"),
        ("sampled_at", "first_seen + interval '1 second'"),
        ("missed_by", "first_seen - interval '1 second'"),
        ("seen_before", "first_seen - interval '2 seconds'"),
        ("page", "'other'"),
        ("claimed_precision", "'hour'"),
        ("claimed_at", "claimed_at + interval '2 hours'"),
        ("first_seen", "first_seen + interval '125 minutes'"),
        ("recorded_at", "recorded_at - interval '1 second'"),
        ("ref", "ref || '?'"),
        ("account_id", "account_id + 1"),
    ];
    let posts = posts.map(|(column, value)| {
        let which = "claimed_at is not null and account_id = (select max(account_id) from posts)";
        format!("update posts set {column} = {value} where {which}")
    });
    let others = [
        "update visits set items = 7 where page = 'export'",
        "update visits set started_at = started_at + interval '1 minute' where part = '栏目'",
        "update visits set started_at = started_at + interval '125 minutes'
         where span_low is not null",
        "delete from visits where page = 'profile' and account_id = (select min(id) from accounts)",
        "update post_samples set likes = '13'",
        "delete from post_samples where ref = ''",
        "delete from posts where ref = 'seen later'",
    ];
    for change in posts.into_iter().chain(others.map(str::to_owned)) {
        let before = all(&store).await;
        sqlx::query(AssertSqlSafe(change.clone())).execute(pool).await.unwrap();
        assert_ne!(check_packed(&store, &change).await, before, "{change}");
        let (late, packed) = (late_rows(pool).await, pack(&store).await);
        assert!(late > 0 && packed > 0 && late_rows(pool).await == 0, "{change}");
        check_packed(&store, &change).await;
    }
    run(pool, "update posts set last_seen = last_seen + interval '1 day', stands = true").await;
    assert_eq!(late_rows(pool).await, 0, "what is not packed of a post moves at every visit");
}

#[tokio::test]
async fn what_is_packed_of_other_tables_or_by_others_does_not_count() {
    let (store, database) = database().await;
    let pool = &database.pool;
    with_rows(&store, pool).await;
    assert_eq!(pack(&store).await, 6);
    let attach = "alter table post_samples attach partition post_samples_2026_03
                  for values from ('2026-03-01 00:00Z') to ('2026-04-01 00:00Z')";
    let cases: [(&str, &[&'static str], usize); 7] = [
        (
            "by a program that reads other columns",
            &["update packed_months set form = 'other' where packed = 'visits'"],
            2,
        ),
        (
            "by a clock that was wrong",
            &["update packed_months set at = now() + interval '1 day' where packed = 'posts'"],
            2,
        ),
        ("while the month ran", &["update packed_months set at = month + interval '20 days'"], 6),
        ("emptied", &["truncate visits_2026_03"], 1),
        (
            "dropped",
            &[
                "drop table visits_2026_02",
                "select xunjian_ensure_partitions('2026-02-01', '2026-03-31')",
            ],
            1,
        ),
        (
            "changed beside its table",
            &[
                "alter table post_samples detach partition post_samples_2026_03",
                "delete from post_samples_2026_03
                 where ref = (select max(ref) from post_samples_2026_03)",
                attach,
            ],
            1,
        ),
        ("detached", &["alter table post_samples detach partition post_samples_2026_03"], 0),
    ];
    for (what, statements, packs) in cases {
        for statement in statements {
            run(pool, statement).await;
        }
        check_packed(&store, what).await;
        assert_eq!(pack(&store).await, packs, "{what}");
        check_packed(&store, what).await;
    }
}

#[tokio::test]
async fn a_late_row_does_not_make_a_pack_of_a_running_month_count() {
    let (store, database) = database().await;
    let pool = &database.pool;
    with_rows(&store, pool).await;
    assert_eq!(pack(&store).await, 6);
    run(pool, "update packed_months set at = month + interval '20 days'").await;
    run(pool, "delete from packed_posts where month = '2026-03-01'").await;
    run(pool, "update posts set likes = '7' where ref = 'between'").await;
    assert_eq!(pack(&store).await, 6, "all of them whole");
    check_packed(&store, "packed whole").await;
}

#[tokio::test]
async fn claims_of_any_time_are_read_alike_packed_or_not() {
    let (store, database) = database().await;
    let pool = &database.pool;
    let ids = with_rows(&store, pool).await;
    for claimed in [None, Some(-9000), Some(-109), Some(5), Some(46_000), Some(60_000_000)] {
        for seen in [-200, -109, -1, 0, 20] {
            sqlx::query(
                "insert into posts (account_id, ref, page, part, origin, claimed_at,
                     claimed_precision, first_seen, last_seen, recorded_at)
                 values ($1, $2, 'timeline', 'all', 'unknown', $3, $4, $5, $5, $5)",
            )
            .bind(ids[1].0)
            .bind(format!("{claimed:?} {seen}"))
            .bind(claimed.map(at))
            .bind(claimed.map(|_| "second"))
            .bind(at(seen))
            .execute(pool)
            .await
            .unwrap();
        }
    }
    let inputs = check_packed(&store, "row by row").await;
    assert_eq!(pack(&store).await, 6);
    assert_eq!(check_packed(&store, "packed").await, inputs);
    run(pool, "update posts set likes = '5' where first_seen < '2026-03-01'").await;
    assert_ne!(check_packed(&store, "some of them late").await, inputs);
}

/// References of what the history of an account lists, once the posts `(claimed, seen)` are stored.
async fn listed(store: &Store, pool: &PgPool, account: AccountId, posts: &[(i64, i64)]) -> String {
    run(pool, "truncate posts").await;
    for (claimed, seen) in posts {
        sqlx::query(
            "insert into posts (account_id, ref, page, part, origin, claimed_at, claimed_precision,
                 first_seen, last_seen, recorded_at)
             values ($1, $2, 'timeline', 'all', 'unknown', $3, 'second', $4, $4, $4)",
        )
        .bind(account.0)
        .bind(format!("{claimed}/{seen}"))
        .bind(at(*claimed))
        .bind(at(*seen))
        .execute(pool)
        .await
        .unwrap();
    }
    let inputs = check_packed(store, "the ends").await;
    assert!(pack(store).await > 0);
    assert_eq!(check_packed(store, "the ends, packed").await, inputs);
    let input = inputs.iter().find(|one| one.account.id == account).unwrap();
    let posts = &input.history.posts;
    posts.iter().map(|post| post.reference.as_str()).collect::<Vec<_>>().join(" ")
}

#[tokio::test]
async fn the_last_post_is_known_where_only_an_older_one_was_found_since() {
    let (store, database) = database().await;
    let pool = &database.pool;
    let ids = accounts(&store, 2).await;
    make_months(pool).await;
    let old = [(-9000, -8999), (-7000, -6999), (-6000, -5999)];
    let with = |post: &[(i64, i64)]| [&old[..], post].concat();
    for (posts, wanted) in [
        (with(&[]), "-9000/-8999 -6000/-5999"),
        // Found late, it is not the newest by its own time: silence begins with another.
        (with(&[(-8000, 50)]), "-9000/-8999 -6000/-5999 -8000/50"),
        (with(&[(-9500, 50)]), "-6000/-5999 -9500/50"),
        (with(&[(40, 50)]), "-9000/-8999 40/50"),
        (with(&[(-110, -50)]), "-9000/-8999 -110/-50"),
        // Written down after what is known: it does not tell which was the last.
        (with(&[(1100, 1100)]), "-9000/-8999 -6000/-5999"),
    ] {
        assert_eq!(listed(&store, pool, ids[0], &posts).await, wanted, "{posts:?}");
    }
}

#[tokio::test]
async fn the_first_post_is_asked_for_where_nothing_else_tells_the_age_of_an_account() {
    let (store, database) = database().await;
    let pool = &database.pool;
    let ids = accounts(&store, 2).await;
    make_months(pool).await;
    let posts = [(-9000, -8999), (-7000, -6999), (5, 6)];
    let check = async |what: &str, wanted: &str| {
        let of = FactsOf { asked_from: at(-103), ..of() };
        let inputs: Vec<_> = store.score_inputs(of).try_collect().await.unwrap();
        let accounts = inputs.iter().map(|one| one.account.clone()).collect();
        assert_eq!(store.inputs_of(accounts, of).await.unwrap(), inputs, "{what}");
        let input = inputs.iter().find(|one| one.account.id == ids[0]).unwrap();
        let refs = input.history.posts.iter().map(|post| post.reference.as_str());
        assert_eq!(refs.collect::<Vec<_>>().join(" "), wanted, "{what}");
    };
    let visited = async |minute: i64, recorded: i64, part: &str, outcome: &str, as_of: i64| {
        sqlx::query(
            "insert into visits (account_id, started_at, page, part, recorded_at, host, adapter,
                 source, outcome, reason, items, as_of, confirming)
             values ($1, $2, 'timeline', $3, $4, 'm.example.cn', 'sha256:a', 'crawl',
                 case $5 when 'drifted' then 'failed' else $5 end,
                 case $5 when 'failed' then 'blocked' when 'drifted' then 'drifted' end,
                 case $5 when 'failed' then 0 else 3 end,
                 case $5 when 'observed' then $6::timestamptz end, false)",
        )
        .bind(ids[0].0)
        .bind(at(minute))
        .bind(part)
        .bind(at(recorded))
        .bind(outcome)
        .bind(at(as_of))
        .execute(pool)
        .await
        .unwrap();
    };
    listed(&store, pool, ids[0], &posts).await;
    let (all, without) = ("-9000/-8999 5/6", "5/6");
    check("never visited", all).await;
    for (minute, recorded, part, outcome, wanted) in [
        (-104, -104, "all", "observed", without),
        (-103, -103, "all", "observed", without),
        (-102, -102, "all", "observed", all),
        (-104, 1001, "all", "observed", all),
        (-104, -104, "", "observed", all),
        (-104, -104, "all", "failed", all),
        (-111, -111, "all", "observed", all),
    ] {
        run(pool, "truncate visits").await;
        visited(minute, recorded, part, outcome, minute).await;
        check(&format!("{minute} {recorded} {part} {outcome}"), wanted).await;
    }
    run(pool, "update accounts set opened_on = '2026-01-01'").await;
    check("opened on a day", without).await;
    // What lists tell of earlier times may have been found in a silence.
    for (recorded, outcome, as_of, wanted) in [
        (20, "observed", -109, without),
        (20, "observed", -111, all),
        (1001, "observed", -111, without),
        (20, "drifted", -109, all),
    ] {
        run(pool, "truncate visits").await;
        visited(-104, -104, "all", "observed", -104).await;
        visited(20, recorded, "all", outcome, as_of).await;
        check(&format!("{recorded} {outcome} {as_of}"), wanted).await;
    }
    // Where no post of later is known, nothing is left out.
    run(pool, "delete from posts where ref = '5/6'").await;
    check("silent since", "-9000/-8999 -7000/-6999").await;
}

#[tokio::test]
async fn what_is_written_while_a_month_is_packed_stays_told() {
    let (store, database) = database().await;
    let pool = &database.pool;
    with_rows(&store, pool).await;
    let mut writer = pool.begin().await.unwrap();
    let change = "update visits set items = 7 where page = 'export'";
    sqlx::query(change).execute(&mut *writer).await.unwrap();
    assert_eq!(pack(&store).await, 6, "it does not wait");
    let before = check_packed(&store, "not committed").await;
    writer.commit().await.unwrap();
    assert_ne!(check_packed(&store, "committed").await, before);
    assert!(late_rows(pool).await > 0);
    assert_eq!((pack(&store).await, late_rows(pool).await), (1, 0));
    check_packed(&store, "packed anew").await;
}

#[tokio::test]
async fn whoever_says_that_nothing_is_packed_has_the_last_word() {
    let (store, database) = database().await;
    let pool = &database.pool;
    with_rows(&store, pool).await;
    assert_eq!(pack(&store).await, 6);
    run(pool, "update visits set items = 7 where page = 'export'").await;
    let mut operator = pool.begin().await.unwrap();
    sqlx::query("delete from packed_months").execute(&mut *operator).await.unwrap();
    let packing = store.clone();
    let packing = tokio::task::JoinSet::from_iter([async move { pack(&packing).await }]);
    let waits = "select exists (select from pg_locks where not granted
        and mode = 'ShareRowExclusiveLock'
        and database = (select oid from pg_database where datname = current_database()))";
    let begun = std::time::Instant::now();
    while !sqlx::query_scalar::<_, bool>(waits).fetch_one(pool).await.unwrap() {
        assert!(begun.elapsed().as_secs() < 60, "nobody waits");
        tokio::task::yield_now().await;
    }
    operator.commit().await.unwrap();
    assert_eq!(packing.join_all().await, [6], "all of them whole");
    check_packed(&store, "packed whole").await;
}

#[tokio::test]
async fn many_late_accounts_are_packed_as_all_are() {
    let (store, database) = database().await;
    let pool = &database.pool;
    make_months(pool).await;
    // More than are read at once, and still fewer than a third.
    run(
        pool,
        "with added as (
             insert into accounts (key, in_ledger, platform, handle, name, lifecycle, created_at,
                 updated_at)
             select 'k' || n, false, 'weibo', n::text, n::text, 'running', now(), now()
             from generate_series(1, 16000) as n returning id
         )
         insert into post_samples (account_id, ref, at, recorded_at, likes)
         select id, 'p' || n, '2026-03-05', '2026-03-05', to_jsonb(n)
         from added, generate_series(1, 2) as n",
    )
    .await;
    let packed = async || -> String {
        let all = "select md5(string_agg(account_id || ':' || month || encode(rows, 'hex'), ','
                       order by account_id, month)) from packed_samples";
        sqlx::query_scalar(all).fetch_one(pool).await.unwrap()
    };
    pack(&store).await;
    let mut last = packed().await;
    for change in [
        "update post_samples set likes = '7' where account_id % 100 < 33",
        "update post_samples set likes = '8' where account_id % 100 < 50",
    ] {
        run(pool, change).await;
        assert_eq!((pack(&store).await, late_rows(pool).await), (1, 0), "{change}");
        let late = packed().await;
        assert_ne!(late, last, "{change}");
        run(pool, "delete from packed_months").await;
        pack(&store).await;
        assert_eq!(packed().await, late, "{change}");
        last = late;
    }
}

#[tokio::test]
async fn readings_see_each_row_once_while_months_are_packed() {
    let (store, database) = database().await;
    let pool = database.pool.clone();
    with_rows(&store, &pool).await;
    let count = |inputs: &[ScoreInput]| {
        let of = |one: &ScoreInput| {
            let samples = ODD.map(|reference| one.samples.of(reference).len());
            (one.history.visits.len(), one.posts.len(), samples)
        };
        inputs.iter().map(of).collect::<Vec<_>>()
    };
    let wanted = count(&all(&store).await);
    assert_eq!(pack(&store).await, 6);
    let mut others = tokio::task::JoinSet::new();
    let (packing, stopped) = (store.clone(), tokio_util::sync::CancellationToken::new());
    let (stop, stop_too) = (stopped.clone(), stopped.clone());
    others.spawn(async move {
        let mut packed = 0;
        while !stop.is_cancelled() {
            packed += pack(&packing).await;
        }
        assert!(packed > 0, "there was nothing to pack");
    });
    others.spawn(async move {
        while !stop_too.is_cancelled() {
            run(&pool, "update visits set items = items + 1 where host is not null").await;
            run(&pool, "update posts set likes = '7' where ref = 'between'").await;
            run(&pool, "update posts set likes = '8' where ref = 'between'").await;
            run(&pool, "update post_samples set likes = '9'").await;
        }
    });
    for _ in 0..20 {
        assert_eq!(count(&all(&store).await), wanted);
    }
    stopped.cancel();
    others.join_all().await;
}

#[tokio::test]
async fn a_row_that_does_not_read_is_an_error_and_no_absence() {
    let (store, database) = database().await;
    let account = accounts(&store, 1).await[0];
    make_months(&database.pool).await;
    insert_posts(&database.pool, account).await;
    insert_visits(&database.pool, account).await;
    assert_eq!(all(&store).await.len(), 1);
    for (damage, repair) in [
        ("update posts set likes = '\"7\"' where ref = ''", "update posts set likes = null"),
        ("update post_samples set reads = '-1'", "update post_samples set reads = null"),
        (
            "update visits set reason = 'because' where reason = 'blocked'",
            "update visits set reason = 'blocked' where reason = 'because'",
        ),
    ] {
        sqlx::query(damage).execute(&database.pool).await.unwrap();
        let read: Result<Vec<_>, _> = store.score_inputs(of()).try_collect().await;
        assert!(read.is_err(), "{damage}");
        let known = store.accounts().await.unwrap().remove(0);
        assert!(store.score_input(known, of()).await.is_err(), "{damage}");
        sqlx::query(repair).execute(&database.pool).await.unwrap();
        assert_eq!(all(&store).await.len(), 1, "{repair}");
    }
}
