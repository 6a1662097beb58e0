//! Whose page it is, as the page itself says.

use crate::domain::{Count, Identity};
use crate::platform::{IdentityFields, Layout, Role};

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

/// What a list says of its owner, but for a count of all posts below the number that it shows.
/// Where that is 0, the page was not given the account's numbers, and 0 followers are none either.
pub(super) fn plausible(role: Role, mut identity: Identity, shown: usize) -> Identity {
    let total = identity.posts_total.as_ref();
    let shown = u64::try_from(shown).unwrap_or(u64::MAX);
    if role == Role::List && total.and_then(Count::high).is_some_and(|high| high < shown) {
        let unfilled = total.is_some_and(Count::is_zero);
        identity.followers = identity.followers.filter(|count| !unfilled || !count.is_zero());
        identity.posts_total = None;
    }
    identity
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_count_below_what_the_list_shows_is_none() {
        let read = |role, followers, total, listed| {
            let identity = Identity {
                followers: Some(Count::Exact(followers)),
                posts_total: Some(total),
                ..Identity::default()
            };
            let told = plausible(role, identity, listed);
            (told.followers.is_some(), told.posts_total.is_some())
        };
        let list = |followers, total| read(Role::List, followers, Count::Exact(total), 20);
        assert_eq!(list(7, 20), (true, true));
        assert_eq!(list(7, 19), (true, false));
        assert_eq!(list(0, 19), (true, false), "the numbers were filled in");
        assert_eq!(list(0, 0), (false, false), "they were not");
        assert_eq!(list(7, 0), (true, false));
        let more = Count::Bounded { value: 10, low: 10, high: None };
        assert_eq!(read(Role::List, 0, more, 20), (true, true));
        assert_eq!(read(Role::List, 0, Count::Exact(0), 0), (true, true), "nothing contradicts it");
        assert_eq!(read(Role::Profile, 0, Count::Exact(0), 1), (true, true));
    }
}
