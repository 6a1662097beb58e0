//! Rules about more than one account: the ledger itself, and matrices whose accounts copy each
//! other.

use std::collections::BTreeMap;

use anyhow::Context as _;
use chrono::{DateTime, TimeDelta, Utc};
use futures::stream::TryStreamExt;

use crate::alert::{
    Books, Check, Matrix, MatrixPost, NearDuplicateRule, Rule, RuleSet, near_duplicates,
};
use crate::domain::{Account, AccountId};
use crate::jobs::Context;
use crate::score::Period;
use crate::store::TextDigest;

use super::propose::{At, Proposal, of_account};

/// The rules about more than one account, with what they ask of the ledger: of each account no more
/// is kept than that.
pub(super) struct Ledger<'a> {
    context: &'a Context,
    /// Its accounts.
    pub(super) accounts: Vec<AccountId>,
    sets: Vec<(&'a RuleSet, Books)>,
    matrices: Vec<Matrices<'a>>,
}

/// Accounts that copy each other, where a rule asks: by region or supervisor.
struct Matrices<'a> {
    set: &'a RuleSet,
    rule: &'a Rule,
    near: &'a NearDuplicateRule,
    members: BTreeMap<String, Vec<Member>>,
}

struct Member {
    account: AccountId,
    key: String,
}

impl<'a> Ledger<'a> {
    /// The ledger as it was at that time, with its matrices or without.
    pub(super) async fn known_at(
        context: &'a Context,
        known_at: DateTime<Utc>,
        with_matrices: bool,
    ) -> anyhow::Result<Self> {
        let sets = context.rules.sets();
        let asks_the_books = |set: &&RuleSet| set.rules.iter().any(|one| one.check.is_of_books());
        let matrices = |set: &'a RuleSet| {
            set.rules.iter().filter_map(move |rule| match &rule.check {
                Check::NearDuplicate(near) => {
                    Some(Matrices { set, rule, near, members: BTreeMap::new() })
                }
                _ => None,
            })
        };
        let mut ledger = Self {
            context,
            accounts: Vec::new(),
            sets: sets.iter().filter(asks_the_books).map(|set| (set, Books::default())).collect(),
            matrices: sets.iter().filter(|_| with_matrices).flat_map(matrices).collect(),
        };
        let mut accounts = context.store.ledger_known_at(known_at);
        while let Some(account) = accounts.try_next().await.context("the ledger")? {
            ledger.enter(&account);
        }
        Ok(ledger)
    }

    fn enter(&mut self, account: &Account) {
        self.accounts.push(account.id);
        let entry = &account.entry;
        for (set, books) in &mut self.sets {
            if set.holds_for(&entry.region).is_some() {
                books.enter(entry);
            }
        }
        if !entry.lifecycle.is_judged() {
            return;
        }
        for matrices in &mut self.matrices {
            let name = match matrices.near.matrix {
                Matrix::Region => Some(entry.region.as_str()),
                Matrix::Supervisor => entry.supervisor.as_deref(),
            };
            let name = name.filter(|_| matrices.set.holds_for(&entry.region).is_some());
            if let Some(name) = name {
                let member = Member { account: account.id, key: entry.key.clone() };
                matrices.members.entry(name.to_owned()).or_default().push(member);
            }
        }
    }

    /// What the rules about the ledger say: every subject for which one holds.
    pub(super) fn of_books(&self) -> Vec<Proposal> {
        let of_set = |(set, books): &(&'a RuleSet, Books)| -> Vec<Proposal> {
            let of_rule = |rule: &Rule| {
                let found = books.judge(rule).into_iter().map(|one| Proposal {
                    rule: rule.id.clone(),
                    subject: one.subject,
                    key: None,
                    verdict: one.verdict,
                });
                found.collect::<Vec<_>>()
            };
            set.rules.iter().flat_map(of_rule).collect()
        };
        self.sets.iter().flat_map(of_set).collect()
    }

    /// What the rules about copied content say, matrix by matrix.
    pub(super) async fn of_matrices(&self, at: At) -> anyhow::Result<Vec<Proposal>> {
        let mut proposals = Vec::new();
        for Matrices { rule, near, members, .. } in &self.matrices {
            for matrix in members.values().filter(|matrix| matrix.len() > 1) {
                proposals.extend(of_matrix(self.context, at, rule, near, matrix).await?);
            }
        }
        Ok(proposals)
    }
}

async fn of_matrix(
    context: &Context,
    at: At,
    rule: &Rule,
    near: &NearDuplicateRule,
    matrix: &[Member],
) -> anyhow::Result<Vec<Proposal>> {
    let ids: Vec<AccountId> = matrix.iter().map(|one| one.account).collect();
    let window = (at.cutoff - TimeDelta::days(i64::from(near.within_days)), at.cutoff);
    let texts = context.store.text_digests(&ids, window, at.known_at).await?;
    let keys: BTreeMap<AccountId, &str> =
        matrix.iter().map(|one| (one.account, one.key.as_str())).collect();
    let posts: Vec<MatrixPost> = texts.iter().filter_map(|text| post(text, &keys)).collect();
    // A dismissed copying is not raised again in the same month.
    let period = Period::month_of(at.cutoff).to_string();
    let found = near_duplicates(&posts, near.distance_max);
    let proposals = found.into_iter().filter_map(|(account, copies)| {
        let key = *keys.get(&account)?;
        Some(of_account(rule, account, key, copies.judge(near, key, window, &period)))
    });
    Ok(proposals.collect())
}

fn post(text: &TextDigest, keys: &BTreeMap<AccountId, &str>) -> Option<MatrixPost> {
    Some(MatrixPost {
        account: text.account,
        key: (*keys.get(&text.account)?).to_owned(),
        reference: text.reference.clone(),
        at: text.at,
        simhash: u64::from_str_radix(&text.simhash, 16).ok()?,
        is_repost: text.is_repost,
    })
}
