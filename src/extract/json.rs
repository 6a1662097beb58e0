//! Answers in JSON, without the members that nothing asks for.
//!
//! Most of an answer is what no path of its layout names. Its texts and numbers are passed over,
//! and what holds nothing else, where no path can come. All other objects and lists stay, since a
//! path may look for a member at any depth; what holds anything goes on to hold something. What is
//! not JSON by our reading is left to the library, which says why.

mod written;

use serde_json::{Map, Value};

use crate::platform::Names;

use written::Written;

/// Objects and lists in one another, at most: as many as the library reads.
const DEPTH_MAX: usize = 127;

/// Parses an answer; where names are given, members of others are left out.
///
/// Half of a pair of surrogates in a text, as a server leaves it that cuts texts short, is U+FFFD,
/// as where a browser shows it.
///
/// # Errors
/// Why it is none.
pub(super) fn parse(text: &str, asked: Option<&Names>) -> serde_json::Result<Value> {
    let mut answer = Answer { text, at: 0, asked };
    let whole = answer.value(Stands::at_the_root());
    match whole.filter(|_| answer.next_mark().is_none() && answer.at == text.len()) {
        Some((value, _)) => Ok(value),
        None => serde_json::from_str(text),
    }
}

/// The value that a text begins with, whatever follows it.
pub(super) fn first(text: &str) -> Option<Value> {
    let mut answer = Answer { text, at: 0, asked: None };
    answer.value(Stands::at_the_root()).map(|(value, _)| value)
}

/// An answer, read up to a place.
struct Answer<'t, 'n> {
    text: &'t str,
    at: usize,
    /// None: all of it is kept.
    asked: Option<&'n Names>,
}

/// Where a value stands.
#[derive(Clone, Copy)]
struct Stands {
    /// Whether a path names what it stands in.
    named: bool,
    /// Steps without a name that lead from there to it.
    unnamed: usize,
    /// Objects and lists around it.
    depth: usize,
}

impl Stands {
    fn at_the_root() -> Self {
        Self { named: true, unnamed: 0, depth: 0 }
    }

    fn below(self) -> Option<Self> {
        (self.depth < DEPTH_MAX).then_some(Self { depth: self.depth + 1, ..self })
    }
}

/// A value, and whether a path names it or anything in it.
type Kept = (Value, bool);

impl<'t> Answer<'t, '_> {
    fn bytes(&self) -> &'t [u8] {
        self.text.as_bytes()
    }

    /// The next byte that is no blank, which stays the next.
    fn next_mark(&mut self) -> Option<u8> {
        let rest = self.bytes().get(self.at..)?;
        let blanks = rest.iter().take_while(|b| matches!(b, b' ' | b'\n' | b'\r' | b'\t'));
        self.at += blanks.count();
        self.bytes().get(self.at).copied()
    }

    /// Passes over one byte.
    fn pass(&mut self, wanted: u8) -> Option<()> {
        let passed = self.bytes().get(self.at) == Some(&wanted);
        self.at += usize::from(passed);
        passed.then_some(())
    }

    fn value(&mut self, stands: Stands) -> Option<Kept> {
        let value = match self.next_mark()? {
            b'{' => return self.object(stands),
            b'[' => return self.list(stands),
            _ if !stands.named => self.pass_plain().map(|()| Value::Null)?,
            b'"' => Value::String(self.written()?.read().into_owned()),
            b't' => self.word("true").map(|()| Value::Bool(true))?,
            b'f' => self.word("false").map(|()| Value::Bool(false))?,
            b'n' => self.word("null").map(|()| Value::Null)?,
            _ => match self.number()? {
                (digits, true) if digits.len() < 19 => digits.parse::<u64>().ok()?.into(),
                (number, _) => serde_json::from_str(number).ok()?,
            },
        };
        Some((value, stands.named))
    }

    /// Passes over a value that is neither an object nor a list; a number may be too large to keep.
    fn pass_plain(&mut self) -> Option<()> {
        match self.next_mark()? {
            b'"' => self.written().map(drop),
            b't' => self.word("true"),
            b'f' => self.word("false"),
            b'n' => self.word("null"),
            _ => self.number().map(drop),
        }
    }

    fn word(&mut self, word: &str) -> Option<()> {
        let here = self.bytes().get(self.at..)?.starts_with(word.as_bytes());
        self.at += word.len();
        here.then_some(())
    }

    fn digits(&mut self) -> Option<usize> {
        let rest = self.bytes().get(self.at..)?;
        let count = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
        self.at += count;
        (count > 0).then_some(count)
    }

    /// A number as it is written, and whether it is nothing but digits.
    fn number(&mut self) -> Option<(&'t str, bool)> {
        let from = self.at;
        let negative = self.pass(b'-').is_some();
        let leads_with_zero = self.bytes().get(self.at) == Some(&b'0');
        let digits = self.digits()?;
        if leads_with_zero && digits > 1 {
            return None;
        }
        let fraction = self.pass(b'.').is_some();
        if fraction {
            self.digits()?;
        }
        let exponent = self.pass(b'e').or_else(|| self.pass(b'E')).is_some();
        if exponent {
            let _sign = self.pass(b'+').or_else(|| self.pass(b'-'));
            self.digits()?;
        }
        Some((&self.text[from..self.at], !(negative || fraction || exponent)))
    }

    /// A text as it is written, of which the opening quote is next.
    fn written(&mut self) -> Option<Written<'t>> {
        let written = Written::first(self.text.get(self.at..)?)?;
        self.at += written.length();
        Some(written)
    }

    fn list(&mut self, stands: Stands) -> Option<Kept> {
        self.pass(b'[')?;
        let element = Stands { unnamed: stands.unnamed + 1, ..stands.below()? };
        let (mut values, mut asked) = (Vec::new(), stands.named);
        if self.next_mark()? == b']' {
            self.at += 1;
            return Some((Value::Array(values), asked));
        }
        loop {
            let (value, of_it) = self.value(element)?;
            values.push(value);
            asked |= of_it;
            match self.next_mark()? {
                b',' => self.at += 1,
                b']' => break,
                _ => return None,
            }
        }
        self.at += 1;
        Some((Value::Array(values), asked))
    }

    fn object(&mut self, stands: Stands) -> Option<Kept> {
        self.pass(b'{')?;
        let (mut members, mut asked, mut skipped) = (Map::new(), stands.named, None);
        // Lengths of the names that are kept though no path names them.
        let mut unnamed_lengths = 0_u64;
        let below = stands.below()?;
        if self.next_mark()? == b'}' {
            self.at += 1;
            return Some((Value::Object(members), asked));
        }
        loop {
            self.next_mark()?;
            let name = self.written()?.read();
            self.next_mark()?;
            self.pass(b':')?;
            let named = self.asked.is_none_or(|asked| asked.contains(&name));
            let unnamed = if named { 0 } else { stands.unnamed + 1 };
            // What nothing asks for is not made into a value first.
            let member = if named || matches!(self.next_mark()?, b'{' | b'[') {
                Some(self.value(Stands { named, unnamed, ..below })?)
            } else {
                self.pass_plain().map(|()| None)?
            };
            let within_reach = self.asked.is_none_or(|asked| unnamed <= asked.unnamed());
            match member {
                Some((value, of_it)) if of_it || within_reach => {
                    asked |= of_it;
                    unnamed_lengths |= if named { 0 } else { length_bit(&name) };
                    members.insert(name.into_owned(), value);
                }
                _ => {
                    // Of two of one name the last counts.
                    if unnamed_lengths & length_bit(&name) != 0 {
                        members.remove(&*name);
                    }
                    skipped = Some(name);
                }
            }
            match self.next_mark()? {
                b',' => self.at += 1,
                b'}' => break,
                _ => return None,
            }
        }
        self.at += 1;
        if let Some(name) = skipped.filter(|_| members.is_empty()) {
            members.insert(name.into_owned(), Value::Null);
        }
        Some((Value::Object(members), asked))
    }
}

/// A bit that names of one length share.
fn length_bit(name: &str) -> u64 {
    1 << (name.len() % 64)
}

#[cfg(test)]
mod tests;
