//! `xunjian finding` through the binary, on the machine's own clock.

use serde_json::Value;

use crate::registry;

const LEDGER: &str = "账号编号,平台,平台账号,账号名称,主办单位,行政区划代码,状态,备案日期\n\
    A-1,weibo,1000000001,甲发布,甲单位,339901,运行,2020-01-01\n";

#[tokio::test]
async fn a_person_enters_a_finding_and_a_second_one_approves_it() {
    let (office, _, _) = registry::Office::connected().await;
    let ledger = office.path("ledger.csv");
    std::fs::write(&ledger, LEDGER).unwrap();
    office.import(&ledger, &[]).done();
    let proof = office.path("截图.png");
    std::fs::write(&proof, "not really a picture").unwrap();
    let add = [
        "finding",
        "add",
        "--rule",
        "severe_wording_error",
        "--account",
        "A-1",
        "--statement",
        "头条文章将领导职务写错。",
        "--file",
        proof.to_str().unwrap(),
        "--note",
        "10时12分截图",
    ];
    assert_eq!(office.xunjian(&add).done(), "finding 1 is open\n");
    let step = |step: &str, actor: &str| {
        office.xunjian(&["finding", step, "1", "--reason", "看过", "--actor", actor])
    };
    let own = step("approve", "zhang").failed();
    assert!(own.contains("raised by zhang, who may not approve it"), "{own}");
    assert_eq!(step("approve", "li").done(), "finding 1 is approved\n");
    let early = step("rectify", "li").failed();
    assert!(early.contains("only a job may have a finding that is approved rectified"), "{early}");

    let listed = office.xunjian(&["finding", "list", "--json"]).done();
    let one: Value = serde_json::from_str(&listed).unwrap();
    assert_eq!((&one["rule"], &one["state"]), (&"severe_wording_error".into(), &"approved".into()));
    assert_eq!(one["evidence"][0]["name"], "截图.png");
    assert!(one["evidence"][0]["digest"].as_str().unwrap().starts_with("sha256:"));
    let shown = office.xunjian(&["finding", "show", "1", "--json"]).done();
    let shown: Value = serde_json::from_str(&shown).unwrap();
    assert_eq!(shown["events"].as_array().unwrap().len(), 2);
    assert_eq!(shown["events"][0]["actor"], "zhang");
    let exempt = ["finding", "exempt", "--account", "A-1", "--reason", "系统迁移"];
    office.xunjian(&[&exempt[..], &["--until", "2099-12-31"]].concat()).done();
    let text = office.xunjian(&["finding", "list"]).done();
    assert!(text.contains("已复核") && text.contains("不点名:豁免至 2099-12-31"), "{text}");

    assert!(office.xunjian(&["finding", "show", "9"]).failed().contains("no finding 9"));
    assert_eq!(office.xunjian(&["finding", "list", "--state", "asleep"]).code, Some(2));
    assert_eq!(office.xunjian(&["finding", "warnings"]).done(), "");
    let triage = office.xunjian(&["finding", "triage", "--json"]).done();
    assert!(triage.contains("\"fired\":\"undetermined\""), "{triage}");
}
