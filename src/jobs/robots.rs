//! Messages to chat groups: handed in by Alertmanager, sent within what the vendors allow.

use chrono::{DateTime, TimeDelta, Utc};

use super::Context;
use crate::notify::{Message, Notification, RobotError, RobotKind};
use crate::store::{NewMessage, SendOutcome, StoreError, TakenMessage};

/// How long a sending may take before its message counts as one whose sender died.
const LEASE: TimeDelta = TimeDelta::minutes(2);
/// The delay after the first failed attempt; it doubles with each, to an hour.
const RETRY_FIRST: TimeDelta = TimeDelta::minutes(1);
const RETRY_DOUBLINGS: u32 = 6;
/// How long what was sent is remembered, in days: beyond every repetition.
const REMEMBERED_DAYS: i64 = 30;

/// Keeps what a notification comes to; `false` where the same news is known already.
///
/// # Errors
/// The database does not answer: whoever handed it in tries again.
pub async fn hand_in(
    context: &Context,
    kind: RobotKind,
    notification: &Notification,
) -> Result<bool, StoreError> {
    let Message { key, title, body } = notification.message();
    let message = NewMessage { channel: kind.as_str(), key: &key, title: &title, body: &body };
    let once = TimeDelta::minutes(i64::from(context.notify.messages_once_minutes));
    context.store.hand_in(&message, once, context.clock.now()).await
}

/// Sends what is due on every robot that is set up.
///
/// # Errors
/// The database does not answer. A message that could not be sent is no error: it waits.
pub async fn send_messages(context: &Context) -> anyhow::Result<()> {
    for kind in RobotKind::ALL {
        if !context.robots.has(kind) {
            continue;
        }
        let per_minute = context.notify.messages_per_minute;
        loop {
            let now = context.clock.now();
            let taken = context.store.take_message(kind.as_str(), per_minute, LEASE, now).await?;
            let Some(taken) = taken else { break };
            send(context, kind, taken, now).await?;
        }
    }
    let forgotten = context.clock.now() - TimeDelta::days(REMEMBERED_DAYS);
    context.store.forget_messages(forgotten).await?;
    Ok(())
}

async fn send(
    context: &Context,
    kind: RobotKind,
    taken: TakenMessage,
    now: DateTime<Utc>,
) -> anyhow::Result<()> {
    let TakenMessage { id, key, title, body, attempts } = taken;
    let message = Message { key, title, body };
    let sent = context.robots.send(kind, &message, now).await;
    let now = context.clock.now();
    let (outcome, pause) = match sent {
        Ok(()) => (SendOutcome::Sent, None),
        Err(error) => {
            let again = again_at(context, &error, attempts, now);
            let pause = match error {
                RobotError::Later(_, Some(_)) => again,
                _ => None,
            };
            tracing::warn!(channel = kind.as_str(), key = message.key, %error, "message not sent");
            (SendOutcome::Failed(error.to_string(), again), pause)
        }
    };
    let word = match &outcome {
        SendOutcome::Sent => "sent",
        SendOutcome::Failed(_, Some(_)) => "failed",
        SendOutcome::Failed(_, None) => "given_up",
    };
    context.metrics.notice_sent(kind.as_str(), word);
    context.store.message_ended(id, &outcome, pause, now).await?;
    Ok(())
}

/// When to try again; never where it cannot succeed or was tried often enough.
fn again_at(
    context: &Context,
    error: &RobotError,
    attempts: i32,
    now: DateTime<Utc>,
) -> Option<DateTime<Utc>> {
    let attempts = u32::try_from(attempts).unwrap_or(u32::MAX);
    let RobotError::Later(_, wait) = error else { return None };
    if attempts >= context.notify.attempts_max {
        return None;
    }
    let doubled = RETRY_FIRST * (1 << attempts.saturating_sub(1).min(RETRY_DOUBLINGS));
    let wait = wait.and_then(|wait| TimeDelta::from_std(wait).ok()).unwrap_or_default();
    Some(now + wait.max(doubled))
}
