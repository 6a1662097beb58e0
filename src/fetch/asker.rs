use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use reqwest::header::HeaderMap;
use tokio::time::Instant;

use super::body::Cap;
use super::exchange::{Answer, Exchange};
use super::guard::{Guard, Target};
use super::headers;
use super::outcome::{Fetched, Limited, LimitedReason, Unreachable, UnreachableReason};
use super::pace::Ending;
use super::settings::{HostLimit, SETTING_MAX, Settings, find_host};
use super::turn::Hosts;

/// What holds for every hop of one fetch.
#[derive(Clone, Copy)]
pub(super) struct Terms {
    pub(super) limit: Option<HostLimit>,
    pub(super) deadline: Instant,
    /// Longest time from sending to the last byte; absent: the setting.
    pub(super) timeout: Option<Duration>,
    /// When the claim on the host ends.
    pub(super) not_after: Option<DateTime<Utc>>,
}

/// Asks one checked address once, in its host's turn; pages and robots.txt go through it alike.
pub(super) struct Asker {
    pub(super) settings: Arc<Settings>,
    pub(super) guard: Guard,
    pub(super) hosts: Hosts,
    pub(super) exchange: Exchange,
}

impl Asker {
    /// Waits for the turn, asks, and tells the host's pace how it ended.
    pub(super) async fn ask(
        &self,
        target: &Target,
        headers: HeaderMap,
        cap: Cap,
        terms: Terms,
    ) -> Result<Answer, Fetched> {
        self.refuse_quiet(target)?;
        let left = self.left(target, terms)?;
        let deadline = terms.deadline.min(Instant::now() + left.unwrap_or(SETTING_MAX));
        let turn = self.hosts.turn(&target.host, terms.limit, deadline).await?;
        // The process may have stood still, or the machine slept, while it waited.
        let left = self.left(target, terms)?;
        let timeout = terms.timeout.unwrap_or(self.exchange.timeout);
        let cut = left.filter(|left| *left < timeout);
        let answer = match self.exchange.ask(target, headers, cap, cut.unwrap_or(timeout)).await {
            Ok(answer) => answer,
            // It was cut off by us, not by the host; a turn dropped like this changes nothing.
            Err(failed) if cut.is_some() && failed.reason() == Some("timeout") => {
                return Err(lease_ended(target));
            }
            Err(failed) => {
                let retry_after = None;
                let trouble = matches!(failed, Fetched::Unreachable(_));
                turn.end(if trouble { Ending::Trouble { retry_after } } else { Ending::Neutral });
                return Err(failed);
            }
        };
        let max = Duration::from_secs(self.settings.retry_after_max_seconds);
        let retry_after = headers::retry_after(&answer.headers, answer.received_at, max);
        match answer.status {
            429 => {
                turn.end(Ending::Trouble { retry_after });
                let penalty = self.hosts.delay(&target.host);
                Err(Fetched::Limited(Limited {
                    reason: LimitedReason::TooManyRequests,
                    retry_after: retry_after.unwrap_or(penalty),
                    detail: format!("{} answered 429", target.host),
                }))
            }
            status @ 500..=599 => {
                turn.end(Ending::Trouble { retry_after });
                Err(Fetched::Unreachable(Unreachable {
                    reason: UnreachableReason::ServerError,
                    status: Some(status),
                    retry_after,
                    detail: format!("{} answered {status}", target.host),
                }))
            }
            200..=399 | 404 | 410 => {
                turn.end(Ending::Good);
                Ok(answer)
            }
            _ => {
                turn.end(Ending::Neutral);
                Ok(answer)
            }
        }
    }

    /// How long the host may still be asked under the claim; `None`: for ever.
    fn left(&self, target: &Target, terms: Terms) -> Result<Option<Duration>, Fetched> {
        let Some(not_after) = terms.not_after else { return Ok(None) };
        let left = (not_after - self.exchange.now()).to_std().unwrap_or_default();
        if left.is_zero() { Err(lease_ended(target)) } else { Ok(Some(left)) }
    }

    /// How long the host is still to be left alone because of the hour.
    pub(super) fn quiet(&self, host: &str) -> Option<TimeDelta> {
        find_host(&self.settings.quiet_hours, host)?.left(self.exchange.now())
    }

    fn refuse_quiet(&self, target: &Target) -> Result<(), Fetched> {
        let Some(left) = self.quiet(&target.host) else { return Ok(()) };
        Err(Fetched::Limited(Limited {
            reason: LimitedReason::QuietHours,
            retry_after: left.to_std().unwrap_or_default(),
            detail: format!("{} is not asked for {} min more", target.host, left.num_minutes()),
        }))
    }
}

fn lease_ended(target: &Target) -> Fetched {
    Fetched::Limited(Limited {
        reason: LimitedReason::LeaseEnded,
        retry_after: Duration::ZERO,
        detail: format!("the claim on {} ends", target.host),
    })
}
