//! Who is visited next.
