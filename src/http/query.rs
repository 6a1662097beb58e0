use axum::extract::Query;
use axum::extract::rejection::QueryRejection;
use chrono::{DateTime, Utc};
use serde::Deserialize;

use crate::domain::SHANGHAI;

use super::access::Caller;
use super::problem::ProblemDetail;

/// Which accounts are meant: `?platform=&area=`, where an empty value means all.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Filter {
    platform: String,
    area: String,
}

impl Filter {
    pub(super) fn new(platform: String, area: String) -> Result<Self, ProblemDetail> {
        let digits = area.bytes().all(|byte| byte.is_ascii_digit());
        if !digits || !matches!(area.len(), 0 | 2 | 4 | 6) {
            return Err(ProblemDetail::bad_request(format!(
                "area is the first 2, 4 or 6 digits of a division code, not {area:?}"
            )));
        }
        Ok(Self { platform, area })
    }

    pub(super) fn read(query: Result<Query<Self>, QueryRejection>) -> Result<Self, ProblemDetail> {
        let Self { platform, area } = understood(query)?;
        Self::new(platform, area)
    }

    pub(super) fn platform(&self) -> Option<&str> {
        Some(self.platform.as_str()).filter(|id| !id.is_empty())
    }

    pub(super) fn area(&self) -> Option<&str> {
        Some(self.area.as_str()).filter(|digits| !digits.is_empty())
    }

    /// The same within what the caller may see; `None` where that is nothing.
    pub(super) fn within(self, caller: &Caller) -> Option<Self> {
        let seen = caller.area();
        if self.area.starts_with(seen) {
            return Some(self);
        }
        seen.starts_with(&self.area).then(|| Self { area: seen.to_owned(), ..self })
    }

    pub(super) fn admits(&self, platform: &str, area: &str) -> bool {
        self.platform().is_none_or(|id| id == platform) && area.starts_with(&self.area)
    }
}

/// The query, or a problem that says which parameter is wrong.
pub(super) fn understood<T>(query: Result<Query<T>, QueryRejection>) -> Result<T, ProblemDetail> {
    match query {
        Ok(Query(value)) => Ok(value),
        Err(rejection) => Err(ProblemDetail::bad_request(rejection.body_text())),
    }
}

/// Rows on one page unless the client asks otherwise, and the most it may ask for.
const LIMIT_DEFAULT: u32 = 100;
const LIMIT_MAX: u32 = 500;

/// How many rows the client wants on a page.
pub(super) fn page_size(limit: Option<u32>) -> Result<u32, ProblemDetail> {
    let limit = limit.unwrap_or(LIMIT_DEFAULT);
    if (1..=LIMIT_MAX).contains(&limit) {
        return Ok(limit);
    }
    Err(ProblemDetail::bad_request(format!("limit is 1 to {LIMIT_MAX}, not {limit}")))
}

/// The text a cursor stands for; empty where there is none. What it says may hold any character, so
/// the cursor is its bytes in hex.
pub(super) fn read_cursor(cursor: &str) -> Result<String, ProblemDetail> {
    let bytes = hex::decode(cursor).ok();
    let text = bytes.and_then(|bytes| String::from_utf8(bytes).ok());
    text.filter(|text| !text.contains('\0')).ok_or_else(wrong_cursor)
}

/// A cursor that no list gave out.
pub(super) fn wrong_cursor() -> ProblemDetail {
    ProblemDetail::bad_request("cursor is not one that this list gave out")
}

/// Takes the row that was asked for beyond the page away; says whether there was one.
pub(super) fn has_more<T>(rows: &mut Vec<T>, limit: u32) -> bool {
    let more = rows.len() > limit as usize;
    rows.truncate(limit as usize);
    more
}

/// A time as every answer writes it: RFC 3339 at +08:00.
pub(super) fn beijing(at: DateTime<Utc>) -> String {
    at.with_timezone(&SHANGHAI).to_rfc3339()
}
