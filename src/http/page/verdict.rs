//! What a verdict rests on, in the words of an office.

use chrono::DateTime;
use maud::{Markup, html};

use crate::domain::{Activity, Standing};
use crate::observe::{Judgement, Line, Policy, Threshold, Window};

use super::words::{self, activity, activity_title, count, minute, share, when, when_known};

/// The threshold beyond which an account has this activity.
fn threshold_of(activity: Activity, policy: &Policy) -> Option<Threshold> {
    match activity {
        Activity::Watch | Activity::Active => Some(policy.watch),
        Activity::Dormant | Activity::Empty => Some(policy.dormant),
        Activity::Zombie => Some(policy.zombie),
        Activity::Gone | Activity::Undetermined(_) => None,
    }
}

/// The stretch of time that the verdict speaks of, where it speaks of one.
pub(super) fn window_of(judged: &Judgement, policy: &Policy) -> Option<Window> {
    threshold_of(judged.activity, policy).map(|threshold| threshold.window(judged.cutoff))
}

/// The verdict as a sentence.
fn sentence(judged: &Judgement, policy: &Policy) -> String {
    let limit = threshold_of(judged.activity, policy).map(words::threshold).unwrap_or_default();
    let seen = judged.confirmations.len();
    let at = minute(judged.cutoff);
    match judged.activity {
        Activity::Active => format!("证实在关注期限内有更新（{limit}未更新才列入关注）。"),
        Activity::Watch | Activity::Dormant | Activity::Zombie => {
            format!("证实截至 {at} {limit}没有更新，经 {seen} 次观察确认。")
        }
        Activity::Empty => format!("证实截至 {at} 从未发布，经 {seen} 次观察确认。"),
        Activity::Gone => format!("平台明确表示账号不存在，截至 {at} 经 {seen} 次观察确认。"),
        Activity::Undetermined(reason) => {
            format!("证据不足，不能判定：{}。既不算正常，也不算停更。", reason.title())
        }
    }
}

/// The verdict on an account, and what it rests on.
pub(super) fn verdict(standing: &Standing, judged: &Judgement, policy: &Policy) -> Markup {
    html! {
        section aria-labelledby="verdict" {
            h2 #verdict { "判定：" (activity(standing.activity)) }
            @if standing.activity.as_str() != judged.activity.as_str() {
                p.note {
                    "数据刚有变化：以下按此刻的数据计算，为“" (activity_title(judged.activity.as_str()))
                    "”，上面的状态随后更新。"
                }
            }
            p { (sentence(judged, policy)) }
            @if judged.no_canary { p.note { "这类页面没有可作对照的常更账号，以第三次确认代替，点名须经人复核。" } }
            dl {
                @if let Some(window) = window_of(judged, policy) {
                    div { dt { "判定时段" } dd { (when(window.start)) " 至 " (when(window.end)) } }
                }
                div { dt { "最近发布" } dd { (when_known(standing.last_post_at)) } }
                div { dt { "最近有效观察" } dd { (when_known(standing.last_observation_at)) } }
                @if let Some(at) = standing.silence_deadline_at {
                    div { dt { "休眠期限" } dd { (when(at)) "（到此仍无更新即满休眠期限）" } }
                }
                div { dt { "期限内已观察" } dd { (share(standing.coverage)) } }
                div { dt { "关注者" } dd { (count(standing.followers.as_ref())) } }
                @if !judged.confirmations.is_empty() {
                    div {
                        dt { "确认观察" }
                        dd { ul { @for at in &judged.confirmations { li { (when(*at)) } } } }
                    }
                }
            }
            h3 { "依据" }
            ul.because { @for line in &judged.explanation { li { (told(line)) } } }
        }
    }
}

/// One step of an explanation. Its data are times, words and numbers of ours.
pub(super) fn told(line: &Line) -> String {
    let data = line.data.as_str();
    let words: Vec<&str> = data.split(' ').collect();
    match (line.code, words.as_slice()) {
        ("last_post", _) => format!("最近一次发布在 {}。", moment(data)),
        ("posted", _) => format!("{} 的发布证明账号在更新。", moment(data)),
        ("silent_at", _) => format!("判定截至 {}。", moment(data)),
        ("confirmed", _) => format!("{} 的观察予以确认。", moment(data)),
        ("no_canary", _) => "没有对照账号，以另一日的第三次确认代替。".to_owned(),
        ("remedy", ["authorised_import"]) => "补救：由主办单位从后台导出数据导入。".to_owned(),
        ("remedy", ["person_check"]) => "补救：人工核查并录入证据。".to_owned(),
        ("remedy", ["bridge_upstream_time"]) => "补救：请数据桥提供其上游读取时间。".to_owned(),
        ("visit_failed", [at, page, reason]) => {
            format!("{} 访问 {page} 页面失败：{}。", moment(at), words::reason(Some(*reason)))
        }
        ("gone_seen", _) => format!("{} 平台称账号不存在，尚未得到确认。", moment(data)),
        ("last_listed", _) => format!("最近一次读到发布列表是 {}，已过时效。", moment(data)),
        ("canary_failed", _) => format!("{} 起同平台常更账号读取异常。", moment(data)),
        ("page_kind_drifted", _) => format!("{} 起同类页面普遍读不出内容。", moment(data)),
        ("too_young", _) => "账号在判定时段开始时是否已开通，无法证明。".to_owned(),
        ("posted_in_window", _) => format!("判定时段内有发布（{data}），停更尚待再次观察。"),
        ("may_lie_in_window", _) => format!("有一条发布（{data}）可能在判定时段内，时间不够精确。"),
        ("counter_grew", _) => format!("{} 之间平台的发布数增加，但列表里没有看到。", span(data)),
        ("part_missing", _) => format!("栏目“{data}”没有读到。"),
        ("not_covered", _) => format!("判定时段 {} 中有时间未被观察覆盖。", span(data)),
        ("newest_post_missing", _) => {
            format!("{} 的列表缺少此前的最新发布，可能是旧页面，尚待另一日的观察。", moment(data))
        }
        ("confirmed_days", [days, "of", needed, ..]) => {
            format!("需在 {needed} 个不同日期确认，目前 {days} 个。")
        }
        (code, _) => format!("{code}：{data}"),
    }
}

fn moment(text: &str) -> String {
    DateTime::parse_from_rfc3339(text).map_or_else(|_| text.to_owned(), |at| minute(at.to_utc()))
}

fn span(text: &str) -> String {
    match text.split_once('/') {
        Some((from, to)) => format!("{} 至 {}", moment(from), moment(to)),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_step_of_an_explanation_is_told_in_an_offices_words() {
        let at = "2026-11-20T16:00:00+00:00";
        let span = format!("{at}/{at}");
        let failed = format!("{at} timeline blocked");
        for (code, data, words) in [
            ("last_post", at, "2026-11-21 00:00"),
            ("posted", at, "证明账号在更新"),
            ("silent_at", at, "判定截至 2026-11-21 00:00"),
            ("confirmed", at, "予以确认"),
            ("no_canary", "a third day stands in for it", "第三次确认"),
            ("remedy", "authorised_import", "后台导出"),
            ("remedy", "person_check", "人工核查"),
            ("remedy", "bridge_upstream_time", "上游"),
            ("visit_failed", &failed, "失败：平台拦截访问"),
            ("gone_seen", at, "尚未得到确认"),
            ("last_listed", at, "已过时效"),
            ("canary_failed", at, "常更账号"),
            ("page_kind_drifted", at, "同类页面"),
            ("too_young", "", "是否已开通"),
            ("posted_in_window", "p1", "p1"),
            ("may_lie_in_window", "p1", "不够精确"),
            ("counter_grew", &span, "2026-11-21 00:00 至 2026-11-21 00:00"),
            ("part_missing", "videos", "videos"),
            ("not_covered", &span, "未被观察覆盖"),
            ("newest_post_missing", at, "可能是旧页面"),
            ("confirmed_days", "1 of 2 for all", "2 个不同日期确认，目前 1 个"),
        ] {
            let told = told(&Line { code, data: data.to_owned() });
            assert!(told.contains(words), "{code}: {told}");
            assert!(!told.contains(code) && told.ends_with('。'), "{code}: {told}");
        }
    }

    #[test]
    fn no_code_of_the_calculus_is_forgotten() {
        let sources =
            [include_str!("../../observe/judge.rs"), include_str!("../../observe/reason.rs")];
        let codes = sources.iter().flat_map(|text| text.split("Line::new(").skip(1));
        let codes = codes.filter_map(|rest| rest.trim_start().strip_prefix('"')?.split('"').next());
        let mut found = 0;
        for code in codes {
            let data = "1 of 2";
            let told = told(&Line { code: code.to_owned().leak(), data: data.to_owned() });
            let is_told = !told.starts_with(code) || matches!(code, "remedy" | "visit_failed");
            assert!(is_told, "{code} has no words");
            found += 1;
        }
        assert!(found > 12, "{found}");
    }
}
