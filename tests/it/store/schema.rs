use xunjian::store::StoreError;

use super::{accounts, instant, observed};
use crate::support::{database, empty_database, secrets};

#[tokio::test]
async fn two_migrators_at_once_leave_one_schema() {
    let (store, _database) = empty_database().await;
    let other = store.clone();
    let (one, two) = tokio::join!(store.migrate(), other.migrate());
    one.unwrap();
    two.unwrap();
    store.migrate().await.unwrap();
    store.ping().await.unwrap();
    assert_eq!(store.accounts().await.unwrap(), []);
}

#[tokio::test]
async fn a_schema_newer_than_the_program_is_refused_with_both_versions() {
    let (store, database) = database().await;
    sqlx::raw_sql(
        "insert into _sqlx_migrations (version, description, success, checksum, execution_time)
         values (9999, 'from the future', true, '', 0)",
    )
    .execute(&database.pool)
    .await
    .unwrap();
    let refusal = store.migrate().await.unwrap_err();
    assert!(matches!(refusal, StoreError::SchemaNewer { database: 9999, program } if program < 99));
    let message = refusal.to_string();
    assert!(message.contains("version 9999") && message.contains("up to"), "{message}");
}

#[tokio::test]
async fn a_server_that_is_not_there_is_unavailable() {
    let url = "postgres://nobody@127.0.0.1:1/none";
    let refusal = xunjian::store::Store::connect(url, 1, secrets()).await;
    assert!(matches!(refusal.unwrap_err(), StoreError::Unavailable(_)));
}

async fn months(pool: &sqlx::PgPool) -> Vec<String> {
    sqlx::query_scalar(
        "select c.relname::text from pg_inherits i join pg_class c on c.oid = i.inhrelid
         where i.inhparent = 'visits'::regclass order by 1",
    )
    .fetch_all(pool)
    .await
    .unwrap()
}

#[tokio::test]
async fn partitions_reach_from_the_oldest_visit_to_two_months_ahead() {
    let (store, database) = database().await;
    assert_eq!(
        months(&database.pool).await,
        ["visits_2026_11", "visits_2026_12", "visits_2027_01"]
    );
    // The last second of a month and the first of the next, in Shanghai and in UTC.
    let account = accounts(&store, 1).await[0];
    for text in ["2026-08-31T23:59:59.999999Z", "2026-09-01T00:00:00Z", "2026-12-31T16:00:00Z"] {
        let mut record = observed(account, 0, -10, Vec::new());
        record.visit.started_at = instant(text);
        record.seen_at = instant(text);
        assert_eq!(store.finish(&[record]).await.unwrap().written, 1, "{text}");
    }
    let created = store.ensure_partitions(instant("2027-01-31T23:59:59Z")).await.unwrap();
    // Three tables gained what lies between the oldest visit and March, two months ahead.
    assert!(created > 0);
    assert_eq!(store.ensure_partitions(instant("2027-01-31T23:59:59Z")).await.unwrap(), 0);
    let names = months(&database.pool).await;
    assert_eq!(names.len(), 8, "{names:?}");
    assert_eq!(names.first().map(String::as_str), Some("visits_2026_08"));
    assert_eq!(names.last().map(String::as_str), Some("visits_2027_03"));
    let histories = store.histories(&[account], instant("2026-01-01T00:00:00Z")).await.unwrap();
    assert_eq!(histories[&account].visits.len(), 3);
}

#[tokio::test]
async fn two_that_want_a_month_at_once_make_it_once() {
    let (_store, database) = database().await;
    let wanted = "select xunjian_ensure_month('visits', '2030-05-01')";
    let mut first = database.pool.begin().await.unwrap();
    let made: bool = sqlx::query_scalar(wanted).fetch_one(&mut *first).await.unwrap();
    assert!(made);
    let second = sqlx::query_scalar::<_, bool>(wanted).fetch_one(&database.pool);
    let waiting = "select exists (select from pg_locks where locktype = 'advisory' and not granted
        and database = (select oid from pg_database where datname = current_database()))";
    let end = async {
        while !sqlx::query_scalar::<_, bool>(waiting).fetch_one(&mut *first).await.unwrap() {}
        first.commit().await.unwrap();
    };
    let (second, ()) = tokio::join!(second, end);
    assert!(!second.unwrap(), "made by the first");
}
