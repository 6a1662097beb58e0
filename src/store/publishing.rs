//! Publishing: an issue of a bulletin is written whole in one transaction, or not at all.

use chrono::{DateTime, NaiveDate, Utc};
use sqlx::PgConnection;

use super::bulletins::{BulletinAccount, PublishedBulletin};
use super::columns::column;
use super::{Store, StoreError};

/// An issue to be published.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewBulletin {
    /// The assessment that it reports.
    pub assessment: i64,
    /// The issue that it corrects; absent for the first.
    pub supersedes: Option<i64>,
    /// Why it corrects.
    pub reason: String,
    /// By whom.
    pub actor: String,
    /// By when the failed accounts are to be mended.
    pub due: NaiveDate,
    /// The document as JSON.
    pub document: String,
    /// `sha256:…` of the document.
    pub digest: String,
    /// Every failed account.
    pub accounts: Vec<BulletinAccount>,
}

impl Store {
    /// Publishes an issue with its namings, or says `None` where another was published meanwhile,
    /// or a finding was dismissed: then nothing is written. An account that the corrected issue
    /// named keeps the day of its naming.
    pub async fn publish_bulletin(
        &self,
        new: &NewBulletin,
        now: DateTime<Utc>,
    ) -> Result<Option<PublishedBulletin>, StoreError> {
        let mut transaction = self.pool.begin().await?;
        sqlx::query!("lock table bulletins in share row exclusive mode")
            .execute(&mut *transaction)
            .await?;
        let newest = sqlx::query!(
            r#"select b.id as "id?", b.issue as "issue?" from assessments a
               left join bulletins b on b.period = a.period
                   and b.scheme is not distinct from a.scheme
               where a.id = $1 order by b.issue desc nulls last limit 1"#,
            new.assessment
        )
        .fetch_optional(&mut *transaction)
        .await?;
        let (newest, issue) = newest.map_or((None, None), |row| (row.id, row.issue));
        let named = new.accounts.iter().filter(|one| one.withheld.is_none());
        let ids: Vec<i64> = named.flat_map(|one| &one.findings).map(|finding| finding.0).collect();
        let dismissed = sqlx::query_scalar!(
            "with named as (select id, state from findings where id = any($1) for share)
             select id from named where state = 'dismissed'",
            &ids
        )
        .fetch_all(&mut *transaction)
        .await?;
        if newest != new.supersedes || !dismissed.is_empty() {
            return Ok(None);
        }
        let id = sqlx::query_scalar!(r#"select nextval('bulletin_numbers') as "id!""#)
            .fetch_one(&mut *transaction)
            .await?;
        write_accounts(&mut transaction, id, &new.accounts).await?;
        sqlx::query!(
            "insert into bulletins (id, assessment_id, period, scheme, issue, supersedes, reason,
                 published_at, actor, due, document, digest)
             select $1, a.id, a.period, a.scheme, $3, $4, $5, $6, $7, $8, $9, $10
             from assessments a where a.id = $2",
            id,
            new.assessment,
            issue.unwrap_or(0) + 1,
            new.supersedes,
            new.reason,
            now,
            new.actor,
            new.due,
            new.document,
            new.digest
        )
        .execute(&mut *transaction)
        .await?;
        write_namings(&mut transaction, id).await?;
        transaction.commit().await?;
        let all = self.bulletins(None).await?;
        Ok(all.into_iter().find(|one| one.id == id))
    }
}

async fn write_accounts(
    connection: &mut PgConnection,
    id: i64,
    accounts: &[BulletinAccount],
) -> Result<(), StoreError> {
    // An array of arrays of different lengths is none in Postgres: their numbers go as text.
    let findings = |one: &BulletinAccount| {
        let ids: Vec<String> = one.findings.iter().map(ToString::to_string).collect();
        format!("{{{}}}", ids.join(","))
    };
    sqlx::query!(
        "insert into bulletin_accounts (bulletin_id, place, key, account_id, findings, withheld)
         select $1, a.n::int, a.key, a.account_id, a.findings::bigint[], a.withheld
         from unnest($2::text[], $3::bigint[], $4::text[], $5::text[]) with ordinality
             as a (key, account_id, findings, withheld, n)",
        id,
        &column(accounts, |one| one.key.clone()),
        &column(accounts, |one| one.account.map(|account| account.0)) as &[Option<i64>],
        &column(accounts, findings),
        &column(accounts, |one| one.withheld.clone()) as &[Option<String>],
    )
    .execute(connection)
    .await?;
    Ok(())
}

async fn write_namings(connection: &mut PgConnection, id: i64) -> Result<(), StoreError> {
    sqlx::query!(
        "insert into namings (finding_id, bulletin, account_id, published_at, actor, issue)
         select f.id, concat_ws(' ', b.period, b.scheme, '第' || b.issue || '号'), a.account_id,
             coalesce((select min(n.published_at) from namings n
                 where n.issue = b.supersedes and n.account_id = a.account_id), b.published_at),
             b.actor, b.id
         from bulletins b
         join bulletin_accounts a on a.bulletin_id = b.id and a.withheld is null
         cross join unnest(a.findings) as f (id)
         where b.id = $1 order by f.id",
        id
    )
    .execute(connection)
    .await?;
    Ok(())
}
