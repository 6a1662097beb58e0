use sqlx::migrate::MigrateError;
use thiserror::Error;

/// Why the store could not do what it was asked.
#[derive(Debug, Error)]
pub enum StoreError {
    /// A newer program has been here: this one would misread what it wrote.
    #[error(
        "the database has schema version {database}, this program knows versions up to {program}: \
         run the newer program, or restore a backup of the older schema"
    )]
    SchemaNewer {
        /// The newest version applied to the database.
        database: i64,
        /// The newest version this program has.
        program: i64,
    },
    /// What the ledger says of a person can be neither read nor written here; all else can.
    #[error("{field} of account {account} is encrypted: {reason}")]
    Secret {
        /// 账号编号.
        account: String,
        /// The field of the ledger.
        field: &'static str,
        /// Why.
        reason: String,
    },
    /// The server cannot be reached now; the same call may succeed later.
    #[error("the database cannot be reached: {0}")]
    Unavailable(sqlx::Error),
    /// The server will never take these data, such as a NUL character in a text: the same call
    /// must not be tried again as it is.
    #[error("the database refuses these data: {0}")]
    Rejected(sqlx::Error),
    /// The server refused a statement, or a row does not read as what it should be.
    #[error("the database answered with an error: {0}")]
    Database(sqlx::Error),
}

impl StoreError {
    /// The server was asked and has said nothing for too long.
    pub fn unanswered() -> Self {
        Self::Unavailable(sqlx::Error::Io(std::io::ErrorKind::TimedOut.into()))
    }
}

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        match &error {
            sqlx::Error::Io(_)
            | sqlx::Error::PoolTimedOut
            | sqlx::Error::PoolClosed
            | sqlx::Error::WorkerCrashed => Self::Unavailable(error),
            sqlx::Error::Database(refusal) => match refusal.code().as_deref() {
                Some(code) if is_away(code) => Self::Unavailable(error),
                Some(code) if is_about_data(code) => Self::Rejected(error),
                _ => Self::Database(error),
            },
            _ => Self::Database(error),
        }
    }
}

/// Connection exceptions, too many connections, server starting or shutting down.
fn is_away(sqlstate: &str) -> bool {
    sqlstate.starts_with("08") || sqlstate.starts_with("57P") || sqlstate == "53300"
}

/// Data exceptions, violated constraints, values beyond a limit of the program.
fn is_about_data(sqlstate: &str) -> bool {
    ["22", "23", "54"].iter().any(|class| sqlstate.starts_with(class))
}

impl From<MigrateError> for StoreError {
    fn from(error: MigrateError) -> Self {
        match error {
            MigrateError::Execute(error) => error.into(),
            other => Self::Database(sqlx::Error::Migrate(Box::new(other))),
        }
    }
}
