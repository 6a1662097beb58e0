use std::collections::BTreeMap;

/// What of an account decides which rules concern it.
#[derive(Debug, Clone, Copy)]
pub struct Subject<'a> {
    /// The platform's id.
    pub platform: &'a str,
    /// 类别, for a column its class.
    pub category: Option<&'a str>,
    /// 层级.
    pub level: Option<&'a str>,
    /// Columns of the ledger that the program does not know.
    pub notes: &'a BTreeMap<String, String>,
}

/// Whom a rule concerns; an empty list leaves that attribute open.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Scope {
    /// Platform ids.
    pub platforms: Vec<String>,
    /// Platform ids that are left out.
    pub except_platforms: Vec<String>,
    /// 类别.
    pub categories: Vec<String>,
    /// 类别 that are left out.
    pub except_categories: Vec<String>,
    /// 层级.
    pub levels: Vec<String>,
    /// A column of the ledger whose entry (是, 1, 无…) leaves the account out, such as 无公共服务.
    pub except_note: Option<String>,
}

impl Scope {
    /// Whether the rule concerns the subject. An attribute that the ledger does not state is in no
    /// list.
    pub fn holds(&self, subject: &Subject<'_>) -> bool {
        let within = |list: &[String], value: Option<&str>| {
            list.is_empty() || value.is_some_and(|value| list.iter().any(|one| one == value))
        };
        let without = |list: &[String], value: Option<&str>| {
            value.is_none_or(|value| list.iter().all(|one| one != value))
        };
        let noted = self.except_note.as_ref().is_some_and(|note| {
            let entry = subject.notes.get(note).map(|entry| entry.trim());
            entry.is_some_and(|entry| !matches!(entry, "" | "否" | "0"))
        });
        within(&self.platforms, Some(subject.platform))
            && without(&self.except_platforms, Some(subject.platform))
            && within(&self.categories, subject.category)
            && without(&self.except_categories, subject.category)
            && within(&self.levels, subject.level)
            && !noted
    }
}
