//! Platform files, compiled and validated.
