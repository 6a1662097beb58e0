#![doc = include_str!("ARCHITECTURE.md")]

pub mod alert;
pub mod app;
pub mod archive;
pub mod calendar;
pub mod cli;
pub mod domain;
pub mod evidence;
pub mod extract;
pub mod fetch;
pub mod html;
pub mod http;
pub mod jobs;
pub mod metrics;
pub mod notify;
pub mod observe;
pub mod platform;
pub mod registry;
pub mod report;
pub mod schedule;
pub mod scheme;
pub mod score;
pub mod settings;
pub mod simulator;
pub mod store;

/// Pages and batches of rows are many small pieces that come and go together.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;
