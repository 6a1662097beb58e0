//! A site's home page and some of its columns, read at one visit.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use sha2::{Digest, Sha256};

use crate::domain::{ColumnClass, Extraction, Moment, PageVerdict};
use crate::fetch::{Fetched, Page};
use crate::jobs::Context;
use crate::observe::HomeShown;
use crate::platform::{PageKind, Platform, Role};
use crate::store::{ColumnLook, FoundColumn, SiteRecord};

use super::gather::{Answered, Asking, Gathered, failure};
use super::keep::Received;
use super::reading::Asked;

/// The page kind of a platform file that reads a home page as a list of dated items.
const HOME: &str = "home";

/// The platform whose list kind reads columns that no file describes.
const ANY_SITE: &str = "site";

/// The most columns that are kept of one site.
const COLUMNS_MAX: usize = 100;

/// After so many columns in a row that could not be had, the site is left alone.
const FAILURES_MAX: usize = 2;

/// Reads the home page once, as an inventory of columns and as a list of dated items, then the
/// columns that have waited longest.
pub(super) async fn look(context: &Context, asked: &Asked<'_>) -> (Gathered, SiteRecord) {
    let asking = Asking { context, asked };
    let at = context.clock.now();
    let mut site = SiteRecord {
        host: asked.target.host.clone(),
        at,
        home: Err("not asked for".to_owned()),
        found: Vec::new(),
        looked: Vec::new(),
    };
    let page = match asking.ask(false).await {
        Fetched::Page(page) => page,
        other => {
            let failure = failure(&other);
            site.home = Err(failure.reason.as_str().to_owned());
            return (Gathered::without_pages(Err(failure), Duration::ZERO), site);
        }
    };
    let inventory = asking.read(&page, asked.address, 1);
    site.at = page.sent_at;
    site.home = home(context, asked, &page, &inventory);
    site.found = columns(asked, &inventory);
    let mut gathered = gathered(asked.address, page, inventory);
    if site.home.is_ok() {
        site.looked = look_at_columns(context, asked, &mut gathered).await;
    }
    (gathered, site)
}

fn gathered(address: &str, mut page: Box<Page>, inventory: Extraction) -> Gathered {
    let (bytes, elapsed) = (page.body.len() as u64, page.elapsed);
    let received = vec![Received { requested: address.to_owned(), page: (*page).clone() }];
    page.body = bytes::Bytes::new();
    let gathered = Gathered::without_pages(Ok(Answered::Page(page)), elapsed);
    Gathered { pages: vec![inventory], received, bytes, ..gathered }
}

/// What is dated on the home page. A page that is neither a list of dated items nor an inventory
/// was not read; one that is an inventory alone only leads on.
fn home(
    context: &Context,
    asked: &Asked<'_>,
    page: &Page,
    inventory: &Extraction,
) -> Result<HomeShown, String> {
    let refused = |page: &Extraction| {
        page.reason.clone().unwrap_or_else(|| "not the page it should be".to_owned())
    };
    if inventory.verdict == PageVerdict::Blocked {
        return Err(refused(inventory));
    }
    let listed = asked.platform.pages.get(HOME).map(|kind| {
        let asked = Asked { kind, ..*asked };
        Asking { context, asked: &asked }.read(page, asked.address, 1)
    });
    let listed = listed.filter(|page| page.verdict == PageVerdict::Observation);
    if listed.is_none() && inventory.verdict != PageVerdict::Observation {
        return Err(refused(inventory));
    }
    let posts = listed.map(|page| page.posts).unwrap_or_default();
    let mut digest = Sha256::new();
    for post in &posts {
        let parts = [&post.url, &post.title, &post.published_text];
        for part in parts.into_iter().flatten() {
            digest.update(part);
            digest.update([0]);
        }
    }
    let dates = posts.iter().filter_map(|post| post.published).map(Moment::lower);
    Ok(HomeShown {
        fingerprint: format!("sha256:{}", hex::encode(digest.finalize())),
        items: u32::try_from(posts.len()).unwrap_or(u32::MAX),
        newest_at: dates.filter(|at| *at <= page.sent_at).max(),
    })
}

/// The columns on the site's own host.
fn columns(asked: &Asked<'_>, inventory: &Extraction) -> Vec<FoundColumn> {
    let own = |address: &str| {
        url::Url::parse(address).is_ok_and(|url| url.host_str() == Some(asked.target.host.as_str()))
    };
    let mut found: Vec<FoundColumn> = Vec::new();
    for column in inventory.columns.iter().filter(|column| own(&column.url)) {
        if found.len() < COLUMNS_MAX && !found.iter().any(|one| one.address == column.url) {
            found.push(FoundColumn {
                address: column.url.clone(),
                name: column.title.clone(),
                class: ColumnClass::of(&column.title),
            });
        }
    }
    found
}

async fn look_at_columns(
    context: &Context,
    asked: &Asked<'_>,
    gathered: &mut Gathered,
) -> Vec<ColumnLook> {
    let settings = &context.settings;
    let lists = |platform: &Platform| {
        platform.crawled().find(|kind| kind.role == Role::List).map(|kind| kind.name.clone())
    };
    let own = lists(asked.platform).and_then(|name| asked.platform.pages.get(&name));
    let Some(own) = own else { return Vec::new() };
    let before = context.clock.now() - TimeDelta::hours(settings.column_hours.into());
    let due = context.store.columns_due(&asked.target.host, before, settings.site_columns_max);
    let due = match due.await {
        Ok(due) => due,
        Err(error) => {
            context.metrics.store_failed();
            tracing::warn!(%error, host = asked.target.host, "its columns cannot be told");
            return Vec::new();
        }
    };
    let (mut looked, mut failures) = (Vec::new(), 0);
    for address in due {
        let at = context.clock.now();
        let shown = look_at(context, asked, own, &address, gathered).await;
        failures = if shown.is_none() { failures + 1 } else { 0 };
        let shown = shown.unwrap_or_else(|| Err("unreachable".to_owned()));
        looked.push(ColumnLook { address, at, shown });
        if failures >= FAILURES_MAX {
            break;
        }
    }
    looked
}

/// A column read as the platform's own list, else as any site's; `None` where it cannot be had.
async fn look_at(
    context: &Context,
    asked: &Asked<'_>,
    own: &PageKind,
    address: &str,
    gathered: &mut Gathered,
) -> Option<Result<(u32, Option<DateTime<Utc>>), String>> {
    let asked = Asked { kind: own, address, ..*asked };
    let asking = Asking { context, asked: &asked };
    let Fetched::Page(page) = asking.ask(false).await else { return None };
    gathered.bytes += page.body.len() as u64;
    gathered.elapsed += page.elapsed;
    let mut read = asking.read(&page, address, 1);
    if read.verdict == PageVerdict::Drifted
        && let Some(any) = context.platforms.get(ANY_SITE)
        && let Some(kind) = any.crawled().find(|kind| kind.role == Role::List)
    {
        let asked = Asked { platform: any, kind, ..asked };
        read = Asking { context, asked: &asked }.read(&page, address, 1);
    }
    if read.verdict != PageVerdict::Observation {
        return Some(Err(read.reason.unwrap_or_else(|| "not read as a column".to_owned())));
    }
    let dates = read.posts.iter().filter_map(|post| post.published).map(Moment::lower);
    let items = u32::try_from(read.posts.len()).unwrap_or(u32::MAX);
    Some(Ok((items, dates.filter(|at| *at <= page.sent_at).max())))
}
