//! A post that its list leaves out is asked about at its own address before it counts as deleted.

use std::path::Path;

use chrono::{DateTime, Duration, Utc};
use xunjian::cli::demo::Demo;
use xunjian::observe::{DeletionProof, Presence, presences};
use xunjian::settings::Settings;
use xunjian::simulator::{Character, City, Planted, Venue};

/// What is told of the account's post that went missing.
async fn told(demo: &Demo, key: &str) -> Option<Presence> {
    let jobs = demo.app().jobs();
    let account = jobs.store.account(key).await.unwrap().unwrap().id;
    let (now, since) = (jobs.clock.now(), jobs.clock.now() - Duration::days(90));
    let history = jobs.store.histories(&[account], since).await.unwrap().remove(&account).unwrap();
    let marks = jobs.store.post_marks(&[account], since).await.unwrap().remove(&account);
    let mut told = presences(&history, &marks.unwrap_or_default(), now);
    assert!(told.len() < 2, "{told:#?}");
    told.pop().map(|one| one.presence)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_post_is_deleted_where_its_own_address_says_so_and_not_where_it_answers() {
    let today: DateTime<Utc> = "2026-11-22T02:30:00Z".parse().unwrap();
    // The demo's clock begins two days earlier.
    let day = |day: i64| today + Duration::days(day - 2);
    let mut city = City::generate(7, today, 12);
    let [deleted, unlisted] = [false, true].map(|answers_when_away| {
        let key = city.add(Venue::Portal, Character::Dormant, 0);
        for posted in -8..5 {
            // Seen on two days, and away from then on.
            let away = (posted == -4).then(|| (day(1) + Duration::hours(6), day(900)));
            let at = day(posted) - Duration::hours(1);
            city.plant(&key, Planted { away, answers_when_away, ..Planted::at(at) });
        }
        key
    });
    let folder = tempfile::tempdir().unwrap();
    let config = Path::new(env!("CARGO_MANIFEST_DIR")).join("config");
    let mut settings = Settings {
        data_dir: folder.path().join("data"),
        platforms_dir: config.join("platforms"),
        schemes_dir: config.join("schemes"),
        ..Settings::default()
    };
    settings.http.listen = "127.0.0.1:0".parse().unwrap();
    let demo = Demo::watch(settings, city, today).await.unwrap();
    for day in 0..3 {
        demo.watch_day().await.unwrap();
        demo.rest(1);
        for key in [&deleted, &unlisted] {
            assert_eq!(told(&demo, key).await, None, "day {day}: a list that may be old at most");
        }
    }
    demo.watch_day().await.unwrap();
    for key in [&deleted, &unlisted] {
        assert_eq!(told(&demo, key).await, Some(Presence::NotListed), "asked once");
    }
    demo.rest(1);
    demo.watch_day().await.unwrap();
    let presence = told(&demo, &deleted).await;
    let Some(Presence::Deleted(DeletionProof::Gone(sight))) = presence else {
        panic!("{presence:?}")
    };
    assert_eq!(sight.page, "article");
    assert_eq!(told(&demo, &unlisted).await, Some(Presence::NotListed));
    demo.stop().await.unwrap();
}
