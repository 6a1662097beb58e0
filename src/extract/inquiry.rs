//! Citizens' messages: when they were asked and answered, never their words.

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use crate::domain::{Inquiry, Moment};
use crate::platform::InquiryFields;

use super::document::Node;
use super::explain::Place;
use super::page::Page;
use super::reader::Reader;

/// The messages of a page, each with the account's first answer.
pub(super) fn inquiries(
    page: &Page<'_>,
    fields: &InquiryFields,
    reader: &Reader<'_>,
    owner: Option<&str>,
) -> Vec<Inquiry> {
    reader.begin(Place::Unnamed);
    let found = fields.items.iter().map(|path| reader.nodes(path, reader.root()));
    let nodes = found.into_iter().find(|nodes| !nodes.is_empty()).unwrap_or_default();
    let mut inquiries = Vec::new();
    for (index, node) in nodes.into_iter().enumerate() {
        let place = format!("inquiries[{index}]");
        let asked = reader.moment(&fields.asked_at, node, &format!("{place}.asked_at"));
        let asked = asked.map(|(at, _)| at);
        let reply = first_reply(fields, reader, node, owner, &place);
        let id = reader.text(&fields.reference, node).unwrap_or_else(|| place.clone());
        let precisions = [asked.map(|at| at.precision), reply.map(|at| at.precision)];
        inquiries.push(Inquiry {
            reference: keyed(page.inquiry_key, &format!("{}:{id}", page.platform.id)),
            asked_at: asked,
            replied_at: reply,
            precision: precisions.into_iter().flatten().max(),
            official: reply.is_some(),
        });
    }
    inquiries
}

/// The earliest answer that the account itself gave.
fn first_reply<'a>(
    fields: &InquiryFields,
    reader: &Reader<'a>,
    node: Node<'a>,
    owner: Option<&str>,
    place: &str,
) -> Option<Moment> {
    let place = format!("{place}.replied_at");
    let replies = match fields.replies.is_empty() {
        true => vec![node],
        false => fields.replies.iter().flat_map(|path| reader.nodes(path, node)).collect(),
    };
    let official = |reply: &Node<'a>| {
        let author = reader.text(&fields.reply_author, *reply);
        let own = author.is_some() && author.as_deref() == owner;
        own || reader.flag(&fields.official, *reply).unwrap_or(false)
    };
    let official = replies.into_iter().filter(official);
    let times = official.filter_map(|reply| reader.moment(&fields.replied_at, reply, &place));
    times.map(|(at, _)| at).min_by_key(|at| at.at)
}

fn keyed(key: &[u8], id: &str) -> String {
    let mut mac = <Hmac<Sha256> as KeyInit>::new_from_slice(key).expect("any length of key fits");
    mac.update(id.as_bytes());
    hex::encode(mac.finalize().into_bytes())
}
