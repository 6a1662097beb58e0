//! What somebody else observed, brought in: authorised exports and filled-in forms.

mod books;
mod rows;
mod visits;

use std::pin::pin;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use futures::stream::TryStreamExt;
use sha2::{Digest, Sha256};
use thiserror::Error;

pub use visits::{HandedIn, import_observations};

use books::Books;
use rows::{Rows, rows};

use crate::domain::{Account, AccountId, Area};
use crate::extract::{Declared, DeclaredList, read_import};
use crate::observe::Policy;
use crate::platform::{Catalog, ImportAccount, ImportCatalog, ImportMapping};
use crate::registry::{self, ReadError};
use crate::store::{Imported, Store, StoreError};

/// Accounts of the ledger that are read together.
const ACCOUNTS: i64 = 1000;

/// Reads what is handed in, and brings it in.
#[derive(Debug, Clone)]
pub struct Importer {
    /// What platforms are called.
    pub platforms: Arc<Catalog>,
    /// Which column is which field.
    pub mappings: Arc<ImportCatalog>,
    /// How large a table may be.
    pub limits: registry::Settings,
    /// What the declared proves.
    pub policy: Policy,
}

/// An export as somebody hands it in.
#[derive(Debug, Clone)]
pub struct Export<'a> {
    /// The id of its mapping.
    pub source: &'a str,
    /// 账号编号 of its account, where its rows name none.
    pub account: Option<&'a str>,
    /// No post since this time is missing, where the rows do not say.
    pub complete_from: Option<DateTime<Utc>>,
    /// No post until this time is missing, where the rows do not say.
    pub complete_to: Option<DateTime<Utc>>,
    /// The file's name.
    pub file: &'a str,
    /// Its bytes.
    pub bytes: &'a [u8],
    /// Who hands it in.
    pub actor: &'a str,
    /// Accounts outside of it are not in the ledger for whoever hands it in.
    pub area: &'a Area,
}

/// What an export declares, read and found without fault.
#[derive(Debug)]
pub struct DeclaredExport<'a> {
    mapping: &'a ImportMapping,
    digest: String,
    /// Account by account, with its 账号编号.
    pub lists: Vec<(String, DeclaredList)>,
}

/// Why an export was not taken.
#[derive(Debug, Error)]
pub enum ImportError {
    /// It was handed in wrongly.
    #[error("{0}")]
    Misused(String),
    /// It cannot be read, or rows are wrong.
    #[error(transparent)]
    Unread(#[from] ReadError),
    /// The database did not take it.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Importer {
    /// Reads an export; nothing is written.
    ///
    /// # Errors
    /// A source that is not known, a time in the future; every error of every row.
    pub async fn declared(
        &self,
        store: &Store,
        export: &Export<'_>,
        now: DateTime<Utc>,
    ) -> Result<DeclaredExport<'_>, ImportError> {
        let mapping = self.mapping(export, now)?;
        let rows = rows(mapping, export.bytes, &self.limits)?;
        let mut books = Books::new(&self.platforms, export.account);
        let mut batches = pin!(store.account_batches(ACCOUNTS));
        while let Some(accounts) = batches.try_next().await? {
            let inside = |one: &Account| export.area.holds(Some(one.entry.region.as_str()));
            accounts.into_iter().filter(inside).for_each(|account| books.enter(account));
        }
        let lists = self.lists(mapping, rows, export, &books, now)?;
        let key = |id: AccountId| books.keys.get(&id).cloned().unwrap_or_default();
        Ok(DeclaredExport {
            mapping,
            digest: format!("sha256:{}", hex::encode(Sha256::digest(export.bytes))),
            lists: lists.into_iter().map(|list| (key(list.account), list)).collect(),
        })
    }

    /// Writes down what an export declares; the same file a second time changes nothing.
    ///
    /// # Errors
    /// The database does not answer, or refuses the data.
    pub async fn bring_in(
        &self,
        store: &Store,
        export: &Export<'_>,
        declared: DeclaredExport<'_>,
        now: DateTime<Utc>,
    ) -> Result<Imported, StoreError> {
        let lists: Vec<DeclaredList> = declared.lists.into_iter().map(|(_, list)| list).collect();
        let handed = HandedIn {
            mapping: declared.mapping,
            lists: &lists,
            file: export.file,
            digest: &declared.digest,
            account: export.account,
            complete_from: export.complete_from,
            complete_to: export.complete_to,
            actor: export.actor,
        };
        import_observations(store, &self.policy, &handed, now).await
    }

    fn mapping(
        &self,
        export: &Export<'_>,
        now: DateTime<Utc>,
    ) -> Result<&ImportMapping, ImportError> {
        let source = export.source;
        let misused = |reason: String| Err(ImportError::Misused(reason));
        let Some(mapping) = self.mappings.get(source) else {
            let known = self.mappings.ids().collect::<Vec<_>>().join(", ");
            return misused(format!("no mapping {source:?}; known are {known}"));
        };
        match (&mapping.account, export.account) {
            (ImportAccount::Given, None) => {
                misused(format!("the rows of {source} name no account; name its account"))
            }
            (ImportAccount::Given, Some(_)) | (_, None) => {
                match export.complete_to.filter(|to| *to > now) {
                    Some(_) => misused("complete_to lies in the future".to_owned()),
                    None => Ok(mapping),
                }
            }
            (_, Some(_)) => {
                misused(format!("the rows of {source} name their accounts; leave account out"))
            }
        }
    }

    /// What the export declares, or every error of every row.
    fn lists(
        &self,
        mapping: &ImportMapping,
        rows: Rows,
        export: &Export<'_>,
        books: &Books<'_>,
        now: DateTime<Utc>,
    ) -> Result<Vec<DeclaredList>, ImportError> {
        let known = Declared {
            entered_at: now,
            complete_from: export.complete_from,
            complete_to: export.complete_to,
            account: &|name| books.find(name),
        };
        let Rows { rows, mut errors } = rows;
        match read_import(mapping, &rows, &known) {
            Ok(lists) if errors.is_empty() => return Ok(lists),
            Ok(_) => {}
            Err(more) => errors.extend(more),
        }
        errors.sort();
        Err(ReadError::Rows { errors, shown_max: self.limits.errors_shown_max }.into())
    }
}
