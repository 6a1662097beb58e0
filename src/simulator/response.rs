use chrono::{DateTime, Utc};

use super::answer::{Ask, Manner, answer, http_date, in_force};
use super::city::City;
use super::fault::{Fault, Faults};

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
