use super::*;

fn hosts(text: &str) -> Hosts {
    Hosts::new(Arc::new(toml::from_str(text).unwrap()), HashMap::new())
}

fn in_seconds(count: u64) -> Instant {
    Instant::now() + Duration::from_secs(count)
}

#[tokio::test(start_paused = true)]
async fn requests_to_one_host_keep_its_gap() {
    let hosts = hosts("limits = { a = { per_minute = 0.5 } }");
    let begin = Instant::now();
    let mut starts = Vec::new();
    for _ in 0..4 {
        hosts.turn("a", None, in_seconds(1000)).await.ok().unwrap().end(Ending::Good);
        starts.push(begin.elapsed().as_secs());
    }
    assert_eq!(starts, [0, 120, 240, 360]);
    hosts.turn("b", None, in_seconds(0)).await.ok().unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_wait_beyond_the_patience_is_handed_back_at_once() {
    let hosts = hosts("limits = { a = { per_minute = 1 } }");
    let begin = Instant::now();
    hosts.turn("a", None, in_seconds(1)).await.ok().unwrap().end(Ending::Good);
    let Err(Fetched::Limited(limited)) = hosts.turn("a", None, in_seconds(30)).await else {
        panic!("the turn came too early");
    };
    assert_eq!(limited.reason, LimitedReason::Patience);
    assert_eq!(limited.retry_after.as_secs_f64().round(), 60.0);
    assert_eq!(begin.elapsed(), Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn a_queue_longer_than_the_patience_turns_newcomers_away() {
    let hosts = hosts("limits = { a = { per_minute = 6 } }");
    hosts.turn("a", None, in_seconds(1)).await.ok().unwrap().end(Ending::Good);
    let begin = Instant::now();
    let fetches = (0..10).map(|_| async {
        let turn = hosts.turn("a", None, begin + Duration::from_secs(35)).await;
        let came = turn.is_ok();
        if let Ok(turn) = turn {
            turn.end(Ending::Good);
        }
        (came, begin.elapsed().as_secs())
    });
    let ends = futures::future::join_all(fetches).await;
    let came: Vec<_> = ends.iter().filter(|end| end.0).map(|end| end.1).collect();
    assert_eq!(came, [10, 20, 30]);
    let sent_away: Vec<_> = ends.iter().filter(|end| !end.0).map(|end| end.1).collect();
    assert_eq!(sent_away.len(), 7);
    assert_eq!(sent_away.iter().filter(|at| **at == 0).count(), 6, "{sent_away:?}");
}

#[tokio::test(start_paused = true)]
async fn a_cancelled_wait_gives_its_place_up() {
    let hosts = hosts("limits = { a = { per_minute = 60 } }");
    let held = hosts.turn("a", None, in_seconds(1)).await.ok().unwrap();
    let waiting = hosts.turn("a", None, in_seconds(100));
    assert!(tokio::time::timeout(Duration::from_secs(5), waiting).await.is_err());
    assert_eq!(hosts.host("a", None).waiting.load(Ordering::Relaxed), 0);
    held.end(Ending::Good);
    hosts.turn("a", None, in_seconds(1)).await.ok().unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_failing_host_is_probed_by_one_request_only() {
    let hosts = hosts("breaker_failures = 2\nlimits = { a = { per_minute = 60, concurrent = 4 } }");
    for _ in 0..2 {
        let turn = hosts.turn("a", None, in_seconds(10)).await.ok().unwrap();
        turn.end(Ending::Trouble { retry_after: None });
    }
    assert_eq!(hosts.penalty("a"), Duration::from_secs(3));
    let refused = hosts.turn("a", None, in_seconds(10)).await.err().unwrap();
    assert_eq!(refused.reason(), Some("circuit_open"));
    tokio::time::advance(Duration::from_secs(300)).await;
    let probe = hosts.turn("a", None, in_seconds(10)).await.ok().unwrap();
    tokio::time::advance(Duration::from_secs(10)).await;
    let refused = hosts.turn("a", None, in_seconds(1000)).await.err().unwrap();
    assert_eq!(refused.reason(), Some("circuit_open"));
    drop(probe);
    let probe = hosts.turn("a", None, in_seconds(10)).await.ok().unwrap();
    probe.end(Ending::Good);
    hosts.turn("a", None, in_seconds(10)).await.ok().unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_host_is_let_go_only_where_nobody_asks_it_and_not_asked_until_it_is_back() {
    let hosts = hosts("limits = { a = { per_minute = 60 } }");
    let held = hosts.turn("a", None, in_seconds(1)).await.ok().unwrap();
    assert!(!hosts.let_go("a"), "a request is in flight");
    held.end(Ending::Good);
    {
        let waiting = hosts.turn("a", None, in_seconds(100));
        tokio::pin!(waiting);
        let brief = Duration::from_millis(10);
        assert!(tokio::time::timeout(brief, waiting.as_mut()).await.is_err());
        assert!(!hosts.let_go("a"), "a request waits for its turn");
    }
    assert!(hosts.let_go("a"));
    let refused = hosts.turn("a", None, in_seconds(100)).await.err().unwrap();
    assert_eq!(refused.reason(), Some("lease_ended"));
    let begin = Instant::now();
    hosts.take_over("a", None, Some(((0.5, 1, Duration::ZERO), Some(begin))));
    hosts.turn("a", None, in_seconds(100)).await.ok().unwrap().end(Ending::Good);
    assert_eq!(begin.elapsed(), Duration::from_secs(2), "the delay that the other had");
}

#[tokio::test(start_paused = true)]
async fn limits_come_from_settings_then_platforms_then_the_request() {
    let settings: Settings =
        toml::from_str("limits = { a = { per_minute = 60 } }\ndefault_limit = { per_minute = 1 }")
            .unwrap();
    let limit = |per_minute| HostLimit { per_minute, ..HostLimit::default() };
    let known = HashMap::from([("a".to_owned(), limit(2.0)), ("b".to_owned(), limit(20.0))]);
    let hosts = Hosts::new(Arc::new(settings), known);
    let gap = |name, asked| hosts.host(name, asked).pace().delay().as_secs();
    assert_eq!(gap("a", Some(limit(3.0))), 1);
    assert_eq!(gap("b", Some(limit(3.0))), 3);
    assert_eq!(gap("c", Some(limit(3.0))), 20);
    assert_eq!(gap("d", None), 60);
}
