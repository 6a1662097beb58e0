//! The lists of a bulletin: who failed, who could not be judged, who was looked at again.

use crate::domain::shanghai_date;

use super::bulletin::{Bulletin, Group, Recheck, RecheckState};
use super::check::{Earlier, Examined, Item, ItemKind, Wording};
use super::document::{Block, Cell, Table, chinese_day};

pub(super) fn items(items: &[Item]) -> Cell {
    let titles: Vec<&str> = items.iter().map(|item| item.title.as_str()).collect();
    Cell::Text(titles.join("；"))
}

/// The failed accounts; a draft tells how many, and names none.
pub(super) fn failed(group: &Group<'_>, names: bool) -> Vec<Block> {
    let title = group.kind.title();
    let named: Vec<&&Examined> = group.failed.iter().filter(|one| one.is_to_be_named()).collect();
    let (all, withheld) = (group.failed.len(), group.failed.len() - named.len());
    let told = match (all, withheld, names) {
        (0, ..) => Some(format!("本期没有不合格的{title}。")),
        (_, 0, true) => None,
        (_, 0, false) => Some(format!("不合格{title}共 {all} 个，名单经复核后在印发时列出。")),
        (_, _, true) => Some(format!(
            "不合格{title}共 {all} 个，其中 {withheld} 个因豁免、已作说明或经复核不予点名，不列入名单。"
        )),
        (_, _, false) => Some(format!(
            "不合格{title}共 {all} 个，其中 {withheld} 个不列入名单；名单经复核后在印发时列出。"
        )),
    };
    let mut blocks: Vec<Block> = told.map(Block::Paragraph).into_iter().collect();
    if !names {
        return blocks;
    }
    if named.is_empty() {
        return blocks;
    }
    let named = named.into_iter().copied();
    let title = (format!("{title}不合格名单"), "不合格项");
    blocks.push(Block::Table(named_accounts(title, |one| items(&one.items), named)));
    blocks
}

/// Who did not fail and is named by the rules all the same; a draft tells how many.
pub(super) fn called(group: &Group<'_>, names: bool) -> Vec<Block> {
    let title = group.kind.title();
    let named: Vec<&Examined> =
        group.called.iter().copied().filter(|one| one.is_to_be_named()).collect();
    let (all, withheld) = (group.called.len(), group.called.len() - named.len());
    let mut told = match all {
        0 => return Vec::new(),
        _ => format!("另有{title} {all} 个未列入不合格，按规定应予通报"),
    };
    if withheld > 0 {
        told += &format!("，其中 {withheld} 个因豁免、已作说明或经复核不予点名，不列入名单");
    }
    if !names {
        told += "；名单经复核后在印发时列出";
    }
    let mut blocks = vec![Block::Paragraph(told + "。")];
    if names && !named.is_empty() {
        let of_rules = |one: &Examined| {
            let called = one.items.iter().filter(|item| item.kind == ItemKind::Called);
            items(&called.cloned().collect::<Vec<_>>())
        };
        let title = (format!("{title}应予通报名单"), "通报事由");
        blocks.push(Block::Table(named_accounts(title, of_rules, named.into_iter())));
    }
    blocks
}

fn named_accounts<'a>(
    (title, reason): (String, &'static str),
    reasons: impl Fn(&Examined) -> Cell,
    accounts: impl Iterator<Item = &'a Examined>,
) -> Table {
    let row = |one: &Examined| {
        vec![
            Cell::Text(one.name.clone()),
            Cell::Text(one.platform.clone()),
            Cell::Text(one.sponsor.clone()),
            one.supervisor.clone().map_or(Cell::Unknown, Cell::Text),
            reasons(one),
            one.last_post_at.map_or(Cell::Unknown, |at| Cell::Day(shanghai_date(at))),
        ]
    };
    Table {
        title,
        columns: Table::columns(&[
            ("账号名称", 20),
            ("平台", 10),
            ("主办单位", 20),
            ("主管单位", 18),
            (reason, 20),
            ("最后更新", 12),
        ]),
        rows: accounts.map(row).collect(),
    }
}

/// Who could not be judged, with the reasons; a draft tells how many.
pub(super) fn undetermined(group: &Group<'_>, names: bool) -> Vec<Block> {
    if group.undetermined.is_empty() {
        return Vec::new();
    }
    let (title, count) = (group.kind.title(), group.undetermined.len());
    let told = Block::Paragraph(format!(
        "{title}中有 {count} 个因观察不足未能判定，不属于不合格，将补充核查。"
    ));
    if !names {
        return vec![told];
    }
    let row = |(one, why): &(&Examined, &str)| {
        vec![
            Cell::Text(one.name.clone()),
            Cell::Text(one.platform.clone()),
            Cell::Text(one.sponsor.clone()),
            Cell::Text((*why).to_owned()),
        ]
    };
    vec![
        told,
        Block::Table(Table {
            title: format!("{title}未能判定"),
            columns: Table::columns(&[
                ("账号名称", 20),
                ("平台", 10),
                ("主办单位", 20),
                ("原因", 36),
            ]),
            rows: group.undetermined.iter().map(row).collect(),
        }),
    ]
}

pub(super) fn recheck(recheck: Option<&Recheck<'_>>) -> Vec<Block> {
    let Some(recheck) = recheck else {
        return vec![Block::Paragraph("上期没有定格的检查结果，本期不作复查。".to_owned())];
    };
    let before = recheck.before;
    let (period, all) = (&before.period, before.accounts.len());
    let listed = if before.is_published { "通报的" } else { "检查发现的" };
    if all == 0 {
        return vec![Block::Paragraph(format!("{period}没有{listed}不合格账号。"))];
    }
    let states = [
        RecheckState::Rectified,
        RecheckState::NotRectified,
        RecheckState::Closed,
        RecheckState::Undetermined,
        RecheckState::NotExamined,
    ];
    let parts: Vec<String> = states
        .into_iter()
        .filter(|state| recheck.count(*state) > 0)
        .map(|state| format!("{} {} 个", state.title(), recheck.count(state)))
        .collect();
    // Who was named without failing is not told to have failed.
    let mut found = before.accounts.iter().flat_map(|one| &one.items);
    let accounts =
        if found.any(|item| item.kind == ItemKind::Called) { "账号" } else { "不合格账号" };
    let mut text = format!("对{period}{listed} {all} 个{accounts}进行复查：{}。", parts.join("、"));
    if !recheck.names {
        return vec![Block::Paragraph(text)];
    }
    let again: Vec<String> = before
        .accounts
        .iter()
        .filter(|one| one.is_named_again)
        .map(|one| format!("“{}”（{}）", one.name, one.platform))
        .collect();
    if !again.is_empty() {
        text += &format!("对仍未整改的{}再次通报。", again.join("、"));
    }
    // Who is not rectified and withheld this time is counted, and not named a second time.
    let shown = |one: &&Earlier| one.now != RecheckState::NotRectified || one.is_named_again;
    let row = |one: &Earlier| {
        vec![
            Cell::Text(one.name.clone()),
            Cell::Text(one.platform.clone()),
            Cell::Text(one.sponsor.clone()),
            items(&one.items),
            Cell::Text(one.now.title().to_owned()),
        ]
    };
    let table = Table {
        title: "上期问题复查".to_owned(),
        columns: Table::columns(&[
            ("账号名称", 20),
            ("平台", 10),
            ("主办单位", 20),
            ("上期问题", 24),
            ("复查结果", 12),
        ]),
        rows: before.accounts.iter().filter(shown).map(row).collect(),
    };
    vec![Block::Paragraph(text), Block::Table(table)]
}

pub(super) fn next_steps(bulletin: &Bulletin<'_>, wording: &Wording) -> Vec<Block> {
    let due = chinese_day(wording.due);
    let mut steps = Vec::new();
    let any_failed = bulletin.groups.iter().any(|group| !group.failed.is_empty());
    let any_called = bulletin.groups.iter().any(|group| !group.called.is_empty());
    if any_failed || any_called {
        let whose = match (any_failed, any_called) {
            (true, true) => "不合格账号和按规定通报账号",
            (true, false) => "不合格账号",
            (false, _) => "按规定通报账号",
        };
        steps.push(format!(
            "请{whose}的主办单位对照问题立即整改，于{due}前完成，并将整改情况报主管单位和{}。",
            wording.issuer
        ));
    }
    if any_failed {
        steps.push("对已无力维护的账号，按规定履行关停注销程序，并提前公告。".to_owned());
    }
    if bulletin.groups.iter().any(|group| !group.undetermined.is_empty()) {
        steps.push("请未能判定账号的主办单位配合提供后台数据或可公开访问的页面。".to_owned());
    }
    steps.push(
        "下期将对本期问题的整改情况进行复查；对检查结果有异议的，可凭证据申请复核。".to_owned(),
    );
    steps.into_iter().map(Block::Paragraph).collect()
}
