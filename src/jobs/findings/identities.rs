//! How accounts have shown themselves over time, page kind by page kind.

use std::collections::{BTreeMap, HashMap};

use crate::alert::ShownIdentity;
use crate::domain::AccountId;
use crate::store::{IdentityField, IdentityRun};

use super::propose::At;

/// What each account's pages showed, of each kind oldest first, one entry for each change: seen
/// before the cutoff and written down by the time of knowing.
pub(super) fn shown(runs: Vec<IdentityRun>, at: At) -> HashMap<AccountId, Vec<ShownIdentity>> {
    let mut pages: BTreeMap<(AccountId, String), Vec<IdentityRun>> = BTreeMap::new();
    let known = |run: &IdentityRun| run.recorded_at <= at.known_at && run.first_seen < at.cutoff;
    for run in runs.into_iter().filter(known) {
        pages.entry((run.account, run.page.clone())).or_default().push(run);
    }
    let mut shown: HashMap<AccountId, Vec<ShownIdentity>> = HashMap::new();
    for ((account, page), runs) in pages {
        shown.entry(account).or_default().extend(of_page(&page, runs));
    }
    shown
}

/// Values that one look showed first change together; the others stand on.
fn of_page(page: &str, mut runs: Vec<IdentityRun>) -> Vec<ShownIdentity> {
    runs.sort_by_key(|run| (run.first_seen, run.field));
    let mut shown: Vec<ShownIdentity> = Vec::new();
    for run in runs {
        if shown.last().is_none_or(|last| last.since != run.first_seen) {
            let before = shown.last().cloned().unwrap_or_default();
            shown.push(ShownIdentity { page: page.to_owned(), since: run.first_seen, ..before });
        }
        let Some(now) = shown.last_mut() else { continue };
        let field = match run.field {
            IdentityField::Handle => &mut now.handle,
            IdentityField::Name => &mut now.name,
            IdentityField::VerifiedAs => &mut now.verified_as,
        };
        *field = Some(run.value);
    }
    shown
}
