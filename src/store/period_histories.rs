//! Histories of very many accounts for the scores of a period: what they share is read once.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use chrono::{DateTime, Utc};

use super::drifts::PageDrift;
use super::history_pages::{Looks, Pages};
use super::history_rows::{ListedPostRow, LookRow, ToldVisit};
use super::score_inputs::FactsOf;
use super::{Store, StoreError};
use crate::observe::{History, ListedPost};

/// What the histories of accounts share: looks at canaries, and page kinds that drifted.
#[derive(Clone)]
pub(super) struct Surroundings(Arc<Shared>);

struct Shared {
    looks: Looks,
    drifts: Vec<PageDrift>,
}

impl Surroundings {
    /// The history of one account.
    pub(super) fn history(
        &self,
        account: i64,
        mut pages: Pages,
        posts: Vec<ListedPost>,
    ) -> History {
        pages.history.posts = posts;
        pages.with_surroundings(account, &self.0.drifts, &self.0.looks)
    }
}

impl Store {
    /// What the histories since an instant share: of these accounts' pages, or of all.
    pub(super) async fn surroundings(
        &self,
        since: DateTime<Utc>,
        of: Option<&BTreeMap<i64, Pages>>,
    ) -> Result<Surroundings, StoreError> {
        let looks = match of {
            Some(pages) => self.looks(pages, since).await?,
            None => self.all_looks(since).await?,
        };
        let drifts = self.drifts(since).await?;
        Ok(Surroundings(Arc::new(Shared { looks, drifts })))
    }

    /// The looks since an instant at every host and page kind.
    async fn all_looks(&self, since: DateTime<Utc>) -> Result<Looks, StoreError> {
        let rows = sqlx::query_as!(
            LookRow,
            "select host, page, account_id, at, adapter, healthy, recorded_at from canary_looks
             where at >= $1 order by at, healthy, account_id",
            since
        )
        .fetch_all(&self.pool)
        .await?;
        Ok(LookRow::gathered(rows))
    }

    /// Takes the visits since `since` of the accounts of these pages into their histories; returns
    /// the as-of time of the newest look of each, made in the period, at a page with what citizens
    /// wrote.
    pub(super) async fn take_visits(
        &self,
        pages: &mut BTreeMap<i64, Pages>,
        of: FactsOf,
    ) -> Result<HashMap<i64, DateTime<Utc>>, StoreError> {
        let accounts: Vec<i64> = pages.keys().copied().collect();
        let mut reading = self.reading_alike().await?;
        let mut rows = sqlx::query_as!(
            ToldVisit,
            "select account_id, started_at, page, host, part, recorded_at, adapter, source, outcome,
                 reason, items, as_of, span_low, span_high, exhausted, empty, confirming,
                 posts_total, new_items, upstream_success, registered_at, registered_precision,
                 bracket_older, bracket_newer, claims_shift_seconds
             from visits where account_id = any($1) and started_at >= $2 and part <> '-'",
            &accounts,
            of.since
        )
        .fetch_all(&mut *reading)
        .await?;
        reading.commit().await?;
        rows.sort_unstable_by(|a, b| {
            (a.account_id, a.started_at, &a.page).cmp(&(b.account_id, b.started_at, &b.page))
        });
        let mut read_at: HashMap<i64, DateTime<Utc>> = HashMap::new();
        for row in rows {
            if !row.part.is_empty() {
                if let Some(one) = pages.get_mut(&row.account_id) {
                    one.take(row)?;
                }
                continue;
            }
            // Of pages that speak for no list these are the ones with what citizens wrote.
            let in_time = of.from <= row.started_at && row.started_at < of.to;
            let known = row.outcome == "observed" && row.recorded_at <= of.known_at;
            if let Some(as_of) = row.as_of.filter(|_| in_time && known) {
                let newest = read_at.entry(row.account_id).or_insert(as_of);
                *newest = as_of.max(*newest);
            }
        }
        Ok(read_at)
    }

    /// The oldest and the newest post of some accounts where none is listed since `since`.
    pub(super) async fn edge_posts(
        &self,
        accounts: &[i64],
        since: DateTime<Utc>,
    ) -> Result<Vec<(i64, ListedPost)>, StoreError> {
        let rows = sqlx::query_as!(
            ListedPostRow,
            r#"select wanted.account_id as "account_id!", p.ref as "reference!", p.claimed_at,
                   p.claimed_precision, p.first_seen as "first_seen!", p.missed_by, p.seen_before,
                   p.recorded_at as "recorded_at!", p.page as "page!", p.first_text_digest
               from unnest($1::bigint[]) as wanted (account_id), lateral (
                   (select * from posts n where n.account_id = wanted.account_id
                    order by coalesce(n.claimed_at, n.first_seen) desc limit 1)
                   union all
                   (select * from posts o where o.account_id = wanted.account_id
                    order by coalesce(o.claimed_at, o.first_seen) limit 1)
               ) p
               where coalesce(p.claimed_at, p.first_seen) < $2 and p.first_seen < $2"#,
            accounts,
            since
        )
        .fetch_all(&self.pool)
        .await?;
        rows.into_iter().map(ListedPostRow::into_post).collect()
    }
}
