//! A made-up city's platforms on loopback.
