//! Who handed in what: authorised exports and filled-in forms, with what came of them.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde_json::Value;
use sqlx::{Connection, PgConnection};

use super::columns::column;
use super::copying::Copying;
use super::import_known::{Contradiction, known};
use super::listing::reference;
use super::record::VisitRecord;
use super::{FinishReport, Store, StoreError, finish};
use crate::domain::{AccountId, Post};

/// A file that was handed in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImportRecord {
    /// The id of its mapping.
    pub source: String,
    /// The mapping's Chinese title.
    pub title: String,
    /// `owner_api` (授权接口) or `office_file` (人工填报).
    pub class: String,
    /// The file's name.
    pub file: String,
    /// `sha256:…` of the file.
    pub file_digest: String,
    /// `sha256:…` of the mapping.
    pub mapping_digest: String,
    /// What was declared with it: the account, since and until when it is complete.
    pub declared: String,
    /// Who brought it in.
    pub actor: String,
    /// When.
    pub imported_at: DateTime<Utc>,
}

/// A file that was handed in, as it stands in the books.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredImport {
    /// Its number.
    pub id: i64,
    /// The file.
    pub record: ImportRecord,
    /// Accounts that it speaks of.
    pub accounts: u32,
    /// Posts that it lists.
    pub posts: u32,
    /// Those of them that were not known.
    pub new_posts: u32,
    /// Values that another source tells otherwise.
    pub conflicts: u32,
}

/// What came of an import.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Imported {
    /// It was written down.
    Stored(StoredImport),
    /// The same file had been brought in under the same mapping and declarations: nothing changed.
    Before(StoredImport),
}

/// Two sources that say different things of one post; both are kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImportConflict {
    /// 账号编号.
    pub key: String,
    /// The post.
    pub reference: String,
    /// `published_at`, `title`, `origin`, `reads`, `likes`, `comments` or `shares`.
    pub field: String,
    /// What stood there and stays.
    pub kept: String,
    /// The import that gave it; absent: read from a public page.
    pub kept_from: Option<i64>,
    /// What the import says.
    pub offered: String,
    /// The import.
    pub import: i64,
}

impl Store {
    /// Brings in a file with the visits that it amounts to, all of it or nothing.
    ///
    /// What another source gave is never overwritten by a value that contradicts it: a time outside
    /// the other's, another title or origin, a number below what was known. Such values are kept as
    /// conflicts; the rest is written as any observation is, marked with the import.
    pub async fn import(
        &self,
        record: &ImportRecord,
        visits: &[VisitRecord],
    ) -> Result<Imported, StoreError> {
        let instants: Vec<DateTime<Utc>> =
            visits.iter().flat_map(|one| [one.visit.started_at, one.seen_at]).collect();
        self.ensure_months(instants).await?;
        let mut importing = Copying::acquire(&self.pool).await?;
        let mut transaction = importing.begin().await?;
        let connection = &mut *transaction;
        let Some(id) = open(connection, record, visits).await? else {
            transaction.rollback().await?;
            importing.end();
            let before = self.imports_where(Some(record)).await?.into_iter().next();
            let gone = || StoreError::Database(sqlx::Error::RowNotFound);
            return before.map(Imported::Before).ok_or_else(gone);
        };
        finish::lock_accounts(connection, visits).await?;
        let known = known(connection, visits, &record.source).await?;
        let (mut reduced, mut conflicts) = (Vec::with_capacity(visits.len()), Vec::new());
        for visit in visits {
            let kept = visit.posts.iter().map(|post| known.agreed(visit, post, &mut conflicts));
            let posts = kept.collect();
            reduced.push(VisitRecord { posts, ..visit.clone() });
        }
        let mut report = FinishReport::default();
        finish::write(connection, &reduced.iter().collect::<Vec<_>>(), &mut report).await?;
        mark(connection, id, &reduced, &report).await?;
        save_conflicts(connection, id, &conflicts, record.imported_at).await?;
        let counts = (clamp(report.discovered.len()), clamp(conflicts.len()));
        sqlx::query!(
            "update imports set new_posts = $2, conflicts = $3 where id = $1",
            id,
            counts.0,
            counts.1
        )
        .execute(&mut *connection)
        .await?;
        transaction.commit().await?;
        importing.end();
        Ok(Imported::Stored(StoredImport {
            id,
            record: record.clone(),
            accounts: clamp(visits.len()).unsigned_abs(),
            posts: clamp(visits.iter().map(|one| one.posts.len()).sum()).unsigned_abs(),
            new_posts: counts.0.unsigned_abs(),
            conflicts: counts.1.unsigned_abs(),
        }))
    }

    /// Every file that was handed in, the newest first.
    pub async fn imports(&self) -> Result<Vec<StoredImport>, StoreError> {
        self.imports_where(None).await
    }

    async fn imports_where(
        &self,
        same: Option<&ImportRecord>,
    ) -> Result<Vec<StoredImport>, StoreError> {
        let rows = sqlx::query!(
            "select id, source, title, class, file, file_digest, mapping_digest, declared, actor,
                 imported_at, accounts, posts, new_posts, conflicts
             from imports
             where $1::text is null or (source = $1 and file_digest = $2 and mapping_digest = $3
                 and declared = $4)
             order by id desc",
            same.map(|one| one.source.clone()),
            same.map(|one| one.file_digest.clone()),
            same.map(|one| one.mapping_digest.clone()),
            same.map(|one| one.declared.clone())
        )
        .fetch_all(&self.pool)
        .await?;
        let stored = rows.into_iter().map(|row| StoredImport {
            id: row.id,
            record: ImportRecord {
                source: row.source,
                title: row.title,
                class: row.class,
                file: row.file,
                file_digest: row.file_digest,
                mapping_digest: row.mapping_digest,
                declared: row.declared,
                actor: row.actor,
                imported_at: row.imported_at,
            },
            accounts: row.accounts.unsigned_abs(),
            posts: row.posts.unsigned_abs(),
            new_posts: row.new_posts.unsigned_abs(),
            conflicts: row.conflicts.unsigned_abs(),
        });
        Ok(stored.collect())
    }

    /// What sources tell differently, of one import or of all, by account and post.
    pub async fn import_conflicts(
        &self,
        import: Option<i64>,
    ) -> Result<Vec<ImportConflict>, StoreError> {
        let rows = sqlx::query_as!(
            ImportConflict,
            "select a.key, c.ref as reference, c.field, c.kept, c.kept_from, c.offered,
                 c.import_id as import
             from import_conflicts c join accounts a on a.id = c.account_id
             where $1::bigint is null or c.import_id = $1
             order by a.key, c.ref, c.field, c.import_id",
            import
        )
        .fetch_all(&self.pool)
        .await?;
        Ok(rows)
    }

    /// Which imports gave something of an account's post: the one that listed it first, and those
    /// that gave its current numbers, by field. All else was read from public pages.
    pub async fn post_imports(
        &self,
        account: AccountId,
        reference: &str,
    ) -> Result<Option<(Option<i64>, BTreeMap<String, i64>)>, StoreError> {
        let row = sqlx::query!(
            "select import_id, imported from posts where account_id = $1 and ref = $2",
            account.0,
            reference
        )
        .fetch_optional(&self.pool)
        .await?;
        let read = |numbers: Value| {
            serde_json::from_value(numbers).map_err(|e| super::columns::misread("imported", e))
        };
        row.map(|row| Ok((row.import_id, read(row.imported)?))).transpose()
    }
}

fn clamp(number: usize) -> i32 {
    i32::try_from(number).unwrap_or(i32::MAX)
}

/// Opens the books for a file; `None` where it stands there already.
async fn open(
    connection: &mut PgConnection,
    record: &ImportRecord,
    visits: &[VisitRecord],
) -> Result<Option<i64>, StoreError> {
    let posts = visits.iter().map(|one| one.posts.len()).sum();
    let id = sqlx::query_scalar!(
        "insert into imports (source, title, class, file, file_digest, mapping_digest, declared,
             actor, imported_at, accounts, posts, inquiries, new_posts, conflicts)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, 0, 0, 0)
         on conflict (source, file_digest, mapping_digest, declared) do nothing returning id",
        record.source,
        record.title,
        record.class,
        record.file,
        record.file_digest,
        record.mapping_digest,
        record.declared,
        record.actor,
        record.imported_at,
        clamp(visits.len()),
        clamp(posts)
    )
    .fetch_optional(connection)
    .await?;
    Ok(id)
}

/// Marks everything that was written with the import that gave it.
async fn mark(
    connection: &mut PgConnection,
    id: i64,
    records: &[VisitRecord],
    report: &FinishReport,
) -> Result<(), StoreError> {
    sqlx::query!(
        "update visits v set import_id = $1
         from unnest($2::bigint[], $3::timestamptz[], $4::text[]) 
             as n (account_id, started_at, page)
         where v.account_id = n.account_id and v.started_at = n.started_at and v.page = n.page",
        id,
        &column(records, |one| one.account.0),
        &column(records, |one| one.visit.started_at),
        &column(records, |one| one.visit.page.to_string())
    )
    .execute(&mut *connection)
    .await?;
    sqlx::query!(
        "update posts p set import_id = $1
         from unnest($2::bigint[], $3::text[]) as n (account_id, ref)
         where p.account_id = n.account_id and p.ref = n.ref",
        id,
        &column(&report.discovered, |one| one.account.0),
        &column(&report.discovered, |one| one.reference.clone())
    )
    .execute(&mut *connection)
    .await?;
    let given: Vec<(i64, String, Value, DateTime<Utc>)> = records
        .iter()
        .flat_map(|one| one.posts.iter().filter_map(|post| given(one, post, id)))
        .collect();
    sqlx::query!(
        "with given as (
             select * from unnest($2::bigint[], $3::text[], $4::jsonb[], $5::timestamptz[])
                 as g (account_id, ref, fields, at)
         ), numbers as (
             update posts p set imported = p.imported || g.fields from given g
             where p.account_id = g.account_id and p.ref = g.ref and p.last_seen = g.at
               and not (p.stands and exists (select from lists l where l.account_id = p.account_id
                   and l.page = p.page and l.seen_at > p.last_seen))
         )
         update post_samples s set import_id = $1 from given g
         where s.account_id = g.account_id and s.ref = g.ref and s.at = g.at",
        id,
        &column(&given, |one| one.0),
        &column(&given, |one| one.1.clone()),
        &column(&given, |one| one.2.clone()),
        &column(&given, |one| one.3)
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// The numbers that an import gives of a post, each with the import.
fn given(
    record: &VisitRecord,
    post: &Post,
    id: i64,
) -> Option<(i64, String, Value, DateTime<Utc>)> {
    let numbers = [
        ("reads", &post.reads),
        ("likes", &post.likes),
        ("comments", &post.comments),
        ("shares", &post.shares),
    ];
    let given = numbers.into_iter().filter(|(_, number)| number.is_some());
    let fields: serde_json::Map<String, Value> =
        given.map(|(field, _)| (field.to_owned(), Value::from(id))).collect();
    let any = !fields.is_empty();
    any.then_some((
        record.account.0,
        reference(post)?.to_owned(),
        Value::Object(fields),
        record.seen_at,
    ))
}

async fn save_conflicts(
    connection: &mut PgConnection,
    id: i64,
    conflicts: &[Contradiction],
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    sqlx::query!(
        "insert into import_conflicts (account_id, ref, field, import_id, kept, kept_from, offered,
             recorded_at)
         select c.account_id, c.ref, c.field, $1, c.kept, c.kept_from, c.offered, $7
         from unnest($2::bigint[], $3::text[], $4::text[], $5::text[], $6::bigint[], $8::text[])
             as c (account_id, ref, field, kept, kept_from, offered)
         on conflict (account_id, ref, field, import_id) do nothing",
        id,
        &column(conflicts, |one| one.account),
        &column(conflicts, |one| one.reference.clone()),
        &column(conflicts, |one| one.field.to_owned()),
        &column(conflicts, |one| one.kept.clone()),
        &column(conflicts, |one| one.kept_from) as &[Option<i64>],
        now,
        &column(conflicts, |one| one.offered.clone())
    )
    .execute(connection)
    .await?;
    Ok(())
}
