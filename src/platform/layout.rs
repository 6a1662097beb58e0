use regex::Regex;

use super::asked::Names;
use super::css::Css;
use super::source::{Candidate, Path, Source};

/// Where JSON stands inside an HTML page.
#[derive(Debug, Clone)]
pub enum ScriptPlace {
    /// After the match of a pattern: `window.DATA = `.
    After(Regex),
    /// The text of an element.
    Element(Css),
}

/// What a body is parsed as.
#[derive(Debug, Clone)]
pub enum Format {
    /// JSON, also with a JSONP wrapping.
    Json,
    /// HTML.
    Html,
    /// RSS, Atom or JSON Feed, read through paths of a common JSON form: `$.title`, `$.updated`,
    /// `$.entries[*]` with `id`, `link`, `title`, `text`, `published`, `updated`.
    Feed,
    /// JSON inside a script of an HTML page.
    HtmlJson(ScriptPlace),
    /// HTML of a site without a file of its own: title, address and time of an article, or the list
    /// of a column, are found without paths, or the page is refused. The file says nothing of these
    /// fields; it may say an article's counts and the signs of walls, in CSS.
    Generic,
}

/// A named pure change of a document before it is read, for what paths cannot say.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Prepare {
    /// WeChat `getmsg` and `appmsg` lists: one push holds up to eight articles, and the list may be
    /// JSON inside a string. Adds `articles: […]`, each with its `push` and its `place` in it.
    WechatMessages,
    /// Feeds that write Beijing time with `+0000`: where that puts the newest item into the future
    /// and eight hours less do not, eight hours are taken from all.
    BeijingWrittenAsUtc,
    /// HTML whose list stands in CDATA records, for a script to unpack: read as if it had.
    CdataRecords,
    /// HTML inside the strings of a JSON answer, for a script to put into the page: read as if it
    /// had.
    HtmlInJson,
    /// JSON written as text inside JSON, at any depth: read as if it were part of the whole.
    NestedJson,
}

/// A sign by which an answer is known.
#[derive(Debug, Clone)]
pub enum Rule {
    /// A value of the document matches.
    Content(Box<Candidate>),
    /// The HTTP status is one of these.
    Status(Vec<u16>),
    /// The final address matches.
    Redirect(Regex),
    /// The raw text matches.
    Body(Regex),
    /// The text of a `<title>` of the page matches, as it stands there.
    Title(Regex),
}

/// A sign of a wall, or of what is gone, and what it means.
#[derive(Debug, Clone)]
pub struct Sign {
    /// One of the words of the platform files, such as `captcha` or `migrated`, where the sign
    /// tells.
    pub means: Option<&'static str>,
    /// The sign.
    pub rule: Rule,
}

impl Sign {
    /// What a wall may be.
    pub const WALLS: [&'static str; 5] = ["captcha", "login", "limited", "expired", "unavailable"];
    /// Why an account or a post may be gone.
    pub const ENDS: [&'static str; 5] = ["cancelled", "banned", "migrated", "deleted", "violation"];
}

/// Where the identity stands.
#[derive(Debug, Clone, Default)]
pub struct IdentityFields {
    /// Nodes each of which may be the account: the one with the asked handle is taken, without an
    /// asked handle the one met most often.
    pub of: Option<Path>,
    /// The platform's id of the account.
    pub handle: Source,
    /// The shown name.
    pub name: Source,
    /// The certification text.
    pub verified_as: Source,
    /// Followers.
    pub followers: Source,
    /// The profile's own counter of posts.
    pub posts_total: Source,
    /// The registration date.
    pub registered_at: Source,
}

/// Where the values of a post stand; paths are relative to the item.
#[derive(Debug, Clone, Default)]
pub struct ItemFields {
    /// The platform's id of the post.
    pub reference: Source,
    /// The address.
    pub url: Source,
    /// The title.
    pub title: Source,
    /// The text, for its digests only.
    pub text: Source,
    /// The publication time.
    pub published_at: Source,
    /// Whether it is pinned.
    pub pinned: Source,
    /// One of the words text, image, video, article, live.
    pub form: Source,
    /// Whether it is a repost.
    pub repost: Source,
    /// Whether it is declared the account's own work.
    pub original: Source,
    /// The handle of who posted it; an item of somebody else is left out.
    pub author: Source,
    /// Reads or plays.
    pub reads: Source,
    /// Likes.
    pub likes: Source,
    /// Comments.
    pub comments: Source,
    /// Shares or reposts.
    pub shares: Source,
}

/// Where citizens' messages and the answers stand.
#[derive(Debug, Clone, Default)]
pub struct InquiryFields {
    /// The messages.
    pub items: Vec<Path>,
    /// Fields without which an element is no message: `ref`, `asked_at`, `replied_at`.
    pub require: Vec<String>,
    /// Keep only elements that hold no other complete message.
    pub innermost: bool,
    /// The handle of who wrote it; what the account itself writes is no message to it.
    pub author: Source,
    /// The message's id; leaves the extraction only as a keyed digest.
    pub reference: Source,
    /// When it was asked.
    pub asked_at: Source,
    /// The answers, relative to the message; absent where the message itself holds the answer.
    pub replies: Vec<Path>,
    /// When an answer was given, relative to the answer.
    pub replied_at: Source,
    /// The handle of who answered, relative to the answer.
    pub reply_author: Source,
    /// Whether the platform marks the answer as the account's own, relative to the answer.
    pub official: Source,
}

/// One way to read a page kind.
#[derive(Debug, Clone)]
pub struct Layout {
    /// The name in the result; `default` where the file gives none.
    pub name: String,
    /// What the body is parsed as.
    pub format: Format,
    /// Changes before it is read.
    pub prepare: Option<Prepare>,
    /// The items; the first path that yields any is taken. Empty: the whole page is one item.
    pub items: Vec<Path>,
    /// Keep only items that hold no other complete item.
    pub innermost: bool,
    /// Leave out items of navigation, headers and hot lists, beside which the list itself stands.
    pub main_only: bool,
    /// Item fields without which an element is no item.
    pub require: Vec<String>,
    /// Elements that show that the list itself was found, also when it is empty.
    pub list: Option<Path>,
    /// Where the identity stands; the first that proves the handle, the others fill what it lacks.
    pub identity: Vec<IdentityFields>,
    /// Where the values of an item stand.
    pub item: ItemFields,
    /// Items to leave out.
    pub skip: Vec<Rule>,
    /// Citizens' messages.
    pub inquiries: Option<InquiryFields>,
    /// Signs of a wall.
    pub blocked: Vec<Sign>,
    /// Signs that the account or the post is gone.
    pub gone: Vec<Sign>,
    /// The platform's own signs of an empty list.
    pub empty_marker: Vec<Rule>,
    /// Signs with which no marker makes the list empty: a script fills it, or there is another one.
    pub empty_unless: Vec<Rule>,
    /// Signs that nothing older follows.
    pub exhausted: Vec<Rule>,
    /// The address of the next page.
    pub next: Source,
    /// When the data was last fetched from the platform, by a bridge.
    pub source_time: Source,
    /// The members of JSON that any of its paths asks for; none: it may be any.
    pub asked: Option<Names>,
}
