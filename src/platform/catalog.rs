use std::collections::BTreeMap;

use chrono::{Duration, NaiveDate};

use crate::domain::{Problem, SourceText};

use super::compile::compile_platform;
use super::page::PageKind;
use super::visibility::{Need, Visibility};

/// What kind of access a platform allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Observability {
    /// Pages anybody may read, an account's own feed among them: as fresh as their HTTP answer.
    PublicPage,
    /// The feed of an office's bridge: it reaches its own last success upstream, as its page kind's
    /// `source_time` finds it, and without one it proves activity only.
    PublicFeed,
    /// An interface that the account's owner authorises.
    OwnerApi,
    /// A file that the office hands in.
    OfficeFile,
}

/// How often a host may be asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limit {
    /// Requests in a minute.
    pub per_minute: u32,
    /// Requests in flight at once.
    pub concurrent: u32,
    /// The longest pause after refusals, in seconds.
    pub backoff_max_s: u32,
}

/// A known busy public account: while it cannot be read, nobody is called silent.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Canary(pub String);

/// What robots.txt said, for the reader of the file; the crawl asks the host itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Robots {
    /// The verdict in words.
    pub verdict: String,
    /// The day it was looked at; `None`, written `"never"`: by nobody yet.
    pub checked: Option<NaiveDate>,
}

/// One compiled platform file.
#[derive(Debug, Clone)]
pub struct Platform {
    /// The id, as in the ledger and in the file's name.
    pub id: String,
    /// The Chinese name.
    pub title: String,
    /// Further names by which a ledger may call it.
    pub aliases: Vec<String>,
    /// What kind of access it allows.
    pub observability: Observability,
    /// Its hosts; empty where every account has a host of its own.
    pub hosts: Vec<String>,
    /// How often one of its hosts may be asked.
    pub limit: Limit,
    /// Handles of known busy accounts.
    pub canaries: Vec<Canary>,
    /// How long a post may take to become visible to us.
    pub visibility_lag: Duration,
    /// What robots.txt said, where somebody looked.
    pub robots: Option<Robots>,
    /// Who can see what, need by need; empty where the file has no such table.
    pub visibility: BTreeMap<Need, Visibility>,
    /// What is and is not publicly visible, in words.
    pub notes: String,
    /// The page kinds by name.
    pub pages: BTreeMap<String, PageKind>,
    /// `sha256:…` of the file's text: the version of the adapter.
    pub digest: String,
}

impl Platform {
    /// The page kinds that the daemon visits by itself.
    pub fn crawled(&self) -> impl Iterator<Item = &PageKind> {
        self.pages.values().filter(|kind| kind.crawl)
    }
}

/// All platforms known to this installation.
#[derive(Debug, Clone, Default)]
pub struct Catalog {
    platforms: BTreeMap<String, Platform>,
}

impl Catalog {
    /// Compiles platform files.
    ///
    /// # Errors
    /// Every problem of every file, in the order of files and lines.
    pub fn compile(files: &[SourceText]) -> Result<Self, Vec<Problem>> {
        let mut platforms: BTreeMap<String, Platform> = BTreeMap::new();
        let mut problems = Vec::new();
        for file in files {
            match compile_platform(file) {
                Ok(platform) => {
                    let taken = platforms.values().find(|other| shares_name(other, &platform));
                    if let Some(other) = taken {
                        let reason = format!("the names of {:?} are used already", other.id);
                        problems.push(file.problem("id", reason));
                    } else {
                        platforms.insert(platform.id.clone(), platform);
                    }
                }
                Err(mut found) => problems.append(&mut found),
            }
        }
        if problems.is_empty() { Ok(Self { platforms }) } else { Err(problems) }
    }

    /// The platform of an id.
    pub fn get(&self, id: &str) -> Option<&Platform> {
        self.platforms.get(id)
    }

    /// The platform of an id, a Chinese name or an alias, as a ledger may write it.
    pub fn find(&self, name: &str) -> Option<&Platform> {
        let name = name.trim();
        self.get(name).or_else(|| {
            self.platforms.values().find(|one| {
                one.title == name
                    || one.aliases.iter().any(|alias| alias.eq_ignore_ascii_case(name))
            })
        })
    }

    /// The platforms in the order of their ids.
    pub fn iter(&self) -> impl Iterator<Item = &Platform> {
        self.platforms.values()
    }
}

fn shares_name(a: &Platform, b: &Platform) -> bool {
    let names = |one: &Platform| {
        let mut names = vec![one.id.clone(), one.title.clone()];
        names.extend(one.aliases.iter().cloned());
        names
    };
    let taken = names(a);
    names(b).iter().any(|name| taken.contains(name))
}
