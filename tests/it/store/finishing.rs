use sqlx::PgPool;
use xunjian::domain::{Count, Inquiry, Moment, Reason};
use xunjian::observe::Outcome;
use xunjian::store::{Claimed, Store, StoreError, StoredPost, Validators, VisitRecord};

use super::{accounts, at, facts, finished, looked, observed, one_target, post, request};
use crate::support::database;

async fn rows(pool: &PgPool, table: &str) -> i64 {
    let statement = sqlx::AssertSqlSafe(format!("select count(*) from {table}"));
    sqlx::query_scalar(statement).fetch_one(pool).await.unwrap()
}

/// The posts of account `a0`.
async fn stored_posts(store: &Store) -> Vec<StoredPost> {
    let account = store.account("a0").await.unwrap().unwrap();
    let mut posts = store.post_page(account.id, None, u32::MAX).await.unwrap();
    posts.reverse();
    posts
}

async fn claim(store: &Store, owner: &str, minute: i64) -> Claimed {
    store.claim(&request(owner, minute)).await.unwrap().remove(0)
}

#[tokio::test]
async fn a_finished_visit_is_written_and_its_target_waits_for_the_next() {
    let (store, database) = database().await;
    let account = one_target(&store).await;
    let claimed = claim(&store, "d1", 0).await;
    let posts = vec![post("p1", -5, 3), post("p2", -60, 9)];
    let report = store.finish(&[finished(&claimed, 1, posts)]).await.unwrap();
    assert_eq!((report.written, report.fenced.len(), report.nameless), (1, 0, 0));
    assert_eq!(report.discovered.len(), 2);
    assert_eq!(report.discovered[0].claimed, post("p1", -5, 0).published);
    for (table, expected) in [("visits", 1), ("posts", 2), ("post_samples", 2)] {
        assert_eq!(rows(&database.pool, table).await, expected, "{table}");
    }
    assert_eq!(rows(&database.pool, "account_samples").await, 1);
    let again = claim(&store, "d1", 1 + 24 * 60).await;
    assert_eq!((again.account, again.due_at), (account, at(1 + 24 * 60)));
    assert_eq!((again.attempt, again.fails), (1, 0));
    assert_eq!(again.validators.etag.as_deref(), Some("\"v1\""));
    assert_eq!((again.span_high, again.observed_at), (Some(at(1)), Some(at(1))));
    assert_eq!((again.body_digest.as_deref(), again.body_as_of), (Some("digest-1"), Some(at(1))));
}

#[tokio::test]
async fn a_finisher_whose_lease_moved_writes_nothing() {
    let (store, database) = database().await;
    let account = one_target(&store).await;
    let late = claim(&store, "d1", 0).await;
    let look = looked(account, "m.example.cn", 6, true).look;
    let holder = claim(&store, "d2", 5).await;
    let record = VisitRecord { look, ..finished(&late, 6, vec![post("p1", 0, 1)]) };
    let report = store.finish(&[record]).await.unwrap();
    assert_eq!(report.written, 0);
    assert_eq!(report.fenced, [(account, "timeline".to_owned())]);
    for table in
        ["visits", "posts", "post_samples", "canary_looks", "account_samples", "account_profiles"]
    {
        assert_eq!(rows(&database.pool, table).await, 0, "{table}");
    }
    let report = store.finish(&[finished(&holder, 6, vec![post("p1", 0, 1)])]).await.unwrap();
    assert_eq!(report.written, 1, "the holder is not disturbed");
    // The daemon's own older lease is fenced as well as another daemon's.
    let report = store.finish(&[finished(&holder, 7, Vec::new())]).await.unwrap();
    assert_eq!((report.written, report.fenced.len()), (0, 1));
}

#[tokio::test]
async fn an_error_in_the_middle_leaves_nothing_behind() {
    let (store, database) = database().await;
    one_target(&store).await;
    let claimed = claim(&store, "d1", 0).await;
    sqlx::raw_sql(
        "create function refuse() returns trigger language plpgsql as
             $$ begin raise exception 'the disk is full'; end $$;
         create trigger refuse before insert on account_profiles
             for each row execute function refuse()",
    )
    .execute(&database.pool)
    .await
    .unwrap();
    let look = looked(claimed.account, "m.example.cn", 1, true).look;
    let record = VisitRecord { look, ..finished(&claimed, 1, vec![post("p1", 0, 1)]) };
    let refusal = store.finish(std::slice::from_ref(&record)).await.unwrap_err();
    assert!(refusal.to_string().contains("the disk is full"), "{refusal}");
    for table in ["visits", "posts", "post_samples", "canary_looks"] {
        assert_eq!(rows(&database.pool, table).await, 0, "{table}");
    }
    sqlx::raw_sql("drop trigger refuse on account_profiles").execute(&database.pool).await.unwrap();
    let report = store.finish(&[record]).await.unwrap();
    assert_eq!(report.written, 1, "the lease still holds: the same batch can be tried again");
}

#[tokio::test]
async fn data_that_postgres_never_takes_are_told_from_a_server_in_trouble() {
    let (store, database) = database().await;
    let account = accounts(&store, 1).await[0];
    let mut listed = post("p1", 0, 1);
    listed.title = Some("平安\0某市".into());
    let refusal = store.finish(&[observed(account, 0, -10, vec![listed])]).await.unwrap_err();
    assert!(matches!(refusal, StoreError::Rejected(_)), "{refusal:?}");
    sqlx::raw_sql("drop table account_profiles cascade").execute(&database.pool).await.unwrap();
    let refusal = store.finish(&[observed(account, 0, -10, Vec::new())]).await.unwrap_err();
    assert!(matches!(refusal, StoreError::Database(_)), "{refusal:?}");
}

#[tokio::test]
async fn the_same_visit_twice_changes_nothing() {
    let (store, database) = database().await;
    let account = accounts(&store, 1).await[0];
    let record = observed(account, 0, -100, vec![post("p1", -5, 3), post("p1", -5, 3)]);
    let first = store.finish(std::slice::from_ref(&record)).await.unwrap();
    assert_eq!(first.discovered.len(), 1, "an item listed twice is one post");
    let tables = ["visits", "posts", "post_samples", "account_samples"];
    let before: String = sqlx::query_scalar("select string_agg(p::text, ',') from posts p")
        .fetch_one(&database.pool)
        .await
        .unwrap();
    let second = store.finish(&[record]).await.unwrap();
    assert_eq!((second.written, second.discovered.len()), (1, 0));
    for table in tables {
        assert_eq!(rows(&database.pool, table).await, 1, "{table}");
    }
    let after: String = sqlx::query_scalar("select string_agg(p::text, ',') from posts p")
        .fetch_one(&database.pool)
        .await
        .unwrap();
    assert_eq!(before, after);
}

#[tokio::test]
async fn what_the_first_listing_said_is_kept() {
    let (store, _database) = database().await;
    let account = accounts(&store, 1).await[0];
    store.finish(&[observed(account, 0, -100, vec![post("p1", -5, 3)])]).await.unwrap();
    let mut later = post("p1", -4000, 8);
    later.title = Some("改了标题".into());
    store.finish(&[observed(account, 30, -100, vec![later])]).await.unwrap();
    // An older answer written down late moves nothing back.
    store.finish(&[observed(account, 20, -100, vec![post("p1", -5, 5)])]).await.unwrap();
    let posts = stored_posts(&store).await;
    let [one] = posts.as_slice() else { panic!("{posts:?}") };
    assert_eq!(one.listed.claimed, post("p1", -5, 0).published);
    assert_eq!((one.listed.first_seen, one.last_seen), (at(0), at(30)));
    assert_eq!(one.likes, Some(Count::Exact(8)));
    assert_eq!(one.title.as_deref(), Some("改了标题"));
}

#[tokio::test]
async fn a_late_post_names_the_observation_that_missed_it() {
    let (store, _database) = database().await;
    let account = accounts(&store, 1).await[0];
    store.finish(&[observed(account, 0, -100, Vec::new())]).await.unwrap();
    store.finish(&[observed(account, 60, -100, Vec::new())]).await.unwrap();
    let mut other_part = observed(account, 70, -100, Vec::new());
    other_part.visit.part = "videos".into();
    store.finish(&[other_part]).await.unwrap();
    let posts = vec![
        post("in time", 65, 0),
        post("late", 30, 0),
        // Its minute ends after the first observation's span, and before the second's.
        post("at the edge", 0, 0),
        post("before the spans", -500, 0),
    ];
    let report = store.finish(&[observed(account, 90, -900, posts)]).await.unwrap();
    let missed =
        |name: &str| report.discovered.iter().find(|one| one.reference == name).unwrap().missed_by;
    assert_eq!(missed("in time"), None);
    assert_eq!(missed("late"), Some(at(60)));
    assert_eq!(missed("at the edge"), Some(at(60)));
    assert_eq!(missed("before the spans"), None);
    for stored in stored_posts(&store).await {
        assert_eq!(stored.listed.seen_before, Some(at(60)), "{}", stored.listed.reference);
    }
}

#[tokio::test]
async fn samples_are_written_when_a_number_changed_or_an_age_was_passed() {
    let (store, database) = database().await;
    let account = accounts(&store, 1).await[0];
    let day = 24 * 60;
    let steps = [
        (10, Some(3), 1, "first seen"),
        (20, Some(3), 1, "unchanged"),
        (30, None, 1, "not shown on this page"),
        (40, Some(4), 2, "changed"),
        (day + 10, Some(4), 3, "one day old"),
        (day + 20, Some(4), 3, "unchanged"),
        (8 * day, Some(4), 4, "three and seven days old"),
    ];
    for (minute, likes, samples, what) in steps {
        let mut listed = post("p1", 0, 0);
        listed.likes = likes.map(Count::Exact);
        store.finish(&[observed(account, minute, -100, vec![listed])]).await.unwrap();
        assert_eq!(rows(&database.pool, "post_samples").await, samples, "{what}");
    }
    assert_eq!(rows(&database.pool, "account_samples").await, 1, "followers never changed");
    let mut record = observed(account, 9 * day, -100, Vec::new());
    record.identity.as_mut().unwrap().followers =
        Some(Count::Bounded { value: 12_000, low: 11_500, high: Some(12_499) });
    store.finish(&[record]).await.unwrap();
    assert_eq!(rows(&database.pool, "account_samples").await, 2);
    let profiles = store.profiles().await.unwrap();
    assert_eq!(profiles[0].followers.as_ref().and_then(Count::low), Some(11_500));
    assert_eq!(profiles[0].name.as_deref(), Some("平安某市"));
}

#[tokio::test]
async fn a_failed_visit_keeps_what_the_last_good_one_left() {
    let (store, _database) = database().await;
    one_target(&store).await;
    let claimed = claim(&store, "d1", 0).await;
    store.finish(&[finished(&claimed, 0, Vec::new())]).await.unwrap();
    let day = 24 * 60;
    for fails in 1..=2 {
        let claimed = claim(&store, "d1", fails * day).await;
        let mut record = finished(&claimed, fails * day, Vec::new());
        record.visit.outcome = Outcome::Failed(Reason::Blocked);
        record.next.as_mut().unwrap().validators.etag = Some("of the wall".into());
        record.body_digest = Some("of the wall".into());
        record.identity = None;
        store.finish(&[record]).await.unwrap();
    }
    let claimed = claim(&store, "d1", 3 * day).await;
    assert_eq!((claimed.fails, claimed.last_visit_at), (2, Some(at(2 * day))));
    assert_eq!(claimed.validators.etag.as_deref(), Some("\"v1\""));
    assert_eq!(
        (claimed.body_digest.as_deref(), claimed.body_as_of),
        (Some("digest-0"), Some(at(0)))
    );
    assert_eq!(claimed.observed_at, Some(at(0)));
}

#[tokio::test]
async fn a_page_that_says_gone_leaves_nothing_to_compare_the_next_answer_with() {
    let (store, _database) = database().await;
    one_target(&store).await;
    let day = 24 * 60;
    let claimed = claim(&store, "d1", 0).await;
    store.finish(&[finished(&claimed, 0, Vec::new())]).await.unwrap();
    let claimed = claim(&store, "d1", day).await;
    let mut record = finished(&claimed, day, Vec::new());
    record.visit.outcome = Outcome::Gone { as_of: at(day), confirming: true };
    store.finish(&[record]).await.unwrap();
    // A 304 to the validators of that page would read as an unchanged list.
    let claimed = claim(&store, "d1", 2 * day).await;
    assert_eq!(claimed.validators, Validators::default());
    assert_eq!((claimed.body_digest, claimed.body_as_of), (None, None));
    assert_eq!(claimed.observed_at, Some(at(0)));
}

#[tokio::test]
async fn a_request_that_our_own_pacing_held_back_is_no_failure_of_the_target() {
    let (store, _database) = database().await;
    one_target(&store).await;
    let day = 24 * 60;
    for (visit, held_back, fails) in [(0, false, 1), (1, true, 1), (2, false, 2)] {
        let claimed = claim(&store, "d1", visit * day).await;
        let mut record = finished(&claimed, visit * day, Vec::new());
        record.visit.outcome = Outcome::Failed(Reason::Limited);
        record.next.as_mut().unwrap().held_back = held_back;
        store.finish(&[record]).await.unwrap();
        let next = claim(&store, "d1", (visit + 1) * day).await;
        assert_eq!(next.fails, fails, "visit {visit}");
        store.release("d1", at(0)).await.unwrap();
    }
}

#[tokio::test]
async fn the_same_body_keeps_the_time_of_its_first_answer() {
    let (store, _database) = database().await;
    one_target(&store).await;
    let day = 24 * 60;
    for visit in 0..3 {
        let claimed = claim(&store, "d1", visit * day).await;
        let body_as_of = (visit > 0).then(|| at(0));
        assert_eq!(claimed.body_as_of, body_as_of);
        let record = finished(&claimed, visit * day, Vec::new());
        let same = VisitRecord { body_digest: Some("same".into()), ..record };
        store.finish(&[same]).await.unwrap();
    }
}

#[tokio::test]
async fn the_first_answer_to_a_message_is_kept() {
    let (store, _database) = database().await;
    let account = accounts(&store, 1).await[0];
    let inquiry = |replied: Option<i64>| Inquiry {
        reference: "hmac".into(),
        asked_at: Some(Moment::second(at(-600))),
        replied_at: replied.map(|minute| Moment::second(at(minute))),
        precision: None,
        official: replied.is_some(),
    };
    for (minute, replied) in [(0, None), (10, Some(5)), (20, Some(15)), (30, None)] {
        let mut record = observed(account, minute, -100, Vec::new());
        record.inquiries = vec![inquiry(replied)];
        store.finish(&[record]).await.unwrap();
    }
    let known = store.accounts().await.unwrap().remove(0);
    let input = store.score_input(known, facts(-1000, 1000)).await.unwrap();
    let [one] = input.inquiries.as_slice() else { panic!("{:?}", input.inquiries) };
    assert_eq!(one.inquiry.replied_at.map(|moment| moment.at), Some(at(5)));
    assert!(one.inquiry.official);
    assert_eq!((one.last_seen, input.messages_read_at), (at(30), None));
}

#[tokio::test]
async fn items_without_any_name_are_counted_not_invented() {
    let (store, database) = database().await;
    let account = accounts(&store, 1).await[0];
    let mut addressed = post("p1", 0, 0);
    addressed.reference = None;
    let mut nameless = post("p2", 0, 0);
    (nameless.reference, nameless.url) = (None, None);
    let record = observed(account, 1, -100, vec![addressed, nameless]);
    let report = store.finish(&[record]).await.unwrap();
    assert_eq!((report.nameless, rows(&database.pool, "posts").await), (1, 1));
    assert_eq!(report.discovered[0].reference, "https://m.example.cn/p1");
}

#[tokio::test(flavor = "multi_thread")]
async fn finishers_of_one_account_at_once_do_not_disturb_each_other() {
    let (store, database) = database().await;
    let ids = accounts(&store, 5).await;
    let batches = (0..8).map(|minute| {
        let (store, ids) = (store.clone(), ids.clone());
        async move {
            let shown = || (0..20).map(|number| post(&format!("p{number}"), -number, 1)).collect();
            // Each batch in another order: what is locked in a fixed order cannot wait crosswise.
            let mut batch: Vec<_> =
                ids.iter().map(|id| observed(*id, minute, -100, shown())).collect();
            batch.rotate_left(usize::try_from(minute).unwrap() % 5);
            store.finish(&batch).await.unwrap().discovered.len()
        }
    });
    let discovered: usize = futures::future::join_all(batches).await.into_iter().sum();
    assert_eq!(discovered, 100, "each post is discovered once");
    assert_eq!(rows(&database.pool, "posts").await, 100);
    assert_eq!(rows(&database.pool, "visits").await, 40);
}
