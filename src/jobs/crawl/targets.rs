use std::collections::{BTreeMap, BTreeSet};

use anyhow::Context as _;
use chrono::{DateTime, TimeDelta, Utc};

use crate::domain::{Account, AccountId};
use crate::jobs::Context;
use crate::platform::{PageKind, Platform, Role};
use crate::store::{CanaryAccount, SiteSpec, TargetCounts, TargetSpec};

use super::singles;

/// Makes the targets follow the ledger and the platform files: one for each judged account and page
/// kind that the daemon visits by itself, and those of the named canaries.
pub async fn sync_targets(context: &Context) -> anyhow::Result<TargetCounts> {
    let now = context.clock.now();
    let mut specs = Vec::new();
    let mut judged = context.store.accounts().await?;
    judged.retain(|account| account.entry.lifecycle.is_judged());
    for account in &judged {
        let entry = &account.entry;
        let Some(platform) = context.platforms.get(&entry.platform) else { continue };
        specs.extend(targets_of(account.id, &entry.handle, entry.url.as_deref(), platform));
    }
    specs.extend(site_targets(context, &judged, &specs, now).await.context("sites")?);
    specs.extend(board_targets(context, &judged, &specs).await.context("boards")?);
    specs.extend(singles::targets(context, &judged, &specs, now).await.context("missing posts")?);
    let canaries = named_canaries(context);
    let ids = context.store.ensure_canaries(&canaries, now).await.context("canaries")?;
    for (canary, id) in canaries.iter().zip(ids) {
        let Some(platform) = context.platforms.get(&canary.platform) else { continue };
        if specs.iter().any(|spec| spec.account == id) {
            continue;
        }
        let targets = targets_of(id, &canary.handle, None, platform).filter(|spec| spec.speaks);
        specs.extend(targets.map(|spec| TargetSpec { is_canary: true, ..spec }));
    }
    context.store.sync_targets(&specs, now).await.context("targets")
}

/// The busy accounts that platform files name.
pub(super) fn named_canaries(context: &Context) -> Vec<CanaryAccount> {
    let named = |platform: &Platform| -> Vec<CanaryAccount> {
        let canary = |handle: &str| CanaryAccount {
            platform: platform.id.clone(),
            handle: handle.to_owned(),
        };
        platform.canaries.iter().map(|one| canary(&one.0)).collect()
    };
    context.platforms.iter().flat_map(named).collect()
}

fn targets_of(
    account: AccountId,
    handle: &str,
    url: Option<&str>,
    platform: &Platform,
) -> impl Iterator<Item = TargetSpec> {
    platform.crawled().filter_map(move |kind| {
        let template = kind.url.as_ref()?;
        // Comments stand under posts that nobody knows yet; their host is the platform's.
        let address = match template.is_of_a_post() {
            true => template.fill_post(handle, "0")?,
            false => template.fill(handle, url, 1)?,
        };
        let host = url::Url::parse(&address).ok()?.host_str()?.to_owned();
        Some(TargetSpec {
            account,
            page: kind.name.clone(),
            part: if kind.role == Role::List { kind.lists.clone() } else { String::new() },
            host,
            is_canary: false,
            speaks: kind.role.speaks_for_account(),
            address: None,
        })
    })
}

/// A page kind as targets name it: by its name, where the account's own platform file has it, and
/// as `platform/name` where another's reads it.
pub(super) fn page_kind<'a>(
    context: &'a Context,
    platform: &str,
    page: &str,
) -> Option<(&'a Platform, &'a PageKind)> {
    let (platform, page) = page.split_once('/').unwrap_or((platform, page));
    let platform = context.platforms.get(platform)?;
    Some((platform, platform.pages.get(page)?))
}

/// The platform whose page kind reads message boards, wherever they stand.
const BOARDS: &str = "board";

/// The ledger's note that names the message board of an account's office.
const BOARD_NOTE: &str = "留言板";

/// Names of columns where citizens write, the likeliest to be a board first.
const BOARD_NAMES: [&str; 5] = ["留言", "信箱", "咨询", "问政", "互动"];

pub(super) fn host_of(address: &str) -> Option<String> {
    url::Url::parse(address).ok()?.host_str().map(str::to_owned)
}

/// One target for each site on which accounts stand, whose platform file reads home pages.
async fn site_targets(
    context: &Context,
    judged: &[Account],
    specs: &[TargetSpec],
    now: DateTime<Utc>,
) -> anyhow::Result<Vec<TargetSpec>> {
    let platforms: BTreeMap<AccountId, &str> =
        judged.iter().map(|account| (account.id, account.entry.platform.as_str())).collect();
    let mut sites = BTreeSet::new();
    let mut pages = BTreeMap::new();
    for spec in specs.iter().filter(|spec| spec.speaks) {
        let platform = platforms.get(&spec.account).and_then(|id| context.platforms.get(id));
        let kinds = platform.into_iter().flat_map(|platform| platform.pages.values());
        let Some(kind) = kinds.into_iter().find(|kind| kind.role == Role::Inventory) else {
            continue;
        };
        let first = pages.insert(spec.host.clone(), kind.name.clone()).is_none();
        if let Some(platform) = platform.filter(|_| first) {
            let address = format!("https://{}/", spec.host);
            let (host, platform) = (spec.host.clone(), platform.id.clone());
            sites.insert(SiteSpec { host, address, platform });
        }
    }
    let every = TimeDelta::minutes(context.settings.probe_minutes.into());
    let sites: Vec<SiteSpec> = sites.into_iter().collect();
    let accounts = context.store.sync_sites(&sites, every, now).await?;
    let target = |site: &SiteSpec| {
        Some(TargetSpec {
            account: *accounts.get(&site.host)?,
            page: pages.get(&site.host)?.clone(),
            part: String::new(),
            host: site.host.clone(),
            is_canary: false,
            speaks: false,
            address: Some(site.address.clone()),
        })
    };
    Ok(sites.iter().filter_map(target).collect())
}

/// One target for each message board: where the ledger names one, and where a site's home page
/// leads to one, for the first of the accounts that stand on that site.
async fn board_targets(
    context: &Context,
    judged: &[Account],
    specs: &[TargetSpec],
) -> anyhow::Result<Vec<TargetSpec>> {
    let Some(boards) = context.platforms.get(BOARDS) else { return Ok(Vec::new()) };
    let Some(kind) = boards.crawled().find(|kind| kind.role == Role::Board) else {
        return Ok(Vec::new());
    };
    let target = |account: AccountId, address: &str| {
        Some(TargetSpec {
            account,
            page: format!("{BOARDS}/{}", kind.name),
            part: String::new(),
            host: host_of(address)?,
            is_canary: false,
            speaks: false,
            address: Some(address.to_owned()),
        })
    };
    let named = judged
        .iter()
        .filter(|account| account.entry.platform != BOARDS)
        .filter_map(|one| target(one.id, one.entry.notes.get(BOARD_NOTE)?.trim()));
    let mut targets: Vec<TargetSpec> = named.collect();
    let mut found: BTreeMap<String, (usize, String)> = BTreeMap::new();
    for (host, address, name) in context.store.message_columns().await? {
        let place = BOARD_NAMES.iter().position(|part| name.contains(part));
        let rank = (place.unwrap_or(BOARD_NAMES.len()), address);
        let best = found.entry(host).or_insert_with(|| rank.clone());
        *best = rank.min(best.clone());
    }
    let mut taken: BTreeSet<AccountId> = targets.iter().map(|target| target.account).collect();
    for spec in specs.iter().filter(|spec| spec.speaks) {
        let Some((_, address)) = found.get(&spec.host) else { continue };
        if judged.iter().any(|one| one.id == spec.account) && taken.insert(spec.account) {
            targets.extend(target(spec.account, address));
            found.remove(&spec.host);
        }
    }
    Ok(targets)
}
