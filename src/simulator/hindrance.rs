use chrono::{DateTime, Utc};

use super::answer::{Ask, Manner, Reply, WEIBO, http_date, page};
use super::character::Venue;
use super::city::City;
use super::fault::{Fault, Faults, Outage};
use super::feed;
use super::resident::Resident;
use super::view::View;
use super::weibo;

/// The fault that stands between an account, or a host's page of nobody, and its visitor.
pub(super) fn in_force(
    faults: &Faults,
    host: &str,
    resident: Option<&Resident>,
    now: DateTime<Utc>,
) -> Option<Fault> {
    let own = resident.and_then(|one| faults.of(&one.entry.key));
    own.or_else(|| faults.of(host)).or_else(|| resident.and_then(|one| one.obstacle(now)))
}

/// The answer where a fault stands in the way.
pub(super) fn hindered(city: &City, ask: &Ask, resident: Option<&Resident>, fault: Fault) -> Reply {
    let view = |view| page(city, ask, resident, view);
    match fault {
        Fault::Outage(outage) => failed(outage),
        Fault::TooManyRequests { retry_after_seconds } => too_many(ask, retry_after_seconds),
        Fault::Blocked => view(View::Walled),
        Fault::LayoutBreak => view(View::Redesigned),
        Fault::HollowSuccess => view(View::Hollow),
        Fault::RobotsRefusal => view(View::Usual),
        Fault::HotOrder => view(View::Hot),
        Fault::Shallow => view(View::Shallow),
        Fault::FollowersOnly { since } => view(View::Until(since)),
        Fault::WrongClock { seconds } => {
            let shown = ask.now + chrono::Duration::seconds(seconds);
            view(View::Usual).with("date", http_date(shown))
        }
        Fault::WrongOffset { seconds } => view(View::Shifted(seconds)),
        Fault::Undated { since } => view(View::Undated(since)),
        Fault::SaysGone => gone(ask),
        Fault::OtherAccount => other_account(city, ask, resident),
        Fault::Replica { since } => replica(city, ask, resident, since),
        Fault::Slow { milliseconds } => {
            Reply { manner: Manner::Answered(milliseconds), ..view(View::Usual) }
        }
        Fault::UpstreamStuck { since } => match resident {
            Some(resident) if resident.venue == Venue::Wechat => {
                feed::page(ask, resident, since, View::Usual)
            }
            _ => view(View::Usual),
        },
        Fault::Stale { since, with_age } => {
            let then = Ask { now: since.min(ask.now), ..ask.clone() };
            let old = page(city, &then, resident, View::Usual);
            let old = old
                .with("via", "1.1 cache3.lucheng.example")
                .with("x-cache", "HIT from cache3.lucheng.example");
            if !with_age {
                return old;
            }
            let age = (ask.now - then.now).num_seconds();
            old.with("age", age.to_string()).with("date", http_date(then.now))
        }
    }
}

fn gone(ask: &Ask) -> Reply {
    match ask.host.as_str() {
        WEIBO => Reply::new(200, "application/json; charset=utf-8", weibo::nobody().to_string()),
        _ => Reply::html(410, "<html><head><title>410 Gone</title></head></html>"),
    }
}

/// What is asked of one account, answered with one that has long been silent.
fn other_account(city: &City, ask: &Ask, resident: Option<&Resident>) -> Reply {
    let other = resident.and_then(|one| city.silent_beside(one));
    match other {
        Some(other) if other.venue != Venue::Weibo => {
            Reply::html(302, "").with("location", other.entry.url.clone().unwrap_or_default())
        }
        _ => page(city, ask, other.or(resident), View::Usual),
    }
}

fn replica(city: &City, ask: &Ask, resident: Option<&Resident>, since: DateTime<Utc>) -> Reply {
    let then = Ask { now: since.min(ask.now), ..ask.clone() };
    let mut reply = page(city, &then, resident, View::Usual);
    for (name, value) in &mut reply.headers {
        if let (&mut feed::UPSTREAM_SUCCESS, Some(resident)) = (name, resident) {
            *value = feed::rfc3339(resident.upstream_success_at(ask.now));
        }
    }
    reply
}

/// No answer, or a server's error.
pub(super) fn failed(outage: Outage) -> Reply {
    let page = "<html><head><title>Bad Gateway</title></head><body>nginx</body></html>";
    match outage {
        Outage::Closed => Reply { manner: Manner::Closed, ..Reply::html(200, "") },
        Outage::Hanging => Reply { manner: Manner::Hanging, ..Reply::html(200, "") },
        Outage::Status(status) => Reply::html(status, page),
    }
}

/// 429; hosts differ in how they say when to come back, and so do ours, by the minute.
fn too_many(ask: &Ask, retry_after_seconds: u64) -> Reply {
    let seconds = i64::try_from(retry_after_seconds).unwrap_or(i64::MAX / 1000);
    let until = ask.now + chrono::Duration::seconds(seconds);
    let after = match ask.now.timestamp() / 60 % 2 {
        0 => retry_after_seconds.to_string(),
        _ => http_date(until),
    };
    Reply::html(429, "<html><body>Too Many Requests</body></html>").with("retry-after", after)
}
