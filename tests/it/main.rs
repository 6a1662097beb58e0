//! Every test that needs a server of some kind, in one binary.

#[cfg(test)]
mod check;
#[cfg(test)]
mod postgres;
#[cfg(test)]
mod store;
#[cfg(test)]
mod support;
