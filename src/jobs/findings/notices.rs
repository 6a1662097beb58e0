//! Letters to sponsors: composed once a day for each address, sent once.

use std::collections::BTreeMap;

use anyhow::Context as _;
use chrono::{DateTime, Days, TimeDelta, Utc};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use crate::domain::{AccountId, shanghai_date, shanghai_midnight};
use crate::jobs::Context;
use crate::notify::{LetterItem, Route, SendError, Written, write_letter};
use crate::store::{Letter, NewLetter, SendOutcome, StoreError, ToNotify};

use super::apply::is_update;

/// Most findings put into letters in one run.
const FINDINGS_MAX: u32 = 5_000;

/// How long a sending may take before its letter counts as one whose sender died.
const LEASE: TimeDelta = TimeDelta::minutes(10);

/// Writes the letters that are due to be written and sends those that are due to be sent.
///
/// # Errors
/// The database does not answer. A letter that could not be sent is no error: it waits.
pub async fn send_notices(context: &Context) -> anyhow::Result<()> {
    if !context.notify.enabled {
        return Ok(());
    }
    let now = context.clock.now();
    compose(context, now).await.context("writing letters")?;
    let repeatable = context.notifier.repeatable();
    let uncertain = context.store.recover_letters(&repeatable, now).await?;
    if uncertain > 0 {
        tracing::warn!(
            uncertain,
            "letters were being sent when the daemon died; ask the sponsors whether they arrived"
        );
    }
    for channel in context.notifier.words() {
        while send_next(context, channel).await.context("sending letters")? {}
    }
    Ok(())
}

/// Puts whatever is to be told into the outbox, and sends nothing.
///
/// # Errors
/// The database does not answer.
pub async fn write_letters(context: &Context) -> anyhow::Result<()> {
    compose(context, context.clock.now()).await.context("writing letters")
}

/// Groups what is to be told by sponsor and address.
async fn compose(context: &Context, now: DateTime<Utc>) -> anyhow::Result<()> {
    let mut groups: BTreeMap<(i64, String, String), Vec<ToNotify>> = BTreeMap::new();
    let mut routes: BTreeMap<(i64, String, String), Route> = BTreeMap::new();
    for one in context.store.findings_to_notify(FINDINGS_MAX).await? {
        let notify = notify_of(context, one.addressee).await?;
        let route = context.notifier.route(notify.as_deref());
        let place = (one.sponsor.0, route.channel.to_owned(), route.address.clone());
        routes.insert(place.clone(), route);
        groups.entry(place).or_default().push(one);
    }
    for (place, findings) in groups {
        let Some(first) = findings.first() else { continue };
        let notices = findings
            .iter()
            .map(|one| {
                let rule = context.rules.rule(&one.rule);
                let updates = one.account.is_some() && rule.is_some_and(|r| is_update(&r.check));
                (one.finding, one.stage, updates, one.account)
            })
            .collect();
        let mut letter = NewLetter {
            idempotency_key: String::new(),
            sponsor: place.0,
            addressee: first.addressee,
            day: shanghai_date(now),
            channel: routes[&place].channel,
            not_before: now,
            notices,
        };
        // Today's letter takes it while it waits; what was sent today is followed tomorrow.
        for days in 0..2 {
            let day = shanghai_date(now).checked_add_days(Days::new(days)).unwrap_or(letter.day);
            let hour = TimeDelta::hours(i64::from(context.notify.send_from_hour));
            letter.day = day;
            letter.idempotency_key = key(context, place.0, day, &place.2);
            letter.not_before = now.max(shanghai_midnight(day) + hour);
            if context.store.write_letter(&letter, now).await? {
                break;
            }
        }
    }
    Ok(())
}

/// Sponsor, day and address, the address keyed: it may be a person's.
fn key(context: &Context, sponsor: i64, day: chrono::NaiveDate, address: &str) -> String {
    let mac = Hmac::<Sha256>::new_from_slice(&context.inquiry_key);
    let mac = mac.expect("HMAC takes a key of any length").chain_update("letter\0");
    let mac = mac.chain_update(format!("{sponsor}\0{day}\0{address}"));
    format!("{}-{sponsor}-{}", day.format("%Y%m%d"), hex::encode(&mac.finalize().into_bytes()[..6]))
}

/// 通知方式; without its key everything else works, and the letter is printed.
async fn notify_of(
    context: &Context,
    addressee: Option<AccountId>,
) -> anyhow::Result<Option<String>> {
    let Some(account) = addressee else { return Ok(None) };
    match context.store.contact(account).await {
        Ok(contact) => Ok(contact.notify),
        Err(error @ StoreError::Secret { .. }) => {
            tracing::warn!(%error, "a letter is printed instead");
            Ok(None)
        }
        Err(error) => Err(error.into()),
    }
}

/// Sends the next due letter of a channel; `false` where none is due or the day's budget is spent.
async fn send_next(context: &Context, channel: &'static str) -> anyhow::Result<bool> {
    let now = context.clock.now();
    let budget = context.notify.per_day_max;
    let taken = context.store.take_letter(channel, budget, now + LEASE, now).await?;
    let Some(letter) = taken else { return Ok(false) };
    let notify = notify_of(context, letter.addressee).await?;
    let written = written(context, &letter, now).await?;
    let sent = context.notifier.send(channel, notify.as_deref(), &written).await;
    let outcome = match sent {
        Ok(()) => {
            context.metrics.notice_sent(channel, "sent");
            SendOutcome::Sent
        }
        Err(error) => {
            let again_at = again_at(context, &letter, &error, now);
            let word = if again_at.is_some() { "failed" } else { "given_up" };
            context.metrics.notice_sent(channel, word);
            tracing::warn!(letter = letter.idempotency_key, %error, word, "a letter was not sent");
            SendOutcome::Failed(error.to_string(), again_at)
        }
    };
    context.store.letter_ended(letter.id, &outcome, context.clock.now()).await?;
    Ok(true)
}

/// The delay doubles with each attempt, to a day; a permanent failure is not tried again.
fn again_at(
    context: &Context,
    letter: &Letter,
    error: &SendError,
    now: DateTime<Utc>,
) -> Option<DateTime<Utc>> {
    let attempts = u32::try_from(letter.attempts).unwrap_or(u32::MAX);
    if matches!(error, SendError::Permanent(_)) || attempts >= context.notify.attempts_max {
        return None;
    }
    let minutes = i64::from(context.notify.retry_first_minutes);
    let doubled = minutes.checked_shl(attempts.saturating_sub(1).min(20)).unwrap_or(1440);
    Some(now + TimeDelta::minutes(doubled.min(1440)))
}

/// What a letter says now. Persons' names are put in here and nowhere kept.
async fn written(
    context: &Context,
    letter: &Letter,
    now: DateTime<Utc>,
) -> anyhow::Result<Written> {
    let mut items = Vec::new();
    for (finding, stage) in &letter.notices {
        let Some(record) = context.store.finding(*finding).await? else { continue };
        let account = match &record.found.subject {
            crate::domain::Subject::Account(account) => Some(*account),
            _ => None,
        };
        let officer = match account {
            Some(account) => context.store.contact(account).await.ok().and_then(|c| c.officer),
            None => None,
        };
        let days = u64::from(record.found.deadline_days);
        let deadline = shanghai_date(now).checked_add_days(Days::new(days));
        items.push(LetterItem {
            account: record.account.zip(record.key).map(|((name, platform, _), key)| {
                let title = context.platforms.get(&platform).map(|one| one.title.clone());
                (name, title.unwrap_or(platform), key)
            }),
            title: record.found.rule_title,
            statement: record.found.statement,
            clause: record.found.clause,
            source: record.found.source,
            advice: record.found.advice,
            officer,
            deadline: deadline.unwrap_or(letter.day),
            stage: *stage,
        });
    }
    let signature = &context.notify.signature;
    Ok(write_letter(&letter.idempotency_key, &letter.sponsor, letter.day, &items, signature))
}
