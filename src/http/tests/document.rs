//! The document of the interface and the interface agree.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::TestSite;
use crate::domain::Deed;
use crate::http::access::Permit;
use crate::http::docs::DOCUMENT;
use crate::http::operations::operations;

#[test]
fn the_document_describes_exactly_what_can_be_asked_for() {
    let offered: BTreeSet<(String, String)> =
        operations().iter().map(|one| (one.path.to_owned(), one.method.to_lowercase())).collect();
    let paths = DOCUMENT["paths"].as_object().unwrap();
    let described: BTreeSet<(String, String)> = paths
        .iter()
        .flat_map(|(path, methods)| {
            methods.as_object().unwrap().keys().map(move |method| (path.clone(), method.clone()))
        })
        .collect();
    assert_eq!(described, offered);
}

#[test]
fn the_document_says_where_a_token_is_needed() {
    for one in operations() {
        let described = &DOCUMENT["paths"][one.path][one.method.to_lowercase()];
        let optional = described["security"][0] == json!({});
        let is_local =
            matches!(one.permit, Permit::Open | Permit::Scrape | Permit::Deed(Deed::HandOver));
        assert_eq!(optional, is_local, "{}", one.path);
        let answers = described["responses"].as_object().unwrap();
        let needed: &[&str] = if optional { &["401"] } else { &["401", "403", "429"] };
        for status in needed {
            assert!(answers.contains_key(*status), "{} {status}", one.path);
        }
    }
}

/// Every object of every schema is closed: a member that nobody described fails the schema tests.
#[test]
fn schemas_are_exact_and_every_reference_leads_somewhere() {
    fn walk(value: &Value, place: &str) {
        match value {
            Value::Object(members) => {
                if let Some(target) = members.get("$ref") {
                    let target = target.as_str().unwrap().strip_prefix('#').unwrap();
                    assert!(DOCUMENT.pointer(target).is_some(), "{place}: {target}");
                }
                if members.contains_key("properties") && !place.ends_with("/properties") {
                    assert_eq!(members.get("additionalProperties"), Some(&false.into()), "{place}");
                }
                members.iter().for_each(|(name, inner)| walk(inner, &format!("{place}/{name}")));
            }
            Value::Array(items) => items.iter().for_each(|inner| walk(inner, place)),
            _ => {}
        }
    }
    walk(&DOCUMENT["components"]["schemas"], "schemas");
    walk(&DOCUMENT["paths"], "paths");
}

#[tokio::test]
async fn the_page_tells_everything_and_loads_nothing() {
    let site = TestSite::start().await;
    let document = site.get("/openapi.json").await;
    assert!(document.head.contains("content-type: application/json"), "{}", document.head);
    assert_eq!(document.json()["info"]["version"], env!("CARGO_PKG_VERSION"));
    let page = site.get("/docs").await;
    assert!(page.head.contains("content-security-policy: default-src 'none'"), "{}", page.head);
    let html = page.text();
    for one in operations() {
        assert!(html.contains(&format!("{} {}", one.method, one.path)), "{}", one.path);
    }
    for outside in ["<script", "src=", "http://", "https://", "@import", "url("] {
        assert!(!html.contains(outside), "{outside}");
    }
}
