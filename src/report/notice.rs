use std::collections::BTreeMap;

use crate::domain::shanghai_date;

use super::bulletin::Bulletin;
use super::check::{Examined, Judged, Wording};
use super::compose::minute;
use super::document::{Block, Cell, Document, Table, chinese_day};
use super::lists::items;

/// The letter to one sponsor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    /// 主办单位.
    pub sponsor: String,
    /// The letter.
    pub document: Document,
}

/// A letter to each sponsor of named accounts, in the order of their names; who is withheld is in
/// none, and neither is who could not be judged.
pub fn notice_documents(bulletin: &Bulletin<'_>, wording: &Wording) -> Vec<Notice> {
    let mut sponsors: BTreeMap<&str, Vec<&Examined>> = BTreeMap::new();
    for one in bulletin.groups.iter().flat_map(|group| group.failed.iter().chain(&group.called)) {
        if one.is_to_be_named() {
            sponsors.entry(&one.sponsor).or_default().push(one);
        }
    }
    let notices = sponsors.into_iter().map(|(sponsor, accounts)| Notice {
        sponsor: sponsor.to_owned(),
        document: document(bulletin, wording, sponsor, &accounts),
    });
    notices.collect()
}

fn document(
    bulletin: &Bulletin<'_>,
    wording: &Wording,
    sponsor: &str,
    accounts: &[&Examined],
) -> Document {
    let check = bulletin.check;
    let (period, count) = (&check.period, accounts.len());
    let row = |one: &&Examined| {
        vec![
            Cell::Text(one.name.clone()),
            Cell::Text(one.platform.clone()),
            items(&one.items),
            one.last_post_at.map_or(Cell::Unknown, |at| Cell::Day(shanghai_date(at))),
        ]
    };
    let table = Table {
        title: "需整改的账号".to_owned(),
        columns: Table::columns(&[("账号名称", 24), ("平台", 12), ("问题", 30), ("最后更新", 12)]),
        rows: accounts.iter().map(row).collect(),
    };
    let all_failed = accounts.iter().all(|one| one.judged == Judged::Failed);
    let found = if all_failed { "不合格" } else { "不合格或按规定应予通报" };
    let (cutoff, due) = (minute(check.cutoff), chinese_day(wording.due));
    let blocks = vec![
        Block::Paragraph(format!(
            "{period}检查中（监测时间点为{cutoff}），你单位主办的 {count} 个账号{found}，具体如下："
        )),
        Block::Table(table),
        Block::Paragraph(format!(
            "请于{due}前完成整改，并书面报送整改情况。对结果有异议的，请在期限内提交说明和证据；\
             每项结论均可依据考核定格和证据链复算、复核。"
        )),
    ];
    let origin = &check.origin;
    Document {
        title: format!("关于{period}检查发现问题的整改通知"),
        addressee: Some(sponsor.to_owned()),
        blocks,
        issuer: wording.issuer.clone(),
        date: wording.date,
        notes: vec![format!(
            "考核定格 {} 第 {} 版，{}",
            origin.assessment, origin.version, origin.digest
        )],
    }
}
