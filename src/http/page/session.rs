use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use axum::http::{HeaderMap, HeaderValue, header};
use chacha20poly1305::Key;
use chacha20poly1305::aead::Generate;
use chrono::{DateTime, TimeDelta, Utc};
use sha2::{Digest, Sha256};

const COOKIE: &str = "xunjian_session";

/// More people than this are not signed in at once; the one whose session ends first is signed out.
const SESSIONS_MAX: usize = 2_000;

/// Most of them under one token: who holds it ends its own first, and nobody else's.
const SESSIONS_OF_A_TOKEN_MAX: usize = 20;

/// Somebody who has signed in. The token stays in this process: the browser holds a random name of
/// the session, and after a restart everybody signs in again.
pub(super) struct Session {
    pub(super) secret: String,
    /// Stands in every form, so that no other site can send one.
    pub(super) csrf: String,
    /// Whom the token names.
    pub(super) person: String,
    ends_at: DateTime<Utc>,
}

impl Session {
    /// Whether a form is of this session.
    pub(super) fn holds(&self, csrf: &str) -> bool {
        // Digests: how far two texts agree is not to be learned from the time it takes.
        Sha256::digest(csrf) == Sha256::digest(&self.csrf)
    }
}

/// Who is signed in, under the SHA-256 of what their cookie holds.
#[derive(Default)]
pub(in crate::http) struct Sessions {
    open: Mutex<HashMap<[u8; 32], Arc<Session>>>,
}

impl Sessions {
    /// Signs somebody in; gives what the cookie is to hold. `None` where the system has no random
    /// bits.
    pub(super) fn begin(
        &self,
        secret: &str,
        person: &str,
        now: DateTime<Utc>,
        hours: u32,
    ) -> Option<String> {
        let (name, csrf) = (random()?, random()?);
        let session = Session {
            secret: secret.to_owned(),
            csrf,
            person: person.to_owned(),
            ends_at: now + TimeDelta::hours(i64::from(hours)),
        };
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        open.retain(|_, one| one.ends_at > now);
        let first = |wanted: &dyn Fn(&Session) -> bool, most: usize| {
            let of_it = || open.iter().filter(|(_, one)| wanted(one));
            let is_full = of_it().count() >= most;
            is_full.then(|| of_it().min_by_key(|(_, one)| one.ends_at).map(|(key, _)| *key))?
        };
        let of_token = first(&|one| one.secret == secret, SESSIONS_OF_A_TOKEN_MAX);
        if let Some(key) = of_token.or_else(|| first(&|_| true, SESSIONS_MAX)) {
            open.remove(&key);
        }
        open.insert(Sha256::digest(&name).into(), Arc::new(session));
        Some(name)
    }

    /// The session of whoever sends these headers, if there is one that has not ended.
    pub(super) fn of(&self, headers: &HeaderMap, now: DateTime<Utc>) -> Option<Arc<Session>> {
        let key = key_of(headers)?;
        let open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        open.get(&key).filter(|one| one.ends_at > now).cloned()
    }

    /// Signs out whoever sends these headers.
    pub(super) fn end(&self, headers: &HeaderMap) {
        if let Some(key) = key_of(headers) {
            self.open.lock().unwrap_or_else(PoisonError::into_inner).remove(&key);
        }
    }
}

/// 256 random bits as text.
pub(super) fn random() -> Option<String> {
    Key::try_generate().ok().map(hex::encode)
}

fn key_of(headers: &HeaderMap) -> Option<[u8; 32]> {
    let fields = headers.get_all(header::COOKIE).iter().filter_map(|field| field.to_str().ok());
    let mut cookies = fields.flat_map(|field| field.split(';')).map(str::trim);
    let name = cookies.find_map(|one| one.strip_prefix(COOKIE)?.strip_prefix('='))?;
    Some(Sha256::digest(name).into())
}

/// The cookie that holds this for so long; nothing for no time takes it away. Behind a proxy that
/// speaks TLS it goes over TLS only.
pub(super) fn cookie(value: &str, seconds: u32, headers: &HeaderMap) -> Option<HeaderValue> {
    let secure = if is_tls(headers) { "; Secure" } else { "" };
    let text =
        format!("{COOKIE}={value}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Strict{secure}");
    HeaderValue::from_str(&text).ok()
}

fn is_tls(headers: &HeaderMap) -> bool {
    let text = |name: &str| headers.get(name).and_then(|field| field.to_str().ok());
    let proto = text("x-forwarded-proto").is_some_and(|proto| proto.eq_ignore_ascii_case("https"));
    proto || text("forwarded").is_some_and(|told| told.to_lowercase().contains("proto=https"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sent(cookie: &str) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(header::COOKIE, HeaderValue::from_str(cookie).unwrap());
        headers
    }

    #[test]
    fn a_session_is_known_by_its_cookie_until_it_ends() {
        let sessions = Sessions::default();
        let now: DateTime<Utc> = "2026-11-22T04:00:00Z".parse().unwrap();
        let name = sessions.begin("xunjian_1", "zhang", now, 8).unwrap();
        let own = sent(&format!("a=b; {COOKIE}={name}"));
        let session = sessions.of(&own, now).unwrap();
        assert_eq!((session.secret.as_str(), session.person.as_str()), ("xunjian_1", "zhang"));
        assert!(session.holds(&session.csrf) && !session.holds("") && !session.holds(&name));
        for other in [format!("{COOKIE}=x"), format!("{COOKIE}2={name}"), String::new()] {
            assert!(sessions.of(&sent(&other), now).is_none(), "{other}");
        }
        assert!(sessions.of(&own, now + TimeDelta::hours(8)).is_none(), "it has ended");
        sessions.end(&own);
        assert!(sessions.of(&own, now).is_none(), "it was ended");
    }

    #[test]
    fn the_first_to_end_gives_way_where_there_are_too_many() {
        let sessions = Sessions::default();
        let now: DateTime<Utc> = "2026-11-22T04:00:00Z".parse().unwrap();
        let first = sessions.begin("first", "zhang", now, 1).unwrap();
        let is_open = |name: &str| sessions.of(&sent(&format!("{COOKIE}={name}")), now).is_some();
        // One token alone signs out none but its own.
        let own = sessions.begin("more", "li", now, 2).unwrap();
        for _ in 0..SESSIONS_OF_A_TOKEN_MAX {
            sessions.begin("more", "li", now, 3).unwrap();
        }
        assert!(is_open(&first) && !is_open(&own));
        assert_eq!(sessions.open.lock().unwrap().len(), 1 + SESSIONS_OF_A_TOKEN_MAX);
        for number in 0..SESSIONS_MAX {
            sessions.begin(&format!("more {number}"), "li", now, 2).unwrap();
        }
        assert!(!is_open(&first));
        assert_eq!(sessions.open.lock().unwrap().len(), SESSIONS_MAX);
    }

    #[test]
    fn the_cookie_is_for_this_site_alone_and_behind_tls_for_tls_alone() {
        let plain = cookie("x", 60, &HeaderMap::new()).unwrap();
        let words = "xunjian_session=x; Path=/; Max-Age=60; HttpOnly; SameSite=Strict";
        assert_eq!(plain, words);
        for (name, value) in
            [("x-forwarded-proto", "https"), ("forwarded", "for=10.0.0.1;Proto=HTTPS")]
        {
            let mut headers = HeaderMap::new();
            headers.insert(name, HeaderValue::from_static(value));
            assert_eq!(cookie("x", 60, &headers).unwrap(), format!("{words}; Secure"));
        }
    }
}
