//! Frozen results as a feed: the same rows under the same names in every form.

use std::io::Cursor;

use calamine::{Data, Reader, Xlsx};
use serde_json::Value;
use xunjian::domain::Scope;

use super::Counties;

/// What programs of the office read these files by: a name is never changed, moved or left out.
const COLUMNS: &str = "assessment,period,version,assessment_digest,cutoff,known_at,key,name,\
    platform,sponsor,supervisor,area_code,lifecycle,scheme,scheme_version,scheme_digest,\
    calendar_digest,facts_digest,verdict,verdict_reasons,vetoes,dimension,points,low,high,\
    coverage,ranked,reason";

#[tokio::test]
async fn a_frozen_period_has_the_same_rows_in_every_form() {
    let counties = Counties::assessed().await;
    let token = counties.token("wang", Scope::Read, "440000").await;
    let columns: Vec<&str> = COLUMNS.split(',').collect();
    let mut items: Vec<Value> = Vec::new();
    let mut path = "/api/v1/assessments/2026Q4?limit=1".to_owned();
    loop {
        let page = counties.get(&token, &path).await.json();
        assert_eq!(page["columns"], serde_json::json!(columns));
        items.extend(page["items"].as_array().unwrap().iter().cloned());
        let Some(cursor) = page["next_cursor"].as_str() else { break };
        path = format!("/api/v1/assessments/2026Q4?limit=1&cursor={cursor}");
    }
    // Four accounts, three scores each.
    assert_eq!(items.len(), 12);

    let whole = async |form: &str| {
        let reply = counties.get(&token, &format!("/api/v1/assessments/2026Q4.{form}")).await;
        assert_eq!(reply.status, 200);
        reply.body
    };
    let body = whole("csv").await;
    let body = body.strip_prefix("\u{feff}".as_bytes()).expect("the mark that spreadsheets need");
    let mut csv = csv::Reader::from_reader(body);
    assert_eq!(csv.headers().unwrap().iter().collect::<Vec<_>>(), columns);
    let rows: Vec<csv::StringRecord> = csv.records().map(Result::unwrap).collect();

    let body = whole("xlsx").await;
    let mut book: Xlsx<_> = calamine::open_workbook_from_rs(Cursor::new(body)).unwrap();
    let sheet = book.worksheet_range_at(0).unwrap().unwrap();
    let cells: Vec<&[Data]> = sheet.rows().collect();
    let head: Vec<String> = cells[0].iter().map(ToString::to_string).collect();
    assert_eq!(head, columns);

    assert_eq!((rows.len(), cells.len()), (items.len(), items.len() + 1));
    for ((item, row), cells) in items.iter().zip(&rows).zip(&cells[1..]) {
        for (at, column) in columns.iter().enumerate() {
            let (text, cell) = (&row[at], &cells[at]);
            let said = match &item[column] {
                Value::Null => text.is_empty() && *cell == Data::Empty,
                Value::Bool(word) => text == word.to_string() && *cell == Data::Bool(*word),
                Value::String(word) if word.is_empty() => text.is_empty(),
                Value::String(word) => text == word && *cell == Data::String(word.clone()),
                number => {
                    let number = number.as_f64().unwrap();
                    text.parse() == Ok(number) && *cell == Data::Float(number)
                }
            };
            assert!(said, "{column}: {} {text:?} {cell:?}", item[column]);
        }
    }
    assert!(items.iter().any(|item| item["points"].is_number()));
    assert!(items.iter().any(|item| item["reason"].is_string()));
    counties.close().await;
}
