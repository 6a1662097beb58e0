//! Stored rows into the facts that scores rest on.

use chrono::{DateTime, TimeDelta, Utc};

use crate::domain::{Account, AccountId, Moment, Origin, shanghai_midnight};
use crate::observe::{self, History, Policy};
use crate::platform::{Platform, Role};
use crate::scheme::Scheme;
use crate::score::{
    Aged, Entry, InquiryFact, PeriodFacts, PostFact, RecordFact, SilenceFact, Stretch, SubjectFact,
};
use crate::store::{HeardInquiry, PostSample, SchemeEntry, ScoreInput, StoredPost};

use super::super::Context;
use super::Judging;
use super::silence::{silence_fact, threshold};

/// The facts of some accounts.
pub(in crate::jobs) async fn of(
    context: &Context,
    judging: &Judging<'_>,
    inputs: Vec<ScoreInput>,
) -> anyhow::Result<Vec<(Account, PeriodFacts)>> {
    let accounts: Vec<AccountId> = inputs.iter().map(|input| input.account.id).collect();
    let schemes: Vec<Option<&Scheme>> = inputs
        .iter()
        .map(|input| judging.scheme_of(context, &input.account).map(|(scheme, _)| scheme))
        .collect();
    let period = judging.period.to_string();
    let mut entries = context.store.entries(&accounts, &period, judging.known_at).await?;
    let times = (judging.period.from(), judging.cutoff);
    let mut records = context.store.records_of(&accounts, times, judging.known_at).await?;
    let mut facts = Vec::with_capacity(inputs.len());
    for (mut input, scheme) in inputs.into_iter().zip(schemes) {
        let history = std::mem::take(&mut input.history);
        let entered = entries.remove(&input.account.id).unwrap_or_default();
        let one = OneAccount { context, judging, history, scheme };
        let record = records.remove(&input.account.id).unwrap_or_default();
        let record = RecordFact {
            missed_notices: record.missed,
            pending_notices: record.pending,
            namings: record.namings,
        };
        let (account, told) = one.facts(input, entered);
        facts.push((account, PeriodFacts { record: Some(record), ..told }));
    }
    Ok(facts)
}

struct OneAccount<'a> {
    context: &'a Context,
    judging: &'a Judging<'a>,
    history: History,
    scheme: Option<&'a Scheme>,
}

impl OneAccount<'_> {
    fn facts(&self, input: ScoreInput, entered: Vec<SchemeEntry>) -> (Account, PeriodFacts) {
        let cutoff = self.judging.cutoff;
        let platform = self.context.platforms.get(&input.account.entry.platform);
        let covered = self.covered();
        let observed_to = covered.iter().map(|stretch| stretch.to).max();
        let subject = subject(&input.account);
        let silence = self.scheme.map(|scheme| self.silence(scheme, &subject, platform));
        let kind = message_kind(platform, subject.category.as_deref());
        let messages = input.inquiries.iter().map(|one| inquiry_fact(one, kind, cutoff));
        let inquiries = input.messages_read_at.map(|_| messages.collect());
        let samples = &input.samples;
        let mut facts = PeriodFacts {
            period: self.judging.period,
            cutoff: observed_to.map_or(cutoff, |high| high.min(cutoff)),
            existed_from: existed_from(&input.account),
            existed_until: input.account.entry.closed_on.map(shanghai_midnight),
            covered,
            posts: input
                .posts
                .into_iter()
                .map(|post| {
                    let samples = samples.get(&post.listed.reference);
                    post_fact(post, samples, cutoff)
                })
                .collect(),
            inquiries,
            followers: input.followers,
            followers_before: input.followers_before,
            subject,
            silence,
            entered: entered.into_iter().map(|one| (one.item.clone(), entry(one))).collect(),
            record: None,
        };
        facts.posts.sort_by_key(|post| post.published);
        (input.account, facts)
    }

    /// What the account's observations cover of the period: void ones not, and of several parts
    /// only what all have covered.
    fn covered(&self) -> Vec<Stretch> {
        let (from, cutoff) = (self.judging.period.from(), self.judging.cutoff);
        let gaps = observe::coverage(&self.history, from, cutoff, self.judging.known_at).gaps;
        let starts = std::iter::once(from).chain(gaps.iter().map(|gap| gap.to));
        let ends = gaps.iter().map(|gap| gap.from).chain([cutoff]);
        let stretches = starts.zip(ends).map(|(from, to)| Stretch { from, to });
        stretches.filter(|stretch| stretch.from < stretch.to).collect()
    }

    /// The silence at the cutoff under the scheme's tiers: the live one where the cutoff is now,
    /// since what comes after it cannot be known yet.
    fn silence(
        &self,
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
        let (cutoff, known_at) = (self.judging.cutoff, self.judging.known_at);
        let judgement = if cutoff >= known_at {
            observe::judge(&self.history, &policy, cutoff, known_at)
        } else {
            observe::judge_at(&self.history, &policy, cutoff, known_at)
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

fn post_fact(
    post: StoredPost,
    samples: Option<&Vec<PostSample>>,
    cutoff: DateTime<Utc>,
) -> PostFact {
    let listed = &post.listed;
    let published = PostFact::published(listed.claimed, listed.first_seen, listed.seen_before);
    let samples = samples.map(Vec::as_slice).unwrap_or_default();
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

fn entry(entered: SchemeEntry) -> Entry {
    Entry {
        value: entered.value,
        actor: entered.actor,
        reason: entered.reason,
        recorded_at: entered.recorded_at,
    }
}
