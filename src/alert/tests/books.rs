use std::collections::BTreeMap;

use crate::alert::{Books, Check, Rule, Verdict};
use crate::domain::{Account, AccountId, LedgerEntry, Lifecycle, Severity};

pub(super) fn account(id: i64, change: impl FnOnce(&mut LedgerEntry)) -> Account {
    let mut entry = LedgerEntry {
        key: format!("A-{id}"),
        platform: "weibo".into(),
        handle: id.to_string(),
        name: format!("平安{id}"),
        url: None,
        sponsor: format!("单位{id}"),
        sponsor_code: None,
        supervisor: None,
        region: "339901".parse().unwrap(),
        level: None,
        category: None,
        role: None,
        lifecycle: Lifecycle::Running,
        filed_on: "2020-01-01".parse().ok(),
        opened_on: None,
        closed_on: None,
        population: None,
        exemption: None,
        exempt_until: None,
        officer: None,
        notify: None,
        operator: None,
        contract_until: None,
        site_id: None,
        notes: BTreeMap::new(),
    };
    change(&mut entry);
    Account { id: AccountId(id), entry }
}

pub(super) fn rule(check: Check) -> Rule {
    Rule {
        id: "rule".into(),
        title: "规则".into(),
        clause: "条文".into(),
        source: "来源".into(),
        severity: Severity::Minor,
        advice: "建议".into(),
        check,
        deadline_days: 7,
        needs_approval: false,
        lifecycles: Vec::new(),
        categories: Vec::new(),
    }
}

fn check(kind: Check, accounts: &[Account], statements: &[&str]) {
    let mut books = Books::default();
    for account in accounts {
        books.enter(&account.entry);
    }
    let found = books.judge(&rule(kind)).into_iter().map(|one| match one.verdict {
        Verdict::Holds(holding) => holding.statement,
        other => panic!("{other:?}"),
    });
    assert_eq!(found.collect::<Vec<_>>(), statements);
}

#[test]
fn two_running_accounts_of_a_sponsor_on_a_platform_are_named_with_both_keys() {
    let of = |sponsor: &'static str| move |entry: &mut LedgerEntry| entry.sponsor = sponsor.into();
    let two = [account(1, of("甲")), account(2, of("甲")), account(3, of("乙"))];
    check(Check::DuplicateAccount, &two, &["在平台 weibo 上同时运行 2 个账号:A-1、A-2。"]);
    let paused = account(2, |entry| {
        entry.sponsor = "甲".into();
        entry.lifecycle = Lifecycle::Paused;
    });
    check(Check::DuplicateAccount, &[two[0].clone(), paused], &[]);
    let elsewhere = account(2, |entry| {
        entry.sponsor = "甲".into();
        entry.platform = "douyin".into();
    });
    check(Check::DuplicateAccount, &[two[0].clone(), elsewhere], &[]);
}

#[test]
fn a_county_has_exactly_one_main_account_and_a_city_need_not() {
    let main = |entry: &mut LedgerEntry| entry.role = Some("主账号".into());
    check(Check::MainAccount, &[account(1, |_| {})], &["县级区划 339901 没有运行中的主账号。"]);
    check(Check::MainAccount, &[account(1, main), account(2, |_| {})], &[]);
    check(
        Check::MainAccount,
        &[account(1, main), account(2, main)],
        &["县级区划 339901 有 2 个主账号:A-1、A-2。"],
    );
    let of_city = account(1, |entry| entry.region = "339900".parse().unwrap());
    check(Check::MainAccount, &[of_city], &[]);
}
