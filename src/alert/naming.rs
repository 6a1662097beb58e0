use std::fmt;

use chrono::NaiveDate;

use crate::domain::FindingState;

/// What decides whether a finding may be named in public.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamingFacts {
    /// Where it stands.
    pub state: FindingState,
    /// Whether a person must approve.
    pub needs_approval: bool,
    /// Whether a person has.
    pub approved_by_person: bool,
    /// 豁免说明, of the ledger or granted for this finding.
    pub exemption: Option<String>,
    /// Its last day; absent: no end is given.
    pub exempt_until: Option<NaiveDate>,
    /// The last day of the newest explanation that was accepted.
    pub explained_until: Option<NaiveDate>,
}

/// Why a finding is shown and not named.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Bar {
    /// Exempt, through this day if one is given.
    Exempt(Option<NaiveDate>),
    /// Explained, through this day.
    Explained(NaiveDate),
    /// A person has yet to approve.
    NotApproved,
    /// Dismissed.
    Dismissed,
}

impl fmt::Display for Bar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exempt(Some(until)) => write!(f, "豁免至 {until}"),
            Self::Exempt(None) => f.write_str("豁免(未注明期限)"),
            Self::Explained(until) => write!(f, "已说明,有效至 {until}"),
            Self::NotApproved => f.write_str("待第二人复核"),
            Self::Dismissed => f.write_str("已撤销"),
        }
    }
}

/// What keeps a finding from being named on a day of Asia/Shanghai; `None` where nothing does.
pub fn naming_bar(facts: &NamingFacts, today: NaiveDate) -> Option<Bar> {
    if facts.state == FindingState::Dismissed {
        return Some(Bar::Dismissed);
    }
    if facts.exemption.is_some() && facts.exempt_until.is_none_or(|until| until >= today) {
        return Some(Bar::Exempt(facts.exempt_until));
    }
    if let Some(until) = facts.explained_until.filter(|until| *until >= today) {
        return Some(Bar::Explained(until));
    }
    (facts.needs_approval && !facts.approved_by_person).then_some(Bar::NotApproved)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(change: impl FnOnce(&mut NamingFacts), today: &str, bar: Option<&str>) {
        let mut facts = NamingFacts {
            state: FindingState::Notified,
            needs_approval: true,
            approved_by_person: true,
            exemption: None,
            exempt_until: None,
            explained_until: None,
        };
        change(&mut facts);
        let found = naming_bar(&facts, today.parse().unwrap()).map(|bar| bar.to_string());
        assert_eq!(found.as_deref(), bar, "{facts:?}");
    }

    #[test]
    fn exemptions_and_explanations_hold_through_their_last_day() {
        let day = |text: &str| Some(text.parse::<NaiveDate>().unwrap());
        check(|_| {}, "2026-11-27", None);
        let exempt = |facts: &mut NamingFacts| {
            facts.exemption = Some("系统迁移".to_owned());
            facts.exempt_until = day("2026-11-27");
        };
        check(exempt, "2026-11-27", Some("豁免至 2026-11-27"));
        check(exempt, "2026-11-28", None);
        let explained = |facts: &mut NamingFacts| facts.explained_until = day("2026-11-27");
        check(explained, "2026-11-27", Some("已说明,有效至 2026-11-27"));
        check(explained, "2026-11-28", None);
    }

    #[test]
    fn what_nobody_approved_is_not_named() {
        let waiting = |facts: &mut NamingFacts| facts.approved_by_person = false;
        check(waiting, "2026-11-27", Some("待第二人复核"));
        check(
            |facts| (facts.approved_by_person, facts.needs_approval) = (false, false),
            "2026-11-27",
            None,
        );
        check(|facts| facts.state = FindingState::Dismissed, "2026-11-27", Some("已撤销"));
    }
}
