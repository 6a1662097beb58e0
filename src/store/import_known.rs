//! What other sources have told of the posts that an import lists.

use std::collections::BTreeMap;

use serde_json::Value;
use sqlx::PgConnection;

use super::StoreError;
use super::columns::{column, read_count, read_moment};
use super::listing::reference;
use super::record::VisitRecord;
use crate::domain::{Count, Moment, Origin, Post};

/// A post as it stands, with who gave what.
struct KnownPost {
    claimed: Option<Moment>,
    title: Option<String>,
    origin: String,
    import: Option<i64>,
    numbers: [(&'static str, Option<Count>, Option<i64>); 4],
}

/// The posts that an import lists and that are known already; those that the same source alone has
/// told of are left out, since a source may correct itself.
pub(super) struct KnownPosts(BTreeMap<(i64, String), KnownPost>);

/// Reads them.
pub(super) async fn known(
    connection: &mut PgConnection,
    visits: &[VisitRecord],
    source: &str,
) -> Result<KnownPosts, StoreError> {
    let names: Vec<(i64, &str)> = visits
        .iter()
        .flat_map(|one| one.posts.iter().filter_map(|post| Some((one.account.0, reference(post)?))))
        .collect();
    let own: Vec<i64> = sqlx::query_scalar!("select id from imports where source = $1", source)
        .fetch_all(&mut *connection)
        .await?;
    let rows = sqlx::query!(
        "select p.account_id, p.ref, p.claimed_at, p.claimed_precision, p.title, p.origin,
             p.import_id, p.imported, p.reads, p.likes, p.comments, p.shares
         from posts p join unnest($1::bigint[], $2::text[]) as n (account_id, ref)
             on p.account_id = n.account_id and p.ref = n.ref",
        &column(&names, |name| name.0),
        &column(&names, |name| name.1) as &[&str]
    )
    .fetch_all(connection)
    .await?;
    let mut known = BTreeMap::new();
    for row in rows {
        let given_by = |field: &str| row.imported.get(field).and_then(Value::as_i64);
        let own_value = |by: Option<i64>| by.is_some_and(|by| own.contains(&by));
        let number = |field: &'static str, stored: Option<Value>| {
            let by = given_by(field);
            let count = read_count(stored)?.filter(|_| !own_value(by));
            Ok::<_, StoreError>((field, count, by))
        };
        let listed_by_own = own_value(row.import_id);
        let numbers = [
            number("reads", row.reads)?,
            number("likes", row.likes)?,
            number("comments", row.comments)?,
            number("shares", row.shares)?,
        ];
        let claimed = read_moment(row.claimed_at, row.claimed_precision)?;
        let post = KnownPost {
            claimed: claimed.filter(|_| !listed_by_own),
            title: row.title.filter(|_| !listed_by_own),
            origin: if listed_by_own { Origin::Unknown.as_str().into() } else { row.origin },
            import: row.import_id,
            numbers,
        };
        known.insert((row.account_id, row.r#ref), post);
    }
    Ok(KnownPosts(known))
}

/// A conflict on its way to the books.
pub(super) struct Contradiction {
    pub(super) account: i64,
    pub(super) reference: String,
    pub(super) field: &'static str,
    pub(super) kept: String,
    pub(super) kept_from: Option<i64>,
    pub(super) offered: String,
}

impl KnownPosts {
    /// What an import says of a post, without what another source contradicts.
    pub(super) fn agreed(
        &self,
        visit: &VisitRecord,
        post: &Post,
        told: &mut Vec<Contradiction>,
    ) -> Post {
        let mut agreed = post.clone();
        let Some(name) = reference(post) else { return agreed };
        let Some(known) = self.0.get(&(visit.account.0, name.to_owned())) else { return agreed };
        let mut contradict = |field, kept: String, kept_from, offered: String| {
            let (account, reference) = (visit.account.0, name.to_owned());
            told.push(Contradiction { account, reference, field, kept, kept_from, offered });
        };
        if let (Some(kept), Some(offered)) = (known.claimed, post.published)
            && (kept.upper() <= offered.lower() || offered.upper() <= kept.lower())
        {
            contradict("published_at", kept.to_rfc3339(), known.import, offered.to_rfc3339());
            agreed.published = None;
        }
        if let (Some(kept), Some(offered)) = (&known.title, &post.title)
            && kept != offered
        {
            contradict("title", kept.clone(), known.import, offered.clone());
            agreed.title = None;
        }
        let unknown = Origin::Unknown.as_str();
        let offered = post.origin.as_str();
        if known.origin != unknown && offered != unknown && known.origin != offered {
            contradict("origin", known.origin.clone(), known.import, offered.to_owned());
            agreed.origin = Origin::Unknown;
        }
        let offered =
            [&mut agreed.reads, &mut agreed.likes, &mut agreed.comments, &mut agreed.shares];
        for ((field, kept, by), offered) in known.numbers.iter().zip(offered) {
            let (Some(before), Some(after)) = (kept, offered.as_ref()) else { continue };
            let fell = after.high().zip(before.low()).is_some_and(|(high, low)| high < low);
            if fell {
                contradict(*field, shown(before), *by, shown(after));
                *offered = None;
            }
        }
        agreed
    }
}

fn shown(count: &Count) -> String {
    serde_json::to_string(count).expect("a count is plain data")
}
