//! One function a measure, by what it is about.

pub(super) mod aged;
pub(super) mod declared;
pub(super) mod indices;
pub(super) mod influence;
pub(super) mod ledger;
pub(super) mod posting;
pub(super) mod replies;
pub(super) mod texture;
