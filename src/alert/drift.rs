//! Checks of how the account's own face changed under observation.

use serde_json::json;

use crate::domain::EvidenceRef;

use super::evaluate::{Holding, Verdict, doubt, shown};
use super::facts::{AccountFacts, ShownIdentity};
use super::posts::since;

/// Changes of name, certification or handle; a handle that came to show another name and another
/// certification at once may have passed to somebody else. A change of the name alone is settled
/// once the ledger has the name that the page shows now; no other change is settled by the books.
pub(super) fn drift(within_days: u32, facts: &AccountFacts) -> Verdict {
    let identities = &facts.identities;
    if identities.is_empty() {
        return doubt("尚未见过账号自身的页面");
    }
    let from = since(within_days, facts);
    let mut changes: Vec<Change<'_>> = identities
        .windows(2)
        .filter(|pair| pair[0].page == pair[1].page && pair[1].since >= from)
        .map(|pair| Change { to: &pair[1], differences: differences(&pair[0], &pair[1]) })
        .filter(|change| !change.differences.is_empty())
        .collect();
    if changes.is_empty() {
        return Verdict::Quiet;
    }
    let entry = &facts.account.entry;
    let is_registered = |page: &str| {
        let shown = identities.iter().rfind(|one| one.page == page);
        shown.is_some_and(|one| one.name.as_ref() == Some(&entry.name))
    };
    changes.retain(|change| !(change.is_of_name_alone() && is_registered(&change.to.page)));
    changes.sort_by_key(|change| (change.to.since, &change.to.page));
    let of_more = |pair: &[ShownIdentity]| {
        pair[0].page == pair[1].page
            && differences(&pair[0], &pair[1]).iter().any(|one| one.what != "name")
    };
    let Some(newest) = changes.last() else {
        // A rename that is registered ends no finding of a change that has grown old meanwhile.
        if identities.windows(2).any(of_more) {
            return Verdict::Quiet;
        }
        return Verdict::Refuted {
            proof: "台账名称已随账号更名登记".to_owned(), at: None
        };
    };
    let told: Vec<String> = changes.iter().map(Change::words).collect();
    let is_taken_over = changes.iter().any(Change::is_taken_over);
    Verdict::Holds(Holding {
        occasion: newest.to.since.to_rfc3339(),
        statement: format!("{}。", told.join("；")),
        window: Some((from, facts.cutoff)),
        inputs: json!({
            "since": newest.to.since,
            "changes": changes.iter().map(Change::json).collect::<Vec<_>>(),
            "taken_over": is_taken_over,
        }),
        evidence: vec![EvidenceRef::Ledger { key: entry.key.clone() }],
        needs_approval: is_taken_over,
    })
}

/// How a page came to show an account otherwise.
struct Change<'a> {
    to: &'a ShownIdentity,
    differences: Vec<Difference<'a>>,
}

impl Change<'_> {
    fn is_of_name_alone(&self) -> bool {
        self.differences.iter().all(|one| one.what == "name")
    }

    fn is_taken_over(&self) -> bool {
        self.differences.iter().filter(|one| one.what != "handle").count() == 2
    }

    fn words(&self) -> String {
        let words: Vec<String> = self
            .differences
            .iter()
            .map(|one| format!("{}由“{}”变为“{}”", one.title, one.before, one.after))
            .collect();
        let ending = if self.is_taken_over() {
            ",名称与认证同时改变,疑似账号易主"
        } else {
            ""
        };
        format!("{} 起{}{ending}", shown(self.to.since), words.join(","))
    }

    fn json(&self) -> serde_json::Value {
        let of_one = |one: &Difference<'_>| {
            let Difference { what, before, after, .. } = one;
            json!({ "what": what, "before": before, "after": after })
        };
        json!({
            "page": self.to.page,
            "since": self.to.since,
            "differences": self.differences.iter().map(of_one).collect::<Vec<_>>(),
        })
    }
}

struct Difference<'a> {
    what: &'static str,
    title: &'static str,
    before: &'a str,
    after: &'a str,
}

/// What a page does not carry is no change.
fn differences<'a>(before: &'a ShownIdentity, after: &'a ShownIdentity) -> Vec<Difference<'a>> {
    let pairs = [
        ("name", "名称", &before.name, &after.name),
        ("verified_as", "认证", &before.verified_as, &after.verified_as),
        ("handle", "平台账号", &before.handle, &after.handle),
    ];
    let differing = pairs.into_iter().filter_map(|(what, title, before, after)| {
        let (before, after) = (before.as_deref()?, after.as_deref()?);
        (before != after).then_some(Difference { what, title, before, after })
    });
    differing.collect()
}
