//! Defaults, file, environment: one typed whole.
