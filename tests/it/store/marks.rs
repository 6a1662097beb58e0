use chrono::{DateTime, TimeDelta, Utc};
use xunjian::domain::{AccountId, Moment, Post};
use xunjian::observe::{
    Bracket, DeletionProof, MarkKind, Observation, Outcome, Presence, presences,
};
use xunjian::store::{AskedPost, Store, VisitRecord};

use super::{accounts, at, observed, post};
use crate::support::database;

const DAY: i64 = 24 * 60;

/// A list of noon of a day, whole between its oldest and its newest item.
fn listed(account: AccountId, day: i64, posts: Vec<Post>) -> VisitRecord {
    let times = || posts.iter().filter_map(|post| post.published).map(Moment::lower);
    let bracket = times().min().zip(times().max());
    let low = bracket.map_or(0, |(oldest, _)| (oldest - at(0)).num_minutes());
    let mut record = observed(account, day * DAY, low, posts);
    seen(&mut record).bracket = bracket.map(|(older, newer)| Bracket { older, newer });
    record
}

fn seen(record: &mut VisitRecord) -> &mut Observation {
    match &mut record.visit.outcome {
        Outcome::Observed(seen) => seen,
        other => panic!("{other:?}"),
    }
}

fn items(claims: &[(&str, i64)]) -> Vec<Post> {
    claims.iter().map(|(name, minute)| post(name, *minute, 0)).collect()
}

async fn marks(store: &Store, account: AccountId) -> Vec<(String, i64, MarkKind, i64)> {
    let marks = store.post_marks(&[account], at(-DAY)).await.unwrap();
    let minutes = |time: DateTime<Utc>| (time - at(0)).num_minutes();
    let told =
        marks.get(&account).into_iter().flatten().map(|mark| {
            (mark.reference.clone(), minutes(mark.at), mark.kind, minutes(mark.last_seen))
        });
    told.collect()
}

#[tokio::test]
async fn posts_that_are_missing_between_others_get_one_mark_a_day_until_they_return() {
    let (store, _database) = database().await;
    let account = accounts(&store, 1).await[0];
    let all = items(&[("new", -10), ("mid", -20), ("old", -30), ("oldest", -40)]);
    let without: Vec<Post> =
        all.iter().filter(|post| post.reference.as_deref() != Some("mid")).cloned().collect();
    store.finish(&[listed(account, 0, all.clone())]).await.unwrap();
    assert_eq!(marks(&store, account).await, []);
    store.finish(&[listed(account, 1, without.clone())]).await.unwrap();
    let mut later = listed(account, 1, without.clone());
    later.visit.started_at += TimeDelta::minutes(30);
    seen(&mut later).as_of += TimeDelta::minutes(30);
    later.seen_at += TimeDelta::minutes(30);
    store.finish(&[later]).await.unwrap();
    let absent =
        |day: i64, last_seen: i64| ("mid".to_owned(), day * DAY, MarkKind::Absent, last_seen);
    assert_eq!(marks(&store, account).await, [absent(1, 0)]);
    store.finish(&[listed(account, 2, without.clone())]).await.unwrap();
    assert_eq!(marks(&store, account).await, [absent(1, 0), absent(2, 0)]);
    store.finish(&[listed(account, 3, all.clone())]).await.unwrap();
    store.finish(&[listed(account, 4, all)]).await.unwrap();
    let back = ("mid".to_owned(), 3 * DAY, MarkKind::Listed, 0);
    assert_eq!(marks(&store, account).await, [absent(1, 0), absent(2, 0), back.clone()]);
    store.finish(&[listed(account, 5, without)]).await.unwrap();
    assert_eq!(
        marks(&store, account).await,
        [absent(1, 0), absent(2, 0), back, absent(5, 4 * DAY)]
    );
}

#[tokio::test]
async fn what_a_list_need_not_show_is_not_missing() {
    let (store, _database) = database().await;
    let account = accounts(&store, 1).await[0];
    let all = items(&[("new", -10), ("mid", -20), ("old", -30)]);
    store.finish(&[listed(account, 0, all)]).await.unwrap();
    // Newer than the newest, older than the oldest, as new as the newest by its minute.
    let ends = items(&[("newest", -20), ("mid", -20), ("old", -30)]);
    store.finish(&[listed(account, 1, ends)]).await.unwrap();
    let mut unbracketed = listed(account, 2, items(&[("a", 0), ("b", -50)]));
    seen(&mut unbracketed).bracket = None;
    store.finish(&[unbracketed]).await.unwrap();
    let mut another_page = listed(account, 3, items(&[("a", 0), ("b", -50)]));
    another_page.visit.page = "album".into();
    store.finish(&[another_page]).await.unwrap();
    assert_eq!(marks(&store, account).await, []);
}

#[tokio::test]
async fn two_marks_or_the_posts_own_address_prove_a_deletion() {
    let (store, _database) = database().await;
    let account = accounts(&store, 1).await[0];
    let all = items(&[("new", -10), ("mid", -20), ("old", -30)]);
    let without = items(&[("new", -10), ("old", -30)]);
    // A time coarser than a second is believed when two visits have read it.
    store.finish(&[listed(account, 0, all.clone())]).await.unwrap();
    store.finish(&[listed(account, 1, all)]).await.unwrap();
    let presence = async || {
        let history = store.histories(&[account], at(-DAY)).await.unwrap().remove(&account);
        let marks = store.post_marks(&[account], at(-DAY)).await.unwrap();
        let marks = marks.get(&account).cloned().unwrap_or_default();
        presences(&history.unwrap(), &marks, at(99 * DAY))
    };
    store.finish(&[listed(account, 2, without.clone())]).await.unwrap();
    assert_eq!(presence().await[0].presence, Presence::NotListed);
    store.finish(&[listed(account, 3, without)]).await.unwrap();
    let told = presence().await;
    assert!(
        matches!(&told[0].presence, Presence::Deleted(DeletionProof::Absent(two)) if two.len() == 2)
    );
    assert_eq!((told[0].last_seen, told[0].first_missing), (at(DAY), Some(at(2 * DAY))));
    store.finish(&[asked(account, 4, &[("mid", true), ("nobody's", true)])]).await.unwrap();
    let told = presence().await;
    assert_eq!(told.len(), 1, "nobody's post is left out");
    assert!(matches!(told[0].presence, Presence::Deleted(DeletionProof::Gone(_))), "{told:#?}");
    // Its address shows it after all: whatever was missing, it is there.
    store.finish(&[asked(account, 5, &[("mid", false)])]).await.unwrap();
    let told = presence().await;
    assert_eq!((&told[0].presence, told[0].last_seen), (&Presence::NotListed, at(5 * DAY)));
}

/// A visit that asked the own addresses of posts, and whether each said that its post is gone.
fn asked(account: AccountId, day: i64, answers: &[(&str, bool)]) -> VisitRecord {
    let mut record = listed(account, day, Vec::new());
    (record.visit.page, record.visit.part) = ("article".into(), "".into());
    let answer = |(reference, gone): &(&str, bool)| AskedPost {
        reference: (*reference).to_owned(),
        at: at(day * DAY),
        gone: *gone,
    };
    record.details.found.asked = answers.iter().map(answer).collect();
    record
}

#[tokio::test]
async fn missing_posts_are_asked_about_until_their_address_has_told() {
    let (store, _database) = database().await;
    let account = accounts(&store, 1).await[0];
    let addressed = |claims: &[(&str, i64)]| {
        let mut posts = items(claims);
        for post in &mut posts {
            post.url = post.reference.as_ref().map(|name| format!("https://a.example/{name}"));
        }
        posts
    };
    let all = addressed(&[("new", -10), ("mid", -20), ("old", -30)]);
    let without = addressed(&[("new", -10), ("old", -30)]);
    let waiting = async |day: i64| {
        let noon = at(day * DAY + 60);
        let posts = store.missing_posts(None, at(-DAY), noon).await.unwrap();
        assert_eq!(store.missing_posts(Some(account), at(-DAY), noon).await.unwrap(), posts);
        let address = |post: xunjian::store::MissingPost| (post.account, post.address);
        posts.into_iter().map(address).collect::<Vec<_>>()
    };
    store.finish(&[listed(account, 0, all.clone())]).await.unwrap();
    assert_eq!(waiting(0).await, [], "nothing is missing");
    store.finish(&[listed(account, 1, without.clone())]).await.unwrap();
    let mid = [(account, "https://a.example/mid".to_owned())];
    assert_eq!(waiting(1).await, mid);
    assert_eq!(store.missing_posts(Some(account), at(DAY + 1), at(2 * DAY)).await.unwrap(), []);
    store.finish(&[asked(account, 1, &[("mid", false)])]).await.unwrap();
    assert_eq!(waiting(7).await, [], "it was there; a week later it may not be");
    assert_eq!(waiting(8).await, mid);
    store.finish(&[asked(account, 8, &[("mid", true)])]).await.unwrap();
    assert_eq!(waiting(8).await, [], "the same day tells nothing more");
    assert_eq!(waiting(9).await, mid);
    store.finish(&[asked(account, 9, &[("mid", true)])]).await.unwrap();
    assert_eq!(waiting(15).await, [], "gone on two days");
    assert_eq!(waiting(16).await, mid, "the site may have come back");
    store.finish(&[asked(account, 16, &[("mid", false)])]).await.unwrap();
    assert_eq!(waiting(22).await, []);
    store.finish(&[asked(account, 23, &[("mid", true)])]).await.unwrap();
    assert_eq!(waiting(24).await, mid, "what was gone before it was shown says nothing");
    store.finish(&[listed(account, 31, all)]).await.unwrap();
    store.finish(&[listed(account, 32, without)]).await.unwrap();
    assert_eq!(waiting(32).await, mid, "missing once more");
}

#[tokio::test]
async fn a_visit_tells_by_how_much_its_source_has_moved_its_times() {
    let (store, _database) = database().await;
    let account = accounts(&store, 1).await[0];
    let claims = [("new", -1000), ("mid", -2000), ("old", -3000)];
    let moved = |minutes: i64| items(&claims.map(|(name, minute)| (name, minute + minutes)));
    for (day, minutes) in [(0, 0), (1, 0), (2, -480), (3, 0)] {
        store.finish(&[listed(account, day, moved(minutes))]).await.unwrap();
    }
    let history = store.histories(&[account], at(-DAY)).await.unwrap().remove(&account).unwrap();
    let shifts = history.visits.iter().map(|visit| match &visit.outcome {
        Outcome::Observed(seen) => seen.claims_shift_seconds,
        other => panic!("{other:?}"),
    });
    assert_eq!(shifts.collect::<Vec<_>>(), [0, 0, -480 * 60, 0]);
}

#[tokio::test]
async fn the_text_of_the_first_listing_is_kept_as_it_was() {
    let (store, _database) = database().await;
    let account = accounts(&store, 1).await[0];
    for (day, text) in [(0, "sha256:1"), (1, "sha256:2")] {
        let mut posts = items(&[("a", -10)]);
        posts[0].text_digest = Some(text.to_owned());
        store.finish(&[listed(account, day, posts)]).await.unwrap();
    }
    let history = store.histories(&[account], at(-DAY)).await.unwrap().remove(&account).unwrap();
    assert_eq!(history.posts[0].text_digest.as_deref(), Some("sha256:1"));
    assert_eq!(history.posts[0].page, "timeline");
}

#[tokio::test]
async fn a_post_listed_with_another_time_is_noted_once_and_no_list_proves_it_deleted() {
    let (store, _database) = database().await;
    let account = accounts(&store, 1).await[0];
    let all = items(&[("new", -10), ("mid", -20), ("old", -30)]);
    store.finish(&[listed(account, 0, all)]).await.unwrap();
    // The old page of day 0 moved one of its times.
    let true_times = items(&[("new", -10), ("old", -30), ("mid", -3 * DAY)]);
    store.finish(&[listed(account, 1, true_times.clone())]).await.unwrap();
    store.finish(&[listed(account, 2, true_times)]).await.unwrap();
    let redated = ("mid".to_owned(), DAY, MarkKind::Redated, DAY);
    assert_eq!(marks(&store, account).await, std::slice::from_ref(&redated));
    let without = items(&[("new", -10), ("old", -30)]);
    store.finish(&[listed(account, 3, without.clone())]).await.unwrap();
    store.finish(&[listed(account, 4, without)]).await.unwrap();
    let absent = |day: i64| ("mid".to_owned(), day * DAY, MarkKind::Absent, 2 * DAY);
    assert_eq!(marks(&store, account).await, [redated, absent(3), absent(4)]);
    let history = store.histories(&[account], at(-DAY)).await.unwrap().remove(&account);
    let told = store.post_marks(&[account], at(4 * DAY)).await.unwrap();
    let told = presences(&history.unwrap(), &told[&account], at(99 * DAY));
    assert_eq!(told, [], "long after, the mark of another time is still read");
}
