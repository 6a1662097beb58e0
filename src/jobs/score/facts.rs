//! Stored rows into the facts that scores rest on.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};

use crate::domain::{Account, AccountId, Moment, Origin, shanghai_midnight};
use crate::observe::{Knowledge, Policy};
use crate::platform::{Platform, Role};
use crate::scheme::Scheme;
use crate::score::{
    Aged, Entry, InquiryFact, PeriodFacts, PostFact, RecordFact, SilenceFact, Stretch, SubjectFact,
};
use crate::store::{HeardInquiry, OnRecord, PostSample, SchemeEntry, ScoreInput, ScoredPost};

use super::super::Context;
use super::Judging;
use super::cores::on_all_cores;
use super::silence::{silence_fact, threshold};

/// The facts of some accounts.
pub(in crate::jobs) async fn of(
    context: &Context,
    judging: &Judging<'_>,
    inputs: Vec<ScoreInput>,
) -> anyhow::Result<Vec<(Account, PeriodFacts)>> {
    let accounts: Vec<AccountId> = inputs.iter().map(|input| input.account.id).collect();
    let told = Told::of(context, judging, &accounts).await?;
    Ok(on_all_cores(inputs, |input| told.facts(input)))
}

/// What persons entered for some accounts, and what is on record of them.
pub(super) struct Told<'a> {
    context: &'a Context,
    judging: &'a Judging<'a>,
    entries: BTreeMap<AccountId, Vec<SchemeEntry>>,
    records: BTreeMap<AccountId, OnRecord>,
}

impl<'a> Told<'a> {
    pub(super) async fn of(
        context: &'a Context,
        judging: &'a Judging<'a>,
        accounts: &[AccountId],
    ) -> anyhow::Result<Self> {
        let period = judging.period.to_string();
        let entries = context.store.entries(accounts, &period, judging.known_at).await?;
        let times = (judging.period.from(), judging.cutoff);
        let records = context.store.records_of(accounts, times, judging.known_at).await?;
        Ok(Self { context, judging, entries, records })
    }

    /// An account with its facts.
    pub(super) fn facts(&self, input: ScoreInput) -> (Account, PeriodFacts) {
        let (context, judging) = (self.context, self.judging);
        let cutoff = judging.cutoff;
        let platform = context.platforms.get(&input.account.entry.platform);
        let scheme = judging.scheme_of(context, &input.account).map(|(scheme, _)| scheme);
        let known = Knowledge::new(&input.history, judging.known_at);
        let covered = self.covered(&known);
        let observed_to = covered.iter().map(|stretch| stretch.to).max();
        let subject = subject(&input.account);
        let silence = scheme.map(|scheme| self.silence(&known, scheme, &subject, platform));
        let kind = message_kind(platform, subject.category.as_deref());
        let messages = input.inquiries.iter().map(|one| inquiry_fact(one, kind, cutoff));
        let inquiries = input.messages_read_at.map(|_| messages.collect());
        let entered = self.entries.get(&input.account.id).into_iter().flatten();
        let samples = &input.samples;
        let posts = input.posts.into_iter().map(|post| {
            let samples = samples.of(&post.listed.reference);
            post_fact(post, samples, cutoff)
        });
        let mut facts = PeriodFacts {
            period: judging.period,
            cutoff: observed_to.map_or(cutoff, |high| high.min(cutoff)),
            existed_from: existed_from(&input.account),
            existed_until: input.account.entry.closed_on.map(shanghai_midnight),
            covered,
            posts: posts.collect(),
            inquiries,
            followers: input.followers,
            followers_before: input.followers_before,
            subject,
            silence,
            entered: entered.map(|one| (one.item.clone(), entry(one))).collect(),
            record: Some(self.record(input.account.id)),
        };
        facts.posts.sort_by_key(|post| post.published);
        (input.account, facts)
    }

    fn record(&self, account: AccountId) -> RecordFact {
        self.records.get(&account).map_or_else(RecordFact::default, |record| RecordFact {
            missed_notices: record.missed,
            pending_notices: record.pending,
            namings: record.namings,
        })
    }

    /// What the account's observations cover of the period: void ones not, and of several parts
    /// only what all have covered.
    fn covered(&self, known: &Knowledge<'_>) -> Vec<Stretch> {
        let (from, cutoff) = (self.judging.period.from(), self.judging.cutoff);
        let gaps = known.coverage(from, cutoff).gaps;
        let starts = std::iter::once(from).chain(gaps.iter().map(|gap| gap.to));
        let ends = gaps.iter().map(|gap| gap.from).chain([cutoff]);
        let stretches = starts.zip(ends).map(|(from, to)| Stretch { from, to });
        stretches.filter(|stretch| stretch.from < stretch.to).collect()
    }

    /// The silence at the cutoff under the scheme's tiers: the live one where the cutoff is now,
    /// since what comes after it cannot be known yet.
    fn silence(
        &self,
        known: &Knowledge<'_>,
        scheme: &Scheme,
        subject: &SubjectFact,
        platform: Option<&Platform>,
    ) -> SilenceFact {
        let tiers = scheme.activity_of(&subject.subject());
        let lag = platform.and_then(|one| u32::try_from(one.visibility_lag.num_hours()).ok());
        let policy = Policy {
            watch: threshold(tiers.watch),
            dormant: threshold(tiers.dormant),
            zombie: threshold(tiers.zombie),
            visibility_lag_hours: lag.unwrap_or(self.context.observe.visibility_lag_hours),
            ..*self.context.observe
        };
        let cutoff = self.judging.cutoff;
        let judgement = if cutoff >= self.judging.known_at {
            known.judge(&policy, cutoff)
        } else {
            known.judge_at(&policy, cutoff)
        };
        silence_fact(&judgement, &policy)
    }
}

pub(super) fn subject(account: &Account) -> SubjectFact {
    let entry = &account.entry;
    SubjectFact {
        platform: entry.platform.clone(),
        category: entry.category.clone(),
        level: entry.level.clone(),
        role: entry.role.clone(),
        region: entry.region.as_str().to_owned(),
        lifecycle: Some(entry.lifecycle),
        opened_on: entry.opened_on,
        filed_on: entry.filed_on,
        population: entry.population,
        notes: entry.notes.clone(),
    }
}

fn existed_from(account: &Account) -> Option<DateTime<Utc>> {
    account.entry.opened_on.or(account.entry.filed_on).map(shanghai_midnight)
}

/// The kind of an account's messages: comments where its platform carries them, else those of a
/// board, wherever that stands.
fn message_kind(platform: Option<&Platform>, category: Option<&str>) -> &'static str {
    let mut roles = platform.into_iter().flat_map(Platform::crawled).map(|kind| kind.role);
    match category {
        _ if roles.any(|role| role == Role::Comments) => "comment",
        Some("纠错") => "error_report",
        _ => "message",
    }
}

/// A message not looked at for longer than this before the cutoff may have been answered unseen: it
/// has left the first pages, or its post is too old to be asked about.
const LOOKED_AT_WITHIN: TimeDelta = TimeDelta::days(3);

fn post_fact(post: ScoredPost, samples: &[PostSample], cutoff: DateTime<Utc>) -> PostFact {
    let listed = &post.listed;
    let published = PostFact::published(listed.claimed, listed.first_seen, listed.seen_before);
    // The newest numbers are those of the cutoff unless they were taken later.
    let newest = PostSample {
        at: post.sampled_at.unwrap_or(listed.first_seen),
        reads: post.reads.clone(),
        likes: post.likes.clone(),
        comments: post.comments.clone(),
        shares: post.shares.clone(),
    };
    let shown = if newest.at < cutoff { Some(&newest) } else { samples.last() };
    let count = |of: fn(&PostSample) -> &Option<crate::domain::Count>| {
        shown.and_then(|sample| of(sample).clone())
    };
    // The numbers of a first listing are no sample of their own, but they are the newest.
    let unsampled = samples.last().is_none_or(|last| last.at < newest.at) && newest.at < cutoff;
    let at_ages = Aged::HOURS.into_iter().filter_map(|hours| {
        let all = samples.iter().chain(unsampled.then_some(&newest));
        let rows = all.map(|one| (one.at, [&one.reads, &one.likes, &one.comments, &one.shares]));
        Aged::between(hours, published, rows)
    });
    PostFact {
        published,
        original: match post.origin {
            Origin::Original => Some(true),
            Origin::Repost => Some(false),
            Origin::Unknown => None,
        },
        reads: count(|sample| &sample.reads),
        likes: count(|sample| &sample.likes),
        comments: count(|sample| &sample.comments),
        shares: count(|sample| &sample.shares),
        form: post.form,
        title: post.title,
        text_digest: post.text_digest,
        late: listed.missed_by.is_some(),
        aged: at_ages.collect(),
    }
}

fn inquiry_fact(heard: &HeardInquiry, kind: &str, cutoff: DateTime<Utc>) -> InquiryFact {
    let inquiry = &heard.inquiry;
    let stretch = |moment: Moment| Stretch::from(moment);
    InquiryFact {
        kind: kind.to_owned(),
        asked: inquiry.asked_at.map(stretch),
        replied: inquiry.replied_at.filter(|_| inquiry.official).map(stretch),
        open_until: Some(heard.last_seen).filter(|at| cutoff - *at > LOOKED_AT_WITHIN),
    }
}

fn entry(entered: &SchemeEntry) -> Entry {
    Entry {
        value: entered.value,
        actor: entered.actor.clone(),
        reason: entered.reason.clone(),
        recorded_at: entered.recorded_at,
    }
}
