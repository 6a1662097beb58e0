/// Why a platform says that an account is gone, by its own words.
///
/// The words are stable: they stand in the database and in answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum GoneCause {
    /// It is not there; the platform gives no reason.
    Missing,
    /// Its owner cancelled it (注销).
    Cancelled,
    /// The platform closed it (封禁, 屏蔽, 停止使用).
    Banned,
    /// It goes on under another account (迁移).
    Migrated,
}

/// The marks of each class, looked for in this order: a notice of migration may say that the old
/// account has been cancelled, one of a ban that it cannot be found.
const MARKS: [(GoneCause, &[&str]); 3] = [
    (GoneCause::Migrated, &["迁移", "migrat"]),
    (
        GoneCause::Banned,
        &["封", "违反", "违规", "屏蔽", "停止使用", "停用", "冻结", "投诉", "banned", "suspended"],
    ),
    (GoneCause::Cancelled, &["注销", "关停", "cancelled", "deactivated"]),
];

impl GoneCause {
    /// Every class.
    pub const ALL: [Self; 4] = [Self::Missing, Self::Cancelled, Self::Banned, Self::Migrated];

    /// The class of a platform's words; without any mark the account is only missing.
    pub fn of(words: &str) -> Self {
        let words = words.to_lowercase();
        let marked = |marks: &[&str]| marks.iter().any(|mark| words.contains(mark));
        let class = MARKS.iter().find(|(_, marks)| marked(marks));
        class.map_or(Self::Missing, |(cause, _)| *cause)
    }

    /// The stable word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Missing => "missing",
            Self::Cancelled => "cancelled",
            Self::Banned => "banned",
            Self::Migrated => "migrated",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_of_a_platform_tell_the_class() {
        for (words, cause) in [
            ("用户不存在", GoneCause::Missing),
            ("status 410", GoneCause::Missing),
            ("该账号已自主注销", GoneCause::Cancelled),
            ("由于账号违反社区公约，已被封禁", GoneCause::Banned),
            ("此帐号已被屏蔽, 内容无法查看", GoneCause::Banned),
            ("该公众号已迁移至新的帐号，原帐号已注销", GoneCause::Migrated),
            ("Account Suspended", GoneCause::Banned),
        ] {
            assert_eq!(GoneCause::of(words), cause, "{words}");
        }
    }
}
