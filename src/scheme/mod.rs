//! Scoring schemes, compiled and validated.
