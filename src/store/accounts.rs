//! The accounts of the ledger, read back.

use chrono::NaiveDate;
use serde_json::Value;
use sqlx::PgConnection;

use super::columns::misread;
use super::secrets::{Field, Sealed, Secrets};
use super::{Store, StoreError};
use crate::domain::{Account, AccountId, LedgerEntry, Lifecycle};

/// An account as it stands in the database.
pub(super) struct AccountRow {
    id: i64,
    key: String,
    platform: String,
    handle: String,
    name: String,
    url: Option<String>,
    sponsor: String,
    sponsor_code: Option<String>,
    supervisor: Option<String>,
    region: String,
    level: Option<String>,
    category: Option<String>,
    role: Option<String>,
    lifecycle: String,
    filed_on: Option<NaiveDate>,
    opened_on: Option<NaiveDate>,
    closed_on: Option<NaiveDate>,
    population: Option<i64>,
    exemption: Option<String>,
    exempt_until: Option<NaiveDate>,
    /// Encrypted, as `notify`.
    officer: Option<String>,
    notify: Option<String>,
    operator: Option<String>,
    contract_until: Option<NaiveDate>,
    site_id: Option<String>,
    notes: Value,
}

impl AccountRow {
    /// The whole entry, and what stands encrypted in the database.
    pub(super) fn opened(self, secrets: &Secrets) -> Result<(LedgerEntry, Sealed), StoreError> {
        let sealed = Sealed { officer: self.officer.clone(), notify: self.notify.clone() };
        let impersonal = Account::try_from(self)?.entry;
        let open = |field, sealed: &Option<String>| {
            let opened = sealed.as_ref().map(|text| secrets.open(&impersonal.key, field, text));
            opened.transpose()
        };
        let (officer, notify) =
            (open(Field::Officer, &sealed.officer)?, open(Field::Notify, &sealed.notify)?);
        Ok((LedgerEntry { officer, notify, ..impersonal }, sealed))
    }
}

/// Without what it says of persons.
impl TryFrom<AccountRow> for Account {
    type Error = StoreError;

    fn try_from(row: AccountRow) -> Result<Self, StoreError> {
        let code = row.sponsor_code.map(|code| code.parse().map_err(|_| misread("a code", code)));
        Ok(Self {
            id: AccountId(row.id),
            entry: LedgerEntry {
                key: row.key,
                platform: row.platform,
                handle: row.handle,
                name: row.name,
                url: row.url,
                sponsor: row.sponsor,
                sponsor_code: code.transpose()?,
                supervisor: row.supervisor,
                region: row.region.parse().map_err(|_| misread("a region", &row.region))?,
                level: row.level,
                category: row.category,
                role: row.role,
                lifecycle: Lifecycle::from_name(&row.lifecycle)
                    .ok_or_else(|| misread("a lifecycle", &row.lifecycle))?,
                filed_on: row.filed_on,
                opened_on: row.opened_on,
                closed_on: row.closed_on,
                population: row.population.and_then(|people| u64::try_from(people).ok()),
                exemption: row.exemption,
                exempt_until: row.exempt_until,
                officer: None,
                notify: None,
                operator: row.operator,
                contract_until: row.contract_until,
                site_id: row.site_id,
                notes: serde_json::from_value(row.notes).map_err(|e| misread("notes", e))?,
            },
        })
    }
}

/// One text for every way to choose accounts: `$tail` is the rest of the statement.
macro_rules! account_rows {
    ($tail:tt $(, $argument:expr)*) => {
        sqlx::query_as!(
            AccountRow,
            r#"select a.id, a.key, a.platform, a.handle, a.name, a.url, s.name as sponsor,
                   s.code as sponsor_code, v.name as "supervisor?", a.region as "region!", a.level,
                   a.category, a.role, a.lifecycle, a.filed_on, a.opened_on, a.closed_on,
                   a.population, a.exemption, a.exempt_until, a.officer, a.notify, a.operator,
                   a.contract_until, a.site_id, a.notes
               from accounts a
               join units s on s.id = a.sponsor_id
               left join units v on v.id = a.supervisor_id
               where a.in_ledger "# + $tail
            $(, $argument)*
        )
    };
}

/// The rows of these keys.
pub(super) async fn by_keys(
    connection: &mut PgConnection,
    keys: &[String],
) -> Result<Vec<AccountRow>, StoreError> {
    Ok(account_rows!("and a.key = any($1)", keys).fetch_all(connection).await?)
}

impl Store {
    /// Every entry of the ledger as it was brought in, withdrawn ones included, in the order of
    /// their accounts' numbers.
    ///
    /// # Errors
    /// [`StoreError::Secret`] where an entry names a person and the key is not the one under which
    /// that was encrypted.
    pub async fn ledger(&self) -> Result<Vec<LedgerEntry>, StoreError> {
        let rows = account_rows!("order by a.id").fetch_all(&self.pool).await?;
        rows.into_iter().map(|row| Ok(row.opened(&self.secrets)?.0)).collect()
    }

    /// Every account of the ledger, withdrawn ones included, in the order of their numbers.
    ///
    /// Here and below persons are left out (`officer`, `notify`): no work but that on the ledger
    /// itself needs them, or their key.
    pub async fn accounts(&self) -> Result<Vec<Account>, StoreError> {
        let rows = account_rows!("order by a.id").fetch_all(&self.pool).await?;
        rows.into_iter().map(Account::try_from).collect()
    }

    /// The account of the office's key (账号编号).
    pub async fn account(&self, key: &str) -> Result<Option<Account>, StoreError> {
        let row = account_rows!("and a.key = $1", key).fetch_optional(&self.pool).await?;
        row.map(Account::try_from).transpose()
    }

    /// At most `limit` accounts with numbers above `after`, in the order of their numbers.
    pub(super) async fn accounts_after(
        &self,
        after: AccountId,
        limit: i64,
    ) -> Result<Vec<Account>, StoreError> {
        let rows = account_rows!("and a.id > $1 order by a.id limit $2", after.0, limit)
            .fetch_all(&self.pool)
            .await?;
        rows.into_iter().map(Account::try_from).collect()
    }
}
