use std::collections::BTreeMap;
use std::pin::pin;

use anyhow::Context as _;
use chrono::{DateTime, TimeDelta, Utc};
use futures::stream::TryStreamExt;

use crate::domain::{Account, AccountId};
use crate::jobs::Context;
use crate::platform::{PageKind, Platform, Role};
use crate::store::{CanaryAccount, MissingPost, SiteSpec, TargetCounts, TargetSpec};

use super::singles;

/// Accounts of the ledger that are read together.
const ACCOUNTS: i64 = 1000;

/// Makes the targets follow the ledger and the platform files: one for each judged account and page
/// kind that the daemon visits by itself, and those of the named canaries.
pub async fn sync_targets(context: &Context) -> anyhow::Result<TargetCounts> {
    let now = context.clock.now();
    let mut wanted = Wanted {
        context,
        boards: Boards::known(context).await.context("boards")?,
        missing: singles::missing_posts(context, now).await.context("missing posts")?,
        specs: Vec::new(),
        sites: BTreeMap::new(),
    };
    let mut batches = pin!(context.store.account_batches(ACCOUNTS));
    while let Some(accounts) = batches.try_next().await.context("the ledger")? {
        let judged = accounts.iter().filter(|account| account.entry.lifecycle.is_judged());
        judged.for_each(|account| wanted.enter(account));
    }
    let Wanted { mut specs, sites, .. } = wanted;
    specs.extend(site_targets(context, sites, now).await.context("sites")?);
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

/// What shall be visited, entered account by account.
struct Wanted<'a> {
    context: &'a Context,
    boards: Boards<'a>,
    missing: BTreeMap<AccountId, Vec<MissingPost>>,
    specs: Vec<TargetSpec>,
    /// The platform that reads a site's home page and its page kind, by host.
    sites: BTreeMap<String, (&'a Platform, &'a PageKind)>,
}

impl Wanted<'_> {
    fn enter(&mut self, account: &Account) {
        let begun = self.specs.len();
        let entry = &account.entry;
        if let Some(platform) = self.context.platforms.get(&entry.platform) {
            let url = entry.url.as_deref();
            self.specs.extend(targets_of(account.id, &entry.handle, url, platform));
            let home = platform.pages.values().find(|kind| kind.role == Role::Inventory);
            if let Some(home) = home {
                for spec in self.specs[begun..].iter().filter(|spec| spec.speaks) {
                    self.sites.entry(spec.host.clone()).or_insert((platform, home));
                }
            }
        }
        let sites = &self.sites;
        let lists = self.specs[begun..].iter().filter(|spec| spec.speaks);
        let on_sites = lists.map(|spec| &spec.host).filter(|host| sites.contains_key(*host));
        let board = self.boards.of(account, on_sites);
        self.specs.extend(board);
        if let Some(missing) = self.missing.get(&account.id) {
            let single = singles::target(self.context, account, &self.specs[begun..], missing);
            self.specs.extend(single);
        }
    }
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
    sites: BTreeMap<String, (&Platform, &PageKind)>,
    now: DateTime<Utc>,
) -> anyhow::Result<Vec<TargetSpec>> {
    let every = TimeDelta::minutes(context.settings.probe_minutes.into());
    let spec = |(host, (platform, _)): (&String, &(&Platform, &PageKind))| SiteSpec {
        host: host.clone(),
        address: format!("https://{host}/"),
        platform: platform.id.clone(),
    };
    let specs: Vec<SiteSpec> = sites.iter().map(spec).collect();
    let accounts = context.store.sync_sites(&specs, every, now).await?;
    let target = |site: SiteSpec| {
        Some(TargetSpec {
            account: *accounts.get(&site.host)?,
            page: sites.get(&site.host)?.1.name.clone(),
            part: String::new(),
            host: site.host,
            is_canary: false,
            speaks: false,
            address: Some(site.address),
        })
    };
    Ok(specs.into_iter().filter_map(target).collect())
}

/// Message boards: where the ledger names one, and where a site's home page leads to one, for the
/// first of the accounts that stand on that site.
struct Boards<'a> {
    /// The page kind that reads them, if there is one.
    kind: Option<&'a PageKind>,
    /// Addresses that home pages lead to and that no account has yet, by the site's host.
    found: BTreeMap<String, String>,
}

impl<'a> Boards<'a> {
    async fn known(context: &'a Context) -> anyhow::Result<Self> {
        let boards = context.platforms.get(BOARDS);
        let kind = boards.and_then(|boards| boards.crawled().find(|kind| kind.role == Role::Board));
        let mut found: BTreeMap<String, (usize, String)> = BTreeMap::new();
        for (host, address, name) in context.store.message_columns().await? {
            let place = BOARD_NAMES.iter().position(|part| name.contains(part));
            let rank = (place.unwrap_or(BOARD_NAMES.len()), address);
            let best = found.entry(host).or_insert_with(|| rank.clone());
            *best = rank.min(best.clone());
        }
        let found = found.into_iter().map(|(host, (_, address))| (host, address)).collect();
        Ok(Self { kind, found })
    }

    /// The board of an account, which stands on these sites.
    fn of<'h>(
        &mut self,
        account: &Account,
        mut sites: impl Iterator<Item = &'h String>,
    ) -> Option<TargetSpec> {
        let kind = self.kind?;
        let entry = &account.entry;
        let named = entry.notes.get(BOARD_NOTE).filter(|_| entry.platform != BOARDS);
        let named = named.map(|address| address.trim().to_owned());
        let named = named.filter(|address| host_of(address).is_some());
        let address = named.or_else(|| sites.find_map(|host| self.found.remove(host)))?;
        Some(TargetSpec {
            account: account.id,
            page: format!("{BOARDS}/{}", kind.name),
            part: String::new(),
            host: host_of(&address)?,
            is_canary: false,
            speaks: false,
            address: Some(address),
        })
    }
}
