use std::fmt;
use std::time::Duration;

use super::page::{NotModified, Page};

/// How a request ended. None of these is an error: each is a fact about the visit.
#[derive(Debug, Clone, PartialEq)]
pub enum Fetched {
    /// The host answered; what the answer means, walls and 404 included, extraction tells.
    Page(Box<Page>),
    /// The host says that nothing changed since the validators were given.
    NotModified(NotModified),
    /// It was not the time to ask, or the host said so (429).
    Limited(Limited),
    /// No usable answer: no connection, no time, a server error.
    Unreachable(Unreachable),
    /// robots.txt refuses us; the page was not asked for.
    Disallowed(Disallowed),
    /// We refuse: the address or the answer is outside what is safe.
    Refused(Refused),
}

impl Fetched {
    /// The stable word of the outcome, as in the metric `fetches_total`.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Page(_) => "page",
            Self::NotModified(_) => "not_modified",
            Self::Limited(_) => "limited",
            Self::Unreachable(_) => "unreachable",
            Self::Disallowed(_) => "disallowed",
            Self::Refused(_) => "refused",
        }
    }

    /// The stable word of the reason; `None` where the host answered.
    pub fn reason(&self) -> Option<&'static str> {
        match self {
            Self::Page(_) | Self::NotModified(_) => None,
            Self::Limited(limited) => Some(limited.reason.as_str()),
            Self::Unreachable(unreachable) => Some(unreachable.reason.as_str()),
            Self::Disallowed(disallowed) => Some(disallowed.reason.as_str()),
            Self::Refused(refused) => Some(refused.reason.as_str()),
        }
    }

    /// The reason in words for people; empty where the host answered.
    pub fn detail(&self) -> &str {
        match self {
            Self::Page(_) | Self::NotModified(_) => "",
            Self::Limited(limited) => &limited.detail,
            Self::Unreachable(unreachable) => &unreachable.detail,
            Self::Disallowed(disallowed) => &disallowed.detail,
            Self::Refused(refused) => &refused.detail,
        }
    }

    pub(super) fn unreachable(reason: UnreachableReason, detail: impl Into<String>) -> Self {
        Self::Unreachable(Unreachable {
            reason,
            status: None,
            retry_after: None,
            detail: detail.into(),
        })
    }

    pub(super) fn refused(reason: RefusedReason, detail: impl Into<String>) -> Self {
        Self::Refused(Refused { reason, detail: detail.into() })
    }
}

/// Not now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limited {
    /// Why.
    pub reason: LimitedReason,
    /// How long to wait before asking again.
    pub retry_after: Duration,
    /// For people.
    pub detail: String,
}

/// No usable answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unreachable {
    /// Why.
    pub reason: UnreachableReason,
    /// The status of a server error.
    pub status: Option<u16>,
    /// What the server asked us to wait, capped.
    pub retry_after: Option<Duration>,
    /// For people.
    pub detail: String,
}

/// Refused by robots.txt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Disallowed {
    /// Why.
    pub reason: DisallowedReason,
    /// The rule, or why robots.txt could not be read.
    pub detail: String,
}

/// Refused by us.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    /// Why.
    pub reason: RefusedReason,
    /// For people.
    pub detail: String,
}

/// Declares a reason with the stable word of each variant.
macro_rules! reasons {
    ($(#[$about:meta])* $name:ident { $($(#[$doc:meta])* $variant:ident = $word:literal,)+ }) => {
        $(#[$about])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum $name {
            $($(#[$doc])* $variant,)+
        }

        impl $name {
            /// The stable word.
            pub fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $word,)+
                }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }
    };
}

reasons! {
    /// Why a request has to wait.
    LimitedReason {
        /// The host answered 429.
        TooManyRequests = "too_many_requests",
        /// The host's own `Retry-After` has not passed.
        RetryAfter = "retry_after",
        /// The host's turn comes later than the request would wait; the host was not asked.
        Patience = "patience",
        /// The host has failed too often in a row and is left alone; it was not asked.
        CircuitOpen = "circuit_open",
        /// The claim on the host has ended, or ends too soon; another daemon may be asking it.
        LeaseEnded = "lease_ended",
        /// The host is not asked at this hour of the day.
        QuietHours = "quiet_hours",
    }
}

impl LimitedReason {
    /// Whether our own pacing held the request back, so that the host never heard of it.
    pub fn is_ours(self) -> bool {
        self != Self::TooManyRequests
    }
}

reasons! {
    /// Why there was no usable answer.
    UnreachableReason {
        /// No whole answer within the time allowed.
        Timeout = "timeout",
        /// No connection.
        Connect = "connect",
        /// No secure connection.
        Tls = "tls",
        /// The name has no address.
        Dns = "dns",
        /// 5xx.
        ServerError = "server_error",
        /// The answer broke off or is not HTTP.
        BrokenAnswer = "broken_answer",
    }
}

reasons! {
    /// Why robots.txt keeps us away.
    DisallowedReason {
        /// A rule refuses the address.
        Rule = "robots_rule",
        /// robots.txt itself answered with a server error, which refuses everything.
        RobotsUnreachable = "robots_unreachable",
    }
}

reasons! {
    /// Why we refuse.
    RefusedReason {
        /// Not an address.
        BadUrl = "bad_url",
        /// Neither http nor https.
        Scheme = "scheme",
        /// The address carries a user name or a password.
        Credentials = "credentials",
        /// A port that the settings do not allow.
        Port = "port",
        /// An IPv4 address written so that readers disagree about it: decimal, octal, hexadecimal.
        AmbiguousHost = "ambiguous_host",
        /// A loopback, private or otherwise special address.
        PrivateAddress = "private_address",
        /// The settings name no contact to stand in the User-Agent.
        NoContact = "no_contact",
        /// More body than allowed, on the wire or unpacked.
        TooLarge = "too_large",
        /// More redirects than allowed.
        TooManyRedirects = "too_many_redirects",
        /// More header lines than allowed.
        TooManyHeaders = "too_many_headers",
    }
}
