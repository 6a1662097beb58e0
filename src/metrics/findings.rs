use std::collections::BTreeMap;

use crate::domain::{ActiveFinding, FindingCell};

use super::table::{FINDING_ACTIVE, FINDINGS_DROPPED, FINDINGS_OPEN};
use super::text::{number, push_header, push_series};

/// Writes the findings' families: how many are open, and those of accounts one by one.
///
/// Areas are cut to `digits`; a sponsor's finding has an empty one. `active` may be cut short: what
/// it leaves out of the accounts' findings is counted.
pub fn render_findings(cells: &[FindingCell], active: &[ActiveFinding], digits: usize) -> String {
    let mut open: BTreeMap<(&str, &str, &str), u64> = BTreeMap::new();
    let mut of_accounts = 0;
    for cell in cells {
        let area = cell.region.as_ref().map_or("", |region| region.prefix(digits));
        *open.entry((&cell.rule, &cell.severity, area)).or_default() += cell.findings;
        of_accounts += cell.of_accounts;
    }
    let mut text = String::with_capacity(512 + open.len() * 96 + active.len() * 200);
    push_header(&mut text, &FINDINGS_OPEN);
    for ((rule, severity, area), findings) in &open {
        push_series(&mut text, &FINDINGS_OPEN, &[rule, severity, area], number(*findings));
    }
    push_header(&mut text, &FINDINGS_DROPPED);
    let dropped = of_accounts.saturating_sub(active.len() as u64);
    push_series(&mut text, &FINDINGS_DROPPED, &[], number(dropped));
    push_header(&mut text, &FINDING_ACTIVE);
    for one in active {
        let labels = [
            one.key.as_str(),
            &one.platform,
            one.region.prefix(digits),
            &one.sponsor_key,
            &one.rule,
            &one.severity,
        ];
        push_series(&mut text, &FINDING_ACTIVE, &labels, 1.0);
    }
    text
}
