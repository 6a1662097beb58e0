use chrono::{DateTime, Utc};

use super::claim::Validators;
use super::evidence::NewEvidence;
use super::missing::AskedPost;
use super::site_looks::SiteRecord;
use super::targets::Rate;
use crate::domain::{AccountId, GoneCause, Identity, Inquiry, Post};
use crate::observe::{CanaryLook, Visit, Yield};

/// The right to finish a claimed target; it ends where another daemon claims the target.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Lease {
    /// The daemon that holds it.
    pub owner: String,
    /// When others may take it, exactly as the store gave it.
    pub until: DateTime<Utc>,
}

/// One visit with everything it found, to be written down at once.
#[derive(Debug, Clone)]
pub struct VisitRecord {
    /// Whose page was read.
    pub account: AccountId,
    /// The host that was asked; none for imports and persons' checks.
    pub host: Option<String>,
    /// The lease it was claimed under. A record whose lease has moved is not written at all; one
    /// without (an import, a person's check) is always written and moves no target.
    pub lease: Option<Lease>,
    /// The visit. The store counts `new_items` of its observation itself.
    pub visit: Visit,
    /// HTTP status.
    pub status: Option<u16>,
    /// Bytes received.
    pub bytes: Option<u64>,
    /// Time from the request to the last byte, in milliseconds.
    pub duration_ms: Option<u32>,
    /// Digest of the body.
    pub body_digest: Option<String>,
    /// As-of time of what was found: the observation's, or where a failed visit still listed posts
    /// under a proven identity, when its request was sent.
    pub seen_at: DateTime<Utc>,
    /// Whose page it was, as the page says; absent where identity was not proven.
    pub identity: Option<Identity>,
    /// Posts listed under a proven identity, in the order of the page.
    pub posts: Vec<Post>,
    /// Messages with their answers.
    pub inquiries: Vec<Inquiry>,
    /// Why it ended as it did.
    pub details: VisitDetails,
    /// What the visit says of its host and page kind, where the account is a canary; needs a host.
    pub look: Option<CanaryLook>,
    /// What the target waits for now; needed where there is a lease.
    pub next: Option<NextVisit>,
    /// What was kept of the answer.
    pub evidence: VisitEvidence,
}

/// What was kept of a visit's answer.
#[derive(Debug, Clone, Default, PartialEq)]
pub enum VisitEvidence {
    /// There was no answer, or none worth keeping.
    #[default]
    Nothing,
    /// Records that lie durably in their segments, the first page's first.
    Kept(Vec<NewEvidence>),
    /// It should have been kept and was not, for this reason; findings must see that it is missing.
    Missing(String),
}

/// Why a visit ended as it did, and what it found beside posts and messages.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct VisitDetails {
    /// The words of the page or of the transport, where it was not observed; at most 200 characters
    /// are kept. None from a page that shows citizens' words.
    pub words: Option<String>,
    /// Where the account is gone, the class of the platform's words.
    pub cause: Option<GoneCause>,
    /// What the reading yielded; absent where no page was answered.
    pub yields: Option<Yields>,
    /// What pages beside the account's lists showed, messages left aside.
    pub found: Found,
}

/// What pages beside an account's lists showed.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Found {
    /// Where the page is a site's, what that site showed.
    pub site: Option<Box<SiteRecord>>,
    /// Where the own addresses of missing posts were asked, what they answered.
    pub asked: Vec<AskedPost>,
}

/// What the newest readings of a page yielded, this one last.
#[derive(Debug, Clone, PartialEq)]
pub struct Yields {
    /// The readings, oldest first.
    pub readings: Vec<Yield>,
    /// Whether the last fell far below the others; absent where too little is known of them.
    pub fell: Option<bool>,
}

impl VisitDetails {
    /// Most characters of words that are kept.
    const WORDS_MAX: usize = 200;

    /// These words, cut to what is kept.
    pub fn told(words: Option<&str>, cause: Option<GoneCause>) -> Self {
        // Postgres takes no NUL, and a page may hold one.
        let kept = |words: &str| words.replace('\0', "").chars().take(Self::WORDS_MAX).collect();
        let words = words.map(kept);
        Self { words, cause, ..Self::default() }
    }
}

/// What a finished target waits for.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct NextVisit {
    /// When it is due again.
    pub due_at: DateTime<Utc>,
    /// Validators of the answer, for the next conditional request. Only an observation's are kept:
    /// after a failed visit the old ones stand, after one that found the account gone none do.
    pub validators: Validators,
    /// The learned posting rate; absent keeps the old.
    pub rate: Option<Rate>,
    /// When the account was seen to publish, as the scheduler writes it; absent keeps the old.
    pub rhythm: Option<Vec<u8>>,
    /// The most posts that a visit was seen to list; absent keeps the old.
    pub capacity: Option<u32>,
    /// When the visit is owed, whatever stands before it.
    pub deadline_at: Option<DateTime<Utc>>,
    /// What the visit is for, as a stable word.
    pub purpose: Option<&'static str>,
    /// Whether our own pacing held the request back: the host never heard of it, so that this is no
    /// failure of the target.
    pub held_back: bool,
}
