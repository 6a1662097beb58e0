//! `xunjian token`: who may ask over HTTP, and for what.

mod shown;

use std::io::{self, Write};

use chrono::{DateTime, Days, Utc};

use super::registry::with_store;
use super::{Context, Misused};
use crate::app::clock::SystemClock;
use crate::app::imports;
use crate::domain::{Area, Clock, Scope, shanghai_date, shanghai_midnight};
use crate::settings::{self, Settings};
use crate::store::{NewToken, Store};

use shown::{audit_json, end_of, line, token_json};

/// Lines of the log read at once.
const PAGE: u32 = 500;

/// Gives out, lists and revokes the tokens of the HTTP interface.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    task: Task,
}

#[derive(Debug, clap::Subcommand)]
enum Task {
    Create(Create),
    List(List),
    /// Ends a token at once.
    Revoke {
        /// The token's number.
        id: i64,
        /// Who revokes it [default: the user of this machine].
        #[arg(long, value_name = "NAME")]
        actor: Option<String>,
    },
    /// The log of writes over HTTP, refused ones included, one JSON object a line.
    Log {
        /// Only lines after the one of this number.
        #[arg(long, value_name = "NUMBER", default_value_t = 0)]
        after: i64,
    },
}

/// Gives out a token: its secret goes to stdout, once, and is kept nowhere.
#[derive(Debug, clap::Args)]
struct Create {
    /// Who it is for and answers for what is done with it.
    #[arg(long, value_name = "NAME")]
    person: String,
    /// read, sponsor, import, report, write, admin or notify.
    #[arg(long, value_parser = scope)]
    scope: Scope,
    /// 行政区划代码 of the subtree outside of which nothing exists for it.
    #[arg(long, value_name = "CODE", required_unless_present = "all_areas", value_parser = region)]
    region: Option<Area>,
    /// For all areas.
    #[arg(long, conflicts_with = "region")]
    all_areas: bool,
    /// For scope sponsor: the 主办单位 whose findings it explains, by name or credit code.
    #[arg(long, value_name = "NAME")]
    sponsor: Option<String>,
    /// For scope import: the id of the one mapping in config/imports.
    #[arg(long, value_name = "ID")]
    source: Option<String>,
    /// Through so many days from today.
    #[arg(long, default_value_t = 365, value_parser = clap::value_parser!(u64).range(1..=3660))]
    days: u64,
    /// Who gives it out [default: the user of this machine].
    #[arg(long, value_name = "NAME")]
    actor: Option<String>,
}

/// Lists tokens, one a line: number, person, scope, area, sponsor or source, end, last use.
#[derive(Debug, clap::Args)]
struct List {
    /// Also those that are revoked or past their end.
    #[arg(long)]
    all: bool,
    /// One JSON object a line.
    #[arg(long)]
    json: bool,
}

fn region(code: &str) -> Result<Area, String> {
    let area: Area = code.parse()?;
    if area.is_all() { Err("for all areas say --all-areas".to_owned()) } else { Ok(area) }
}

fn scope(word: &str) -> Result<Scope, String> {
    Scope::from_word(word).ok_or_else(|| {
        let known = Scope::ALL.map(|row| row.1);
        format!("one of {}", known.join(", "))
    })
}

pub(super) async fn run(args: Args, context: &Context) -> anyhow::Result<()> {
    let settings = context.settings()?;
    let now = SystemClock.now();
    match args.task {
        Task::Create(create) => create_one(create, &settings, now).await,
        Task::List(list) => {
            let tokens = with_store(&settings, async |store| Ok(store.tokens().await?)).await?;
            let shown = tokens.iter().filter(|token| list.all || end_of(token, now).is_none());
            let mut out = io::stdout().lock();
            for token in shown {
                writeln!(out, "{}", if list.json { token_json(token) } else { line(token, now) })?;
            }
            Ok(())
        }
        Task::Revoke { id, actor } => {
            let actor = named(actor)?;
            with_store(&settings, async |store| {
                let done = store.revoke_token(id, &actor, now).await?;
                anyhow::ensure!(done, "there is no token {id}, or it is revoked already");
                println!("token {id} is revoked");
                Ok(())
            })
            .await
        }
        Task::Log { after } => with_store(&settings, async |store| log(store, after).await).await,
    }
}

fn named(actor: Option<String>) -> Result<String, Misused> {
    let actor = actor.or_else(settings::user_name).unwrap_or_default();
    match actor.trim() {
        "" => Err(Misused("--actor must name somebody".to_owned())),
        name => Ok(name.to_owned()),
    }
}

async fn create_one(create: Create, settings: &Settings, now: DateTime<Utc>) -> anyhow::Result<()> {
    let person = create.person.trim().to_owned();
    if person.is_empty() {
        return Err(Misused("--person must name somebody".to_owned()).into());
    }
    for (scope, option, given) in [
        (Scope::Sponsor, "--sponsor", create.sponsor.is_some()),
        (Scope::Import, "--source", create.source.is_some()),
    ] {
        if (create.scope == scope) != given {
            let word = scope.as_str();
            return Err(
                Misused(format!("{option} goes with --scope {word}, and only with it")).into()
            );
        }
    }
    if let Some(source) = &create.source {
        let mappings = imports(settings)?;
        if mappings.get(source).is_none() {
            let known = mappings.ids().collect::<Vec<_>>().join(", ");
            return Err(Misused(format!("no mapping {source:?}; known are {known}")).into());
        }
    }
    let end = shanghai_date(now).checked_add_days(Days::new(create.days + 1));
    let end = end.ok_or_else(|| Misused("--days reaches beyond the calendar".to_owned()))?;
    let mut new = NewToken {
        person,
        scope: create.scope,
        area: create.region.unwrap_or_default(),
        sponsor: None,
        source: create.source,
        created_by: named(create.actor)?,
        expires_at: shanghai_midnight(end),
    };
    let sponsor = create.sponsor;
    let (id, secret) = with_store(settings, async |store| {
        if let Some(name) = &sponsor {
            new.sponsor = Some(sponsor_of(store, name).await?);
        }
        Ok(store.create_token(&new, now).await?)
    })
    .await?;
    println!("{secret}");
    eprintln!("token {id} is given out; its secret stands above and is kept nowhere");
    Ok(())
}

async fn sponsor_of(store: &Store, name: &str) -> anyhow::Result<i64> {
    let mut found = store.sponsors_called(name).await?;
    match found.len() {
        1 => Ok(found.remove(0).id),
        0 => anyhow::bail!("no account of the ledger has the sponsor {name:?}"),
        _ => {
            let codes = found.iter().map(|one| one.code.as_deref().unwrap_or("without a code"));
            let codes: Vec<&str> = codes.collect();
            anyhow::bail!("several sponsors are called {name:?}: name one of {}", codes.join(", "))
        }
    }
}

async fn log(store: &Store, mut after: i64) -> anyhow::Result<()> {
    loop {
        let lines = store.audit_lines(after, PAGE).await?;
        let Some(last) = lines.last() else { return Ok(()) };
        after = last.id;
        let mut out = io::stdout().lock();
        lines.iter().try_for_each(|line| writeln!(out, "{}", audit_json(line)))?;
    }
}
