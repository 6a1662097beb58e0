use std::fmt::Write;

use chrono::{Datelike, NaiveDate};

/// One finding in a letter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LetterItem {
    /// Name, Chinese platform name and 账号编号 of the account; a sponsor's finding has none.
    pub account: Option<(String, String, String)>,
    /// The rule's title.
    pub title: String,
    /// What was found.
    pub statement: String,
    /// The rule's words.
    pub clause: String,
    /// Where they come from.
    pub source: String,
    /// What the sponsor is advised to do.
    pub advice: String,
    /// 责任人.
    pub officer: Option<String>,
    /// The last day of its time.
    pub deadline: NaiveDate,
    /// Which notice of this finding it is, from 1.
    pub stage: i32,
}

/// A letter ready to be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    /// The same for every attempt.
    pub key: String,
    /// The day in Asia/Shanghai.
    pub day: NaiveDate,
    /// 主题.
    pub subject: String,
    /// 正文.
    pub body: String,
}

fn day_in_words(day: NaiveDate) -> String {
    format!("{}年{}月{}日", day.year(), day.month(), day.day())
}

/// Writes the letter to a sponsor: all its findings of a day together.
pub fn write_letter(
    key: &str,
    sponsor: &str,
    day: NaiveDate,
    items: &[LetterItem],
    signature: &str,
) -> Written {
    let subject = format!(
        "【巡检通知】关于{sponsor}政务新媒体有关问题的整改通知({},共 {} 项)",
        day_in_words(day),
        items.len()
    );
    let mut body = format!(
        "{sponsor}:\n\n    经监测,贵单位主办的政务新媒体存在以下 {} 项需要核实整改的问题,现通知如下。\n",
        items.len()
    );
    for (place, item) in items.iter().enumerate() {
        push_item(&mut body, place + 1, item);
    }
    let _ = write!(
        body,
        "\n    请于整改期限前完成整改,并将结果书面反馈。监测情况与实际不符或确有特殊原因的,请书面说明并\
         附佐证材料,我们将及时复核。逾期未整改且未说明的,将按有关规定处理。\n    感谢支持与配合。\n\n\
         {signature}\n{}\n\n(通知编号 {key})\n",
        day_in_words(day)
    );
    Written { key: key.to_owned(), day, subject, body }
}

fn push_item(body: &mut String, place: usize, item: &LetterItem) {
    let whom = item.account.as_ref().map_or_else(
        || "本单位".to_owned(),
        |(name, platform, key)| format!("“{name}”({platform},账号编号 {key})"),
    );
    let again = match item.stage {
        ..=1 => String::new(),
        stage => format!("(第 {stage} 次通知)"),
    };
    let _ = writeln!(body, "\n{place}. {whom}:{}{again}", item.title);
    let _ = writeln!(body, "    监测情况:{}", item.statement);
    let _ = writeln!(body, "    依据:{}({})", item.clause, item.source);
    let _ = writeln!(body, "    整改建议:{}", item.advice);
    if let Some(officer) = &item.officer {
        let _ = writeln!(body, "    责任人:{officer}");
    }
    let deadline = day_in_words(item.deadline);
    let _ = writeln!(body, "    整改期限:{deadline}24时(北京时间)前");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_letter_names_account_officer_and_deadline_politely() {
        let item = LetterItem {
            account: Some(("平安某市".into(), "微博".into(), "A-1".into())),
            title: "内容不更新(休眠)".into(),
            statement: "最近一次发布为 2026-11-01 09:00。".into(),
            clause: "监测时间点前 2 周内无更新。".into(),
            source: "国办秘函〔2019〕19号".into(),
            advice: "请立即恢复更新。".into(),
            officer: Some("张三".into()),
            deadline: "2026-12-04".parse().unwrap(),
            stage: 2,
        };
        let sponsors = LetterItem { account: None, officer: None, stage: 1, ..item.clone() };
        let day = "2026-11-27".parse().unwrap();
        let letter = write_letter("k1", "某市公安局", day, &[item, sponsors], "某市政府办公室");
        assert!(letter.subject.contains("某市公安局") && letter.subject.contains("共 2 项"));
        for part in [
            "某市公安局:\n",
            "1. “平安某市”(微博,账号编号 A-1):内容不更新(休眠)(第 2 次通知)",
            "责任人:张三",
            "整改期限:2026年12月4日24时(北京时间)前",
            "依据:监测时间点前 2 周内无更新。(国办秘函〔2019〕19号)",
            "2. 本单位:内容不更新(休眠)\n",
            "某市政府办公室\n2026年11月27日",
            "通知编号 k1",
        ] {
            assert!(letter.body.contains(part), "{part} is not in\n{}", letter.body);
        }
        assert_eq!(letter.body.matches("责任人").count(), 1);
    }
}
