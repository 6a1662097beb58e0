use std::sync::Arc;
use std::time::Duration;

use reqwest::header::HeaderMap;
use tokio::time::Instant;

use super::body::Cap;
use super::exchange::{Answer, Exchange};
use super::guard::{Guard, Target};
use super::headers;
use super::outcome::{Fetched, Limited, LimitedReason, Unreachable, UnreachableReason};
use super::pace::Ending;
use super::settings::{HostLimit, Settings};
use super::turn::Hosts;

/// What holds for every hop of one fetch.
#[derive(Clone, Copy)]
pub(super) struct Terms {
    pub(super) limit: Option<HostLimit>,
    pub(super) deadline: Instant,
    /// Longest time from sending to the last byte; absent: the setting.
    pub(super) timeout: Option<Duration>,
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
        let turn = self.hosts.turn(&target.host, terms.limit, terms.deadline).await?;
        let answer = match self.exchange.ask(target, headers, cap, terms.timeout).await {
            Ok(answer) => answer,
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
}
