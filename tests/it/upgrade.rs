//! A full office under the schema before the newest migrations, brought up to date in place.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use futures::TryStreamExt;
use sqlx::migrate::Migrator;
use sqlx::{AssertSqlSafe, Connection, PgConnection};
use xunjian::domain::AccountId;
use xunjian::observe::MarkKind;
use xunjian::store::{FindingFilter, NoticeOutcome, SchemaVersion, Store};

use crate::boards;
use crate::findings::Office;
use crate::panels_boards::root;
use crate::support;

/// Before it is kept when a notice was told (28), and what a flag names may be listed (29).
const BEFORE: i64 = 27;
const NAMES: &str = r#"[{"outcome": "name", "state": "holds"}]"#;
const TABLES: &str = "select relname::text from pg_class
    where relnamespace = 'public'::regnamespace and relkind in ('r', 'p') and not relispartition
      and relname <> '_sqlx_migrations' order by 1";

/// A database of the older schema with everything of the newer one that it has a place for.
async fn older(office: &Office) -> support::Database {
    let (store, old) = support::empty_database().await;
    store.close().await;
    let mut session = PgConnection::connect(&old.url).await.unwrap();
    let migrator = Migrator::new(root().join("src/store/migrations")).await.unwrap();
    migrator.run_to(BEFORE, &mut session).await.unwrap();
    // Rows come in any order, those of what is frozen too.
    run(&mut session, "set session_replication_role = replica").await;
    run(&mut session, "select xunjian_ensure_partitions('2026-06-01', '2026-12-01')").await;
    let tables: Vec<String> = sqlx::query_scalar(TABLES).fetch_all(&mut session).await.unwrap();
    assert!(tables.len() > 50, "{tables:?}");
    for table in tables {
        let columns: Vec<String> = sqlx::query_scalar(
            "select quote_ident(column_name) from information_schema.columns
             where table_schema = 'public' and table_name = $1 and is_generated = 'NEVER'",
        )
        .bind(&table)
        .fetch_all(&mut session)
        .await
        .unwrap();
        let read = format!("select coalesce(json_agg(t), '[]')::text from {table} t");
        let rows: String =
            sqlx::query_scalar(AssertSqlSafe(read)).fetch_one(&office.database.pool).await.unwrap();
        let columns = columns.join(", ");
        let write = format!(
            "insert into {table} ({columns}) overriding system value
             select {columns} from json_populate_recordset(null::{table}, $1::json)
             on conflict do nothing"
        );
        let written = sqlx::query(AssertSqlSafe(write)).bind(rows).execute(&mut session).await;
        written.unwrap_or_else(|error| panic!("{table}: {error}"));
    }
    old
}

async fn run(session: &mut PgConnection, statement: &str) {
    let done = sqlx::raw_sql(AssertSqlSafe(statement.to_owned())).execute(session).await;
    done.unwrap_or_else(|error| panic!("{statement}: {error}"));
}

/// The notices of all findings as (number, deadline, outcome, when it was told).
type Notices = Vec<(i64, DateTime<Utc>, NoticeOutcome, Option<DateTime<Utc>>)>;

async fn notices(store: &Store) -> Notices {
    let wanted = FindingFilter { limit: u32::MAX, ..FindingFilter::default() };
    let mut found = BTreeMap::new();
    for finding in store.findings(&wanted).await.unwrap() {
        for one in store.notices_of(finding.id).await.unwrap() {
            found.insert(one.id, (one.id, one.deadline, one.outcome, one.told_at));
        }
    }
    found.into_values().collect()
}

/// One mark of each kind that the older schema has, at a post of its own.
async fn mark(office: &Office, account: AccountId) {
    for kind in ["absent", "listed", "gone", "open"] {
        let statement = format!(
            "insert into post_marks (account_id, ref, at, kind, page, started_at, last_seen,
                 recorded_at)
             select {}, 'p-{kind}', t, '{kind}', 'timeline', t, t, t
             from (values (timestamptz '2026-10-01 08:00+08')) as v (t)",
            account.0
        );
        sqlx::raw_sql(AssertSqlSafe(statement)).execute(&office.database.pool).await.unwrap();
    }
}

/// What does not depend on the newest migrations must be read alike from both.
async fn reads_alike(new: &Store, upgraded: &Store) {
    let wanted = FindingFilter { limit: u32::MAX, ..FindingFilter::default() };
    let findings = new.findings(&wanted).await.unwrap();
    assert!(findings.len() > 4, "{}", findings.len());
    assert_eq!(upgraded.findings(&wanted).await.unwrap(), findings);
    let standings = new.standings(u32::MAX, None, None).await.unwrap();
    assert_eq!(standings.len(), 8);
    assert_eq!(upgraded.standings(u32::MAX, None, None).await.unwrap(), standings);
    let all = new.assessments(None).await.unwrap();
    assert_eq!(upgraded.assessments(None).await.unwrap(), all);
    let lines: Vec<String> = new.frozen_lines(all[0].id).try_collect().await.unwrap();
    assert!(!lines.is_empty());
    let same: Vec<String> = upgraded.frozen_lines(all[0].id).try_collect().await.unwrap();
    assert!(same == lines, "a frozen line is read otherwise");
    let issue = &new.bulletins(None).await.unwrap()[0];
    let document = new.bulletin_document(issue.id).await.unwrap();
    assert!(document.is_some());
    assert_eq!(upgraded.bulletin_document(issue.id).await.unwrap(), document);
}

/// Writes, as the program would, a list with an account that did not fail, had it been frozen with
/// these flags; nothing of it stays.
async fn lists_with(url: &str, flags: &str) -> Result<(), String> {
    let mut session = PgConnection::connect(url).await.unwrap();
    let statement = "
        set local session_replication_role = replica;
        update assessment_accounts set verdict = 'undetermined',
            line = jsonb_set(line::jsonb, '{card,flags}', 'FLAGS')::text where key = '甲-墙';
        set local session_replication_role = origin;
        insert into bulletin_accounts (bulletin_id, place, key, account_id, findings)
            select 99, 1, key, id, '{1}' from accounts where key = '甲-墙';
        insert into bulletins (id, assessment_id, period, issue, reason, published_at, actor, due,
                document, digest)
            select 99, min(assessment_id), '2026Q3', 1, '', now(), 'x', now(), '{}', 'y'
            from bulletins";
    let statement = AssertSqlSafe(statement.replace("FLAGS", flags));
    let mut attempt = session.begin().await.unwrap();
    let written = sqlx::raw_sql(statement).execute(&mut *attempt).await;
    attempt.rollback().await.unwrap();
    written.map(|_| ()).map_err(|error| error.to_string())
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_that_the_newest_migrations_touch_are_read_right_after_an_upgrade() {
    let office = boards::office().await;
    let new = &office.context().store;
    let account = new.account("甲-勤").await.unwrap().unwrap().id;
    mark(&office, account).await;
    let sent = notices(new).await;
    assert!(sent.len() >= 4, "{sent:?}");
    let answered_at = sent[1].1 - TimeDelta::days(3);
    let answered = NoticeOutcome::Answered { post: "p-open".to_owned(), at: answered_at };
    let doubt = NoticeOutcome::Pending(Some("coverage".to_owned()));
    let came = [NoticeOutcome::Missed, answered, NoticeOutcome::Withdrawn, doubt];
    let outcomes: Vec<_> = sent.iter().zip(came).map(|(one, came)| (one.0, came)).collect();
    let told_at = sent[0].1 + TimeDelta::days(1);
    new.save_outcomes(&outcomes, told_at).await.unwrap();

    let old = older(&office).await;
    let refused = lists_with(&old.url, NAMES).await.unwrap_err();
    assert!(refused.contains("did not fail in assessment"), "{refused}");

    let upgraded = Store::connect(&old.url, 2, support::secrets()).await.unwrap();
    upgraded.migrate().await.unwrap();
    let version: i64 = sqlx::query_scalar("select max(version) from _sqlx_migrations")
        .fetch_one(&old.pool)
        .await
        .unwrap();
    assert_eq!(version, SchemaVersion::newest());

    // What the older schema did not keep is taken from what it did: the answer, or the deadline.
    let read = notices(&upgraded).await;
    assert_eq!(read.len(), sent.len());
    for (place, (one, was)) in read.iter().zip(notices(new).await).enumerate() {
        let told = [Some(was.1), Some(answered_at), None, None].get(place).copied().flatten();
        assert_eq!((one.0, one.1, &one.2, one.3), (was.0, was.1, &was.2, told));
    }
    // One that was pending is told from now on with its time.
    upgraded.save_outcomes(&[(sent[3].0, NoticeOutcome::Missed)], told_at).await.unwrap();
    assert_eq!(notices(&upgraded).await[3].3, Some(told_at));
    new.save_outcomes(&[(sent[3].0, NoticeOutcome::Missed)], told_at).await.unwrap();

    let since = "2026-09-01T00:00:00Z".parse().unwrap();
    let marks = new.post_marks(&[account], since).await.unwrap();
    assert_eq!(marks[&account].len(), 4);
    assert_eq!(upgraded.post_marks(&[account], since).await.unwrap(), marks);
    let mut session = PgConnection::connect(&old.url).await.unwrap();
    run(&mut session, "update post_marks set kind = 'redated' where ref = 'p-open'").await;
    let later = since + TimeDelta::days(90);
    let marks = upgraded.post_marks(&[account], later).await.unwrap();
    assert!(matches!(&marks[&account][..], [one] if one.kind == MarkKind::Redated), "{marks:?}");

    // Who is to be named by the scheme may be listed without having failed; nobody else.
    assert_eq!(lists_with(&old.url, NAMES).await, Ok(()));
    let refused = lists_with(&old.url, "[]").await.unwrap_err();
    assert!(refused.contains("is not to be named by assessment"), "{refused}");
    reads_alike(new, &upgraded).await;
    upgraded.close().await;
}
