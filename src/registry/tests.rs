use chrono::NaiveDate;
use proptest::prelude::*;
use rust_xlsxwriter::Workbook;

use crate::domain::{LedgerEntry, Lifecycle};

use super::*;

fn platform_id(name: &str) -> Option<String> {
    match name {
        "weibo" | "微博" => Some("weibo".to_owned()),
        "wechat" | "微信公众号" => Some("wechat".to_owned()),
        _ => None,
    }
}

fn read_all(bytes: &[u8]) -> Result<Ledger, ReadError> {
    read(bytes, &platform_id, &Settings::default())
}

fn entry(key: &str) -> LedgerEntry {
    let csv = format!(
        "key,platform,handle,name,sponsor,region,status\n{key},weibo,{key},某县发布,某县政府办,441521,运行\n"
    );
    read_all(csv.as_bytes()).unwrap().entries.remove(0)
}

fn ledger(entries: Vec<LedgerEntry>) -> Ledger {
    Ledger { entries, columns: Column::all().collect() }
}

const HEADER: &str = "账号编号,平台,平台账号,账号名称,主办单位,行政区划代码,状态";

/// Reads a header, its usual columns and one more, with one row; gives the errors as shown.
fn errors_of(column: &str, row: &str) -> String {
    match read_all(format!("{HEADER},{column}\n{row}\n").as_bytes()) {
        Ok(ledger) => panic!("accepted: {ledger:?}"),
        Err(error) => error.to_string(),
    }
}

#[test]
fn a_minimal_row_is_read_and_keyed_by_platform_and_handle() {
    let csv = "platform,handle,name,sponsor,region,status,备注\n\
               微博,1669879400,某县发布,某县政府办,441521,运行,先看\n";
    let ledger = read_all(csv.as_bytes()).unwrap();
    let entry = &ledger.entries[0];
    assert_eq!(entry.key, "weibo:1669879400");
    assert_eq!(entry.lifecycle, Lifecycle::Running);
    assert_eq!(entry.notes.get("备注").map(String::as_str), Some("先看"));
    assert!(!ledger.columns.contains(&Column::Officer));
}

#[test]
fn every_encoding_gives_the_same_ledger() {
    let text = format!("{HEADER}\nA1,微博,123,某县发布,某县政府办,441521,运行\n");
    let plain = read_all(text.as_bytes()).unwrap();
    let marked = [&[0xEF, 0xBB, 0xBF], text.as_bytes()].concat();
    assert_eq!(read_all(&marked).unwrap(), plain);
    let (gb, _, unmappable) = encoding_rs::GB18030.encode(&text);
    assert!(!unmappable);
    assert_eq!(read_all(&gb).unwrap(), plain);
    let tabs = text.replace(',', "\t");
    let wide: Vec<u8> =
        [0xFF, 0xFE].into_iter().chain(tabs.encode_utf16().flat_map(u16::to_le_bytes)).collect();
    assert_eq!(read_all(&wide).unwrap(), plain);
    assert_eq!(read_all(text.replace('\n', "\r\n").as_bytes()).unwrap(), plain);
}

#[test]
fn a_gb18030_ledger_as_an_office_saves_it_is_read() {
    let ledger =
        read_all(include_bytes!("../../tests/fixtures/ledgers/office.gb18030.csv")).unwrap();
    let names: Vec<&str> = ledger.entries.iter().map(|entry| entry.name.as_str()).collect();
    assert_eq!(names, ["临江发布", "临江教育", "临江公安㙍"]);
    assert_eq!(ledger.entries[1].opened_on, NaiveDate::from_ymd_opt(2019, 4, 1));
    assert_eq!(ledger.entries[2].lifecycle, Lifecycle::Closing);
}

#[test]
fn each_malformed_row_gives_its_error() {
    for (column, row, want) in [
        (
            "链接",
            "A,微博,1,n,s,441521,运行,ftp://x/",
            "row 2, column 链接: \"ftp://x/\" is of the scheme",
        ),
        ("链接", "A,火星,1,n,s,441521,运行,", "row 2, column 平台: no platform is called \"火星\""),
        ("链接", "A,微博,,n,s,441521,运行,", "row 2, column 平台账号: a value is required"),
        (
            "链接",
            "A,微博,1.66988E+09,n,s,441521,运行,",
            "row 2, column 平台账号: \"1.66988E+09\" is a number rounded",
        ),
        (
            "链接",
            "A,微博,1,n,s,44152,运行,",
            "row 2, column 行政区划代码: \"44152\" has 5 characters",
        ),
        (
            "链接",
            "A,微博,1,n,s,441521,在用,",
            "row 2, column 状态: \"在用\" is no status; known are 备案中",
        ),
        ("链接", "A,微博,1,n,s,441521,运行,,extra", "row 2, column 9: a value beyond the header"),
        ("统一社会信用代码", "A,微博,1,n,s,441521,运行,11331002002673575H", "check digit is 'G'"),
        (
            "开通日期",
            "A,微博,1,n,s,441521,运行,2024-02-30",
            "row 2, column 开通日期: \"2024-02-30\" is no date",
        ),
        (
            "豁免截止",
            "A,微博,1,n,s,441521,运行,2026-01-01",
            "row 2, column 豁免截止: an exemption's end",
        ),
        (
            "常住人口",
            "A,微博,1,n,s,441521,运行,many",
            "row 2, column 常住人口: \"many\" is no whole",
        ),
        (
            "备注",
            "A,微博,1,n,s,441521,运行,a\u{7}b",
            "row 2, column 备注: holds the control character",
        ),
    ] {
        let shown = errors_of(column, row);
        assert!(shown.contains(want), "{row}: {shown}");
    }
}

#[test]
fn every_error_of_every_row_is_told_in_the_order_of_the_file() {
    let csv = format!(
        "{HEADER},开通日期,关停日期\n\
         A,火星,,n,,9,在用,x,\n\
         B,微博,2,n,s,441521,运行,2024-01-02,2023-01-02\n\
         B,微博,3,n,s,441521,运行,,\n\
         C,weibo,2,n,s,441521,运行,,\n"
    );
    let Err(ReadError::Rows { errors, .. }) = read_all(csv.as_bytes()) else { panic!() };
    let places: Vec<(usize, &str)> =
        errors.iter().map(|error| (error.row, error.column.as_str())).collect();
    let first = ["平台", "平台账号", "主办单位", "行政区划代码", "状态", "开通日期"];
    assert_eq!(&places[..6], first.map(|column| (2, column)));
    assert_eq!(places[6..], [(3, "关停日期")]);

    let csv = format!(
        "{HEADER}\nA,微博,1,n,s,441521,运行\nA,微博,2,n,s,441521,运行\nB,微博,1,n,s,441521,运行\n"
    );
    let shown = read_all(csv.as_bytes()).unwrap_err().to_string();
    assert_eq!(
        shown,
        "row 3, column 账号编号: \"A\" is already the key of row 2\n\
         row 4, column 平台账号: \"1\" on platform weibo stands already in row 2\n\
         2 errors; nothing was imported"
    );
}

#[test]
fn headers_must_be_complete_and_unambiguous() {
    let shown = read_all("name,名称,x,x\n".as_bytes()).unwrap_err().to_string();
    for want in [
        "row 1, column 名称: means the same as the column \"name\"",
        "row 1, column x: stands twice",
        "row 1, column 平台: the column is missing (write platform or 平台)",
        "row 1, column 状态: the column is missing",
    ] {
        assert!(shown.contains(want), "{shown}");
    }
}

#[test]
fn the_message_is_capped_but_tells_the_total() {
    let rows = "A,火星,1,n,s,441521,运行\n".repeat(300);
    let shown = read_all(format!("{HEADER}\n{rows}").as_bytes()).unwrap_err().to_string();
    assert_eq!(shown.lines().count(), 201);
    assert!(shown.ends_with("300 errors, the first 200 of them shown; nothing was imported"));
}

#[test]
fn what_is_no_table_or_too_much_is_refused_with_its_reason() {
    let small = Settings { rows_max: 1, file_bytes_max: 400, ..Settings::default() };
    let two = format!("{HEADER}\nA,微博,1,n,s,441521,运行\nB,微博,2,n,s,441521,运行\n");
    for (bytes, want) in [
        (two.as_bytes(), "more than 1 rows"),
        (&[b'a'; 500], "500 bytes, more than the 400"),
        (b"", "empty"),
        (b"\n\n", "empty"),
        (&[0xD0, 0xCF, 0x11, 0xE0, 0, 0], "old .xls"),
        (b"PK\x03\x04 nonsense", "not a readable .xlsx"),
        (&[0x80, 0xFF, 0xFF, 0], "neither a workbook nor a table"),
    ] {
        let error = read(bytes, &platform_id, &small).unwrap_err().to_string();
        assert!(error.contains(want), "{error}");
    }
}

#[test]
fn a_quotation_mark_left_open_is_named() {
    let rest = "B,微博,2,n,s,441521,运行\n".repeat(200);
    let shown = errors_of("备注", &format!("A,微博,1,\"n,s,441521,运行,\n{rest}"));
    assert!(shown.contains("is a quotation mark left open?"), "{shown}");
}

fn workbook(rows: &[[&str; 7]], fill: impl FnOnce(&mut rust_xlsxwriter::Worksheet)) -> Vec<u8> {
    let mut book = Workbook::new();
    let sheet = book.add_worksheet();
    for (r, row) in (0u32..).zip(rows) {
        for (c, text) in (0u16..).zip(row) {
            sheet.write(r, c, *text).unwrap();
        }
    }
    fill(sheet);
    book.save_to_buffer().unwrap()
}

const TITLES: [&str; 7] =
    ["平台", "平台账号", "账号名称", "主办单位", "行政区划代码", "状态", "开通日期"];

#[test]
fn workbook_cells_are_read_by_their_type() {
    let bytes = workbook(&[TITLES, ["微博", "", "n", "s", "", "运行", ""]], |sheet| {
        sheet.write(1, 1, 1_669_879_400.0).unwrap();
        sheet.write(1, 4, 441_521).unwrap();
        sheet.write(1, 6, 45_293).unwrap();
    });
    let ledger = read_all(&bytes).unwrap();
    assert_eq!(ledger.entries[0].handle, "1669879400");
    assert_eq!(ledger.entries[0].region.as_str(), "441521");
    assert_eq!(ledger.entries[0].opened_on, NaiveDate::from_ymd_opt(2024, 1, 2));
}

#[test]
fn a_handle_that_a_workbook_has_rounded_is_refused() {
    let bytes = workbook(&[TITLES, ["微博", "", "n", "s", "441521", "运行", ""]], |sheet| {
        sheet.write(1, 1, 1_234_567_890_123_456_789_f64).unwrap();
    });
    let shown = read_all(&bytes).unwrap_err().to_string();
    assert!(shown.starts_with("row 2, column 平台账号: "), "{shown}");
    assert!(shown.contains("more than 15 digits"), "{shown}");
}

#[test]
fn a_workbook_that_grows_without_end_is_refused() {
    let long = "喵".repeat(30_000);
    let rows = [TITLES, ["微博", "1", &long, "s", "441521", "运行", ""]];
    let bytes = workbook(&rows, |_| {});
    let settings = Settings { decompressed_bytes_max: 20_000, ..Settings::default() };
    let shown = read(&bytes, &platform_id, &settings).unwrap_err().to_string();
    assert!(shown.contains("grows beyond 20000 bytes"), "{shown}");
}

#[test]
fn a_lone_cell_in_the_last_corner_costs_no_grid() {
    let bytes = workbook(&[TITLES], |sheet| {
        sheet.write(1_048_575, 16_383, "x").unwrap();
    });
    let shown = read_all(&bytes).unwrap_err().to_string();
    assert!(shown.contains("row 1048576 has a value in column 16384"), "{shown}");
}

#[test]
fn a_comparison_says_what_an_import_would_do() {
    let mut renamed = entry("B");
    renamed.name = "某县之声".to_owned();
    renamed.officer = Some("张三".to_owned());
    let incoming = ledger(vec![entry("A"), renamed, entry("N")]);
    let changes = compare(&[entry("A"), entry("B"), entry("C")], &incoming, None);
    assert_eq!((changes.added.len(), changes.changed.len(), changes.unchanged), (1, 1, 1));
    assert!(changes.withdrawn.is_empty(), "nothing is withdrawn unless the ledger is complete");
    let shown: Vec<String> = changes.changed[0].fields.iter().map(ToString::to_string).collect();
    assert_eq!(shown, ["账号名称: 某县发布 → 某县之声", "责任人: (无) → (不显示)"]);
}

#[test]
fn columns_that_the_file_lacks_keep_their_values() {
    let mut known = entry("A");
    known.supervisor = Some("某市政府办".to_owned());
    known.url = Some("https://a.example/".to_owned());
    let columns = Column::all().filter(|column| *column != Column::Supervisor).collect();
    let changes = compare(&[known], &Ledger { entries: vec![entry("A")], columns }, None);
    let change = &changes.changed[0];
    assert_eq!(change.entry.supervisor.as_deref(), Some("某市政府办"));
    assert_eq!(change.entry.url, None);
    assert_eq!(change.fields.len(), 1);
}

#[test]
fn withdrawals_need_a_complete_area_and_many_need_a_yes() {
    let current: Vec<LedgerEntry> = (0..40).map(|n| entry(&format!("K{n}"))).collect();
    let settings = Settings::default();
    let area: Area = "441500".parse().unwrap();
    let check = |kept: usize, yes: bool| {
        let changes = compare(&current, &ledger(current[..kept].to_vec()), Some(&area));
        assert_eq!(changes.withdrawn.len(), 40 - kept);
        changes.permit(yes, &settings)
    };
    assert_eq!(check(38, false), Ok(()), "exactly 5 % is allowed");
    let refusal = Refusal::TooManyWithdrawn { withdrawn: 3, judged: 40, percent_max: 5 };
    assert_eq!(check(37, false), Err(refusal));
    assert_eq!(check(37, true), Ok(()));

    let elsewhere: Area = "4416".parse().unwrap();
    assert!(compare(&current, &ledger(vec![]), Some(&elsewhere)).withdrawn.is_empty());
    let mut closed = entry("Z");
    closed.lifecycle = Lifecycle::Closed;
    assert!(compare(&[closed], &ledger(vec![]), Some(&area)).withdrawn.is_empty());
}

#[test]
fn areas_are_prefixes_of_region_codes() {
    for (text, region, inside) in [
        ("44", "441521", true),
        ("440000", "441521", true),
        ("441500", "441521", true),
        ("4415", "441600", false),
        ("441521", "441522", false),
        ("all", "110101", true),
    ] {
        let area: Area = text.parse().unwrap();
        assert_eq!(area.contains(&region.parse().unwrap()), inside, "{text} {region}");
    }
    for bad in ["", "4", "44152", "4415211", "某市", "000000"] {
        assert!(bad.parse::<Area>().is_err(), "{bad}");
    }
}

#[test]
fn a_second_key_for_one_platform_account_is_refused() {
    let mut again = entry("B");
    again.handle = "A".to_owned();
    let changes = compare(&[entry("A")], &ledger(vec![again]), None);
    let refusal = changes.permit(true, &Settings::default()).unwrap_err();
    assert!(refusal.to_string().contains("is known under the key A"), "{refusal}");
}

/// Audits variations of sound entries and gives the kinds found, with their keys.
fn defects(entries: &[LedgerEntry], facts: &AuditFacts) -> Vec<(DefectKind, Vec<String>)> {
    let today = NaiveDate::from_ymd_opt(2026, 11, 22).unwrap();
    let defects = audit(entries, facts, today, &Settings::default());
    for defect in &defects {
        assert!(defect.sentence.ends_with('。'), "{}", defect.sentence);
        for key in &defect.keys {
            assert!(defect.sentence.contains(key.as_str()), "{}", defect.sentence);
        }
    }
    defects.into_iter().map(|defect| (defect.kind, defect.keys)).collect()
}

fn sound(key: &str) -> LedgerEntry {
    LedgerEntry {
        sponsor: format!("{key}单位"),
        supervisor: Some("某市政府办".to_owned()),
        sponsor_code: "11441700007280420Y".parse().ok(),
        region: "441700".parse().unwrap(),
        filed_on: NaiveDate::from_ymd_opt(2020, 1, 1),
        ..entry(key)
    }
}

#[test]
fn a_sound_ledger_has_no_defect() {
    assert_eq!(defects(&[sound("A")], &AuditFacts::default()), []);
}

#[test]
fn each_defect_of_the_books_is_found_with_its_keys() {
    type Spoil = fn(&mut LedgerEntry);
    let day = |text: &str| text.parse::<NaiveDate>().unwrap();
    let cases: [(DefectKind, Spoil); 11] = [
        (DefectKind::SupervisorMissing, |e| e.supervisor = None),
        (DefectKind::SponsorMissing, |e| e.sponsor = String::new()),
        (DefectKind::SponsorCodeMissing, |e| e.sponsor_code = None),
        (DefectKind::SponsorCodeElsewhere, |e| e.region = "350100".parse().unwrap()),
        (DefectKind::NotFiled, |e| e.filed_on = None),
        (DefectKind::FiledLate, |e| e.opened_on = NaiveDate::from_ymd_opt(2019, 12, 1)),
        (DefectKind::ExemptionWithoutEnd, |e| e.exemption = Some("系统迁移".to_owned())),
        (DefectKind::ExemptionExpired, |e| e.exempt_until = NaiveDate::from_ymd_opt(2026, 11, 21)),
        (DefectKind::ContractExpired, |e| e.contract_until = NaiveDate::from_ymd_opt(2026, 1, 1)),
        (DefectKind::ClosingDateMissing, |e| e.lifecycle = Lifecycle::Cancelled),
        (DefectKind::MainAccountMissing, |e| e.region = "441781".parse().unwrap()),
    ];
    for (kind, spoil) in cases {
        let mut one = sound("A");
        spoil(&mut one);
        let keys =
            if kind == DefectKind::MainAccountMissing { vec![] } else { vec!["A".to_owned()] };
        assert_eq!(defects(&[one], &AuditFacts::default()), [(kind, keys)]);
    }
    let mut on_the_day = sound("A");
    on_the_day.opened_on = Some(day("2019-12-02"));
    on_the_day.exempt_until = Some(day("2026-11-22"));
    assert_eq!(defects(&[on_the_day], &AuditFacts::default()), [], "limits are inclusive");
}

#[test]
fn defects_between_accounts_name_both_keys() {
    let both = vec!["A".to_owned(), "B".to_owned()];
    let pair = |change: fn(&mut LedgerEntry)| {
        let (mut a, mut b) = (sound("A"), sound("B"));
        b.sponsor_code = "11331002002673575G".parse().ok();
        b.region = "331000".parse().unwrap();
        change(&mut a);
        change(&mut b);
        defects(&[b, a], &AuditFacts::default())
    };
    assert_eq!(pair(|_| ()), []);
    let found = pair(|e| {
        e.sponsor = "同一单位".to_owned();
        e.sponsor_code = "11441700007280420Y".parse().ok();
        e.region = "441700".parse().unwrap();
    });
    assert_eq!(found, [(DefectKind::SeveralPerSponsor, both.clone())]);
    assert_eq!(pair(|e| e.handle = "1".to_owned()), [(DefectKind::HandleDuplicate, both.clone())]);
    let found = pair(|e| {
        e.region = "441781".parse().unwrap();
        e.sponsor_code = "11441700007280420Y".parse().ok();
        e.role = Some("主账号".to_owned());
        e.platform = format!("p{}", e.key);
    });
    let shared = (DefectKind::SponsorCodeShared, both.clone());
    assert_eq!(found, [shared, (DefectKind::SeveralMainAccounts, both)]);
}

#[test]
fn defects_that_only_crawls_can_show_are_found() {
    let key = || "A".to_owned();
    let resolved = AuditFacts {
        visited: [key()].into(),
        resolved: [key()].into(),
        page_names: [(key(), "某县发布".to_owned())].into(),
        ..AuditFacts::default()
    };
    assert_eq!(defects(&[sound("A")], &resolved), []);
    for (kind, facts) in [
        (DefectKind::HandleNeverResolved, AuditFacts { resolved: [].into(), ..resolved.clone() }),
        (
            DefectKind::NameDiffers,
            AuditFacts { page_names: [(key(), "别名".to_owned())].into(), ..resolved.clone() },
        ),
        (DefectKind::RunningButGone, AuditFacts { gone: [key()].into(), ..resolved }),
    ] {
        assert_eq!(defects(&[sound("A")], &facts), [(kind, vec![key()])]);
    }
}

prop_compose! {
    fn any_words()(
        text in "[ '\"=+@,;\t\n\\-＝_xa-zA-Z0-9发布某县㙍🐧]{0,12}"
    ) -> Option<String> {
        let text = cell::tidy(&text);
        (!text.is_empty() && !text.contains('\t')).then_some(text)
    }
}

prop_compose! {
    fn any_date()(days in 0..20_000i64) -> NaiveDate {
        NaiveDate::from_ymd_opt(1990, 1, 1).unwrap() + chrono::Duration::days(days)
    }
}

prop_compose! {
    fn any_entry()(
        names in (any_words(), any_words(), any_words(), any_words()),
        more in (any_words(), any_words(), any_words(), any_words(), any_words()),
        handle in "[a-zA-Z0-9_=+-]{1,20}",
        state in 0usize..6,
        dates in proptest::option::of((any_date(), any_date(), any_date())),
        population in proptest::option::of(0u64..2_000_000_000),
    ) -> LedgerEntry {
        let (filed, one, other) =
            dates.map_or((None, None, None), |(a, b, c)| (Some(a), Some(b.min(c)), Some(b.max(c))));
        LedgerEntry {
            name: names.0.unwrap_or_else(|| "-".to_owned()),
            sponsor: names.1.unwrap_or_else(|| "=单位".to_owned()),
            supervisor: names.2,
            level: names.3,
            exempt_until: more.0.as_ref().and(filed),
            exemption: more.0,
            officer: more.1,
            notify: more.2,
            operator: more.3,
            handle,
            lifecycle: Lifecycle::ALL[state].0,
            filed_on: filed,
            opened_on: one,
            closed_on: other,
            population,
            sponsor_code: "91350100M000100Y43".parse().ok(),
            notes: more.4.map(|note| ("=备注".to_owned(), note)).into_iter().collect(),
            ..entry("A")
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn an_export_reads_back_as_it_was(entries in proptest::collection::vec(any_entry(), 1..5)) {
        let mut entries = entries;
        for (index, entry) in entries.iter_mut().enumerate() {
            entry.key = format!("=K{index}");
            entry.handle = format!("{}{index}", entry.handle);
        }
        for format in [Format::Csv, Format::Xlsx] {
            let bytes = export(&entries, format).unwrap();
            prop_assert_eq!(&read_all(&bytes).unwrap().entries, &entries);
        }
    }

    #[test]
    fn no_bytes_make_reading_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        let _ = read_all(&bytes);
    }
}

#[test]
fn no_exported_cell_is_computed_by_a_spreadsheet() {
    let mut risky = entry("A");
    risky.name = "=HYPERLINK(\"http://x\")".to_owned();
    risky.officer = Some("@SUM(1)".to_owned());
    let csv = String::from_utf8(export(&[risky.clone()], Format::Csv).unwrap()).unwrap();
    assert!(csv.starts_with('\u{feff}'));
    assert!(csv.contains("\"'=HYPERLINK(\"\"http://x\"\")\""), "{csv}");
    assert!(csv.contains(",'@SUM(1),"), "{csv}");
    let book = export(&[risky], Format::Xlsx).unwrap();
    let mut archive = zip::ZipArchive::new(std::io::Cursor::new(book)).unwrap();
    let mut sheet = String::new();
    let mut part = archive.by_name("xl/worksheets/sheet1.xml").unwrap();
    std::io::Read::read_to_string(&mut part, &mut sheet).unwrap();
    assert!(!sheet.contains("<f>"), "{sheet}");
}

#[test]
fn text_that_looks_like_a_workbook_escape_survives() {
    let mut odd = entry("A");
    odd.name = "_x0041_<&>\"".to_owned();
    let bytes = export(std::slice::from_ref(&odd), Format::Xlsx).unwrap();
    assert_eq!(read_all(&bytes).unwrap().entries, [odd]);
}
