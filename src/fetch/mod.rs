//! Asks hosts for pages, politely and safely.
