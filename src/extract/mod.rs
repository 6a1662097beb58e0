//! Reads a page as its platform file says.
//!
//! Pure: bytes, headers and an instant in, an [`Extraction`](crate::domain::Extraction) out. An
//! answer is an observation only if it proves to be the page that was asked for; everything else is
//! told apart from it with a reason, because a failed crawl is never silence.

mod ahead;
mod beside;
mod charset;
mod count;
mod date_column;
mod digest;
mod document;
mod explain;
mod feed;
mod fixture;
mod generic;
mod identity;
mod import;
mod innermost;
mod inquiry;
mod items;
mod json;
mod moment;
mod numeral;
mod page;
mod prepare;
mod reader;
mod script;
mod text;
mod timing;
mod value;
mod verdict;

pub use explain::{AskedPlace, ExplainedValue, Explanation, TriedLayout, explain};
pub use fixture::{Fixture, PUBLIC_INQUIRY_KEY, draft};
pub use import::{AccountName, Declared, DeclaredList, json_rows, read_import};
pub use page::{Page, extract};

#[cfg(test)]
mod tests;
