//! Whose page it is, as the page itself says.

use crate::domain::Identity;
use crate::platform::{IdentityFields, Layout};

use super::document::Node;
use super::explain::Place;
use super::page::Page;
use super::reader::Reader;

/// What a page says of its owner.
pub(super) struct Found {
    /// The values.
    pub(super) identity: Identity,
    /// Whether it shows the handle that was asked for; without one asked, whether it shows any.
    pub(super) proven: bool,
}

/// Reads the identity: from the node that shows the asked handle; without an asked handle, or where
/// no node shows it, from the one met most often.
pub(super) fn identify(page: &Page<'_>, layout: &Layout, reader: &Reader<'_>) -> Found {
    reader.begin(Place::Identity);
    let mut found = Found { identity: Identity::default(), proven: false };
    for fields in &layout.identity {
        let Some((node, handle)) = owner(page, fields, reader) else { continue };
        let proven =
            handle.is_some() && page.handle.is_none_or(|asked| handle.as_deref() == Some(asked));
        let same =
            handle.is_none() || found.identity.handle.is_none() || found.identity.handle == handle;
        if proven && !found.proven && !same {
            // What an unproven place said of somebody else is not kept.
            found.identity = Identity::default();
        } else if !same {
            continue;
        }
        found.proven |= proven;
        let read = values(fields, handle, reader, node);
        fill(&mut found.identity, read);
    }
    found
}

fn owner<'a>(
    page: &Page<'_>,
    fields: &IdentityFields,
    reader: &Reader<'a>,
) -> Option<(Node<'a>, Option<String>)> {
    let nodes = match &fields.of {
        Some(path) => reader.nodes(path, reader.root()),
        None => vec![reader.root()],
    };
    let first = *nodes.first()?;
    let mut named: Vec<(Node<'a>, String, usize)> = Vec::new();
    for node in nodes {
        for handle in reader.all_texts(&fields.handle, node) {
            if page.handle == Some(handle.as_str()) {
                return Some((node, Some(handle)));
            }
            match named.iter_mut().find(|(_, known, _)| *known == handle) {
                Some((_, _, times)) => *times += 1,
                None => named.push((node, handle, 1)),
            }
        }
    }
    // The first of those met most often.
    let most = named.iter().map(|(_, _, times)| *times).max();
    let best = named.into_iter().find(|(_, _, times)| Some(*times) == most);
    Some(best.map_or((first, None), |(node, handle, _)| (node, Some(handle))))
}

fn values<'a>(
    fields: &IdentityFields,
    handle: Option<String>,
    reader: &Reader<'a>,
    node: Node<'a>,
) -> Identity {
    let registered = reader.moment(&fields.registered_at, node, "identity.registered_at");
    Identity {
        handle,
        name: reader.text(&fields.name, node),
        verified_as: reader.text(&fields.verified_as, node),
        followers: reader.count(&fields.followers, node, "identity.followers"),
        posts_total: reader.count(&fields.posts_total, node, "identity.posts_total"),
        registered_at: registered.map(|(at, _)| at),
    }
}

fn fill(into: &mut Identity, from: Identity) {
    into.handle = into.handle.take().or(from.handle);
    into.name = into.name.take().or(from.name);
    into.verified_as = into.verified_as.take().or(from.verified_as);
    into.followers = into.followers.take().or(from.followers);
    into.posts_total = into.posts_total.take().or(from.posts_total);
    into.registered_at = into.registered_at.or(from.registered_at);
}
