//! A bulletin in words: the parts that circulars of the field have, in their order.

use chrono::{DateTime, Utc};

use crate::domain::SHANGHAI;

use super::bulletin::{Bulletin, Class, Group, PlatformCount};
use super::check::{Examined, Issue, ItemKind, Judged, Kind, Wording};
use super::document::{Block, Cell, Document, Table, chinese_day, ordinal};
use super::lists::{called, failed, next_steps, recheck, undetermined};
use super::ratio::percent;

impl Kind {
    pub(super) fn title(self) -> &'static str {
        match self {
            Self::Site => "政府网站",
            Self::Account => "政务新媒体",
        }
    }
}

/// The bulletin of a check.
pub fn bulletin_document(bulletin: &Bulletin<'_>, wording: &Wording) -> Document {
    let check = bulletin.check;
    let subject = match bulletin.groups.as_slice() {
        [one] => one.kind.title(),
        _ => "政府网站和政务新媒体",
    };
    let names = check.issue.is_some();
    let listed = |list: fn(&Group<'_>, bool) -> Vec<Block>| -> Vec<Block> {
        bulletin.groups.iter().flat_map(|group| list(group, names)).collect()
    };
    // Who could not be judged has a part of its own: a list of the failed is read as an accusation.
    let parts = [
        ("总体情况", overall(bulletin, wording)),
        ("存在的主要问题", problems(bulletin)),
        ("不合格名单", listed(failed)),
        ("按规定点名通报的其他账号", listed(called)),
        ("未能判定的账号（不属于不合格）", listed(undetermined)),
        ("上期问题整改复查情况", recheck(bulletin.recheck.as_ref())),
        ("下一步工作", next_steps(bulletin, wording)),
    ];
    let parts = parts.into_iter().filter(|(_, blocks)| !blocks.is_empty());
    let parts = parts.enumerate().flat_map(|(place, (title, blocks))| {
        std::iter::once(heading(place + 1, title)).chain(blocks)
    });
    let blocks = parts.collect();
    let standing = match &check.issue {
        None => "（草稿，不点名）".to_owned(),
        Some(issue) if issue.number == 1 => String::new(),
        Some(issue) => format!("（第{}号，更正）", issue.number),
    };
    Document {
        title: format!("关于{}{subject}检查情况的通报{standing}", check.period),
        addressee: Some("各有关单位".to_owned()),
        blocks,
        issuer: wording.issuer.clone(),
        date: wording.date,
        notes: notes(bulletin),
    }
}

fn heading(number: usize, title: &str) -> Block {
    Block::Heading(format!("{}、{title}", ordinal(number)))
}

pub(super) fn minute(at: DateTime<Utc>) -> String {
    let local = at.with_timezone(&SHANGHAI);
    format!("{}{}", chinese_day(local.date_naive()), local.format("%H:%M"))
}

fn overall(bulletin: &Bulletin<'_>, wording: &Wording) -> Vec<Block> {
    let check = bulletin.check;
    let mut blocks = Vec::new();
    if let Some(Issue { number: 2.., reason }) = &check.issue {
        blocks.push(Block::Paragraph(format!("本期通报对此前通报作出更正，更正事由：{reason}。")));
    }
    let (running, examined) = (check.running, bulletin.examined());
    let share = percent(examined, running, wording.decimals);
    let how = match &check.sample {
        None => format!("普查，检查 {examined} 个，占 {share}"),
        Some(note) if note.is_empty() => format!("抽查 {examined} 个，抽查比例 {share}"),
        Some(note) => format!("抽查 {examined} 个，抽查比例 {share}（抽样依据：{note}）"),
    };
    let cutoff = minute(check.cutoff);
    blocks.push(Block::Paragraph(format!(
        "监测时间点为{cutoff}（北京时间）。{}台账在运行的共 {running} 个，本次{how}。",
        check.period
    )));
    for group in &bulletin.groups {
        blocks.push(Block::Paragraph(counted(group, wording.decimals)));
        blocks.push(Block::Table(platforms(group, wording.decimals)));
    }
    if check.without_verdict > 0 {
        blocks.push(Block::Paragraph(format!(
            "另有 {} 个账号所依方案不作合格判定，不计入本通报。",
            check.without_verdict
        )));
    }
    if check.not_judged > 0 {
        blocks.push(Block::Paragraph(format!(
            "另有 {} 个账号已关停、注销或处于方案不作评价的状态，不计入检查数。",
            check.not_judged
        )));
    }
    if check.sample.is_some() {
        let caution = "以上合格率为抽查所得，不代表全部账号的合格率。";
        blocks.push(Block::Paragraph(caution.to_owned()));
    }
    blocks
}

fn counted(group: &Group<'_>, decimals: u32) -> String {
    let total = &group.total;
    let parts: Vec<String> =
        group.platforms.iter().map(|one| format!("{} {} 个", one.platform, one.examined)).collect();
    let (title, examined) = (group.kind.title(), total.examined);
    let rate = percent(total.passed, total.judged(), decimals);
    let mut text = format!("检查{title} {examined} 个，其中{}。", parts.join("、"));
    match (total.undetermined, total.judged()) {
        (_, 0) => text += "全部未能判定，不计合格率。",
        (0, _) => text += &format!("不合格 {} 个，合格率 {rate}。", total.failed),
        (open, judged) => {
            text += &format!(
                "未能判定 {open} 个，不计入合格与不合格；在完成判定的 {judged} 个中，不合格 {} 个，\
                 合格率 {rate}。",
                total.failed
            );
        }
    }
    text
}

fn platforms(group: &Group<'_>, decimals: u32) -> Table {
    let row = |one: &PlatformCount| {
        let rate = percent(one.passed, one.judged(), decimals);
        vec![
            Cell::Text(one.platform.clone()),
            Cell::Number(one.examined),
            Cell::Number(one.passed),
            Cell::Number(one.failed),
            Cell::Number(one.undetermined),
            match one.judged() {
                0 => Cell::Unknown,
                judged => Cell::Share(rate, one.passed, judged),
            },
        ]
    };
    Table {
        title: format!("{}检查情况", group.kind.title()),
        columns: Table::columns(&[
            ("平台", 14),
            ("检查数", 8),
            ("合格", 8),
            ("不合格", 8),
            ("未能判定", 10),
            ("合格率", 10),
        ]),
        rows: group.platforms.iter().chain([&group.total]).map(row).collect(),
    }
}

fn problems(bulletin: &Bulletin<'_>) -> Vec<Block> {
    let mut blocks = Vec::new();
    let parts = [
        (ItemKind::Veto, "单项否决问题"),
        (ItemKind::Score, "评分未达合格线"),
        (ItemKind::Deduction, "扣分问题"),
        (ItemKind::Called, "按规定应予通报的问题"),
    ];
    let names = bulletin.check.issue.is_some();
    let mut number = 0;
    for (kind, title) in parts {
        let of_kind = |group: &Group<'_>| -> Vec<String> {
            let classes = group.classes.iter().filter(|class| class.item.kind == kind);
            classes.map(|class| paragraph(group.kind, class, names)).collect()
        };
        let paragraphs: Vec<String> = bulletin.groups.iter().flat_map(of_kind).collect();
        if !paragraphs.is_empty() {
            number += 1;
            blocks.push(Block::Subheading(format!("（{}）{title}", ordinal(number))));
            blocks.extend(paragraphs.into_iter().map(Block::Paragraph));
        }
    }
    if blocks.is_empty() {
        blocks.push(Block::Paragraph("本次检查未发现问题。".to_owned()));
    }
    blocks
}

/// One class: its name, its number, and who of them is named, each with its platform. A draft names
/// nobody; who passed all the same, or is withheld, is counted only.
fn paragraph(kind: Kind, class: &Class<'_>, names: bool) -> String {
    let mut text = format!("{}：{}{} 个", class.item.title, kind.title(), class.accounts.len());
    if names {
        let of_this = |one: &&&Examined| {
            one.is_to_be_named()
                && (one.judged == Judged::Failed || class.item.kind == ItemKind::Called)
        };
        let to_name = class.accounts.iter().filter(of_this);
        let named: Vec<String> =
            to_name.map(|one| format!("“{}”（{}）", one.name, one.platform)).collect();
        let others = class.accounts.len() - named.len();
        if !named.is_empty() {
            text += &format!("，为{}", named.join("、"));
            if others > 0 {
                text += &format!("；另外 {others} 个不点名");
            }
        }
    }
    text + "。"
}

fn notes(bulletin: &Bulletin<'_>) -> Vec<String> {
    let origin = &bulletin.check.origin;
    let mut notes =
        vec![format!("考核定格 {} 第 {} 版，{}", origin.assessment, origin.version, origin.digest)];
    for (title, version, digest) in &origin.schemes {
        notes.push(format!("评价依据：{title}（{version}），{digest}"));
    }
    match &origin.chain {
        Some((day, value)) => notes.push(format!("证据链截至 {day}：{value}")),
        None => notes.push("证据链尚未封存".to_owned()),
    }
    notes
}
