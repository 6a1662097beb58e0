//! What is asked about single posts: the comments below them, and whether one that its list leaves
//! out still stands at its own address.

use std::collections::BTreeMap;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};

use crate::domain::{Account, AccountId, PageVerdict};
use crate::fetch::NotModified;
use crate::jobs::Context;
use crate::platform::{AddressTemplate, PageKind, Platform, Role};
use crate::store::{AskedPost, MissingPost, TargetSpec};

use super::gather::{Answered, Asking, Gathered};
use super::reading::Asked;
use super::targets::host_of;

/// Missing posts that one visit asks about; the others wait for the next.
const MISSING_MAX: usize = 3;

/// What the sign of a gone page is called, in platform files, where the post's author took it away.
/// Other words (a ban, a move of the account) say nothing of who did.
const DELETED: &str = "deleted";

/// Asks for the comments under the account's own newest posts, one after the other; the first
/// refusal ends it. Where there is no post to ask about, nobody is asked.
pub(super) async fn comments(
    context: &Context,
    asked: &Asked<'_>,
    started_at: DateTime<Utc>,
) -> Option<Gathered> {
    let Asked { target, kind, .. } = *asked;
    let settings = &context.settings;
    let since = started_at - TimeDelta::days(settings.comments_days.into());
    let posts = context.store.posts_to_ask(target.account, since, settings.comments_posts_max);
    let posts = match posts.await {
        Ok(posts) => posts,
        Err(error) => return not_told(context, asked, &error),
    };
    let url = kind.url.as_ref()?;
    let addresses: Option<Vec<String>> =
        posts.iter().map(|post| url.fill_post(&target.handle, post)).collect();
    Some(ask_each(context, asked, started_at, &addresses?).await.0)
}

/// Asks the own addresses of the account's missing posts that stand on this host; what those that
/// answered say.
pub(super) async fn missing(
    context: &Context,
    asked: &Asked<'_>,
    started_at: DateTime<Utc>,
) -> Option<(Gathered, Vec<AskedPost>)> {
    let Asked { target, kind, .. } = *asked;
    let since = started_at - TimeDelta::days(context.settings.history_days.into());
    let posts = context.store.missing_posts(Some(target.account), since, started_at).await;
    let posts = match posts {
        Ok(posts) => posts,
        Err(error) => return not_told(context, asked, &error),
    };
    let url = kind.url.as_ref()?;
    let here = |post: MissingPost| {
        let address = url.fill(&target.handle, Some(&post.address), 1)?;
        (host_of(&address)? == target.host).then_some((post, address))
    };
    let (posts, addresses): (Vec<MissingPost>, Vec<String>) =
        posts.into_iter().filter_map(here).take(MISSING_MAX).unzip();
    let (gathered, answers) = ask_each(context, asked, started_at, &addresses).await;
    let told = posts.into_iter().zip(answers).filter_map(|(post, answer)| {
        let gone = match answer.said? {
            Said::Shown => false,
            // A page kind that was never read right in a recorded answer proves nothing to be gone,
            // nor do words that the post has in its own title.
            Said::Gone(words) => {
                let own = post.title.as_deref().is_some_and(|title| words.contains(title));
                (kind.verified.is_some() && !own).then_some(true)?
            }
        };
        Some(AskedPost { reference: post.reference, at: answer.at, gone })
    });
    let told = told.collect();
    Some((gathered, told))
}

fn not_told<T>(
    context: &Context,
    asked: &Asked<'_>,
    error: &crate::store::StoreError,
) -> Option<T> {
    context.metrics.store_failed();
    tracing::warn!(%error, account = asked.target.key, "its posts cannot be asked about");
    None
}

/// When one address answered, and what; `None` where it said nothing of its post.
struct Single {
    at: DateTime<Utc>,
    said: Option<Said>,
}

enum Said {
    /// The post.
    Shown,
    /// That its author took it away, in these words.
    Gone(String),
}

/// Asks one address after the other; the first wall ends it, and whatever keeps us from the host.
async fn ask_each(
    context: &Context,
    asked: &Asked<'_>,
    started_at: DateTime<Utc>,
    addresses: &[String],
) -> (Gathered, Vec<Single>) {
    let (mut all, mut answers) = (None::<Gathered>, Vec::new());
    for address in addresses {
        let one = Asking { context, asked: &Asked { address, ..*asked } }.first(false).await;
        answers.push(Single { at: as_of(&one).unwrap_or(started_at), said: said(&one, address) });
        let walled = one.pages.iter().any(|page| page.verdict == PageVerdict::Blocked);
        let refused = walled || one.first.is_err();
        match &mut all {
            None => all = Some(one),
            Some(all) => {
                all.bytes += one.bytes;
                all.elapsed += one.elapsed;
                all.pages.extend(one.pages);
                all.received.extend(one.received);
            }
        }
        if refused {
            break;
        }
    }
    (all.unwrap_or_else(|| nobody_asked(started_at)), answers)
}

/// When the answer was made; `None` where there was none, or a cache does not say.
fn as_of(gathered: &Gathered) -> Option<DateTime<Utc>> {
    match gathered.first.as_ref().ok()? {
        Answered::NotModified(answer) => Some(answer.sent_at),
        Answered::Page(page) => page.as_of(),
    }
}

fn said(gathered: &Gathered, address: &str) -> Option<Said> {
    as_of(gathered)?;
    let Ok(Answered::Page(answered)) = &gathered.first else { return None };
    let page = gathered.pages.first()?;
    match page.verdict {
        // An address that leads to the home page shows no post of its own.
        PageVerdict::Observation => (answered.final_url == address).then_some(Said::Shown),
        PageVerdict::Gone => {
            let words = page.reason.as_ref()?.strip_prefix(DELETED)?;
            Some(Said::Gone(words.to_owned()))
        }
        _ => None,
    }
}

fn nobody_asked(started_at: DateTime<Utc>) -> Gathered {
    let nothing = NotModified {
        date: None,
        sent_at: started_at,
        elapsed: Duration::ZERO,
        headers: Vec::new(),
    };
    Gathered::without_pages(Ok(Answered::NotModified(nothing)), Duration::ZERO)
}

/// The posts that are missing and may be asked about now, by account.
pub(super) async fn missing_posts(
    context: &Context,
    now: DateTime<Utc>,
) -> anyhow::Result<BTreeMap<AccountId, Vec<MissingPost>>> {
    let since = now - TimeDelta::days(context.settings.history_days.into());
    let mut posts: BTreeMap<AccountId, Vec<MissingPost>> = BTreeMap::new();
    for post in context.store.missing_posts(None, since, now).await? {
        posts.entry(post.account).or_default().push(post);
    }
    Ok(posts)
}

/// The target of an account of which posts are missing whose own address stands on a host of the
/// account, of which these are the other targets, or of its platform; it goes when there is nothing
/// left to ask.
pub(super) fn target(
    context: &Context,
    account: &Account,
    specs: &[TargetSpec],
    missing: &[MissingPost],
) -> Option<TargetSpec> {
    let entry = &account.entry;
    let platform = context.platforms.get(&entry.platform)?;
    let kind = of_one_post(platform)?;
    let url = kind.url.as_ref()?;
    missing.iter().find_map(|post| {
        let address = url.fill(&entry.handle, Some(&post.address), 1)?;
        let host = host_of(&address)?;
        let own = specs.iter().any(|spec| spec.host == host);
        (own || platform.hosts.contains(&host)).then(|| TargetSpec {
            account: account.id,
            page: kind.name.clone(),
            part: String::new(),
            host,
            is_canary: false,
            speaks: false,
            address: Some(address),
        })
    })
}

/// The page kind that reads one post at its own address.
fn of_one_post(platform: &Platform) -> Option<&PageKind> {
    let of_a_post = |kind: &&PageKind| {
        let url = kind.url.as_ref();
        kind.role == Role::Article && !kind.crawl && url.is_some_and(AddressTemplate::needs_url)
    };
    platform.pages.values().find(of_a_post)
}
