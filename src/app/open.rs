use std::fmt;
use std::path::Path;
use std::sync::Arc;

use anyhow::Context;

use crate::app::files::read_folder;
use crate::app::postgres::Database;
use crate::calendar::Calendar;
use crate::domain::{Problem, SourceText};
use crate::jobs::import::Importer;
use crate::settings::Settings;
use crate::store::{Secrets, Store};
use crate::{alert, platform, scheme, score};

use super::installation::InstallationKey;

/// Settings or data files with which nothing can be done.
#[derive(Debug)]
pub struct Misconfigured(pub Vec<Problem>);

impl fmt::Display for Misconfigured {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("wrong configuration")?;
        self.0.iter().try_for_each(|problem| write!(f, "\n{problem}"))
    }
}

impl std::error::Error for Misconfigured {}

/// The platform files of these settings, compiled.
///
/// # Errors
/// [`Misconfigured`] with every problem of every file.
pub fn platforms(settings: &Settings) -> Result<platform::Catalog, Misconfigured> {
    compile(&settings.platforms_dir, "toml", platform::Catalog::compile)
}

/// The schemes, index formulas and working days of these settings, compiled over this program's
/// measures; where there is no folder of the latter two, those that are shipped, and none.
///
/// # Errors
/// [`Misconfigured`] with every problem of every file.
pub fn schemes(settings: &Settings) -> Result<Rules, Misconfigured> {
    let indices = if settings.indices_dir.exists() {
        compile(&settings.indices_dir, "toml", scheme::IndexCatalog::compile)
    } else {
        Ok(scheme::IndexCatalog::default())
    };
    let calendar = if settings.calendar_dir.exists() {
        compile(&settings.calendar_dir, "json", Calendar::compile)
    } else {
        Ok(Calendar::default())
    };
    // Schemes over indices that did not compile would be told as many problems more.
    let indices = indices?;
    let schemes = compile(&settings.schemes_dir, "toml", |files| {
        scheme::Catalog::compile(files, &score::measure_ids(&indices))
    });
    match (schemes, calendar) {
        (Ok(schemes), Ok(calendar)) => Ok(Rules { schemes, indices, calendar }),
        (schemes, calendar) => {
            let problems = [schemes.err(), calendar.err()].into_iter().flatten();
            Err(Misconfigured(problems.flat_map(|wrong| wrong.0).collect()))
        }
    }
}

/// How scores are made: schemes, and what they look up.
pub struct Rules {
    /// The schemes with their assignments.
    pub schemes: scheme::Catalog,
    /// Index formulas.
    pub indices: scheme::IndexCatalog,
    /// Working days.
    pub calendar: Calendar,
}

impl Rules {
    /// What an operator should know and nothing is wrong with.
    pub fn warnings(&self) -> Vec<Problem> {
        self.indices.warnings().iter().chain(self.schemes.warnings()).cloned().collect()
    }
}

/// The rules for findings of these settings, compiled over this program's measures; none where
/// there is no folder.
///
/// # Errors
/// [`Misconfigured`] with every problem of every file.
pub fn rules(settings: &Settings) -> Result<alert::Catalog, Misconfigured> {
    if !settings.rules_dir.exists() {
        return Ok(alert::Catalog::default());
    }
    let measures: Vec<&str> = score::MEASURES.iter().map(|measure| measure.id).collect();
    compile(&settings.rules_dir, "toml", |files| alert::Catalog::compile(files, &measures))
}

/// The mappings of authorised exports of these settings, compiled; none where there is no folder.
///
/// # Errors
/// [`Misconfigured`] with every problem of every file.
pub fn imports(settings: &Settings) -> Result<platform::ImportCatalog, Misconfigured> {
    if !settings.imports_dir.exists() {
        return Ok(platform::ImportCatalog::default());
    }
    compile(&settings.imports_dir, "toml", platform::ImportCatalog::compile)
}

/// What reads authorised exports under these settings.
///
/// # Errors
/// [`Misconfigured`] with every problem of every platform file and mapping.
pub fn importer(settings: &Settings) -> Result<Importer, Misconfigured> {
    Ok(Importer {
        platforms: Arc::new(platforms(settings)?),
        mappings: Arc::new(imports(settings)?),
        limits: settings.registry.clone(),
        policy: settings.observe,
    })
}

fn compile<T>(
    folder: &Path,
    extension: &str,
    compile: impl FnOnce(&[SourceText]) -> Result<T, Vec<Problem>>,
) -> Result<T, Misconfigured> {
    read_folder(folder, extension).and_then(|files| compile(&files)).map_err(Misconfigured)
}

/// The store for the time of one command: that of a running daemon, or one started for it.
///
/// Close the store before [`Database::stop`].
///
/// # Errors
/// No database can be had, or its schema is newer than this program.
pub async fn open_store(settings: &Settings) -> anyhow::Result<(Store, Database)> {
    let database = Database::open(&settings.database, &settings.data_dir).await?;
    connect(settings, database).await
}

/// The same for the daemon, which takes the data directory for itself.
///
/// # Errors
/// As [`open_store`]; also where another daemon works in the data directory.
pub(super) async fn own_store(settings: &Settings) -> anyhow::Result<(Store, Database)> {
    let database = Database::own(&settings.database, &settings.data_dir).await?;
    connect(settings, database).await
}

/// The same without a look at the schema, for a backup of what there is.
///
/// # Errors
/// As [`open_store`].
pub(super) async fn open_unmigrated(settings: &Settings) -> anyhow::Result<(Store, Database)> {
    let database = Database::open(&settings.database, &settings.data_dir).await?;
    match Store::connect(&database.url, 2, secrets(settings)).await {
        Ok(store) => Ok((store, database)),
        Err(error) => {
            database.stop().await.context("after the database could not be used")?;
            Err(error).context("database")
        }
    }
}

/// Brings the schema of a database that is held already to this program's version.
///
/// # Errors
/// The database cannot be used.
pub(super) async fn own_store_at(settings: &Settings, database: &Database) -> anyhow::Result<()> {
    let store = Store::connect(&database.url, 1, secrets(settings)).await.context("database")?;
    let migrated = store.migrate().await.context("bringing the schema up to date");
    store.close().await;
    migrated
}

/// Without the key everything works but the two fields of the ledger that name persons.
fn secrets(settings: &Settings) -> Secrets {
    match InstallationKey::of(&settings.data_dir) {
        Ok(key) => Secrets::new(&key.secrets()),
        Err(error) => Secrets::unavailable(format!("{error:#}")),
    }
}

async fn connect(settings: &Settings, database: Database) -> anyhow::Result<(Store, Database)> {
    let connections = settings.database.connections_max;
    let secrets = secrets(settings);
    let connected = async {
        let store = Store::connect(&database.url, connections, secrets).await?;
        store.migrate().await?;
        Ok(store)
    };
    match connected.await {
        Ok(store) => Ok((store, database)),
        Err::<_, crate::store::StoreError>(error) => {
            database.stop().await.context("after the database could not be used")?;
            Err(error).context("database")
        }
    }
}
