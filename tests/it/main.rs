//! Every test that needs a server of some kind, in one binary.

mod metrics;
mod panels;
mod postgres;
mod store;
mod support;
