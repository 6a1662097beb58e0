//! `xunjian registry audit`: the books, held against their own rules and what crawls have learnt.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Write};

use super::with_store;
use crate::app::clock::SystemClock;
use crate::domain::{Account, Activity, Clock, Reason, Standing, shanghai_date};
use crate::registry::{self, AuditFacts, Defect};
use crate::settings::Settings;
use crate::store::Profile;

/// Lists what is wrong with the books themselves (管理底数不清).
#[derive(Debug, clap::Args)]
pub(super) struct Audit {
    /// The form of the list.
    #[arg(long, value_enum, default_value_t = ListForm::Text)]
    format: ListForm,
}

#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum ListForm {
    Text,
    Json,
}

pub(super) async fn run(args: &Audit, settings: &Settings) -> anyhow::Result<()> {
    let (accounts, profiles, standings) = with_store(settings, async |store| {
        let standings = store.standings(u32::MAX, None, None).await?;
        Ok((store.accounts().await?, store.profiles().await?, standings))
    })
    .await?;
    let facts = facts(&accounts, profiles, &standings);
    let today = shanghai_date(SystemClock.now());
    let entries: Vec<_> = accounts.into_iter().map(|account| account.entry).collect();
    let defects = registry::audit(&entries, &facts, today, &settings.registry);
    let mut out = io::stdout().lock();
    match args.format {
        ListForm::Text => write_text(&mut out, &defects)?,
        ListForm::Json => writeln!(out, "{}", serde_json::to_string_pretty(&defects)?)?,
    }
    Ok(())
}

fn write_text(out: &mut impl Write, defects: &[Defect]) -> io::Result<()> {
    for defect in defects {
        writeln!(out, "{}", defect.sentence)?;
    }
    writeln!(out, "共 {} 处问题。", defects.len())
}

/// What the crawl has learnt of the accounts.
fn facts(accounts: &[Account], profiles: Vec<Profile>, standings: &[Standing]) -> AuditFacts {
    let keys: BTreeMap<_, _> =
        accounts.iter().map(|account| (account.id, account.entry.key.as_str())).collect();
    let key = |profile: &Profile| keys.get(&profile.account).map(|key| (*key).to_owned());
    let mut resolved: BTreeSet<String> = profiles.iter().filter_map(key).collect();
    // A page may be proven by its address and show no profile at all.
    let observed = standings.iter().filter(|one| one.last_observation_at.is_some());
    resolved.extend(observed.map(|one| one.key.clone()));
    let of = |wanted: fn(Activity) -> bool| {
        let chosen = standings.iter().filter(move |one| wanted(one.activity));
        chosen.map(|one| one.key.clone()).collect()
    };
    let named = profiles.into_iter().filter_map(|one| Some((key(&one)?, one.name?)));
    AuditFacts {
        page_names: named.collect(),
        gone: of(|activity| activity == Activity::Gone),
        visited: of(was_answered),
        resolved,
    }
}

/// Whether a visit got an answer about the account: where it did not, nothing is known of the
/// handle, and the books are not to blame.
fn was_answered(activity: Activity) -> bool {
    !matches!(
        activity.reason(),
        Some(
            Reason::NeverVisited
                | Reason::Blocked
                | Reason::Limited
                | Reason::Unreachable
                | Reason::Drifted
                | Reason::Stale
                | Reason::Disallowed
                | Reason::Frozen
        )
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::AccountId;

    fn standing(key: &str, activity: Activity) -> Standing {
        Standing {
            key: key.to_owned(),
            platform: "weibo".to_owned(),
            name: key.to_owned(),
            sponsor: String::new(),
            region: "339900".parse().unwrap(),
            category: None,
            activity,
            last_post_at: None,
            last_observation_at: None,
            silence_deadline_at: None,
            coverage: 0.0,
            followers: None,
            scores: Vec::new(),
        }
    }

    #[test]
    fn a_handle_is_doubted_only_where_the_platform_answered() {
        let check = |activity: Activity, visited: bool, gone: bool| {
            let facts = facts(&[], Vec::new(), &[standing("A", activity)]);
            assert_eq!(facts.visited.contains("A"), visited, "{activity:?}");
            assert_eq!(facts.gone.contains("A"), gone, "{activity:?}");
        };
        check(Activity::Gone, true, true);
        check(Activity::Active, true, false);
        check(Activity::Undetermined(Reason::NotCovered), true, false);
        check(Activity::Undetermined(Reason::NeverVisited), false, false);
        check(Activity::Undetermined(Reason::Blocked), false, false);
        check(Activity::Undetermined(Reason::Unreachable), false, false);
        check(Activity::Undetermined(Reason::Drifted), false, false);
    }

    #[test]
    fn an_observed_page_resolves_its_handle_even_without_a_profile() {
        let mut observed = standing("A", Activity::Dormant);
        observed.last_observation_at = Some(chrono::DateTime::UNIX_EPOCH);
        let unknown = Profile {
            account: AccountId(7),
            handle: None,
            name: Some("甲".to_owned()),
            verified_as: None,
            followers: None,
            posts_total: None,
        };
        let facts = facts(&[], vec![unknown], &[observed, standing("B", Activity::Gone)]);
        assert_eq!(facts.resolved, BTreeSet::from(["A".to_owned()]));
        assert!(facts.page_names.is_empty());
    }
}
