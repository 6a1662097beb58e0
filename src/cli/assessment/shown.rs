//! Frozen assessments for people.

use std::io::{self, Write};

use anyhow::Context as _;
use chrono::{DateTime, Utc};
use futures::TryStreamExt;
use serde_json::json;

use crate::cli::score::{summary_text, text};
use crate::domain::SHANGHAI;
use crate::jobs::assessment::frozen_rules;
use crate::score::frozen::{FrozenAccount, FrozenHead, Summary};
use crate::store::{Assessment, Store};

fn local(at: DateTime<Utc>) -> String {
    at.with_timezone(&SHANGHAI).format("%Y-%m-%d %H:%M").to_string()
}

/// One line a version.
pub(super) fn list(all: &[Assessment], json: bool) -> anyhow::Result<()> {
    let mut out = io::stdout().lock();
    for one in all {
        if json {
            let line = json!({
                "id": one.id, "period": one.period, "scheme": one.scheme, "version": one.version,
                "supersedes": one.supersedes, "superseded_by": one.superseded_by,
                "cutoff": one.cutoff, "known_at": one.known_at, "frozen_at": one.frozen_at,
                "actor": one.actor, "reason": one.reason, "accounts": one.accounts,
                "digest": one.digest,
            });
            writeln!(out, "{line}")?;
            continue;
        }
        let scheme = one.scheme.as_deref().unwrap_or("各账号所属方案");
        let stands = match one.superseded_by {
            Some(by) => format!("已由 {by} 更正"),
            None => "有效".to_owned(),
        };
        let (id, period, version, accounts) = (one.id, &one.period, one.version, one.accounts);
        let (frozen_at, actor, reason) = (local(one.frozen_at), &one.actor, &one.reason);
        writeln!(
            out,
            "{id}\t{period}\t{scheme}\t第 {version} 版\t{accounts} 个账号\t{frozen_at}\t{actor}\t\
             {stands}\t{reason}\t{}",
            one.digest
        )?;
    }
    Ok(())
}

/// The head and every account in brief; of one account, every line.
pub(super) async fn show(
    store: &Store,
    one: &Assessment,
    account: Option<&str>,
    json: bool,
) -> anyhow::Result<()> {
    let mut out = io::stdout().lock();
    if let Some(key) = account {
        let line = store.frozen_account(one.id, key).await?;
        let line = line.with_context(|| format!("no account {key:?} in assessment {}", one.id))?;
        if json {
            writeln!(out, "{line}")?;
            return Ok(());
        }
        let (_, rules) = frozen_rules(store, one.id).await?;
        let frozen = FrozenAccount::read(&line).map_err(anyhow::Error::msg)?;
        let title = rules.scheme(&frozen.scheme).map_or("", |scheme| scheme.title.as_str());
        write!(out, "{}", text(key, title, &frozen.card))?;
        return Ok(());
    }
    let (line, rules) = frozen_rules(store, one.id).await?;
    match json {
        true => writeln!(out, "{line}")?,
        false => head(&mut out, one, &rules.head)?,
    }
    let mut lines = store.frozen_lines(one.id);
    while let Some(line) = lines.try_next().await? {
        if json {
            writeln!(out, "{line}")?;
            continue;
        }
        let frozen = FrozenAccount::read(&line).map_err(anyhow::Error::msg)?;
        let verdict = frozen.card.verdict.as_ref().map_or("", |one| one.result.title());
        write!(out, "{}\t{}\t{}\t{verdict}", frozen.key, frozen.name, frozen.scheme)?;
        for score in &frozen.card.dimensions {
            write!(out, "\t{} {}", score.title, score.outcome)?;
        }
        writeln!(out)?;
    }
    Ok(())
}

/// Frozen roll-ups and rankings.
pub(super) fn summary(lines: &[String], json: bool) -> anyhow::Result<()> {
    let mut out = io::stdout().lock();
    for line in lines {
        match Summary::read(line).filter(|_| !json) {
            Some(summary) => write!(out, "{}", summary_text(&summary))?,
            None => writeln!(out, "{line}")?,
        }
    }
    Ok(())
}

fn head(out: &mut impl Write, one: &Assessment, head: &FrozenHead) -> io::Result<()> {
    writeln!(out, "考核定格 {}:{} 第 {} 版", one.id, one.period, one.version)?;
    writeln!(out, "监测时间点 {},数据截至 {}", local(one.cutoff), local(one.known_at))?;
    writeln!(out, "{} 由 {} 定格,{}", local(one.frozen_at), one.actor, head.software)?;
    if !one.reason.is_empty() {
        writeln!(out, "事由:{}", one.reason)?;
    }
    if let Some(sample) = &head.sample {
        writeln!(out, "抽查 {} 个:{}", sample.drawn, sample.note)?;
    }
    for text in head.schemes.iter().chain(&head.indices).chain(&head.calendar) {
        writeln!(out, "{}\t{}", text.name, text.digest)?;
    }
    if let Some(chain) = &head.chain {
        writeln!(out, "证据链 {}\t{}", chain.day, chain.value)?;
    }
    writeln!(out, "{}", one.digest)
}
