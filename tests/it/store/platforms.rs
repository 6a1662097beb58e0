use xunjian::store::{PlatformLook, StandingFilter};

use super::{at, finished, looked, post, request, target};
use crate::support::database;

#[tokio::test]
async fn a_platform_stands_as_its_newest_looks_and_visits_say() {
    let (store, _database) = database().await;
    let ids = super::accounts(&store, 2).await;
    let mut specs: Vec<_> = ids.iter().map(|id| target(*id, "m.example.cn")).collect();
    specs[0].is_canary = true;
    store.sync_targets(&specs, at(-10)).await.unwrap();
    let look_at = |minute| store.platform_looks(at(-1000), at(minute - 180), at(minute));
    let never = PlatformLook {
        platform: "weibo".into(),
        canary_failed: false,
        has_canary: true,
        visited: false,
        canary_observed: false,
        drifting: false,
        read: false,
        canary_last_post_at: None,
    };
    assert_eq!(look_at(0).await.unwrap(), std::slice::from_ref(&never));
    let claimed = store.claim(&request("d", 0)).await.unwrap();
    let posts = vec![post("p1", -30, 1), post("p2", -90, 1), post("planned", 500, 1)];
    let records: Vec<_> = claimed.iter().map(|one| finished(one, 1, posts.clone())).collect();
    store.finish(&records).await.unwrap();
    let seen = PlatformLook {
        visited: true,
        canary_observed: true,
        read: true,
        canary_last_post_at: Some(at(-30)),
        ..never
    };
    assert_eq!(look_at(2).await.unwrap(), std::slice::from_ref(&seen));
    for (minute, healthy) in [(3, false), (4, true), (4, false)] {
        let canary = ids[usize::from(minute == 4 && !healthy)];
        store.finish(&[looked(canary, "m.example.cn", minute, healthy)]).await.unwrap();
        let failed = look_at(minute).await.unwrap()[0].canary_failed;
        assert_eq!(failed, !healthy, "{minute} {healthy}");
    }
    let later = &look_at(500).await.unwrap()[0];
    assert_eq!((later.visited, later.canary_failed), (false, true));
}

#[tokio::test]
async fn accounts_are_listed_by_activity() {
    let (store, _database) = database().await;
    super::accounts(&store, 2).await;
    for (word, count) in [(None, 2), (Some("undetermined"), 2), (Some("zombie"), 0)] {
        let wanted = StandingFilter { activity: word, ..StandingFilter::default() };
        let listed = store.standings_after("", 10, wanted).await.unwrap();
        assert_eq!(listed.len(), count, "{word:?}");
    }
    for (sponsor, text, count) in [
        (None, None, 2),
        (Some("no such office"), None, 0),
        (None, Some("A1"), 1),
        (None, Some("%"), 0),
    ] {
        let wanted = StandingFilter { sponsor, text, ..StandingFilter::default() };
        let listed = store.standings_after("", 10, wanted).await.unwrap();
        assert_eq!(listed.len(), count, "{sponsor:?} {text:?}");
    }
}
