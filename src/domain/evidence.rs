use std::fmt;
use std::str::FromStr;

/// Number of one piece of evidence in this installation's store.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EvidenceId(pub i64);

/// A SHA-256 digest; written and read as 64 lower-case hexadecimal digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Sha256Digest(pub [u8; 32]);

impl fmt::Display for Sha256Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl FromStr for Sha256Digest {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let lower = text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        let bytes = hex::decode(text).ok().filter(|_| lower);
        let bytes = bytes.and_then(|bytes| bytes.try_into().ok());
        bytes.map(Self).ok_or_else(|| format!("{text:?} is no digest of 64 hexadecimal digits"))
    }
}

/// The name of one piece of evidence: a UUID (RFC 9562), written `urn:uuid:…` as in WARC files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RecordKey(pub [u8; 16]);

impl fmt::Display for RecordKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits = hex::encode(self.0);
        let part = |from: usize, to: usize| &digits[from..to];
        let (a, b, c) = (part(0, 8), part(8, 12), part(12, 16));
        write!(f, "urn:uuid:{a}-{b}-{c}-{}-{}", part(16, 20), part(20, 32))
    }
}

impl FromStr for RecordKey {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("{text:?} is no record name (urn:uuid:…)");
        let plain = text.strip_prefix("urn:uuid:").unwrap_or(text);
        let bytes = hex::decode(plain.replace('-', "")).map_err(|_| wrong())?;
        let key = Self(bytes.try_into().map_err(|_| wrong())?);
        // Only the one way of writing it, so that a name is never compared with its look-alike.
        let written = key.to_string();
        let same = written == text || written.strip_prefix("urn:uuid:") == Some(text);
        if same { Ok(key) } else { Err(wrong()) }
    }
}

/// Declares an enum with its stable words.
macro_rules! words {
    ($(#[$about:meta])* $name:ident { $($(#[$doc:meta])* $variant:ident = $word:literal,)+ }) => {
        $(#[$about])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name { $($(#[$doc])* $variant,)+ }

        impl $name {
            /// Every one of them.
            pub const ALL: &[Self] = &[$(Self::$variant),+];

            /// The stable word.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word,)+ }
            }

            /// The one with this word.
            pub fn from_word(word: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|one| one.as_str() == word)
            }
        }
    };
}

words! {
    /// What a piece of evidence holds of the answer.
    EvidenceForm {
        /// The answer whole: headers and body.
        Response = "response",
        /// Its headers; the body is byte for byte that of an earlier answer, which is named.
        Revisit = "revisit",
        /// The headers of "nothing changed" (304).
        NotModified = "not_modified",
        /// What was read from a page with citizens' words, redacted, and the digest of its body.
        Conversion = "conversion",
        /// A document of the program's own, such as the inputs of a frozen assessment.
        Resource = "resource",
    }
}

words! {
    /// Why a piece of evidence is kept, which says how long.
    EvidenceClass {
        /// The page said something it had not said before.
        Change = "change",
        /// A verdict of silence or disappearance may rest on it: it confirms.
        Proof = "proof",
        /// An ordinary look that covers a stretch of time.
        Routine = "routine",
        /// An answer that was no observation: a wall, a changed layout, a failed canary.
        Trouble = "trouble",
        /// A document of the program's own.
        Resource = "resource",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_only_as_they_are_written() {
        let key = RecordKey([0x1b; 16]);
        assert_eq!(key.to_string(), "urn:uuid:1b1b1b1b-1b1b-1b1b-1b1b-1b1b1b1b1b1b");
        for text in [key.to_string().as_str(), "1b1b1b1b-1b1b-1b1b-1b1b-1b1b1b1b1b1b"] {
            assert_eq!(text.parse(), Ok(key), "{text}");
        }
        for text in ["", "1b", "1B1b1b1b-1b1b-1b1b-1b1b-1b1b1b1b1b1b", &"1b".repeat(16)] {
            assert!(text.parse::<RecordKey>().is_err(), "{text}");
        }
        let digest = Sha256Digest([0xab; 32]);
        assert_eq!(digest.to_string().parse(), Ok(digest));
        for text in ["ab".to_owned(), "AB".repeat(32), "zz".repeat(32)] {
            assert!(text.parse::<Sha256Digest>().is_err(), "{text}");
        }
    }

    #[test]
    fn every_word_comes_back() {
        for form in EvidenceForm::ALL {
            assert_eq!(EvidenceForm::from_word(form.as_str()), Some(*form));
        }
        for class in EvidenceClass::ALL {
            assert_eq!(EvidenceClass::from_word(class.as_str()), Some(*class));
        }
        assert_eq!(EvidenceClass::from_word("else"), None);
    }
}
