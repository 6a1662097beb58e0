//! The bulletin (通报) and the notices that go with it, as documents.
//!
//! Pure: what a check found goes in as a [`Check`], [`Bulletin::of`] counts, [`bulletin_document`]
//! and [`notice_documents`] put it into words, and one [`Document`] is written as Markdown, as an
//! official document in `.docx` and as a workbook. Every number comes from integers; an account
//! that could not be judged is neither passed nor failed and stands in a list of its own. Only a
//! published issue names anybody; a draft counts.

mod bulletin;
mod check;
mod compose;
mod document;
mod docx;
mod lists;
mod markdown;
mod notice;
mod ratio;
mod styles;
mod xlsx;

#[cfg(test)]
mod tests;

pub use bulletin::{Bulletin, Class, Group, PlatformCount, Recheck, RecheckState};
pub use check::{
    Before, Check, Earlier, Examined, Issue, Item, ItemKind, Judged, Kind, Origin, Wording,
};
pub use compose::bulletin_document;
pub use document::{Block, Cell, Document, Table};
pub use docx::docx;
pub use markdown::markdown;
pub use notice::{Notice, notice_documents};
pub use ratio::percent;
pub use xlsx::{XlsxError, xlsx};
