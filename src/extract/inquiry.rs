//! Citizens' messages: when they were asked and answered, never their words.

use std::collections::HashSet;

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use crate::domain::{Inquiry, Moment};
use crate::html::{Element, Tag};
use crate::platform::{InquiryFields, Path};

use super::date_column::head;
use super::document::Node;
use super::explain::Place;
use super::page::Page;
use super::reader::Reader;

/// The most messages that one page may list.
const MESSAGES_MAX: usize = 2000;

/// The messages of a page.
#[derive(Default)]
pub(super) struct Messages {
    /// Citizens', each with the account's first answer.
    pub(super) inquiries: Vec<Inquiry>,
    /// Whether the account's own stand among them.
    pub(super) own: bool,
}

/// Reads the messages of a page.
pub(super) fn messages(
    page: &Page<'_>,
    fields: &InquiryFields,
    reader: &Reader<'_>,
    owner: Option<&str>,
) -> Messages {
    reader.begin(Place::Unnamed);
    let found = fields.items.iter().map(|path| complete(fields, reader, path));
    let nodes = found.into_iter().find(|nodes| !nodes.is_empty()).unwrap_or_default();
    if nodes.len() > MESSAGES_MAX {
        reader.warn("inquiries", &format!("{}, the first {MESSAGES_MAX} are read", nodes.len()));
    }
    let mut messages = Messages::default();
    for (index, node) in nodes.into_iter().take(MESSAGES_MAX).enumerate() {
        let author = reader.text(&fields.author, node);
        if author.is_some() && author.as_deref() == owner {
            messages.own = true;
            continue;
        }
        let place = format!("inquiries[{index}]");
        reader.begin(Place::Message(index));
        let asked = reader.moment(&fields.asked_at, node, &format!("{place}.asked_at"));
        let asked = asked.map(|(at, _)| at);
        let reply = first_reply(fields, reader, node, owner, &place);
        let (asked, reply) = match (asked, reply) {
            (Some(asked), Some(reply)) if reply.upper() <= asked.lower() => {
                // Neither time is to be believed where it cannot be told which is which.
                if !names_answer_first(node) {
                    reader.warn(&place, "answered before it was asked, left out");
                    continue;
                }
                (Some(reply), Some(asked))
            }
            times => times,
        };
        let id = reader.text(&fields.reference, node).unwrap_or_else(|| place.clone());
        let precisions = [asked.map(|at| at.precision), reply.map(|at| at.precision)];
        messages.inquiries.push(Inquiry {
            reference: keyed(page.inquiry_key, &format!("{}:{id}", page.platform.id)),
            asked_at: asked,
            replied_at: reply,
            precision: precisions.into_iter().flatten().max(),
            official: reply.is_some(),
        });
    }
    messages
}

/// The nodes of a path that are messages; where the file wants the innermost, those that hold no
/// other.
fn complete<'a>(fields: &InquiryFields, reader: &Reader<'a>, path: &Path) -> Vec<Node<'a>> {
    let is_message = |node: Node<'a>| {
        fields.require.iter().all(|name| match name.as_str() {
            "asked_at" => reader.readable_moment(&fields.asked_at, node),
            "replied_at" => reader.readable_moment(&fields.replied_at, node),
            _ => reader.text(&fields.reference, node).is_some(),
        })
    };
    let nodes = reader.nodes(path, reader.root());
    if !fields.innermost {
        return nodes.into_iter().filter(|node| is_message(*node)).collect();
    }
    let mut holders = HashSet::new();
    let mut kept = Vec::new();
    // Backwards through the document, what is inside comes before what holds it.
    for node in nodes.into_iter().rev() {
        let Node::Html(element) = node else { continue };
        if !holders.contains(&element.place()) && is_message(node) {
            holders.extend(element.ancestors().map(Element::place));
            kept.push(node);
        }
    }
    kept.reverse();
    kept
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

/// Whether the head of a row's table names the time of the answer before that of the message.
fn names_answer_first(node: Node<'_>) -> bool {
    let row = node.element().filter(|row| row.tag() == Tag::Tr);
    let head = row.map(head).unwrap_or_default();
    let column = |words: &[&str]| {
        head.iter().position(|cell| {
            (cell.contains("时间") || cell.contains("日期"))
                && words.iter().any(|word| cell.contains(word))
        })
    };
    let answered = column(&["回复", "答复", "办结", "回信", "反馈"]);
    let asked = column(&["来信", "留言", "提交", "提问", "咨询", "写信", "诉求"]);
    answered.zip(asked).is_some_and(|(answered, asked)| answered < asked)
}

fn keyed(key: &[u8], id: &str) -> String {
    let mut mac = <Hmac<Sha256> as KeyInit>::new_from_slice(key).expect("any length of key fits");
    mac.update(id.as_bytes());
    hex::encode(mac.finalize().into_bytes())
}
