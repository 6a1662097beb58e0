use axum::Json;
use axum::body::Bytes;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use chrono::{DateTime, FixedOffset};
use serde::{Deserialize, Serialize};

use crate::jobs::import::Export;
use crate::store::{Imported, StoredImport};

use super::access::Caller;
use super::acts::HandedOver;
use super::deeds::holder;
use super::problem::ProblemDetail;
use super::query::{beijing, understood};
use super::site::Site;

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct ImportQuery {
    source: String,
    account: String,
    complete_from: Option<DateTime<FixedOffset>>,
    complete_to: Option<DateTime<FixedOffset>>,
    /// The name of the file, for the books.
    file: String,
    dry_run: bool,
}

/// What came of an export.
#[derive(Debug, Default, Serialize)]
struct ImportView {
    /// `stored`, `before` (nothing changed) or `dry_run`.
    outcome: &'static str,
    /// The number of the import; null for a dry run.
    import: Option<i64>,
    imported_at: Option<String>,
    accounts: usize,
    posts: usize,
    /// Null for a dry run.
    new_posts: Option<u32>,
    conflicts: Option<u32>,
}

impl ImportView {
    fn stored(outcome: &'static str, import: &StoredImport) -> Self {
        Self {
            outcome,
            import: Some(import.id),
            imported_at: Some(beijing(import.record.imported_at)),
            accounts: import.accounts as usize,
            posts: import.posts as usize,
            new_posts: Some(import.new_posts),
            conflicts: Some(import.conflicts),
        }
    }
}

pub(super) async fn hand_in(
    State(site): State<Site>,
    caller: Caller,
    query: Result<Query<ImportQuery>, QueryRejection>,
    bytes: Bytes,
) -> Result<Response, ProblemDetail> {
    let grant = holder(&caller)?;
    let query = understood(query)?;
    if grant.source.as_deref().is_some_and(|source| source != query.source) {
        let detail = format!("the token is for another source than {:?}", query.source);
        return Err(ProblemDetail::new(StatusCode::FORBIDDEN, detail));
    }
    let utc = |at: Option<DateTime<FixedOffset>>| at.map(|at| at.to_utc());
    let export = Export {
        source: &query.source,
        account: Some(query.account.as_str()).filter(|key| !key.is_empty()),
        complete_from: utc(query.complete_from),
        complete_to: utc(query.complete_to),
        file: &query.file,
        bytes: &bytes,
        actor: &grant.person,
        area: &grant.area,
    };
    let handed = site.have("hand_in", site.acts.hand_in(export, query.dry_run)).await?;
    let (status, view) = match &handed {
        HandedOver::Readable(accounts, posts) => {
            let view = ImportView {
                outcome: "dry_run",
                accounts: *accounts,
                posts: *posts,
                ..ImportView::default()
            };
            (StatusCode::OK, view)
        }
        HandedOver::Imported(imported) => match imported.as_ref() {
            Imported::Stored(one) => (StatusCode::CREATED, ImportView::stored("stored", one)),
            Imported::Before(one) => (StatusCode::OK, ImportView::stored("before", one)),
        },
    };
    Ok((status, Json(view)).into_response())
}
