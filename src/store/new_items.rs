//! How many items of each visit are new, to set beside the growth of the profile's counter.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use sqlx::PgConnection;

use super::StoreError;
use super::columns::column;
use super::listing::{ListedRow, Listing};
use super::record::VisitRecord;
use crate::observe::{Outcome, latest};

/// How many items each record lists that are not known and may be younger than the newest earlier
/// observation of the same account and page. An unknown item that claims to be older comes from
/// reading deeper than before; it explains no growth of the counter.
pub(super) async fn count(
    connection: &mut PgConnection,
    records: &[&VisitRecord],
    listed: &Listing<'_>,
) -> Result<Vec<usize>, StoreError> {
    let mut counts = vec![0; records.len()];
    let unknown: Vec<&ListedRow<'_>> = listed.unknown().collect();
    let mut asking: Vec<usize> = unknown.iter().map(|row| row.record).collect();
    asking.sort_unstable();
    asking.dedup();
    let stored = observed_before(connection, records, &asking).await?;
    let observed_to: BTreeMap<usize, DateTime<Utc>> = asking
        .iter()
        .filter_map(|&place| {
            let stored = stored.get(&place).copied();
            Some((place, stored.max(observed_before_in(records, place))?))
        })
        .collect();
    for row in unknown {
        let is_older = observed_to
            .get(&row.record)
            .zip(row.first.published)
            .is_some_and(|(observed_to, claim)| latest(claim) <= *observed_to);
        if !is_older {
            counts[row.record] += 1;
        }
    }
    Ok(counts)
}

/// As-of time of the newest stored observation before each of the records at `places`.
async fn observed_before(
    connection: &mut PgConnection,
    records: &[&VisitRecord],
    places: &[usize],
) -> Result<BTreeMap<usize, DateTime<Utc>>, StoreError> {
    if places.is_empty() {
        return Ok(BTreeMap::new());
    }
    let rows = sqlx::query!(
        r#"select n.place as "place!", max(v.as_of) as "observed_to!"
           from unnest($1::bigint[], $2::bigint[], $3::text[], $4::timestamptz[],
               $5::timestamptz[]) as n (place, account_id, page, as_of, started_at)
           join visits v on v.account_id = n.account_id and v.page = n.page
               and v.outcome = 'observed'
               and (v.as_of, v.started_at) < (n.as_of, n.started_at)
           group by n.place"#,
        &column(places, |place| i64::try_from(*place).unwrap_or(i64::MAX)),
        &column(places, |place| records[*place].account.0),
        &column(places, |place| records[*place].visit.page.to_string()),
        &column(places, |place| as_of(records[*place])),
        &column(places, |place| records[*place].visit.started_at),
    )
    .fetch_all(connection)
    .await?;
    let place = |row: i64| usize::try_from(row).expect("the places come back as they were given");
    Ok(rows.into_iter().map(|row| (place(row.place), row.observed_to)).collect())
}

/// The same among the other records of the batch, which are not stored yet.
fn observed_before_in(records: &[&VisitRecord], place: usize) -> Option<DateTime<Utc>> {
    let one = records[place];
    let same_page = |other: &&&VisitRecord| {
        (other.account, &other.visit.page) == (one.account, &one.visit.page)
    };
    let observed = records.iter().filter(same_page).filter_map(|other| {
        let Outcome::Observed(observation) = &other.visit.outcome else { return None };
        Some((observation.as_of, other.visit.started_at))
    });
    observed.filter(|other| *other < (as_of(one), one.visit.started_at)).map(|other| other.0).max()
}

fn as_of(record: &VisitRecord) -> DateTime<Utc> {
    match &record.visit.outcome {
        Outcome::Observed(observation) => observation.as_of,
        _ => record.seen_at,
    }
}
