//! The bulletin of a frozen quarter, with the quarter before it, through the binary.

use std::fs;

use xunjian::jobs::assessment::{Freeze, freeze};

use super::*;

#[tokio::test]
async fn a_draft_of_a_quarter_is_written_in_every_form_and_names_nobody() {
    let office = office().await;
    let context = office.context();
    // The quarter before: both that were silent then fail, and one of them mends it.
    let before = Freeze {
        period: "2026Q3".parse().unwrap(),
        scheme: context.schemes.get(SCHEME),
        cutoff: "2026-09-12T00:00:00+08:00".parse().unwrap(),
        sample: None,
        actor: "zhang",
        reason: "",
    };
    let before = freeze(context, &before).await.unwrap();
    assert!(before.verdicts.contains_key("fail"), "{before:?}");
    let frozen = frozen(&office, "").await.unwrap();
    let out = office.folder.path().join("out");
    let out = out.to_str().unwrap();
    let options = ["--out", out, "--date", "2026-10-20", "--due", "2026-11-20", "--issuer", "某办"];
    let asked = [&["report", "bulletin", "--period", "2026Q4"], &options[..]].concat();
    let said = office.xunjian(&asked);
    assert_eq!(said.code, Some(0), "{}", said.reason);
    assert_eq!(said.out.lines().count(), 3, "{}", said.out);
    let text = fs::read_to_string(format!("{out}/bulletin-2026Q4-v1-draft.md")).unwrap();
    for part in [
        "关于2026年第四季度政务新媒体检查情况的通报（草稿，不点名）",
        "台账在运行的共 4 个，本次普查，检查 4 个，占 100.00%",
        "检查政务新媒体 4 个，其中微博 4 个。未能判定 1 个",
        "在完成判定的 3 个中，不合格 1 个，合格率 66.67%",
        "另有 1 个账号已关停、注销或处于方案不作评价的状态，不计入检查数",
        "内容不更新：政务新媒体1 个。",
        "不合格政务新媒体共 1 个，名单经复核后在印发时列出",
        "因观察不足未能判定，不属于不合格",
        "对2026年第三季度检查发现的",
        "未整改 1 个",
        "于2026年11月20日前完成",
        &frozen.digest,
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
    assert!(!text.contains("平安") && !text.contains("单位C"), "a draft names nobody: {text}");
    let again = office.xunjian(&asked);
    assert_eq!(again.code, Some(1), "what is there is left alone");
    let said = office.xunjian(&["report", "notices", "--period", "2026Q4"]);
    assert_eq!(said.code, Some(1));
    assert!(said.reason.contains("2026Q4 is not published"), "{}", said.reason);
    let said =
        office.xunjian(&[&["report", "notices", "--assessment", "2"], &options[..]].concat());
    assert_eq!(said.code, Some(0), "{}", said.reason);
    let files: Vec<&str> = said.out.lines().collect();
    assert_eq!(files.len(), 3, "one sponsor: {files:?}");
    assert!(files[0].ends_with("notice-2026Q4-v1-001-单位C默.docx"), "{files:?}");
    let letter = fs::read_to_string(files[2]).unwrap();
    assert!(letter.contains("单位C-默：") && !letter.contains("A-勤"), "{letter}");
}
