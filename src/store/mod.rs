//! The only home of SQL.

mod settings;

pub use settings::Settings;
