//! Reads a page as its platform file says.
