//! Histories of very many accounts for the scores of a period: what they share is read once.

use std::sync::Arc;

use chrono::{DateTime, Utc};

use super::columns::column;
use super::drifts::PageDrift;
use super::history_pages::{Looks, Pages};
use super::history_rows::{ListedPostRow, LookRow};
use super::score_inputs::FactsOf;
use super::{Store, StoreError};
use crate::observe::{History, ListedPost, Outcome, Visit};

/// An account whose oldest post is asked for.
pub(super) struct Ends {
    pub(super) account: i64,
    /// And its newest.
    pub(super) newest: bool,
}

/// What the histories of accounts share: looks at canaries, and page kinds that drifted.
#[derive(Clone, Default)]
pub(super) struct Surroundings(Arc<Shared>);

#[derive(Default)]
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

impl Pages {
    /// Takes visits, by time, into the history; returns the as-of time of the newest look, made in
    /// the period, at a page with what citizens wrote.
    pub(super) fn take_visits(
        &mut self,
        visits: Vec<(Option<&str>, Visit)>,
        of: FactsOf,
    ) -> Option<DateTime<Utc>> {
        self.history.visits.reserve(visits.len());
        let mut read_at = None;
        for (host, visit) in visits {
            if !visit.part.is_empty() {
                self.take(host, visit);
                continue;
            }
            // Of pages that speak for no list these are the ones with what citizens wrote.
            let in_time = of.from <= visit.started_at && visit.started_at < of.to;
            if let Outcome::Observed(seen) = &visit.outcome
                && in_time
                && visit.recorded_at <= of.known_at
            {
                read_at = read_at.max(Some(seen.as_of));
            }
        }
        read_at
    }
}

impl Store {
    /// What the histories of all accounts since an instant share.
    pub(super) async fn surroundings_of_all(
        &self,
        since: DateTime<Utc>,
    ) -> Result<Surroundings, StoreError> {
        let looks = self.all_looks(since).await?;
        self.surroundings(looks, since).await
    }

    /// What the histories since an instant share of which these are the pages.
    pub(super) async fn surroundings_of(
        &self,
        pages: impl Iterator<Item = &Pages>,
        since: DateTime<Utc>,
    ) -> Result<Surroundings, StoreError> {
        let looks = self.looks(pages, since).await?;
        self.surroundings(looks, since).await
    }

    async fn surroundings(
        &self,
        looks: Looks,
        since: DateTime<Utc>,
    ) -> Result<Surroundings, StoreError> {
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

    /// The oldest post of some accounts that was known at an instant, and the newest where it is
    /// asked for, as far as they are of before `since`.
    pub(super) async fn edge_posts(
        &self,
        wanted: &[Ends],
        since: DateTime<Utc>,
        known_at: DateTime<Utc>,
    ) -> Result<Vec<(i64, ListedPost)>, StoreError> {
        let rows = sqlx::query_as!(
            ListedPostRow,
            r#"select wanted.account_id as "account_id!", p.ref as "reference!", p.claimed_at,
                   p.claimed_precision, p.first_seen as "first_seen!", p.missed_by, p.seen_before,
                   p.recorded_at as "recorded_at!", p.page as "page!", p.first_text_digest
               from unnest($1::bigint[], $4::boolean[]) as wanted (account_id, newest), lateral (
                   (select * from posts n where n.account_id = wanted.account_id
                        and n.recorded_at <= $3 and wanted.newest
                    order by coalesce(n.claimed_at, n.first_seen) desc limit 1)
                   union all
                   (select * from posts o where o.account_id = wanted.account_id
                        and o.recorded_at <= $3
                    order by coalesce(o.claimed_at, o.first_seen) limit 1)
               ) p
               where coalesce(p.claimed_at, p.first_seen) < $2 and p.first_seen < $2"#,
            &column(wanted, |one| one.account),
            since,
            known_at,
            &column(wanted, |one| one.newest)
        )
        .fetch_all(&self.pool)
        .await?;
        rows.into_iter().map(ListedPostRow::into_post).collect()
    }
}
