//! What scores are computed from, read with whole tables and account by account, from odd rows.

use futures::TryStreamExt;
use sqlx::PgPool;
use xunjian::domain::{AccountId, Count, Reason};
use xunjian::observe::Outcome;
use xunjian::store::{FactsOf, ScoreInput, Store};

use super::{accounts, at};
use crate::support::database;

const ODD: [&str; 4] = ["O'Neil \"§\"", "back\\slash\\n", "多行\n\t\u{1F600}", ""];

/// The period begins ten minutes after what is read of the past.
fn of() -> FactsOf {
    FactsOf { since: at(-110), from: at(-100), to: at(100), known_at: at(1000) }
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

async fn all(store: &Store) -> Vec<ScoreInput> {
    store.score_inputs(of()).try_collect().await.unwrap()
}

#[tokio::test]
async fn odd_rows_are_read_the_same_with_whole_tables_and_by_account() {
    let (store, database) = database().await;
    let ids = accounts(&store, 3).await;
    sqlx::query("select xunjian_ensure_partitions('2026-11-01', '2026-12-01')")
        .execute(&database.pool)
        .await
        .unwrap();
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
        assert_eq!((post.origin, &post.text_digest), (stored.origin, &stored.text_digest));
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

#[tokio::test]
async fn a_row_that_does_not_read_is_an_error_and_no_absence() {
    let (store, database) = database().await;
    let account = accounts(&store, 1).await[0];
    sqlx::query("select xunjian_ensure_partitions('2026-11-01', '2026-12-01')")
        .execute(&database.pool)
        .await
        .unwrap();
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
