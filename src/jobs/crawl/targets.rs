use anyhow::Context as _;

use crate::domain::AccountId;
use crate::jobs::Context;
use crate::platform::{Platform, Role};
use crate::store::{CanaryAccount, TargetCounts, TargetSpec};

/// Makes the targets follow the ledger and the platform files: one for each judged account and page
/// kind that the daemon visits by itself, and those of the named canaries.
pub async fn sync_targets(context: &Context) -> anyhow::Result<TargetCounts> {
    let now = context.clock.now();
    let mut specs = Vec::new();
    for account in context.store.accounts().await? {
        let entry = &account.entry;
        let Some(platform) = context.platforms.get(&entry.platform) else { continue };
        if entry.lifecycle.is_judged() {
            specs.extend(targets_of(account.id, &entry.handle, entry.url.as_deref(), platform));
        }
    }
    let canaries = named_canaries(context);
    let ids = context.store.ensure_canaries(&canaries, now).await.context("canaries")?;
    for (canary, id) in canaries.iter().zip(ids) {
        let Some(platform) = context.platforms.get(&canary.platform) else { continue };
        if specs.iter().any(|spec| spec.account == id) {
            continue;
        }
        let targets = targets_of(id, &canary.handle, None, platform);
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
        let address = kind.url.as_ref()?.fill(handle, url, 1)?;
        let host = url::Url::parse(&address).ok()?.host_str()?.to_owned();
        Some(TargetSpec {
            account,
            page: kind.name.clone(),
            part: if kind.role == Role::List { kind.lists.clone() } else { String::new() },
            host,
            is_canary: false,
        })
    })
}
