//! Platform files, compiled and validated.
//!
//! What differs between platforms is data: one TOML file says where a page stands, whose it is and
//! how its values are found. A file is compiled once, at start; every fault of every file is
//! reported with its place. The only Rust a platform may need is a [`Quirk`], named in the file.

mod asked;
mod catalog;
mod compile;
mod compile_import;
mod compile_layout;
mod compile_rule;
mod compile_source;
mod css;
mod import;
mod layout;
mod page;
mod query;
mod quirk;
mod raw;
mod section;
mod source;
mod subject;
mod visibility;

pub use asked::Names;
pub use catalog::{Canary, Catalog, Limit, Observability, Platform, Robots};
pub use css::Css;
pub use import::{ImportAccount, ImportCatalog, ImportMapping};
pub use layout::{
    Format, IdentityFields, InquiryFields, ItemFields, Layout, Prepare, Rule, ScriptPlace, Sign,
};
pub use page::{AddressTemplate, IdentityProof, Order, PageKind, Role, TimeSource};
pub use query::Query;
pub use quirk::{QUIRKS, Quirk};
pub use raw::Raw;
pub use source::{Candidate, Path, Place, Rounding, Source};
pub use visibility::{Need, Visibility};

#[cfg(test)]
mod tests;
