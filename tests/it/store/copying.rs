use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use sqlx::PgPool;
use xunjian::domain::{Count, Form, Moment, Origin, Post, Precision};
use xunjian::store::{StoreError, VisitRecord};

use super::{accounts, at, observed, post};
use crate::support::database;

async fn rows(pool: &PgPool, table: &str) -> i64 {
    let statement = sqlx::AssertSqlSafe(format!("select count(*) from {table}"));
    sqlx::query_scalar(statement).fetch_one(pool).await.unwrap()
}

/// Values that another form of COPY, or a careless writer, would take for something else.
fn odd_posts() -> Vec<Post> {
    let bare = |reference: &str| Post { reference: Some(reference.into()), ..Post::default() };
    let long = "长".repeat(700_000);
    let moment = |text: &str, precision| Moment { at: text.parse().unwrap(), precision };
    vec![
        bare("bare"),
        Post { url: Some(String::new()), title: Some(String::new()), ..bare("empty") },
        Post { title: Some("\\N".into()), url: Some("\\.\n".into()), ..bare("\\N") },
        Post { title: Some("a\tb\r\nc\"d'e\\f{g,h}\u{feff}".into()), ..bare("a\tb\n,\"{}") },
        Post {
            title: Some("巡检😀 e\u{301} \u{200b}\u{1f468}\u{200d}\u{1f469}".into()),
            ..bare("😀")
        },
        Post { title: Some(long), ..bare("longer than a message") },
        Post {
            form: Some(Form::Video),
            origin: Origin::Repost,
            published: Some(moment("1969-07-20T20:17:40.000001Z", Precision::Day)),
            published_text: Some("1969年".into()),
            text_digest: Some("sha256:00".into()),
            text_simhash: Some("00ff".into()),
            reads: Some(Count::Bounded { value: 100_001, low: 100_001, high: None }),
            likes: Some(Count::Bounded { value: 12_000, low: 11_500, high: Some(12_499) }),
            comments: Some(Count::Hidden("login_required \"\\".into())),
            shares: Some(Count::Exact(u64::MAX)),
            ..bare("whole")
        },
    ]
}

#[tokio::test]
async fn posts_of_odd_values_are_stored_as_they_are() {
    let (store, database) = database().await;
    let account = accounts(&store, 1).await[0];
    let posts = odd_posts();
    let record = observed(account, 0, -100, posts.clone());
    let report = store.finish(&[record]).await.unwrap();
    assert_eq!(report.discovered.len(), posts.len());
    let of_account = store.account("a0").await.unwrap().unwrap();
    let stored = store.post_page(of_account.id, None, u32::MAX).await.unwrap();
    assert_eq!(stored.len(), posts.len());
    for post in &posts {
        let reference = post.reference.as_deref().unwrap();
        let one = stored.iter().find(|one| one.listed.reference == reference).unwrap();
        assert_eq!(one.listed.claimed, post.published, "{reference}");
        assert_eq!((&one.url, &one.title), (&post.url, &post.title), "{reference}");
        assert_eq!((one.form, one.origin), (post.form, post.origin), "{reference}");
        assert_eq!((&one.reads, &one.likes), (&post.reads, &post.likes), "{reference}");
        assert_eq!((&one.comments, &one.shares), (&post.comments, &post.shares), "{reference}");
        assert_eq!((one.listed.first_seen, one.last_seen), (at(0), at(0)), "{reference}");
    }
    let texts: Vec<(Option<String>, Option<String>, Option<String>)> = sqlx::query_as(
        "select claimed_text, text_digest, text_simhash from posts where ref = 'whole'",
    )
    .fetch_all(&database.pool)
    .await
    .unwrap();
    let text = |text: &str| Some(text.to_owned());
    assert_eq!(texts, [(text("1969年"), text("sha256:00"), text("00ff"))]);
    let samples: Vec<(String, String)> = sqlx::query_as(
        "select ref, concat_ws(' ', reads, likes, comments, shares) from post_samples",
    )
    .fetch_all(&database.pool)
    .await
    .unwrap();
    let [(sampled, numbers)] = samples.as_slice() else { panic!("{samples:?}") };
    assert_eq!(sampled, "whole");
    assert!(numbers.ends_with(" 18446744073709551615"), "{numbers}");
    let exact: String = sqlx::query_scalar(
        "select string_agg(jsonb_typeof(shares), ',') from post_samples where shares is not null",
    )
    .fetch_one(&database.pool)
    .await
    .unwrap();
    assert_eq!(exact, "number");
}

#[tokio::test]
async fn rows_that_are_refused_leave_nothing_behind_and_hold_nobody_up() {
    let (store, database) = database().await;
    let both = accounts(&store, 2).await;
    let fine = observed(both[0], 0, -10, vec![post("fine", -5, 3)]);
    let with = |change: &dyn Fn(&mut Post)| {
        let mut listed = post("refused", -5, 3);
        change(&mut listed);
        observed(both[1], 0, -10, vec![listed])
    };
    let day = |at| Some(Moment { at, precision: Precision::Day });
    let before_all = DateTime::UNIX_EPOCH - TimeDelta::days(2_500_000);
    let refused: [(&str, VisitRecord); 4] = [
        ("a text with a NUL", with(&|post| post.title = Some("平安\0某市".into()))),
        ("a count's word with a NUL", with(&|post| post.reads = Some(Count::Hidden("\0".into())))),
        ("a time before all time", with(&|post| post.published = day(before_all))),
        ("the least time of all", with(&|post| post.published = day(DateTime::<Utc>::MIN_UTC))),
    ];
    for (what, record) in refused {
        let refusal = store.finish(&[fine.clone(), record]).await.unwrap_err();
        assert!(matches!(refusal, StoreError::Rejected(_)), "{what}: {refusal:?}");
        for table in ["visits", "posts", "post_samples", "lists", "account_profiles"] {
            assert_eq!(rows(&database.pool, table).await, 0, "{what}: {table}");
        }
    }
    let report = store.finish(&[fine]).await.unwrap();
    assert_eq!((report.written, report.discovered.len()), (1, 1));
    assert_eq!(rows(&database.pool, "post_samples").await, 1);
}

#[tokio::test]
async fn a_commit_that_is_given_up_while_rows_are_written_says_nothing_to_the_next() {
    let (store, database) = database().await;
    let account = accounts(&store, 1).await[0];
    let record = observed(account, 0, -10, vec![post("p1", -5, 3), post("p2", -6, 4)]);
    // Writing waits here for what becomes of the same row.
    let mut other = database.pool.begin().await.unwrap();
    sqlx::query(
        "insert into posts (account_id, ref, page, part, origin, first_seen, last_seen, recorded_at)
         values ($1, 'p2', 'timeline', 'all', 'original', $2, $2, $2)",
    )
    .bind(account.0)
    .bind(at(0))
    .execute(&mut *other)
    .await
    .unwrap();
    let writing = store.finish(std::slice::from_ref(&record));
    assert!(tokio::time::timeout(Duration::from_secs(1), writing).await.is_err(), "it waits");
    let waiting: i64 = sqlx::query_scalar(
        "select count(*) from pg_stat_activity
         where datname = current_database() and wait_event_type = 'Lock'
             and query like 'copy posts%'",
    )
    .fetch_one(&mut *other)
    .await
    .unwrap();
    assert_eq!(waiting, 1, "it was given up in the middle of a COPY");
    other.rollback().await.unwrap();
    for _ in 0..3 {
        let report = store.finish(std::slice::from_ref(&record)).await.unwrap();
        assert_eq!(report.written, 1);
    }
    for (table, expected) in [("visits", 1), ("posts", 2), ("post_samples", 2)] {
        assert_eq!(rows(&database.pool, table).await, expected, "{table}");
    }
}
