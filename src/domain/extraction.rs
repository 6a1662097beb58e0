use chrono::{DateTime, TimeZone, Utc};
use serde::{Deserialize, Serialize, Serializer};

use super::count::Count;
use super::moment::{Moment, Precision, SHANGHAI};

/// What a page says for itself: whether it can be read as the page it should be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum PageVerdict {
    /// Read as the page it should be.
    Observation,
    /// A wall: captcha, login, forbidden, or an answer that only looks like success.
    Blocked,
    /// Not the page we know: layout changed, list container missing.
    Drifted,
    /// The platform says that the account or the article is gone.
    Gone,
}

/// The kind of a post's content.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[expect(missing_docs, reason = "the words say all")]
pub enum Form {
    Text,
    Image,
    Video,
    Article,
    Live,
}

/// Whether a post is the account's own work.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize)]
#[serde(rename_all = "lowercase")]
#[expect(missing_docs, reason = "the words say all")]
pub enum Origin {
    Original,
    Repost,
    #[default]
    Unknown,
}

impl Origin {
    /// The stable word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Original => "original",
            Self::Repost => "repost",
            Self::Unknown => "unknown",
        }
    }
}

impl Form {
    /// The stable word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Image => "image",
            Self::Video => "video",
            Self::Article => "article",
            Self::Live => "live",
        }
    }
}

/// Whose page it is, as the page itself says.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Identity {
    /// The platform's id of the account.
    pub handle: Option<String>,
    /// The shown name.
    pub name: Option<String>,
    /// The certification text (认证).
    pub verified_as: Option<String>,
    /// Followers, where the page carries them.
    pub followers: Option<Count>,
    /// The profile's own counter of posts.
    pub posts_total: Option<Count>,
    /// When the platform says that the account was registered.
    #[serde(serialize_with = "moment_text")]
    pub registered_at: Option<Moment>,
}

/// One item of a list, or the one post of an article page.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Post {
    /// The platform's id of the post; what it is per platform stands in the platform file.
    #[serde(rename = "ref")]
    pub reference: Option<String>,
    /// The absolute address.
    pub url: Option<String>,
    /// The title, for platforms that have one.
    pub title: Option<String>,
    /// `sha256:…` of the normalised text; the text itself is not kept.
    pub text_digest: Option<String>,
    /// 64-bit similarity digest of the text, sixteen hexadecimal digits.
    pub text_simhash: Option<String>,
    /// The claimed publication time, written as RFC 3339 at +08:00 with its `precision` beside it.
    #[serde(flatten, serialize_with = "published")]
    pub published: Option<Moment>,
    /// The time as it stands on the page.
    pub published_text: Option<String>,
    /// Whether the platform marks it as pinned (置顶).
    pub pinned: bool,
    /// What kind of content it is.
    pub form: Option<Form>,
    /// Own work or a repost.
    pub origin: Origin,
    /// Reads or plays.
    pub reads: Option<Count>,
    /// Likes (点赞).
    pub likes: Option<Count>,
    /// Comments.
    pub comments: Option<Count>,
    /// Shares or reposts by others.
    pub shares: Option<Count>,
}

/// A citizen's message and the account's answer; neither words nor names are kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Inquiry {
    /// HMAC-SHA-256 of the message's id under the installation's key, in hexadecimal.
    #[serde(rename = "ref")]
    pub reference: String,
    /// When it was asked.
    #[serde(serialize_with = "moment_text")]
    pub asked_at: Option<Moment>,
    /// When the account first answered; absent while it has not.
    #[serde(serialize_with = "moment_text")]
    pub replied_at: Option<Moment>,
    /// How finely the page states both times.
    pub precision: Option<Precision>,
    /// Whether the answer is the account's own.
    pub official: bool,
}

/// A column of a site, as the site itself links to it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Column {
    /// The words of the link.
    pub title: String,
    /// The absolute address.
    pub url: String,
}

/// How a reader that searches for values came to its result.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// Where the values stand, in words.
    pub place: String,
    /// How sure the reader is, in percent.
    pub confidence_percent: u8,
}

/// Everything read from one page, as stored and as printed by `xunjian extract`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Extraction {
    /// The platform file used.
    pub platform: String,
    /// The page kind used.
    pub page: String,
    /// The named layout that was recognised; `default` where the file names none.
    pub layout: Option<String>,
    /// The instant against which relative times were resolved.
    #[serde(serialize_with = "instant")]
    pub observed_at: DateTime<Utc>,
    /// Whose page it is.
    pub identity: Identity,
    /// The items, in the order of the page.
    pub posts: Vec<Post>,
    /// Messages with their answers.
    pub inquiries: Vec<Inquiry>,
    /// The columns that an inventory page links to; only where there are any.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub columns: Vec<Column>,
    /// Whether the page says that nothing older follows.
    pub exhausted: bool,
    /// Whether the page shows the platform's own sign of an empty list.
    pub empty_marker: bool,
    /// The address of the next page.
    pub next: Option<String>,
    /// When the page, or the bridge behind it, says its data was last fetched from the platform.
    #[serde(serialize_with = "optional_instant")]
    pub source_time: Option<DateTime<Utc>>,
    /// Whether the answer was read as a page, and if not, what it was.
    pub verdict: PageVerdict,
    /// Why the verdict is not `observation`.
    pub reason: Option<String>,
    /// Where values stand that no path of a platform file names; only for `format = "generic"`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub finding: Option<Finding>,
    /// Values that could not be read, each with its place.
    pub warnings: Vec<String>,
}

fn beijing(at: DateTime<Utc>) -> String {
    SHANGHAI.from_utc_datetime(&at.naive_utc()).to_rfc3339()
}

fn instant<S: Serializer>(at: &DateTime<Utc>, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&beijing(*at))
}

fn optional_instant<S: Serializer>(
    at: &Option<DateTime<Utc>>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    at.map(beijing).serialize(serializer)
}

fn moment_text<S: Serializer>(at: &Option<Moment>, serializer: S) -> Result<S::Ok, S::Error> {
    at.map(Moment::to_rfc3339).serialize(serializer)
}

fn published<S: Serializer>(at: &Option<Moment>, serializer: S) -> Result<S::Ok, S::Error> {
    #[derive(Serialize)]
    struct Fields {
        published_at: Option<String>,
        precision: Option<Precision>,
    }
    Fields { published_at: at.map(Moment::to_rfc3339), precision: at.map(|at| at.precision) }
        .serialize(serializer)
}
