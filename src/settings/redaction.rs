//! Shows settings without their secrets.

use toml::{Table, Value};

use super::Settings;

const MASK: &str = "***";

/// Endings of key names whose values are never shown, in any section.
const SECRET_ENDINGS: [&str; 4] = ["password", "secret", "token", "private_key"];

pub(super) fn redacted(settings: &Settings) -> String {
    let Ok(mut table) = Table::try_from(settings) else { return MASK.to_owned() };
    mask(&mut table);
    toml::to_string_pretty(&table).unwrap_or_else(|_| MASK.to_owned())
}

fn mask(table: &mut Table) {
    for (key, value) in table.iter_mut() {
        let secret = SECRET_ENDINGS.iter().any(|ending| key.ends_with(ending));
        match value {
            Value::Table(inner) => mask(inner),
            Value::String(text) if secret && !text.is_empty() => *text = MASK.to_owned(),
            Value::String(text) if may_hold_password(text) => *text = masked_address(text),
            _ => {}
        }
    }
}

/// Whether the text is an address; a User-Agent that mentions one is not.
fn may_hold_password(text: &str) -> bool {
    text.split_once("://").is_some_and(|(scheme, rest)| {
        rest.contains('@') || !scheme.contains(|one: char| one.is_whitespace())
    })
}

/// An address without its password, whether it stands before the host or in the query.
fn masked_address(text: &str) -> String {
    let Ok(mut address) = url::Url::parse(text) else { return MASK.to_owned() };
    let hidden = address.password().is_none() || address.set_password(Some(MASK)).is_ok();
    if !hidden {
        return MASK.to_owned();
    }
    if address.query_pairs().any(|(key, _)| is_secret(&key)) {
        let pairs: Vec<(String, String)> = address.query_pairs().into_owned().collect();
        let mut query = address.query_pairs_mut();
        query.clear();
        for (key, value) in &pairs {
            query.append_pair(key, if is_secret(key) { MASK } else { value });
        }
    }
    address.to_string()
}

fn is_secret(key: &str) -> bool {
    SECRET_ENDINGS.iter().any(|ending| key.ends_with(ending))
}
