//! Every test that needs a server of some kind, in one binary.

// cfg(test) tells the lints that helper functions are test code too.
#[cfg(test)]
mod alerting;
#[cfg(test)]
mod alerting_manager;
#[cfg(test)]
mod alerting_restraint;
#[cfg(test)]
mod api;
#[cfg(test)]
mod assessments;
#[cfg(test)]
mod backup;
#[cfg(test)]
mod bad_input;
#[cfg(test)]
mod boards;
#[cfg(test)]
mod check;
#[cfg(test)]
mod city;
#[cfg(test)]
mod daemons;
#[cfg(test)]
mod demo;
#[cfg(test)]
mod demo_command;
#[cfg(test)]
mod evidence;
#[cfg(test)]
mod findings;
#[cfg(test)]
mod guides;
#[cfg(test)]
mod heartbeat;
#[cfg(test)]
mod kill;
#[cfg(test)]
mod metrics;
#[cfg(test)]
mod missing;
#[cfg(test)]
mod month;
#[cfg(test)]
mod observations;
#[cfg(test)]
mod outages;
#[cfg(test)]
mod pages;
#[cfg(test)]
mod panels;
#[cfg(test)]
mod panels_boards;
#[cfg(test)]
mod panels_office;
#[cfg(test)]
mod panels_prometheus;
#[cfg(test)]
mod panels_sample;
#[cfg(test)]
mod platform;
#[cfg(test)]
mod postgres;
#[cfg(test)]
mod registry;
#[cfg(test)]
mod robots;
#[cfg(test)]
mod schemes;
#[cfg(test)]
mod store;
#[cfg(test)]
mod support;
#[cfg(test)]
mod systemd;
#[cfg(test)]
mod upgrade;
