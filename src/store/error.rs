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
    /// The server cannot be reached now; the same call may succeed later.
    #[error("the database cannot be reached: {0}")]
    Unavailable(sqlx::Error),
    /// The server refused a statement, or a row does not read as what it should be.
    #[error("the database answered with an error: {0}")]
    Database(sqlx::Error),
}

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        let away = match &error {
            sqlx::Error::Io(_)
            | sqlx::Error::PoolTimedOut
            | sqlx::Error::PoolClosed
            | sqlx::Error::WorkerCrashed => true,
            // Connection exceptions, too many connections, server starting or shutting down.
            sqlx::Error::Database(refusal) => refusal.code().is_some_and(|code| {
                code.starts_with("08") || code.starts_with("57P") || code == "53300"
            }),
            _ => false,
        };
        if away { Self::Unavailable(error) } else { Self::Database(error) }
    }
}

impl From<MigrateError> for StoreError {
    fn from(error: MigrateError) -> Self {
        match error {
            MigrateError::Execute(error) => error.into(),
            other => Self::Database(sqlx::Error::Migrate(Box::new(other))),
        }
    }
}
