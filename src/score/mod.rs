//! Measures and scores, computed from stored facts.
