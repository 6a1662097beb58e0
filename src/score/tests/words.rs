//! What cannot be told is told in the words of an office, not in the names of measures.

use super::*;

#[test]
fn no_reason_of_a_shipped_scheme_names_a_measure_by_its_id() {
    let mut unread = quiet();
    unread.silence = Some(SilenceFact::Undetermined { reason: "blocked".to_owned() });
    unread.followers = Some(Count::Hidden("login_required".to_owned()));
    let none = BTreeMap::new();
    let indices = IndexCatalog::default();
    let ids = measure_ids(&indices);
    let mut reasons = Vec::new();
    for scheme in local::shipped().iter() {
        let card = with_tables(|tables| score(scheme, &unread, &none, tables).unwrap());
        let states = card.vetoes.iter().chain(&card.flags).map(|flag| flag.state.to_string());
        reasons.extend(states);
        let lines = card.dimensions.iter().flat_map(|dimension| &dimension.lines);
        reasons.extend(lines.map(|line| line.outcome.to_string()));
        reasons.extend(card.verdict.into_iter().flat_map(|verdict| verdict.reasons));
    }
    for reason in &reasons {
        let named = ids.iter().find(|id| id.contains('_') && reason.contains(**id));
        assert_eq!(named, None, "{reason}");
    }
    let said = "未能判定:更新情况:未能判定(平台拦截访问)";
    assert!(reasons.iter().any(|reason| reason == said), "{reasons:#?}");
}
