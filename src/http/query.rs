use axum::extract::Query;
use axum::extract::rejection::QueryRejection;
use serde::Deserialize;

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
