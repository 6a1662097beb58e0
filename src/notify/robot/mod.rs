//! Chat groups (钉钉, 飞书): what Alertmanager tells becomes one message in Chinese for a robot.

mod alert;
mod send;
mod settings;
mod sign;

#[cfg(test)]
mod tests;

pub use alert::{Message, Misread, Notification};
pub use send::{RobotError, Robots};
pub(super) use settings::problem;
pub use settings::{DingtalkSettings, FeishuSettings};

/// A kind of robot.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum RobotKind {
    /// 钉钉 custom robot.
    Dingtalk,
    /// 飞书 custom robot.
    Feishu,
}

impl RobotKind {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Dingtalk, Self::Feishu];

    /// The stable word, in addresses, the database and metrics.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Dingtalk => "dingtalk",
            Self::Feishu => "feishu",
        }
    }

    /// The one with this word.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == word)
    }
}
