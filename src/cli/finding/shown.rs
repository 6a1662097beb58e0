//! One finding, and how findings are written as JSON.

use std::io::{self, Write};

use anyhow::bail;
use chrono::NaiveDate;
use serde_json::{Value, json};

use crate::domain::{FindingId, SHANGHAI, shanghai_date};
use crate::jobs;
use crate::jobs::findings::bar_of;
use crate::store::{FindingEvent, FindingRecord, IssuedNotice, NoticeOutcome};

/// A finding as JSON; what keeps it from being named stands in `naming_barred`.
pub(super) fn finding_json(record: &FindingRecord, today: NaiveDate) -> Value {
    let found = &record.found;
    json!({
        "id": record.id,
        "rule": found.rule,
        "title": found.rule_title,
        "severity": found.severity,
        "state": record.state,
        "state_since": record.state_since,
        "subject": found.subject,
        "key": record.key,
        "name": record.account.as_ref().map(|account| &account.0),
        "platform": record.account.as_ref().map(|account| &account.1),
        "sponsor": record.sponsor,
        "region": record.region,
        "statement": found.statement,
        "clause": found.clause,
        "source": found.source,
        "advice": found.advice,
        "window": found.window.map(|(from, to)| json!({ "from": from, "to": to })),
        "inputs": found.inputs,
        "evidence": found.evidence,
        "needs_approval": found.needs_approval,
        "deadline": record.deadline,
        "raised_by": found.raised_by,
        "raised_at": record.raised_at,
        "updated_at": record.updated_at,
        "approved_by": record.approved_by,
        "doubt": record.doubt,
        "naming_barred": bar_of(record, today).map(|bar| bar.to_string()),
    })
}

fn event_json(event: &FindingEvent) -> Value {
    json!({
        "at": event.at,
        "actor": event.actor,
        "by_job": event.by_job,
        "step": event.step,
        "from": event.from,
        "to": event.to,
        "reason": event.reason,
    })
}

fn outcome(notice: &IssuedNotice) -> Value {
    match &notice.outcome {
        NoticeOutcome::Pending(doubt) => json!({ "pending": doubt }),
        NoticeOutcome::Answered { post, at } => json!({ "answered": { "post": post, "at": at } }),
        NoticeOutcome::Missed => json!("missed"),
        NoticeOutcome::Withdrawn => json!("withdrawn"),
    }
}

fn notice_json(notice: &IssuedNotice) -> Value {
    json!({
        "stage": notice.stage,
        "issued_at": notice.issued_at,
        "deadline": notice.deadline,
        "outcome": outcome(notice),
    })
}

pub(super) async fn show(id: FindingId, as_json: bool, jobs: &jobs::Context) -> anyhow::Result<()> {
    let Some(record) = jobs.store.finding(id).await? else { bail!("there is no finding {id}") };
    let (events, notices) =
        (jobs.store.finding_events(id).await?, jobs.store.notices_of(id).await?);
    let today = shanghai_date(jobs.clock.now());
    let mut out = io::stdout().lock();
    if as_json {
        let mut whole = finding_json(&record, today);
        whole["events"] = events.iter().map(event_json).collect();
        whole["notices"] = notices.iter().map(notice_json).collect();
        writeln!(out, "{}", serde_json::to_string_pretty(&whole)?)?;
        return Ok(());
    }
    writeln!(out, "{}", line(&record, today))?;
    let found = &record.found;
    for (title, text) in [
        ("监测情况", &found.statement),
        ("依据", &found.clause),
        ("来源", &found.source),
        ("建议", &found.advice),
    ] {
        writeln!(out, "  {title}:{text}")?;
    }
    if let Some(doubt) = &record.doubt {
        writeln!(out, "  最近一次未能判定:{doubt}")?;
    }
    for notice in &notices {
        let deadline = notice.deadline.with_timezone(&SHANGHAI).format("%Y-%m-%d %H:%M");
        writeln!(out, "  第 {} 次通知,期限 {deadline}:{}", notice.stage, outcome(notice))?;
    }
    for event in &events {
        let at = event.at.with_timezone(&SHANGHAI).format("%Y-%m-%d %H:%M");
        writeln!(out, "  {at}  {}  {}  {}", event.actor, event.to.title(), event.reason)?;
    }
    Ok(())
}

/// One finding on one line.
pub(super) fn line(record: &FindingRecord, today: NaiveDate) -> String {
    let whom = match (&record.key, &record.account, &record.sponsor, &record.region) {
        (Some(key), Some((name, ..)), ..) => format!("{key}\t{name}"),
        (_, _, Some(sponsor), _) => format!("-\t{sponsor}"),
        (_, _, None, Some(region)) => format!("-\t{region}"),
        _ => "-\t-".to_owned(),
    };
    let bar = bar_of(record, today).map(|bar| format!("\t不点名:{bar}")).unwrap_or_default();
    format!(
        "{}\t{}\t{}\t{}\t{whom}{bar}",
        record.id,
        record.state.title(),
        record.found.severity.title(),
        record.found.rule_title,
    )
}
