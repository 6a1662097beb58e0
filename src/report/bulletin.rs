use std::collections::BTreeMap;

use super::check::{Before, Check, Examined, Item, ItemKind, Judged, Kind};

/// The numbers of a bulletin, counted once; every form of it is written from these.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bulletin<'a> {
    /// What it counts.
    pub check: &'a Check,
    /// Sites, then accounts; a kind that nobody is of is left out.
    pub groups: Vec<Group<'a>>,
    /// What became of the last list.
    pub recheck: Option<Recheck<'a>>,
}

/// Sites or accounts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group<'a> {
    /// Which.
    pub kind: Kind,
    /// By platform, most first; they add up to the whole.
    pub platforms: Vec<PlatformCount>,
    /// All platforms together.
    pub total: PlatformCount,
    /// What was found wrong: vetoes, then scores, then deductions, then what
    /// is named for without failing, each with most accounts first.
    pub classes: Vec<Class<'a>>,
    /// Failed accounts, each once.
    pub failed: Vec<&'a Examined>,
    /// Accounts that did not fail and are named by their scheme all the same.
    pub called: Vec<&'a Examined>,
    /// Accounts that could not be judged, with their reasons.
    pub undetermined: Vec<(&'a Examined, &'a str)>,
}

/// How many of a platform.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PlatformCount {
    /// The platform's Chinese name; 合计 for the whole.
    pub platform: String,
    /// Looked at.
    pub examined: u64,
    /// Of these, passed.
    pub passed: u64,
    /// Of these, failed.
    pub failed: u64,
    /// Of these, neither.
    pub undetermined: u64,
}

impl PlatformCount {
    /// Those judged: what a rate is of.
    pub fn judged(&self) -> u64 {
        self.passed + self.failed
    }

    fn count(&mut self, judged: &Judged) {
        self.examined += 1;
        match judged {
            Judged::Passed => self.passed += 1,
            Judged::Failed => self.failed += 1,
            Judged::Undetermined(_) => self.undetermined += 1,
        }
    }
}

/// One class of problem with everyone who has it; an account with several stands in each.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Class<'a> {
    /// The class.
    pub item: &'a Item,
    /// Who has it.
    pub accounts: Vec<&'a Examined>,
}

/// The last list looked at again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Recheck<'a> {
    /// The check before, every account of its list with what it is now.
    pub before: &'a Before,
    /// Whether its accounts may be named: they were, and this is no draft.
    pub names: bool,
}

impl Recheck<'_> {
    /// How many are in a state.
    pub fn count(&self, state: RecheckState) -> usize {
        self.before.accounts.iter().filter(|one| one.now == state).count()
    }
}

/// What a failed account has become.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum RecheckState {
    /// It passes now.
    Rectified,
    /// It fails again, or is to be named again.
    NotRectified,
    /// It is closed or cancelled.
    Closed,
    /// It could not be judged this time.
    Undetermined,
    /// This check did not look at it.
    NotExamined,
}

impl RecheckState {
    /// The Chinese word.
    pub fn title(self) -> &'static str {
        match self {
            Self::Rectified => "已整改",
            Self::NotRectified => "未整改",
            Self::Closed => "已关停注销",
            Self::Undetermined => "未能判定",
            Self::NotExamined => "本次未检查",
        }
    }
}

impl<'a> Bulletin<'a> {
    /// Counts.
    pub fn of(check: &'a Check) -> Self {
        let kinds = [Kind::Site, Kind::Account].into_iter();
        let groups = kinds.filter_map(|kind| group(check, kind)).collect();
        let names = |before: &Before| before.is_published && check.issue.is_some();
        let recheck = check.earlier.as_ref();
        let recheck = recheck.map(|before| Recheck { before, names: names(before) });
        Self { check, groups, recheck }
    }

    /// Everyone looked at.
    pub fn examined(&self) -> u64 {
        self.groups.iter().map(|group| group.total.examined).sum()
    }
}

fn group(check: &Check, kind: Kind) -> Option<Group<'_>> {
    let all: Vec<&Examined> = check.examined.iter().filter(|one| one.kind == kind).collect();
    if all.is_empty() {
        return None;
    }
    let mut platforms: BTreeMap<&str, PlatformCount> = BTreeMap::new();
    let mut total = PlatformCount { platform: "合计".to_owned(), ..PlatformCount::default() };
    let mut classes: BTreeMap<&Item, Vec<&Examined>> = BTreeMap::new();
    for one in &all {
        total.count(&one.judged);
        platforms.entry(&one.platform).or_default().count(&one.judged);
        let is_open = matches!(one.judged, Judged::Undetermined(_));
        for item in one.items.iter().filter(|item| !is_open || item.kind == ItemKind::Called) {
            let accounts = classes.entry(item).or_default();
            if accounts.last().is_none_or(|last| last.key != one.key) {
                accounts.push(one);
            }
        }
    }
    let named = |(platform, count): (&str, PlatformCount)| PlatformCount {
        platform: platform.to_owned(),
        ..count
    };
    let mut platforms: Vec<PlatformCount> = platforms.into_iter().map(named).collect();
    platforms.sort_by_key(|one| std::cmp::Reverse(one.examined));
    let mut classes: Vec<Class<'_>> =
        classes.into_iter().map(|(item, accounts)| Class { item, accounts }).collect();
    classes.sort_by_key(|class| (class.item.kind, std::cmp::Reverse(class.accounts.len())));
    let failed = all.iter().copied().filter(|one| one.judged == Judged::Failed).collect();
    let is_called = |one: &&Examined| one.judged != Judged::Failed && one.is_called();
    let called = all.iter().copied().filter(is_called).collect();
    let undetermined = all.iter().copied().filter_map(|one| match &one.judged {
        Judged::Undetermined(why) => Some((one, why.as_str())),
        _ => None,
    });
    let undetermined = undetermined.collect();
    Some(Group { kind, platforms, total, classes, failed, called, undetermined })
}
