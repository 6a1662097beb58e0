//! Whether messages have been answered.

use super::{Store, StoreError};
use crate::domain::AccountId;

impl Store {
    /// Which of these messages of an account have no answer of its own, as far as is known; none
    /// where it is closed or cancelled: nobody is to answer there any more.
    pub async fn unanswered(
        &self,
        account: AccountId,
        references: &[String],
    ) -> Result<Vec<String>, StoreError> {
        let open = sqlx::query_scalar!(
            r#"select i.ref from inquiries i join accounts a on a.id = i.account_id
               where i.account_id = $1 and i.ref = any($2)
                 and not (i.official and i.replied_at is not null)
                 and a.lifecycle not in ('closed', 'cancelled')"#,
            account.0,
            references
        )
        .fetch_all(&self.pool)
        .await?;
        Ok(open)
    }
}
