use chrono::TimeDelta;
use xunjian::domain::{HostPace, HostTerms};
use xunjian::store::{ClaimRequest, Holding, Store};

use super::{accounts, at, request, target};
use crate::support::database;

async fn hosts(store: &Store, count: usize) -> Vec<String> {
    let ids = accounts(store, count).await;
    let hosts: Vec<String> = (0..count).map(|number| format!("h{number}.cn")).collect();
    let specs: Vec<_> = ids.iter().zip(&hosts).map(|(id, host)| target(*id, host)).collect();
    store.sync_targets(&specs, at(-10)).await.unwrap();
    hosts
}

async fn announce(store: &Store, owner: &str, minute: i64) -> Holding {
    store.announce(owner, at(minute), at(minute + 5)).await.unwrap()
}

#[tokio::test]
async fn a_daemon_knows_how_many_there_are_and_what_it_holds() {
    let (store, _database) = database().await;
    let names = hosts(&store, 4).await;
    let first = announce(&store, "d1", 0).await;
    assert_eq!(first, Holding { daemons: 1, hosts: 4, mine: vec![] });
    assert_eq!(store.claim(&request("d1", 0)).await.unwrap().len(), 4);
    assert_eq!(announce(&store, "d2", 1).await, Holding { daemons: 2, hosts: 4, mine: vec![] });
    let first = announce(&store, "d1", 2).await;
    assert_eq!(first, Holding { daemons: 2, hosts: 4, mine: names.clone() });

    // What is given back, with what was claimed of it, is free for the other at once.
    let pace = HostPace { speed: 0.25, troubles: 2, rest_until: None };
    let given = [(names[1].clone(), pace), (names[3].clone(), HostPace::default())];
    assert_eq!(store.give_back("d2", &given, at(2)).await.unwrap(), 0, "not its own");
    assert_eq!(store.give_back("d1", &given, at(2)).await.unwrap(), 2);
    let one = ClaimRequest { new_hosts: Some(1), ..request("d2", 3) };
    let claimed = store.claim(&one).await.unwrap();
    assert_eq!(claimed.len(), 1, "no more hosts than it has room for");
    let none = ClaimRequest { new_hosts: Some(0), ..request("d2", 3) };
    assert_eq!(store.claim(&none).await.unwrap(), []);
    let rest = store.claim(&request("d2", 3)).await.unwrap();
    let terms = |host: &str| {
        let all = claimed.iter().chain(&rest);
        all.filter(|one| one.host == host).map(|one| one.terms).next().unwrap()
    };
    let taken = HostTerms { pace, taken: true, free_since: Some(at(2)) };
    assert_eq!(terms(&names[1]), taken);
    assert_eq!(terms(&names[3]), HostTerms { pace: HostPace::default(), ..taken });

    // Who is not heard of any more counts no longer; its hosts are free with their lease.
    assert_eq!(announce(&store, "d2", 6).await.daemons, 2);
    let alone = announce(&store, "d2", 8).await;
    assert_eq!((alone.daemons, alone.mine.len()), (1, 0));
    let left = store.claim(&request("d2", 20)).await.unwrap();
    let dead = left.iter().find(|one| one.host == names[0]).unwrap();
    assert_eq!((dead.terms.taken, dead.terms.free_since), (true, Some(at(5))));
    let own = left.iter().find(|one| one.host == names[1]).unwrap();
    assert!(!own.terms.taken, "nobody else has held it since");
}

#[tokio::test]
async fn a_host_that_rests_gives_a_daemon_nothing_until_then() {
    let (store, _database) = database().await;
    let names = hosts(&store, 1).await;
    store.claim(&request("d1", 0)).await.unwrap();
    let rest_until = Some(at(30));
    let pace = HostPace { rest_until, ..HostPace::default() };
    store.note_pace("d2", &names[0], &HostPace { speed: 0.5, ..pace }).await.unwrap();
    store.note_pace("d1", &names[0], &pace).await.unwrap();
    for (minute, count) in [(10, 0), (29, 0), (30, 1)] {
        let asked = ClaimRequest { lease: TimeDelta::minutes(1), ..request("d2", minute) };
        let claimed = store.claim(&asked).await.unwrap();
        assert_eq!(claimed.len(), count, "at minute {minute}");
        assert!(claimed.iter().all(|one| one.terms.pace == pace));
    }
    let all = ClaimRequest { within_budget: false, ..request("d2", 40) };
    store.note_pace("d2", &names[0], &HostPace { rest_until: Some(at(90)), ..pace }).await.unwrap();
    assert_eq!(store.claim(&all).await.unwrap().len(), 1, "who asks for all gets all");
}
