use std::io::{Cursor, Read};

use calamine::{Data, Reader, Xlsx};
use proptest::prelude::*;

use super::*;

fn at(text: &str) -> chrono::DateTime<chrono::Utc> {
    format!("{text}T00:00:00+08:00").parse().unwrap()
}

fn wording(decimals: u32) -> Wording {
    Wording {
        issuer: "某市人民政府办公室".to_owned(),
        date: "2026-10-20".parse().unwrap(),
        due: "2026-11-20".parse().unwrap(),
        decimals,
    }
}

fn examined(number: usize, platform: &str, judged: Judged) -> Examined {
    let kind = if platform == "政府网站" { Kind::Site } else { Kind::Account };
    let items = match judged {
        Judged::Failed => vec![veto("内容不更新")],
        _ => vec![],
    };
    Examined {
        key: format!("K-{number}"),
        name: format!("账号{number}"),
        platform: platform.to_owned(),
        kind,
        sponsor: format!("单位{}", number % 3),
        supervisor: None,
        judged,
        items,
        last_post_at: Some(at("2026-08-01")),
        withheld: None,
    }
}

fn veto(title: &str) -> Item {
    Item { kind: ItemKind::Veto, title: title.to_owned() }
}

fn check(examined: Vec<Examined>, running: u64) -> Check {
    Check {
        period: "2026年第三季度".to_owned(),
        cutoff: at("2026-10-01"),
        running,
        sample: None,
        without_verdict: 0,
        not_judged: 0,
        examined,
        earlier: None,
        issue: Some(Issue { number: 1, reason: String::new() }),
        origin: Origin {
            assessment: 3,
            version: 1,
            digest: "sha256:00".to_owned(),
            schemes: vec![("国办2019".to_owned(), "2019-04-01".to_owned(), "sha256:11".to_owned())],
            chain: None,
        },
    }
}

/// So many of each platform; of all of them together the first `failed` fail.
fn of_counts(platforms: &[(&str, usize)], failed: usize, running: u64) -> Check {
    let all = platforms.iter().flat_map(|(platform, count)| vec![*platform; *count]);
    let judged = |at: usize| if at < failed { Judged::Failed } else { Judged::Passed };
    check(
        all.enumerate().map(|(at, platform)| examined(at, platform, judged(at))).collect(),
        running,
    )
}

fn text(check: &Check, decimals: u32) -> String {
    markdown(&bulletin_document(&Bulletin::of(check), &wording(decimals)))
}

#[test]
fn published_circulars_come_out_to_the_printed_digit() {
    // One city, 2019 Q3: 314 accounts on nine platforms, 55 failed, 82.48 %.
    let city = [
        ("微信", 218),
        ("微博", 67),
        ("移动客户端", 3),
        ("贴吧", 1),
        ("百家号", 2),
        ("大鱼号", 2),
        ("抖音", 6),
        ("今日头条", 13),
        ("企鹅号", 2),
    ];
    let told = text(&of_counts(&city, 55, 314), 2);
    assert!(
        told.contains("检查政务新媒体 314 个，其中微信 218 个、微博 67 个、今日头条 13 个"),
        "{told}"
    );
    assert!(told.contains("不合格 55 个，合格率 82.48%"), "{told}");
    // 海南省 2023 Q3: 122 sites, 4 failed, 96.7 %; 173 of 1061 accounts drawn (16.3 %), 92.5 %.
    let told = text(&of_counts(&[("政府网站", 122)], 4, 122), 1);
    assert!(told.contains("检查政府网站 122 个") && told.contains("合格率 96.7%"), "{told}");
    let mut drawn = of_counts(&[("微信", 173)], 13, 1061);
    drawn.sample = Some("种子 20230901".to_owned());
    let told = text(&drawn, 1);
    assert!(told.contains("共 1061 个，本次抽查 173 个，抽查比例 16.3%"), "{told}");
    assert!(told.contains("不合格 13 个，合格率 92.5%"), "{told}");
    assert!(told.contains("为抽查所得，不代表全部"), "{told}");
    // 浙江省 2021 Q4: 5717 accounts, 99.51 %; 28 failed is derived.
    let told = text(&of_counts(&[("微信", 5717)], 28, 5717), 2);
    assert!(told.contains("不合格 28 个，合格率 99.51%"), "{told}");
    for (part, whole, decimals, printed) in [
        (259, 314, 2, "82.48%"),
        (118, 122, 2, "96.72%"),
        (118, 122, 1, "96.7%"),
        (173, 1061, 2, "16.31%"),
        (173, 1061, 1, "16.3%"),
        (160, 173, 2, "92.49%"),
        (160, 173, 1, "92.5%"),
        (5689, 5717, 2, "99.51%"),
        (428, 471, 2, "90.87%"),
        (37, 53, 2, "69.81%"),
        (1, 8, 0, "13%"),
        (1, 8, 1, "12.5%"),
        (5, 5, 2, "100.00%"),
        (1, 1000, 2, "0.10%"),
        (0, 0, 2, "—"),
    ] {
        assert_eq!(percent(part, whole, decimals), printed, "{part} of {whole}");
    }
}

#[test]
fn classes_of_problems_come_vetoes_first_and_name_everyone_with_the_platform() {
    // 连云港市 2023-09: no effective interaction 3; content 2, functions 4.
    let deduction = |title: &str| Item { kind: ItemKind::Deduction, title: title.to_owned() };
    let mut all: Vec<Examined> =
        (0..9).map(|number| examined(number, "微信", Judged::Passed)).collect();
    for one in &mut all[..3] {
        one.judged = Judged::Failed;
        one.items = vec![veto("互动回应差")];
    }
    all[2].items.push(deduction("功能无法使用"));
    all[3].items = vec![deduction("内容更新不及时")];
    all[4].items = vec![deduction("内容更新不及时"), deduction("功能无法使用")];
    all[5].items = vec![deduction("功能无法使用")];
    all[6].items = vec![deduction("功能无法使用")];
    all[1].withheld = Some("豁免：机构改革".to_owned());
    let check = check(all, 9);
    let told = text(&check, 2);
    let order = [
        "单项否决问题",
        "互动回应差：政务新媒体3 个",
        "扣分问题",
        "功能无法使用：政务新媒体4 个",
        "内容更新不及时：政务新媒体2 个",
    ];
    let places: Vec<Option<usize>> = order.iter().map(|part| told.find(part)).collect();
    assert!(places.iter().all(Option::is_some) && places.is_sorted(), "{places:?} {told}");
    assert!(told.contains("“账号0”（微信）、“账号2”（微信）；另外 1 个不点名"), "{told}");
    assert!(told.contains("功能无法使用：政务新媒体4 个，为“账号2”（微信）；另外 3 个"), "{told}");
    assert!(!told.contains("账号4"), "who passed is counted, not named: {told}");
    assert!(told.contains("共 3 个，其中 1 个因豁免、已作说明或经复核不予点名"), "{told}");
    let failed = Bulletin::of(&check).groups[0].failed.len();
    assert_eq!((failed, Bulletin::of(&check).groups[0].total.failed), (3, 3), "each once");
    let names: Vec<String> = notice_documents(&Bulletin::of(&check), &wording(2))
        .iter()
        .map(|notice| notice.sponsor.clone())
        .collect();
    assert_eq!(names, ["单位0", "单位2"], "the exempt account's sponsor gets no letter");
}

#[test]
fn who_is_called_without_failing_is_named_apart_for_that_alone() {
    let item = |kind, title: &str| Item { kind, title: title.to_owned() };
    let called = || item(ItemKind::Called, "经通知未更新");
    let mut all = vec![
        examined(0, "微博", Judged::Passed),
        examined(1, "微博", Judged::Failed),
        examined(2, "微博", Judged::Undetermined("覆盖不足".to_owned())),
        examined(3, "微信", Judged::Passed),
    ];
    all[0].items = vec![item(ItemKind::Deduction, "更新不及时"), called()];
    all[2].items = vec![item(ItemKind::Deduction, "功能无法使用"), called()];
    all[3].items = vec![called()];
    all[3].withheld = Some("豁免：机构改革".to_owned());
    let check = check(all, 4);
    let bulletin = Bulletin::of(&check);
    let group = &bulletin.groups[0];
    assert_eq!((group.failed.len(), group.called.len(), group.total.passed), (1, 3, 2));
    let told = text(&check, 2);
    assert!(
        told.contains(
            "经通知未更新：政务新媒体3 个，为“账号0”（微博）、“账号2”（微博）；另外 1 个"
        )
    );
    assert!(told.contains("更新不及时：政务新媒体1 个。"), "{told}");
    assert!(!told.contains("功能无法使用"), "what is not judged has no problems: {told}");
    assert!(
        told.contains("另有政务新媒体 3 个未列入不合格，按规定应予通报，其中 1 个因豁免"),
        "{told}"
    );
    let list = told.split("政务新媒体应予通报名单").nth(1).unwrap();
    let list = list.split("未能判定的账号").next().unwrap();
    assert!(list.contains("账号0") && list.contains("账号2") && !list.contains("账号3"), "{list}");
    assert!(list.contains("经通知未更新") && !list.contains("更新不及时"), "{list}");
    let letters = notice_documents(&bulletin, &wording(2));
    let sponsors: Vec<&str> = letters.iter().map(|one| one.sponsor.as_str()).collect();
    assert_eq!(sponsors, ["单位0", "单位1", "单位2"]);
    assert!(told.contains("请不合格账号和按规定通报账号的主办单位"), "{told}");

    // Of a quarter in which nobody failed: they are to be mended, and were not said to have failed.
    let mut one = examined(0, "微博", Judged::Passed);
    one.items = vec![called()];
    let mut check = self::check(vec![one.clone()], 1);
    let earlier = Earlier {
        key: one.key.clone(),
        name: one.name.clone(),
        platform: one.platform.clone(),
        sponsor: one.sponsor.clone(),
        items: one.items.clone(),
        now: RecheckState::NotRectified,
        is_named_again: true,
    };
    let period = "2026年第三季度".to_owned();
    check.earlier = Some(Before { period, is_published: true, accounts: vec![earlier] });
    let told = text(&check, 2);
    assert!(told.contains("请按规定通报账号的主办单位对照问题立即整改"), "{told}");
    assert!(told.contains("通报的 1 个账号进行复查：未整改 1 个"), "{told}");
}

#[test]
fn who_could_not_be_judged_is_never_failed_and_stands_apart() {
    let open = || Judged::Undetermined("覆盖不足".to_owned());
    let mut all = vec![
        examined(0, "微博", Judged::Passed),
        examined(1, "微博", Judged::Failed),
        examined(2, "微博", open()),
        examined(3, "微信", open()),
    ];
    all[2].items = vec![veto("内容不更新")];
    let check = check(all, 10);
    let bulletin = Bulletin::of(&check);
    let group = &bulletin.groups[0];
    assert_eq!((group.total.examined, group.total.judged(), group.total.undetermined), (4, 2, 2));
    assert_eq!(group.classes.len(), 1);
    assert_eq!(group.classes[0].accounts.len(), 1, "what is not judged has no problems");
    let told = text(&check, 2);
    assert!(told.contains(
        "未能判定 2 个，不计入合格与不合格；在完成判定的 2 个中，不合格 1 个，合格率 50.00%"
    ));
    let list = told.split("政务新媒体不合格名单").nth(1).unwrap();
    let (failed, open) = list.split_once("政务新媒体未能判定").unwrap();
    assert!(failed.contains("账号1") && !failed.contains("账号2"), "{failed}");
    assert!(open.contains("账号2") && open.contains("覆盖不足"), "{open}");
    assert_eq!(notice_documents(&bulletin, &wording(2)).len(), 1);
}

#[test]
fn the_last_list_is_rechecked_and_a_correction_says_that_it_is_one() {
    let mut check = of_counts(&[("微信", 5)], 1, 5);
    let earlier = |number: usize, now| Earlier {
        key: format!("K-{number}"),
        name: format!("账号{number}"),
        platform: "微信".to_owned(),
        sponsor: "甲局".to_owned(),
        items: vec![veto("内容不更新")],
        now,
        is_named_again: now == RecheckState::NotRectified && number == 0,
    };
    let accounts = vec![
        earlier(0, RecheckState::NotRectified),
        earlier(1, RecheckState::Rectified),
        earlier(9, RecheckState::Closed),
        earlier(7, RecheckState::NotRectified),
    ];
    let period = "2026年第二季度".to_owned();
    check.earlier = Some(Before { period, is_published: true, accounts });
    check.issue = Some(Issue { number: 2, reason: "账号1申诉成立".to_owned() });
    let told = text(&check, 2);
    assert!(
        told.contains("通报的 4 个不合格账号进行复查：已整改 1 个、未整改 2 个、已关停注销 1 个"),
        "{told}"
    );
    assert!(!told.contains("账号7"), "who is withheld this time is not named again: {told}");
    assert!(told.contains("对仍未整改的“账号0”（微信）再次通报"), "{told}");
    assert!(told.contains("（第2号，更正）") && told.contains("更正事由：账号1申诉成立"), "{told}");
}

#[test]
fn a_draft_names_nobody_and_neither_does_the_recheck_of_what_was_not_published() {
    let mut check = of_counts(&[("微信", 5), ("微博", 2)], 2, 9);
    check.examined[4].judged = Judged::Undetermined("覆盖不足".to_owned());
    check.not_judged = 3;
    let earlier = Earlier {
        key: "K-0".to_owned(),
        name: "账号0".to_owned(),
        platform: "微信".to_owned(),
        sponsor: "单位0".to_owned(),
        items: vec![veto("内容不更新")],
        now: RecheckState::NotRectified,
        is_named_again: true,
    };
    let before = |is_published| Before {
        period: "2026年第二季度".to_owned(),
        is_published,
        accounts: vec![earlier.clone()],
    };
    check.issue = None;
    check.earlier = Some(before(true));
    let told = text(&check, 2);
    for name in ["账号", "单位0", "单位1"] {
        let named = told.lines().find(|line| line.contains(&format!("{name}0")));
        assert_eq!(named, None, "{told}");
    }
    for part in [
        "（草稿，不点名）",
        "内容不更新：政务新媒体2 个。",
        "不合格政务新媒体共 2 个，名单经复核后在印发时列出",
        "政务新媒体中有 1 个因观察不足未能判定",
        "对2026年第二季度通报的 1 个不合格账号进行复查：未整改 1 个。",
        "另有 3 个账号已关停、注销或处于方案不作评价的状态",
    ] {
        assert!(told.contains(part), "{part}: {told}");
    }
    check.issue = Some(Issue { number: 1, reason: String::new() });
    check.earlier = Some(before(false));
    let told = text(&check, 2);
    let failed = told.split("## ").find(|part| part.starts_with("三、不合格名单")).unwrap();
    assert!(!failed.contains("账号4"), "who could not be judged is no part of that list: {told}");
    let open = told.split("## ").find(|part| part.starts_with("四、未能判定的账号")).unwrap();
    assert!(open.contains("账号4") && open.contains("覆盖不足"), "{told}");
    let recheck = told.split("## 五、").nth(1).unwrap();
    assert!(recheck.contains("检查发现的 1 个不合格账号") && !recheck.contains("账号0"), "{told}");
}

#[test]
fn a_published_document_reads_back_as_it_was() {
    let document = bulletin_document(&Bulletin::of(&hostile()), &wording(1));
    let kept = document.json();
    let read = Document::read(&kept).unwrap();
    assert_eq!(read, document);
    assert_eq!(read.json(), kept, "the same bytes, so the same digest");
    assert_eq!(docx(&read), docx(&document));
    assert!(Document::read("{}").unwrap_err().contains("a published document"));
}

fn part(document: &[u8], name: &str) -> String {
    let mut zip = zip::ZipArchive::new(Cursor::new(document)).unwrap();
    let mut text = String::new();
    zip.by_name(name).unwrap().read_to_string(&mut text).unwrap();
    text
}

/// A check whose words try to be markup, formulas and control characters.
fn hostile() -> Check {
    let mut check = of_counts(&[("微信", 3), ("政府网站", 1)], 2, 4);
    check.examined[0].name = "=HYPERLINK(\"http://x\",\"看\")".to_owned();
    check.examined[1].name = "<w:b/>&amp;]]>\u{1}|*\n# 标题".to_owned();
    check.examined[1].sponsor = "@SUM(1+1)".to_owned();
    check
}

#[test]
fn the_document_is_well_formed_and_the_same_bytes_for_the_same_check() {
    let check = hostile();
    let document = bulletin_document(&Bulletin::of(&check), &wording(2));
    let bytes = docx(&document);
    assert_eq!(bytes, docx(&document));
    let names: Vec<String> = zip::ZipArchive::new(Cursor::new(&bytes))
        .unwrap()
        .file_names()
        .map(|name| name.unwrap().into_owned())
        .collect();
    for name in names.iter().filter(|name| name.ends_with("xml") || name.ends_with("rels")) {
        let text = part(&bytes, name);
        let mut reader = quick_xml::Reader::from_str(&text);
        reader.config_mut().check_end_names = true;
        loop {
            match reader.read_event() {
                Ok(quick_xml::events::Event::Eof) => break,
                Ok(_) => {}
                Err(error) => panic!("{name}: {error}"),
            }
        }
    }
    let body = part(&bytes, "word/document.xml");
    assert!(body.contains("&lt;w:b/&gt;&amp;amp;]]&gt;|* # 标题"), "nothing becomes markup");
    assert!(body.contains(r#"<w:pgMar w:top="2098" w:right="1474""#), "the page of GB/T 9704");
    assert!(!body.contains('\u{1}'));
    let told = markdown(&document);
    assert!(told.contains("\\<w:b/\\>\\&amp;\\]\\]\\>\\|\\* \\# 标题"), "{told}");
}

#[test]
fn the_workbook_has_typed_cells_filters_a_frozen_head_and_no_formula() {
    let check = hostile();
    let document = bulletin_document(&Bulletin::of(&check), &wording(2));
    let bytes = xlsx(&document).unwrap();
    let mut book: Xlsx<_> = Xlsx::new(Cursor::new(bytes.clone())).unwrap();
    let names = book.sheet_names();
    assert_eq!(
        names,
        ["政府网站检查情况", "政务新媒体检查情况", "政务新媒体不合格名单", "说明"],
        "one sheet a table"
    );
    for name in &names {
        assert_eq!(book.worksheet_formula(name).unwrap().used_cells().count(), 0, "{name}");
    }
    let counts = book.worksheet_range("政务新媒体检查情况").unwrap();
    assert_eq!(counts.get((1, 1)), Some(&Data::Float(3.0)));
    let rate = counts.get((1, 5)).unwrap().clone();
    assert!(matches!(rate, Data::Float(rate) if (rate - 1.0 / 3.0).abs() < 1e-12), "{rate:?}");
    let failed = book.worksheet_range("政务新媒体不合格名单").unwrap();
    let name = Data::String("=HYPERLINK(\"http://x\",\"看\")".to_owned());
    assert_eq!(failed.get((1, 0)), Some(&name), "a name stays text");
    assert!(matches!(failed.get((1, 5)), Some(Data::DateTime(_))), "{:?}", failed.get((1, 5)));
    let sheet = part(&bytes, "xl/worksheets/sheet3.xml");
    assert!(sheet.contains("<autoFilter ref=\"A1:F3\"") && sheet.contains("state=\"frozen\""));
    assert!(!sheet.contains("<f>"), "{sheet}");
}

proptest! {
    #[test]
    fn platforms_add_up_to_the_whole(counts in proptest::collection::vec((0_usize..4, 0_u8..3), 0..60)) {
        let platforms = ["微信", "微博", "抖音", "政府网站"];
        let judged = |one: u8| match one {
            0 => Judged::Passed,
            1 => Judged::Failed,
            _ => Judged::Undetermined("无".to_owned()),
        };
        let all: Vec<Examined> = counts
            .iter()
            .enumerate()
            .map(|(at, (platform, one))| examined(at, platforms[*platform], judged(*one)))
            .collect();
        let check = check(all, 100);
        let bulletin = Bulletin::of(&check);
        prop_assert_eq!(bulletin.examined(), counts.len() as u64);
        for group in &bulletin.groups {
            let sum = |of: fn(&PlatformCount) -> u64| group.platforms.iter().map(of).sum::<u64>();
            prop_assert_eq!(sum(|one| one.examined), group.total.examined);
            prop_assert_eq!(sum(|one| one.failed), group.failed.len() as u64);
            let three = group.total.judged() + group.total.undetermined;
            prop_assert_eq!(three, group.total.examined);
        }
    }
}
