//! What ails the platforms or the daemon, so that nobody takes what cannot be seen for silence.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use maud::{Markup, html};

use crate::metrics::Ailments;

use super::words::{length, minute};

/// The daemon's own account comes through every stage every few minutes; after half an hour
/// something is broken, as the alert `XunjianHeartbeatMissing` has it.
const HEARTBEAT_AGE_MAX: TimeDelta = TimeDelta::minutes(30);

/// As the alert `XunjianScheduleLag`.
const LAG_SECONDS_MAX: f64 = 86_400.0;

/// As the alert `XunjianDataDirFilling`.
const FREE_BYTES_MIN: f64 = 5e9;

/// What an office has to know before it reads on, sentence by sentence.
pub(super) fn sentences(
    ailments: &Ailments,
    titles: &BTreeMap<String, String>,
    now: DateTime<Utc>,
) -> Vec<String> {
    let names = |ids: &[String]| {
        let names = ids.iter().map(|id| titles.get(id).unwrap_or(id).as_str());
        names.collect::<Vec<_>>().join("、")
    };
    let mut told = Vec::new();
    if !ailments.unread.is_empty() {
        let names = names(&ailments.unread);
        told.push(format!("{names}：目前读取不到。期间没有看到的内容不作为停更的依据。"));
    }
    if !ailments.frozen.is_empty() {
        let names = names(&ailments.frozen);
        told.push(format!("{names}：常更账号或页面读取异常，暂停作出停更判定。"));
    }
    if let Some(at) = ailments.heartbeat_at.filter(|at| now - *at > HEARTBEAT_AGE_MAX) {
        let (at, age) = (minute(at), length(now - at));
        told.push(format!(
            "自检已中断 {age}（上次完成于 {at}），其间的判定暂不可采信，请联系运维。"
        ));
    }
    let late = |lag: &&(String, f64)| lag.1 > LAG_SECONDS_MAX;
    let late: Vec<String> =
        ailments.lags.iter().filter(late).map(|(platform, _)| platform.clone()).collect();
    if !late.is_empty() {
        told.push(format!("{}：访问落后一天以上，覆盖率会下降。", names(&late)));
    }
    if ailments.free_bytes.is_some_and(|bytes| bytes < FREE_BYTES_MIN) {
        told.push("数据目录所在磁盘空间不足，请联系运维。".to_owned());
    }
    if ailments.evidence_errors > 0 {
        let errors = ailments.evidence_errors;
        told.push(format!("自启动以来有 {errors} 次证据未能写入，请联系运维。"));
    }
    told
}

/// The same as a banner; nothing where nothing ails.
pub(super) fn banner(sentences: &[String]) -> Markup {
    html! {
        @if !sentences.is_empty() {
            section.trouble aria-labelledby="trouble" {
                h2 #trouble { span aria-hidden="true" { "⚠ " } "运行提示" }
                ul { @for one in sentences { li { (one) } } }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(change: impl FnOnce(&mut Ailments), words: &[&str]) {
        let now: DateTime<Utc> = "2026-11-22T04:00:00Z".parse().unwrap();
        let mut ailments = Ailments::default();
        change(&mut ailments);
        let titles = BTreeMap::from([("weibo".to_owned(), "微博".to_owned())]);
        let told = sentences(&ailments, &titles, now);
        assert_eq!(told.len(), words.len(), "{told:?}");
        for (told, words) in told.iter().zip(words) {
            assert!(told.contains(words), "{told} does not say {words}");
        }
        assert_eq!(banner(&told).into_string().is_empty(), words.is_empty());
    }

    #[test]
    fn limits_are_those_of_the_alerts() {
        let rules = include_str!("../../../deploy/prometheus/rules/daemon.yml");
        let heartbeat = HEARTBEAT_AGE_MAX.num_seconds();
        for expected in [
            format!("xunjian_heartbeat_timestamp_seconds) > {heartbeat})"),
            format!("(xunjian_schedule_lag_seconds) > {LAG_SECONDS_MAX}\n"),
            format!("xunjian_data_dir_free_bytes < {FREE_BYTES_MIN:e}\n"),
        ] {
            assert!(rules.contains(&expected), "no rule says {expected}");
        }
    }

    #[test]
    fn what_ails_is_told_and_nothing_else() {
        check(|_| {}, &[]);
        check(
            |one| one.unread = vec!["weibo".into(), "feed".into()],
            &["微博、feed：目前读取不到"],
        );
        check(|one| one.frozen = vec!["weibo".into()], &["微博：常更账号"]);
        check(|one| one.heartbeat_at = "2026-11-22T03:31:00Z".parse().ok(), &[]);
        check(|one| one.heartbeat_at = "2026-11-22T03:00:00Z".parse().ok(), &["中断 1 小时"]);
        check(|one| one.lags = vec![("weibo".into(), 86_400.0)], &[]);
        check(|one| one.lags = vec![("weibo".into(), 86_401.0)], &["落后一天以上"]);
        check(|one| one.free_bytes = Some(4.9e9), &["磁盘"]);
        check(|one| one.evidence_errors = 2, &["2 次证据"]);
    }
}
