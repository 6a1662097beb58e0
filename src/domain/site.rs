/// What a column (栏目) of a government site is for, by its name.
///
/// The rules ask different things of each class; the words are stable.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ColumnClass {
    /// 动态/要闻.
    News,
    /// 通知公告.
    Notices,
    /// 政策文件.
    Policies,
    /// 咨询, 留言, 信箱: where citizens write.
    Messages,
    /// Any other.
    Other,
}

/// Parts of names, in the order in which they are looked for: 政策咨询 is a place to write to, and
/// 通知公告动态 announces.
const NAMES: [(ColumnClass, &[&str]); 4] = [
    (ColumnClass::Messages, &["留言", "信箱", "咨询", "互动", "建言", "投诉", "问政"]),
    (ColumnClass::Notices, &["通知", "公告", "公示", "通告"]),
    (ColumnClass::Policies, &["政策", "文件", "法规", "规章", "规范性"]),
    (ColumnClass::News, &["动态", "要闻", "新闻", "资讯", "快讯"]),
];

impl ColumnClass {
    /// Every class with its stable word and its Chinese name.
    pub const ALL: [(Self, &'static str, &'static str); 5] = [
        (Self::News, "news", "动态要闻"),
        (Self::Notices, "notices", "通知公告"),
        (Self::Policies, "policies", "政策文件"),
        (Self::Messages, "messages", "互动交流"),
        (Self::Other, "other", "其他"),
    ];

    /// The class of a column's name.
    pub fn of(name: &str) -> Self {
        let has = |parts: &[&str]| parts.iter().any(|part| name.contains(part));
        NAMES.iter().find(|(_, parts)| has(parts)).map_or(Self::Other, |(class, _)| *class)
    }

    /// Reads the stable word.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|row| row.1 == word).map(|row| row.0)
    }

    /// The stable word.
    pub fn as_str(self) -> &'static str {
        Self::ALL.into_iter().find(|row| row.0 == self).map_or("", |row| row.1)
    }

    /// The Chinese name.
    pub fn title(self) -> &'static str {
        Self::ALL.into_iter().find(|row| row.0 == self).map_or("", |row| row.2)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_tell_the_class() {
        for (name, class) in [
            ("政务动态", ColumnClass::News),
            ("今日要闻", ColumnClass::News),
            ("通知公告", ColumnClass::Notices),
            ("人事任免公示", ColumnClass::Notices),
            ("政策文件", ColumnClass::Policies),
            ("县长信箱", ColumnClass::Messages),
            ("政策咨询", ColumnClass::Messages),
            ("领导信息", ColumnClass::Other),
        ] {
            assert_eq!(ColumnClass::of(name), class, "{name}");
        }
        for (class, word, _) in ColumnClass::ALL {
            assert_eq!(ColumnClass::from_word(word), Some(class));
        }
    }
}
