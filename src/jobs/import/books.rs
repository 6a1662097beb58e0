use std::collections::HashMap;

use crate::domain::{Account, AccountId};
use crate::extract::AccountName;
use crate::platform::Catalog;

/// The accounts of the ledger by their names.
pub(super) struct Books<'a> {
    /// 账号编号 of each.
    pub(super) keys: HashMap<AccountId, String>,
    by_key: HashMap<String, AccountId>,
    by_handle: HashMap<(String, String), AccountId>,
    catalog: &'a Catalog,
    given: Option<&'a str>,
}

impl<'a> Books<'a> {
    /// With nobody in them yet; `given` is the account of rows that name none.
    pub(super) fn new(catalog: &'a Catalog, given: Option<&'a str>) -> Self {
        let (keys, by_key, by_handle) = (HashMap::new(), HashMap::new(), HashMap::new());
        Self { keys, by_key, by_handle, catalog, given }
    }

    pub(super) fn enter(&mut self, account: Account) {
        let (id, entry) = (account.id, account.entry);
        self.by_key.insert(entry.key.clone(), id);
        self.by_handle.insert((entry.platform, entry.handle), id);
        self.keys.insert(id, entry.key);
    }

    pub(super) fn find(&self, name: &AccountName) -> Result<AccountId, String> {
        let by_key = |key: &str| {
            let found = self.by_key.get(key).copied();
            found.ok_or_else(|| format!("no account {key:?} in the ledger"))
        };
        match name {
            AccountName::Key(key) => by_key(key),
            AccountName::Given => by_key(self.given.unwrap_or_default()),
            AccountName::Handle { platform, handle } => {
                let known = self.catalog.find(platform);
                let known = known.ok_or_else(|| format!("no platform is called {platform:?}"))?;
                let found = self.by_handle.get(&(known.id.clone(), handle.clone())).copied();
                found.ok_or_else(|| format!("no account {handle:?} of {} in the ledger", known.id))
            }
        }
    }
}
