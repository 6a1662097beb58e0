//! What others may see.
