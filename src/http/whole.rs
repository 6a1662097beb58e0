//! Frozen results of a whole period as one file, read from the store page by page.

use axum::body::{Body, Bytes};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use futures::stream;
use serde_json::Value;

use crate::score::frozen::FrozenAccount;
use crate::store::{Assessment, FrozenFilter};

use super::assessments::{CSV, XLSX, unwritten};
use super::feed::{Book, csv_head, csv_rows, rows};
use super::problem::ProblemDetail;
use super::query::Filter;
use super::site::Site;

/// Accounts read at once: their lines are in memory together.
const ACCOUNTS: u32 = 200;

/// What is told, and to whose question.
#[derive(Clone)]
pub(super) struct Whole {
    pub(super) site: Site,
    pub(super) one: Assessment,
    pub(super) filter: Filter,
}

impl Whole {
    /// The rows of the accounts after a place; and the place of the last, where there are any.
    async fn page(&self, after: i64) -> Result<Option<(Vec<Vec<Value>>, i64)>, ProblemDetail> {
        let wanted = FrozenFilter { platform: self.filter.platform(), area: self.filter.area() };
        let page = self.site.reads.frozen_page(self.one.id, after, ACCOUNTS, wanted);
        let page = self.site.ask("frozen_page", page).await?;
        let Some(last) = page.last().map(|(place, _)| *place) else { return Ok(None) };
        let mut all = Vec::new();
        for (_, line) in &page {
            let account = FrozenAccount::read(line).map_err(|reason| unwritten(&reason))?;
            all.extend(rows(&self.one, &account));
        }
        Ok(Some((all, last)))
    }

    /// As CSV, sent while it is read. A failure in its midst breaks the transfer off, so that no
    /// part is taken for the whole.
    pub(super) fn csv(self) -> Response {
        let rest = stream::try_unfold((self, None), |(whole, after)| async move {
            let Some(after) = after else {
                let head = csv_head().map_err(std::io::Error::other)?;
                return Ok(Some((Bytes::from(head), (whole, Some(0)))));
            };
            let broken = |_: ProblemDetail| std::io::Error::other("the results cannot be read");
            let Some((rows, last)) = whole.page(after).await.map_err(broken)? else {
                return Ok(None);
            };
            let bytes = csv_rows(&rows).map_err(std::io::Error::other)?;
            Ok::<_, std::io::Error>(Some((Bytes::from(bytes), (whole, Some(last)))))
        });
        ([(header::CONTENT_TYPE, CSV)], Body::from_stream(rest)).into_response()
    }

    /// As a workbook, whose rows go to a file of this machine until it is whole.
    pub(super) async fn xlsx(self) -> Result<Response, ProblemDetail> {
        let told = |error: rust_xlsxwriter::XlsxError| unwritten(&error.to_string());
        let mut book = Book::begin().map_err(told)?;
        let mut after = 0;
        while let Some((rows, last)) = self.page(after).await? {
            if !book.has_room(rows.len()) {
                let detail = "more rows than a workbook holds: name platform or area, or take csv";
                return Err(ProblemDetail::bad_request(detail));
            }
            book.write(&rows).map_err(told)?;
            after = last;
        }
        let body = book.finish().map_err(told)?;
        Ok(([(header::CONTENT_TYPE, XLSX)], body).into_response())
    }
}
