//! The scores of the current period, kept current.

use anyhow::Context as _;
use chrono::{DateTime, Utc};
use futures::TryStreamExt;
use serde_json::Value;

use crate::domain::{Account, AccountId, Inquiry, Moment, Origin, shanghai_midnight};
use crate::observe::{self, History};
use crate::platform::{Platform, Role};
use crate::scheme::Scheme;
use crate::score::{
    DimensionScore, InquiryFact, Outcome, Period, PeriodFacts, PostFact, ScoreCard, Stretch, score,
};
use crate::store::{NewScoreRun, Score, ScoreInput, StoredPost};

use super::Context;

/// Accounts scored at once: their facts are in memory together.
const ACCOUNTS: usize = 50;

/// The scheme that judges where nobody names another.
pub const DEFAULT_SCHEME: &str = "default";

/// Scores every account over the current quarter and stores the run.
pub async fn score_current_quarter(context: &Context) -> anyhow::Result<()> {
    let now = context.clock.now();
    let period = Period::quarter_of(now);
    let Some(scheme) = context.schemes.get(DEFAULT_SCHEME) else { return Ok(()) };
    let run = NewScoreRun {
        period: period.to_string(),
        scheme: scheme.id.clone(),
        scheme_digest: scheme.digest.clone(),
        cutoff: now,
        known_at: now,
    };
    let run = context.store.open_score_run(&run, now).await.context("opening a score run")?;
    let inputs = context.store.score_inputs(period.from(), now).try_chunks(ACCOUNTS);
    let mut inputs = std::pin::pin!(inputs);
    while let Some(inputs) = inputs.try_next().await.context("reading facts")? {
        let cards = cards(context, scheme, period, now, inputs).await?;
        let rows: Vec<Score> = cards
            .iter()
            .flat_map(|(account, card)| {
                card.dimensions.iter().map(|one| row(account.id, card, one))
            })
            .collect();
        context.store.save_scores(run, &rows).await?;
    }
    context.store.close_score_run(run, context.clock.now()).await?;
    Ok(())
}

/// The cards of some accounts over a period, from their facts up to `cutoff`.
///
/// # Errors
/// The database does not answer; a scheme compiled over other measures than this program's.
pub async fn cards(
    context: &Context,
    scheme: &Scheme,
    period: Period,
    cutoff: DateTime<Utc>,
    inputs: Vec<ScoreInput>,
) -> anyhow::Result<Vec<(Account, ScoreCard)>> {
    let accounts: Vec<AccountId> = inputs.iter().map(|input| input.account.id).collect();
    let mut histories = context.store.histories(&accounts, period.from()).await?;
    let card = |input: ScoreInput| {
        let history = histories.remove(&input.account.id).unwrap_or_default();
        let covered = covered(&history, period, cutoff);
        let platform = context.platforms.get(&input.account.entry.platform);
        let account = input.account.clone();
        Ok((account, score(scheme, &facts(period, cutoff, platform, covered, input))?))
    };
    inputs.into_iter().map(card).collect()
}

/// What the account's observations cover of a period: void ones not, and of several parts only what
/// all have covered.
fn covered(history: &History, period: Period, cutoff: DateTime<Utc>) -> Vec<Stretch> {
    let gaps = observe::coverage(history, period.from(), cutoff, cutoff).gaps;
    let starts = std::iter::once(period.from()).chain(gaps.iter().map(|gap| gap.to));
    let ends = gaps.iter().map(|gap| gap.from).chain([cutoff]);
    let stretches = starts.zip(ends).map(|(from, to)| Stretch { from, to });
    stretches.filter(|stretch| stretch.from < stretch.to).collect()
}

fn facts(
    period: Period,
    cutoff: DateTime<Utc>,
    platform: Option<&Platform>,
    covered: Vec<Stretch>,
    input: ScoreInput,
) -> PeriodFacts {
    let observed_to = covered.iter().map(|stretch| stretch.to).max();
    let reads_messages = platform.is_some_and(|platform| {
        platform.crawled().any(|kind| matches!(kind.role, Role::Board | Role::Comments))
    });
    let messages = input.inquiries.iter().map(inquiry_fact).collect();
    PeriodFacts {
        period,
        cutoff: observed_to.map_or(cutoff, |high| high.min(cutoff)),
        existed_from: existed_from(&input.account),
        existed_until: input.account.entry.closed_on.map(shanghai_midnight),
        covered,
        posts: input.posts.iter().map(post_fact).collect(),
        inquiries: reads_messages.then_some(messages),
        followers: input.followers,
    }
}

fn existed_from(account: &Account) -> Option<DateTime<Utc>> {
    account.entry.opened_on.or(account.entry.filed_on).map(shanghai_midnight)
}

fn post_fact(post: &StoredPost) -> PostFact {
    let listed = &post.listed;
    PostFact {
        published: PostFact::published(listed.claimed, listed.first_seen, listed.seen_before),
        original: match post.origin {
            Origin::Original => Some(true),
            Origin::Repost => Some(false),
            Origin::Unknown => None,
        },
        reads: post.reads.clone(),
        likes: post.likes.clone(),
        comments: post.comments.clone(),
        shares: post.shares.clone(),
    }
}

fn inquiry_fact(inquiry: &Inquiry) -> InquiryFact {
    let stretch = |moment: Moment| Stretch::from(moment);
    InquiryFact {
        asked: inquiry.asked_at.map(stretch),
        replied: inquiry.replied_at.filter(|_| inquiry.official).map(stretch),
    }
}

fn row(account: AccountId, card: &ScoreCard, dimension: &DimensionScore) -> Score {
    Score {
        account,
        dimension: dimension.id.clone(),
        points: match &dimension.outcome {
            Outcome::Scored(points) => Ok(points.points),
            Outcome::NotScored(why) => Err(why.reason.clone()),
        },
        interval: dimension.outcome.points().map(|points| (points.low, points.high)),
        coverage: dimension.coverage.and_then(|share| f64::try_from(share).ok()),
        inputs: serde_json::from_str(&card.inputs).unwrap_or(Value::Null),
        lines: serde_json::to_value(&dimension.lines).unwrap_or(Value::Null),
    }
}
