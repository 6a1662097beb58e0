//! x

mod postgres;
