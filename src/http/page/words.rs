//! What is written the same way on every page: words, times, shares.

use axum::http::StatusCode;
use chrono::{DateTime, TimeDelta, Utc};
use maud::{Markup, html};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use url::form_urlencoded;

use crate::domain::{Activity, Count, Reason, SHANGHAI, Scope, Step};
use crate::observe::{Operator, Threshold};

use super::super::query::beijing;

/// The activities in the order in which an office asks for them, with their names.
pub(in crate::http) const ACTIVITIES: [(&str, &str); 7] = [
    ("active", "正常更新"),
    ("watch", "临近超期"),
    ("dormant", "休眠"),
    ("zombie", "僵尸"),
    ("empty", "空壳"),
    ("gone", "平台已无此号"),
    ("undetermined", "未能判定"),
];

/// An activity's name.
pub(super) fn activity_title(word: &str) -> &'static str {
    ACTIVITIES.into_iter().find(|one| one.0 == word).map_or("未能判定", |one| one.1)
}

/// An activity as a sign: its shape and its name say it, its colour only repeats it.
pub(super) fn activity(activity: Activity) -> Markup {
    let word = activity.as_str();
    html! {
        span class=(format!("mark {word}")) { (activity_title(word)) }
        @if let Some(reason) = activity.reason() { " " span.reason { (reason.title()) } }
    }
}

/// A time to the minute, in Beijing.
pub(super) fn minute(at: DateTime<Utc>) -> String {
    at.with_timezone(&SHANGHAI).format("%Y-%m-%d %H:%M").to_string()
}

/// The same as an element that programs can read.
pub(super) fn when(at: DateTime<Utc>) -> Markup {
    html! { time datetime=(beijing(at)) { (minute(at)) } }
}

/// The same, or that it is not known.
pub(super) fn when_known(at: Option<DateTime<Utc>>) -> Markup {
    html! { @match at { Some(at) => (when(at)), None => span.unknown { "未知" } } }
}

/// A length of time in the two largest units that it fills.
pub(super) fn length(length: TimeDelta) -> String {
    let (days, hours, minutes) =
        (length.num_days(), length.num_hours() % 24, length.num_minutes() % 60);
    match (days, hours, minutes) {
        (0, 0, 0) => "不到 1 分钟".to_owned(),
        (0, 0, minutes) => format!("{minutes} 分钟"),
        (0, hours, 0) => format!("{hours} 小时"),
        (0, hours, minutes) => format!("{hours} 小时 {minutes} 分钟"),
        (days, 0, _) => format!("{days} 天"),
        (days, hours, _) => format!("{days} 天 {hours} 小时"),
    }
}

/// A share of the whole, rounded down: what is not whole is not called so.
pub(super) fn share(ratio: f64) -> String {
    if !ratio.is_finite() {
        return "未知".to_owned();
    }
    format!("{:.1}%", (ratio.clamp(0.0, 1.0) * 1000.0).floor() / 10.0)
}

/// A number as it is known.
pub(super) fn count(count: Option<&Count>) -> String {
    match count {
        None => "未知".to_owned(),
        Some(Count::Exact(value)) => value.to_string(),
        Some(Count::Bounded { low, high: None, .. }) => format!("至少 {low}"),
        Some(Count::Bounded { low, high: Some(high), .. }) => format!("{low} 至 {high}"),
        Some(Count::Hidden(_)) => "平台不公开".to_owned(),
    }
}

/// A threshold in words.
pub(super) fn threshold(one: Threshold) -> String {
    let word = if one.operator == Operator::MoreThan { "超过" } else { "达到" };
    format!("{word} {} {}", one.amount, one.unit.title())
}

/// The words of an office for the stored word of a reason.
pub(super) fn reason(word: Option<&str>) -> &'static str {
    word.and_then(Reason::from_word).map_or("原因未记录", Reason::title)
}

/// What a person does to a finding, as a button says it.
pub(super) fn step(step: Step) -> &'static str {
    match step {
        Step::Approve => "复核通过",
        Step::Notify => "通知",
        Step::Explain => "登记说明",
        Step::Rectify => "登记整改",
        Step::Recheck => "复查通过",
        Step::Reopen => "退回重新整改",
        Step::Close => "办结",
        Step::Dismiss => "撤销",
    }
}

/// The same by its stored word; a finding's first step is that it was raised.
pub(super) fn step_of(word: &str) -> &str {
    if word == "raise" {
        return "提出";
    }
    Step::ALL.into_iter().find(|row| row.1 == word).map_or(word, |row| step(row.0))
}

/// What a token is for.
pub(super) fn scope(scope: Scope) -> &'static str {
    match scope {
        Scope::Read => "查看",
        Scope::Sponsor => "主办单位",
        Scope::Import => "导入",
        Scope::Report => "查看、录入问题",
        Scope::Write => "查看、处理问题",
        Scope::Admin => "管理",
        Scope::Notify => "转发报警",
    }
}

/// What a status means to whoever asked for a page.
pub(super) fn refusal(status: StatusCode) -> (&'static str, &'static str) {
    match status {
        StatusCode::BAD_REQUEST => ("条件有误", "查询条件或地址写得不对，请改正后再试。"),
        StatusCode::UNAUTHORIZED => ("请先登录", "这一页需要令牌。"),
        StatusCode::FORBIDDEN => ("不能这样做", "您的令牌不允许，或此事须由另一人办理。"),
        StatusCode::NOT_FOUND => ("没有找到", "没有这一项，或它不在您的范围内。"),
        StatusCode::CONFLICT => {
            ("状态已变", "问题的状态不允许这一步，或同一表单正在处理，请刷新再看。")
        }
        StatusCode::PAYLOAD_TOO_LARGE => ("内容过长", "提交的内容超过了上限。"),
        StatusCode::UNPROCESSABLE_ENTITY => ("填写有误", "填写的内容不被接受，请改正后再试。"),
        StatusCode::TOO_MANY_REQUESTS => ("请求过多", "请稍候再试。"),
        StatusCode::SERVICE_UNAVAILABLE => ("暂时不能服务", "数据库暂时没有应答，请稍后再试。"),
        _ => ("出错了", "这一页暂时不能显示。"),
    }
}

/// The address of an account's page.
pub(super) fn account_path(key: &str) -> String {
    format!("/accounts/{}", utf8_percent_encode(key, NON_ALPHANUMERIC))
}

/// A path with those of the parameters that say something.
pub(super) fn with_query(path: &str, pairs: &[(&str, &str)]) -> String {
    let mut query = form_urlencoded::Serializer::new(String::new());
    query.extend_pairs(pairs.iter().filter(|(_, value)| !value.is_empty()));
    match query.finish() {
        query if query.is_empty() => path.to_owned(),
        query => format!("{path}?{query}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_written_as_they_are_known() {
        let bounded = |high| Count::Bounded { value: 100_001, low: 100_001, high };
        for (known, words) in [
            (None, "未知"),
            (Some(Count::Exact(0)), "0"),
            (Some(bounded(None)), "至少 100001"),
            (Some(bounded(Some(100_100))), "100001 至 100100"),
            (Some(Count::Hidden("login".into())), "平台不公开"),
        ] {
            assert_eq!(count(known.as_ref()), words);
        }
        assert_eq!(
            (share(0.9999), share(1.0), share(f64::NAN)),
            ("99.9%".into(), "100.0%".into(), "未知".into())
        );
    }

    #[test]
    fn lengths_are_told_in_their_largest_units() {
        for (minutes, words) in [
            (0, "不到 1 分钟"),
            (59, "59 分钟"),
            (120, "2 小时"),
            (90, "1 小时 30 分钟"),
            (1440 * 3, "3 天"),
            (1440 * 3 + 125, "3 天 2 小时"),
        ] {
            assert_eq!(length(TimeDelta::minutes(minutes)), words);
        }
    }

    #[test]
    fn addresses_carry_any_key_and_any_text() {
        assert_eq!(account_path("portal:https://a/"), "/accounts/portal%3Ahttps%3A%2F%2Fa%2F");
        assert_eq!(with_query("/", &[("area", ""), ("q", "a&b=\"")]), "/?q=a%26b%3D%22");
        assert_eq!(with_query("/", &[("area", "")]), "/");
    }

    #[test]
    fn every_activity_and_step_has_its_name() {
        let mut titles: Vec<&str> = ACTIVITIES.iter().map(|one| one.1).collect();
        titles.extend(Step::ALL.iter().map(|row| step_of(row.1)));
        titles.sort_unstable();
        titles.dedup();
        assert_eq!(titles.len(), ACTIVITIES.len() + Step::ALL.len());
    }
}
