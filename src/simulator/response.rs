use chrono::{DateTime, Utc};

use super::answer::{Ask, Manner, answer, http_date};
use super::city::City;
use super::fault::{Fault, Faults};
use super::hindrance::in_force;

/// What a visitor of the city gets who needs no socket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Response {
    /// The HTTP status.
    pub status: u16,
    /// Header lines, names in lower case, the `date` among them.
    pub headers: Vec<(String, String)>,
    /// The body, not compressed.
    pub body: Vec<u8>,
}

impl City {
    /// The answer to a visitor at an instant, as the server on loopback gives it to one who asks
    /// without validators; `None` where the connection is closed or nothing ever comes. A delay is
    /// not waited for.
    pub fn respond(
        &self,
        faults: &Faults,
        host: &str,
        path_and_query: &str,
        now: DateTime<Utc>,
    ) -> Option<Response> {
        let reply = answer(self, faults, &Ask::new(host, path_and_query, now));
        if !matches!(reply.manner, Manner::Answered(_)) {
            return None;
        }
        let headers = reply.headers.into_iter().map(|(name, value)| (name.to_owned(), value));
        let mut headers: Vec<(String, String)> = headers.collect();
        if !headers.iter().any(|(name, _)| name == "date") {
            headers.push(("date".to_owned(), http_date(now)));
        }
        Some(Response { status: reply.status, headers, body: reply.body })
    }

    /// What stands between an account's page and a visitor at an instant: of the given faults, or
    /// by the city's own script.
    pub fn hindrance(&self, faults: &Faults, key: &str, now: DateTime<Utc>) -> Option<Fault> {
        let resident = self.resident(key)?;
        in_force(faults, resident.host(), Some(resident), now)
    }
}

#[cfg(test)]
mod tests {
    use chrono::Duration;

    use super::super::{Character, Venue};
    use super::*;

    fn ask(city: &City, key: &str, fault: Option<Fault>, now: DateTime<Utc>) -> Response {
        let mut faults = Faults::default();
        faults.set(key, fault);
        let resident = city.resident(key).unwrap();
        let (host, path) = resident.address().split_at(resident.host().len());
        city.respond(&faults, host, path, now).unwrap()
    }

    fn header<'a>(response: &'a Response, name: &str) -> &'a str {
        let found = response.headers.iter().find(|(key, _)| key == name);
        found.map(|(_, value)| value.as_str()).unwrap_or_default()
    }

    #[test]
    fn each_lie_of_a_feed_is_the_one_it_is_called() {
        let now = "2026-11-22T02:30:00Z".parse().unwrap();
        let city = City::generate(1, now, 200);
        let keys = city.keys_of(Character::Active);
        let is_bridge = |key: &&String| city.resident(key).unwrap().venue == Venue::Wechat;
        let key = keys.iter().find(is_bridge).unwrap();
        let since = now - Duration::days(12);
        let usual = ask(&city, key, None, now);
        let old = ask(&city, key, None, since);
        let entries = |of: &Response| String::from_utf8_lossy(&of.body).matches("<item>").count();

        let replica = ask(&city, key, Some(Fault::Replica { since }), now);
        assert_eq!(replica.body, old.body);
        for name in ["date", "x-upstream-success-at"] {
            assert_eq!(header(&replica, name), header(&usual, name), "{name}");
        }
        let wrong = ask(&city, key, Some(Fault::WrongClock { seconds: -3600 }), now);
        assert_eq!(wrong.body, usual.body);
        assert_eq!(header(&wrong, "date"), "Sun, 22 Nov 2026 01:30:00 GMT");
        assert_eq!(entries(&ask(&city, key, Some(Fault::Shallow), now)), 3);
        let hot = ask(&city, key, Some(Fault::HotOrder), now);
        assert!(entries(&hot) == entries(&usual) && hot.body != usual.body);
        let hidden = ask(&city, key, Some(Fault::FollowersOnly { since }), now);
        assert_eq!(entries(&hidden), entries(&usual), "older ones move up");
        let other = ask(&city, key, Some(Fault::OtherAccount), now);
        assert_eq!(other.status, 302);
        assert!(!header(&other, "location").contains(city.resident(key).unwrap().address()));
    }

    #[test]
    fn what_stands_in_the_way_is_told_and_a_closed_door_gives_nothing() {
        let now = "2026-11-22T02:30:00Z".parse().unwrap();
        let city = City::generate(1, now, 200);
        let key = &city.keys_of(Character::Active)[0];
        let resident = city.resident(key).unwrap();
        let mut faults = Faults::default();
        assert_eq!(city.hindrance(&faults, key, now), None);
        let closed = Fault::Outage(super::super::Outage::Closed);
        faults.set(resident.host(), Some(closed));
        assert_eq!(city.hindrance(&faults, key, now), Some(closed));
        assert_eq!(city.respond(&faults, resident.host(), "/robots.txt", now), None);
        faults.set(key, Some(Fault::HotOrder));
        assert_eq!(city.hindrance(&faults, key, now), Some(Fault::HotOrder));
    }
}
