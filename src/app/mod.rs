//! Builds every part and owns its life: start order, signals, soft then hard stop.

pub mod clock;
pub mod files;
pub mod lifecycle;
pub mod postgres;
pub mod telemetry;
