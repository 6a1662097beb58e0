use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use sqlx::PgPool;
use xunjian::domain::{AccountId, Count, Post};
use xunjian::observe::Source;
use xunjian::store::{Store, VisitRecord};

use super::{accounts, at, observed, post};
use crate::support::database;

/// What is stored of an account's posts: when each was last seen, and its likes.
async fn stored(store: &Store, account: AccountId) -> BTreeMap<String, (DateTime<Utc>, Count)> {
    let posts = store.post_page(account, None, 1000).await.unwrap();
    let told = posts.into_iter().map(|post| {
        (
            post.listed.reference.to_string(),
            (post.last_seen, post.likes.expect("every listing gives likes")),
        )
    });
    told.collect()
}

/// The rows of the posts table with the transaction that wrote each, and which stand in a list.
async fn rows(pool: &PgPool) -> Vec<(String, bool, DateTime<Utc>, String)> {
    sqlx::query_as("select ref, stands, last_seen, xmin::text from posts order by ref")
        .fetch_all(pool)
        .await
        .unwrap()
}

fn listed(account: AccountId, minute: i64, names: &[&str]) -> VisitRecord {
    let posts = names.iter().map(|name| post(name, -100, 1)).collect();
    observed(account, minute, -1000, posts)
}

#[tokio::test]
async fn a_list_that_tells_the_same_leaves_the_rows_of_its_posts_alone() {
    let (store, database) = database().await;
    let account = accounts(&store, 1).await[0];
    store.finish(&[listed(account, 0, &["a", "b"])]).await.unwrap();
    let before = rows(&database.pool).await;
    store.finish(&[listed(account, 30, &["a", "b"])]).await.unwrap();
    assert_eq!(rows(&database.pool).await, before);
    for (name, (last_seen, _)) in stored(&store, account).await {
        assert_eq!(last_seen, at(30), "{name}");
    }
    // "a" leaves, "c" comes, and "b" stays as it is.
    store.finish(&[listed(account, 60, &["b", "c"])]).await.unwrap();
    let after = rows(&database.pool).await;
    let told: Vec<_> = after.iter().map(|row| (row.0.as_str(), row.1, row.2)).collect();
    assert_eq!(told, [("a", false, at(30)), ("b", true, at(0)), ("c", true, at(60))]);
    assert_eq!(after[1], before[1]);
    let seen = stored(&store, account).await;
    assert_eq!((seen["a"].0, seen["b"].0, seen["c"].0), (at(30), at(60), at(60)));
    let shown: DateTime<Utc> =
        sqlx::query_scalar("select last_seen from grafana_posts where ref = 'b'")
            .fetch_one(&database.pool)
            .await
            .unwrap();
    assert_eq!(shown, at(60));
    // A page without posts says nothing of them.
    store.finish(&[listed(account, 90, &[])]).await.unwrap();
    assert_eq!(stored(&store, account).await["b"].0, at(60));
}

#[tokio::test]
async fn whatever_comes_in_whatever_order_the_newest_listing_of_a_post_counts() {
    let (store, database) = database().await;
    for (seed, account) in accounts(&store, 24).await.into_iter().enumerate() {
        check_histories(&store, account, seed as u64).await;
    }
    let held: i64 =
        sqlx::query_scalar("select sum(holds) from lists").fetch_one(&database.pool).await.unwrap();
    let standing = rows(&database.pool).await.iter().filter(|row| row.1).count();
    assert_eq!(usize::try_from(held).unwrap(), standing);
}

/// A made-up history of an account, after each batch of which every post is as last seen and told as
/// its newest listing says.
async fn check_histories(store: &Store, account: AccountId, seed: u64) {
    let mut state = 20_261_128 + seed;
    let mut below = |limit: u64| {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) % limit
    };
    let mut expected: BTreeMap<String, (DateTime<Utc>, Count)> = BTreeMap::new();
    let mut now = 0;
    for step in 0..25 {
        let mut batch = Vec::new();
        for _ in 0..=below(2) {
            now += i64::try_from(below(20)).unwrap();
            // One in five was asked earlier and is written down late.
            let late = if below(5) == 0 { i64::try_from(below(60)).unwrap() } else { 0 };
            let mut posts: Vec<Post> = Vec::new();
            for number in 0..8 {
                if below(3) > 0 {
                    // Some share a time, and some have none.
                    let mut one = post(&format!("p{number}"), -10 * (number / 2), below(3));
                    one.published = one.published.filter(|_| number % 4 < 3);
                    posts.push(one);
                }
            }
            let mut record = observed(account, now - late, -1000, posts);
            if below(4) == 0 {
                record.visit.page = "album".into();
            }
            record.visit.source = [Source::Crawl, Source::Crawl, Source::Import, Source::Bridge]
                [usize::try_from(below(4)).unwrap()];
            batch.push(record);
        }
        store.finish(&batch).await.unwrap();
        batch.sort_by_key(|record| record.seen_at);
        for (record, post) in batch.iter().flat_map(|one| one.posts.iter().map(move |p| (one, p))) {
            let told = (record.seen_at, post.likes.clone().unwrap());
            let known = expected.entry(post.reference.clone().unwrap()).or_insert(told.clone());
            if told.0 >= known.0 {
                *known = told;
            }
        }
        assert_eq!(stored(store, account).await, expected, "seed {seed}, step {step}");
    }
}

#[tokio::test]
async fn a_deletion_is_seen_although_every_visit_brings_a_new_post() {
    let (store, database) = database().await;
    let [account, other] = accounts(&store, 2).await[..] else { panic!("two accounts") };
    let visit = |minute: i64, numbers: &[i64]| {
        let posts = numbers.iter().map(|number| post(&format!("p{number}"), 10 * number, 1));
        observed(account, minute, -1000, posts.collect())
    };
    store.finish(&[visit(100, &[9, 8, 7, 6, 5])]).await.unwrap();
    // "p7" is deleted, and each visit finds one post more.
    store.finish(&[visit(110, &[10, 9, 8, 6, 5])]).await.unwrap();
    store.finish(&[visit(120, &[11, 10, 9, 8, 6])]).await.unwrap();
    let told: BTreeMap<String, (bool, DateTime<Utc>)> = rows(&database.pool)
        .await
        .into_iter()
        .map(|(name, stands, seen, _)| (name, (stands, seen)))
        .collect();
    assert_eq!((told["p7"], told["p5"]), ((false, at(100)), (false, at(110))));
    let standing = told.iter().filter(|(_, row)| row.0).map(|(name, _)| name.as_str());
    assert_eq!(standing.collect::<Vec<_>>(), ["p10", "p11", "p6", "p8", "p9"]);
    // One day for all, as many sites have it: which of them left does not follow from their order.
    let list = |minute: i64, names: &[&str]| listed(other, minute, names);
    store.finish(&[list(100, &["a", "b", "c"])]).await.unwrap();
    store.finish(&[list(110, &["d", "a", "c"])]).await.unwrap();
    assert_eq!(stored(&store, other).await["b"].0, at(100));
}

#[tokio::test]
async fn the_same_numbers_of_a_page_take_those_of_a_file_over() {
    let (store, database) = database().await;
    let account = accounts(&store, 1).await[0];
    store.finish(&[listed(account, 0, &["a"])]).await.unwrap();
    let mut file = listed(account, 10, &["a"]);
    file.visit.source = Source::Import;
    store.finish(&[file]).await.unwrap();
    sqlx::raw_sql("update posts set imported = '{\"likes\": 7}'")
        .execute(&database.pool)
        .await
        .unwrap();
    store.finish(&[listed(account, 20, &["a"])]).await.unwrap();
    let (_, imported) = store.post_imports(account, "a").await.unwrap().unwrap();
    assert_eq!(imported, BTreeMap::new());
    assert_eq!(stored(&store, account).await["a"].0, at(20));
}

#[tokio::test]
async fn of_three_listings_in_one_batch_the_first_was_the_first_sight() {
    let (store, _database) = database().await;
    let account = accounts(&store, 1).await[0];
    let batch = [10, 20, 15].map(|minute| {
        observed(account, minute, -1000, vec![post("a", -100, u64::try_from(minute).unwrap())])
    });
    store.finish(&batch).await.unwrap();
    let stored = store.post_page(account, None, 10).await.unwrap().remove(0);
    assert_eq!((stored.listed.first_seen, stored.last_seen), (at(10), at(20)));
    assert_eq!((stored.listed.missed_by, stored.likes), (None, Some(Count::Exact(20))));
}
