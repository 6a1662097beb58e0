use std::fmt;
use std::str::FromStr;

use super::step::Step;

/// What a token is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Scope {
    /// Reads everything of its area.
    Read,
    /// Reads the findings of one sponsor, explains and rectifies them.
    Sponsor,
    /// Hands in exports of one source.
    Import,
    /// Reads, and enters findings that a person has seen.
    Report,
    /// Reads, enters findings, hands in exports, takes every step of a finding.
    Write,
    /// The same, and runs jobs.
    Admin,
    /// Hands over alerts to be sent on.
    Notify,
}

impl Scope {
    /// Every scope with its stable word.
    pub const ALL: [(Self, &'static str); 7] = [
        (Self::Read, "read"),
        (Self::Sponsor, "sponsor"),
        (Self::Import, "import"),
        (Self::Report, "report"),
        (Self::Write, "write"),
        (Self::Admin, "admin"),
        (Self::Notify, "notify"),
    ];

    /// Reads the stable word.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|row| row.1 == word).map(|row| row.0)
    }

    /// The stable word.
    pub fn as_str(self) -> &'static str {
        Self::ALL.into_iter().find(|row| row.0 == self).map_or("", |row| row.1)
    }

    /// Whether a token of this scope may do it at all.
    pub fn allows(self, deed: Deed) -> bool {
        let person = matches!(self, Self::Write | Self::Admin);
        match deed {
            Deed::Read => person || matches!(self, Self::Read | Self::Report),
            Deed::ReadFindings => self == Self::Sponsor || self.allows(Deed::Read),
            Deed::Step(Step::Explain | Step::Rectify) => person || self == Self::Sponsor,
            Deed::Step(_) => person,
            Deed::Enter => person || self == Self::Report,
            Deed::Import => person || self == Self::Import,
            Deed::Run => self == Self::Admin,
            Deed::HandOver => self == Self::Notify,
        }
    }
}

/// What somebody wants to do over HTTP.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Deed {
    /// Read accounts, posts, scores, assessments.
    Read,
    /// Read findings.
    ReadFindings,
    /// Take this step of a finding.
    Step(Step),
    /// Enter a finding.
    Enter,
    /// Hand in an export.
    Import,
    /// Run a job.
    Run,
    /// Hand over alerts.
    HandOver,
}

/// A subtree of the administrative divisions: everything, a province, a prefecture or a county.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Area(String);

impl Area {
    /// The digits with which every region of the subtree begins; empty for everything.
    pub fn digits(&self) -> &str {
        &self.0
    }

    /// Whether it is everything.
    pub fn is_all(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether the region of these six digits lies in it; one without a region lies in no part.
    pub fn holds(&self, region: Option<&str>) -> bool {
        self.is_all() || region.is_some_and(|region| region.starts_with(&self.0))
    }
}

impl FromStr for Area {
    type Err = String;

    /// Two, four or six digits; `441500`, the code of a prefecture, is its four.
    fn from_str(text: &str) -> Result<Self, String> {
        if !text.bytes().all(|byte| byte.is_ascii_digit()) || !matches!(text.len(), 0 | 2 | 4 | 6) {
            return Err(format!("{text:?} is no division code, nor its first 2 or 4 digits"));
        }
        let mut digits = text;
        while let Some(shorter) = digits.strip_suffix("00") {
            digits = shorter;
        }
        if digits.is_empty() && !text.is_empty() {
            return Err(format!("{text:?} is the code of no division"));
        }
        Ok(Self(digits.to_owned()))
    }
}

impl fmt::Display for Area {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.is_all() { "all areas" } else { &self.0 })
    }
}

/// What a valid token says of whoever shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grant {
    /// The token's number.
    pub token: i64,
    /// Who it was given to; who answers for what is done with it.
    pub person: String,
    /// What it is for.
    pub scope: Scope,
    /// Outside of it nothing exists for this token.
    pub area: Area,
    /// The number of the sponsor, for [`Scope::Sponsor`].
    pub sponsor: Option<i64>,
    /// The id of the source, for [`Scope::Import`].
    pub source: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn areas_are_subtrees() {
        for (text, digits) in
            [("", ""), ("44", "44"), ("440000", "44"), ("441500", "4415"), ("441521", "441521")]
        {
            assert_eq!(text.parse::<Area>().unwrap().digits(), digits, "{text}");
        }
        for text in ["4", "441", "44x5", "000000", "4415210", "４４"] {
            assert!(text.parse::<Area>().is_err(), "{text}");
        }
        let county: Area = "441521".parse().unwrap();
        assert!(county.holds(Some("441521")) && !county.holds(Some("441522")));
        assert!(!county.holds(Some("441500")), "a county does not see its prefecture");
        assert!(!county.holds(None) && Area::default().holds(None));
    }

    #[test]
    fn each_scope_allows_what_it_is_for_and_nothing_else() {
        use Deed::*;
        let all = [
            Read,
            ReadFindings,
            Step(super::Step::Approve),
            Step(super::Step::Explain),
            Step(super::Step::Rectify),
            Step(super::Step::Recheck),
            Step(super::Step::Dismiss),
            Step(super::Step::Reopen),
            Enter,
            Import,
            Run,
            HandOver,
        ];
        let check = |scope: &str, allowed: &str| {
            let scope = Scope::from_word(scope).unwrap();
            let shown: String =
                all.iter().map(|deed| if scope.allows(*deed) { 'x' } else { '.' }).collect();
            assert_eq!(shown, allowed, "{scope:?}");
        };
        check("read", "xx..........");
        check("sponsor", ".x.xx.......");
        check("import", ".........x..");
        check("report", "xx......x...");
        check("write", "xxxxxxxxxx..");
        check("admin", "xxxxxxxxxxx.");
        check("notify", "...........x");
        assert_eq!(Scope::from_word("root"), None);
    }
}
