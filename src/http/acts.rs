use std::pin::Pin;

use crate::domain::{Area, FindingId, FindingState, RowError, Step};
use crate::jobs::findings::{PersonFinding, act, add};
use crate::jobs::import::{Export, ImportError, Importer};
use crate::jobs::{self};
use crate::registry::ReadError;
use crate::store::{Imported, StepRefused, StoreError};

use super::reads::Unavailable;

/// Why something was not done.
#[derive(Debug)]
pub enum Refusal {
    /// There is no such thing.
    NotThere(String),
    /// Not from where it stands.
    Conflict(String),
    /// Not by this person.
    Forbidden(String),
    /// Not so.
    Invalid(String),
    /// Rows of an export are wrong; the first `shown_max` of them are to be told.
    Rows {
        /// Every error, in the order of the file.
        errors: Vec<RowError>,
        /// How many of them may be told.
        shown_max: usize,
    },
    /// The database did not answer.
    Unavailable(Unavailable),
}

/// What came of an act.
pub type Done<'a, T> = Pin<Box<dyn Future<Output = Result<T, Refusal>> + Send + 'a>>;

/// A step of a finding that somebody takes.
#[derive(Debug, Clone)]
pub struct TakenStep {
    /// Which finding.
    pub finding: FindingId,
    /// Which step.
    pub step: Step,
    /// Who takes it.
    pub actor: String,
    /// Why.
    pub reason: String,
    /// For an explanation the last day it is accepted through.
    pub until: Option<chrono::NaiveDate>,
}

/// What came of an export.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HandedOver {
    /// It can be brought in: accounts and posts.
    Readable(usize, usize),
    /// It was.
    Imported(Box<Imported>),
}

/// What persons do over HTTP: the same functions that the commands use.
pub trait Acts: Send + Sync + 'static {
    /// Takes a step of a finding.
    fn step(&self, step: TakenStep) -> Done<'_, FindingState>;

    /// Enters a finding about an account of this area.
    fn enter(&self, finding: PersonFinding, area: Area) -> Done<'_, FindingId>;

    /// Brings in an export, or only says whether it could be.
    fn hand_in<'a>(&'a self, export: Export<'a>, dry_run: bool) -> Done<'a, HandedOver>;

    /// Asks for a job; false where none has this name.
    fn run(&self, job: &str) -> bool;
}

/// Where persons' acts go: to the jobs of this daemon.
pub struct Desk {
    /// What the jobs work with.
    pub context: jobs::Context,
    /// Reads exports.
    pub importer: Importer,
}

impl Acts for Desk {
    fn step(&self, step: TakenStep) -> Done<'_, FindingState> {
        Box::pin(async move {
            let TakenStep { finding, step, actor, reason, until } = step;
            let taken = act(&self.context, finding, step, (&actor, &reason), until).await;
            taken.map_err(|error| refusal(&error))
        })
    }

    fn enter(&self, finding: PersonFinding, area: Area) -> Done<'_, FindingId> {
        Box::pin(async move {
            let account = self.context.store.account(&finding.key).await;
            let account = account.map_err(|error| refusal(&error.into()))?;
            if !account.is_some_and(|one| area.holds(Some(one.entry.region.as_str()))) {
                let reason = format!("no account {:?} in the ledger", finding.key);
                return Err(Refusal::Invalid(reason));
            }
            add(&self.context, finding).await.map_err(|error| refusal(&error))
        })
    }

    fn hand_in<'a>(&'a self, export: Export<'a>, dry_run: bool) -> Done<'a, HandedOver> {
        Box::pin(async move {
            let (store, now) = (&self.context.store, self.context.clock.now());
            let declared = self.importer.declared(store, &export, now).await;
            let declared = declared.map_err(unread)?;
            if dry_run {
                let posts = declared.lists.iter().map(|(_, list)| list.posts.len()).sum();
                return Ok(HandedOver::Readable(declared.lists.len(), posts));
            }
            let imported = self.importer.bring_in(store, &export, declared, now).await;
            let imported = imported.map_err(|error| refusal(&error.into()))?;
            Ok(HandedOver::Imported(Box::new(imported)))
        })
    }

    fn run(&self, job: &str) -> bool {
        self.context.bells.ring(job)
    }
}

fn unread(error: ImportError) -> Refusal {
    match error {
        ImportError::Misused(reason) => Refusal::Invalid(reason),
        ImportError::Unread(ReadError::Unreadable(reason)) => Refusal::Invalid(reason),
        ImportError::Unread(ReadError::Rows { errors, shown_max }) => {
            Refusal::Rows { errors, shown_max }
        }
        ImportError::Store(error) => refusal(&error.into()),
    }
}

/// What a function that ends with any error means by it.
fn refusal(error: &anyhow::Error) -> Refusal {
    let reason = format!("{error:#}");
    if let Some(refused) = error.downcast_ref::<StepRefused>() {
        return match refused {
            StepRefused::NoFinding(_) => Refusal::NotThere(reason),
            StepRefused::Illegal(..) => Refusal::Conflict(reason),
            StepRefused::SamePerson(..) | StepRefused::NeedsPerson(_) => Refusal::Forbidden(reason),
        };
    }
    match error.downcast_ref::<StoreError>() {
        Some(StoreError::Rejected(_)) => {
            Refusal::Invalid("the database does not take these values".to_owned())
        }
        Some(_) => Refusal::Unavailable(Unavailable::new(reason)),
        None => Refusal::Invalid(reason),
    }
}
