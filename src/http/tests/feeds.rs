//! The feeds of frozen results.

use std::io::Cursor;

use calamine::{Data, Reader, Xlsx};
use serde_json::Value;

use super::TestSite;
use crate::score::frozen::tests::{SCHEME, bundle};
use crate::store::Assessment;

/// Two versions of a month, with seven accounts.
pub(super) fn assessments() -> Vec<Assessment> {
    let one = |id, version, supersedes, superseded_by| Assessment {
        id,
        period: "2026-06".to_owned(),
        scheme: Some("default".to_owned()),
        version,
        supersedes,
        superseded_by,
        cutoff: "2026-06-30T16:00:00Z".parse().unwrap(),
        known_at: "2026-07-02T16:00:00Z".parse().unwrap(),
        frozen_at: "2026-07-02T16:00:00Z".parse().unwrap(),
        actor: "zhang".to_owned(),
        reason: String::new(),
        accounts: 7,
        summaries: 1,
        digest: format!("sha256:{id}"),
    };
    vec![one(2, 2, Some(1), None), one(1, 1, None, Some(2))]
}

/// The accounts after a place.
pub(super) fn page(after: i64, limit: u32) -> Vec<(i64, String)> {
    let (lines, _) = bundle(SCHEME);
    let placed = (0..).zip(lines.into_iter().take(8)).filter(|(place, _)| *place > after.max(0));
    placed.take(limit as usize).collect()
}

#[tokio::test]
async fn frozen_results_are_told_page_by_page_with_their_digests() {
    let site = TestSite::start().await;
    let listed = site.get("/api/v1/assessments").await.json();
    assert_eq!(listed["items"].as_array().unwrap().len(), 2);
    assert_eq!(listed["items"][1]["superseded_by"], 2);
    let mut keys = Vec::new();
    let mut path = "/api/v1/assessments/2026-06?limit=3".to_owned();
    let mut pages = 0;
    loop {
        let page = site.get(&path).await.json();
        assert_eq!(page["assessment"]["version"], 2, "the newest unless asked");
        for item in page["items"].as_array().unwrap() {
            assert_eq!(item["assessment_digest"], "sha256:2");
            for digest in ["scheme_digest", "calendar_digest", "facts_digest"] {
                assert!(item[digest].as_str().unwrap().starts_with("sha256:"), "{item}");
            }
            if item["dimension"] == "diligence" {
                keys.push(item["key"].as_str().unwrap().to_owned());
            }
        }
        pages += 1;
        let Some(cursor) = page["next_cursor"].as_str() else { break };
        path = format!("/api/v1/assessments/2026-06?limit=3&cursor={cursor}");
    }
    assert_eq!((pages, keys.len()), (3, 7));
    assert_eq!((keys[0].as_str(), keys[6].as_str()), ("A-0", "A-6"));
    let old = site.get("/api/v1/assessments/2026-06?version=1").await.json();
    assert_eq!(old["assessment"]["digest"], "sha256:1");
    for (path, status, words) in [
        ("2026-07", 404, "not frozen"),
        ("2026Q9", 400, "is no period"),
        ("2026-06?limit=0", 400, "limit is 1 to 500"),
        ("2026-06?cursor=x", 400, "not one that this list gave out"),
        ("2026-06?scheme=other", 404, "not frozen"),
        ("2026-06?colour=red", 400, "colour"),
    ] {
        site.get(&format!("/api/v1/assessments/{path}")).await.is_problem(status, words);
    }
}

#[tokio::test]
async fn the_same_rows_come_as_csv_and_as_a_workbook_without_formulas() {
    let site = TestSite::start().await;
    let csv = site.get("/api/v1/assessments/2026-06.csv?limit=2").await;
    assert!(csv.head.contains("content-type: text/csv"), "{}", csv.head);
    assert!(csv.head.contains("link: <?limit=2&cursor=2>; rel=\"next\""), "{}", csv.head);
    let text = csv.text();
    let mut lines = text.trim_start_matches('\u{feff}').lines();
    let head = lines.next().unwrap();
    assert!(head.starts_with("assessment,period,version,assessment_digest,cutoff,"), "{head}");
    assert!(head.ends_with("dimension,points,low,high,coverage,ranked,reason"), "{head}");
    assert_eq!(lines.count(), 6, "three scores of two accounts");
    let whole = site.get("/api/v1/assessments/2026-06.csv").await;
    assert!(!whole.head.contains("link:"), "{}", whole.head);
    assert!(whole.head.contains("transfer-encoding: chunked"), "sent while it is read");
    let whole = whole.text();
    assert!(whole.starts_with(&text), "the pages are the begin of the whole");
    assert_eq!(whole.lines().count(), 22, "three scores of seven accounts and the head");
    let page = site.get("/api/v1/assessments/2026-06.xlsx?limit=2").await;
    assert!(page.head.contains("link: <?limit=2&cursor=2>; rel=\"next\""), "{}", page.head);
    let mut page: Xlsx<_> = Xlsx::new(Cursor::new(page.body)).unwrap();
    assert_eq!(page.worksheet_range_at(0).unwrap().unwrap().height(), 7);
    let book = site.get("/api/v1/assessments/2026-06.xlsx").await;
    assert_eq!(book.status, 200);
    let mut book: Xlsx<_> = Xlsx::new(Cursor::new(book.body)).unwrap();
    let sheet = book.worksheet_range_at(0).unwrap().unwrap();
    assert_eq!(sheet.height(), 22);
    let names: Vec<String> = head.split(',').map(str::to_owned).collect();
    let at = |name: &str| names.iter().position(|one| one == name).unwrap() as u32;
    assert!(matches!(sheet.get_value((1, at("points"))), Some(Data::Float(_))));
    assert!(matches!(sheet.get_value((1, at("ranked"))), Some(Data::Bool(_))));
    let json = site.get("/api/v1/assessments/2026-06?limit=1").await.json();
    let columns: Vec<&str> =
        json["columns"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
    assert_eq!(columns, names, "one set of names in every form");
}
