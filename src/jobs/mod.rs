//! The work that composes the stages on the clock.
