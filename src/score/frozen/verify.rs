use super::bundle::{BundleDigest, FrozenAccount, FrozenTail};
use super::recompute::Recomputation;
use super::rules::FrozenRules;

/// Most differences that are told one by one; they are counted whole.
const DEFECTS_TOLD: usize = 20;

/// A bundle read line by line, twice: [`Self::first`] for each account, [`Self::compare`],
/// [`Self::second`] for each account again, [`Self::finish`].
pub struct Verification<'a> {
    recomputation: Recomputation<'a>,
    digest: BundleDigest,
    accounts: u64,
    again: u64,
    defects: Vec<String>,
    differing: u64,
}

/// What a good bundle proves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verified {
    /// Accounts whose cards are, bit for bit, those that their facts give.
    pub accounts: u64,
    /// The digest of the whole.
    pub digest: String,
}

impl<'a> Verification<'a> {
    /// Begins after the head, whose line `rules` were read from.
    pub fn new(rules: &'a FrozenRules, head_line: &str) -> Self {
        let mut digest = BundleDigest::default();
        digest.line(head_line);
        let recomputation = Recomputation::new(rules, None);
        let (accounts, again, differing, defects) = (0, 0, 0, Vec::new());
        Self { recomputation, digest, accounts, again, defects, differing }
    }

    /// Takes an account's line for the first time.
    ///
    /// # Errors
    /// It does not read, or names a scheme that the head does not carry.
    pub fn first(&mut self, line: &str) -> Result<(), String> {
        self.digest.line(line);
        self.accounts += 1;
        self.recomputation.enter(&FrozenAccount::read(line)?)
    }

    /// Ends the first pass.
    pub fn compare(&mut self) {
        self.recomputation.compare();
    }

    /// Takes the same line again: computes its card from its facts and holds the whole line, as it
    /// would be written now, against the bytes that are there.
    ///
    /// # Errors
    /// It does not read.
    pub fn second(&mut self, line: &str) -> Result<(), String> {
        self.again += 1;
        let account = FrozenAccount::read(line)?;
        let card = self.recomputation.card(&account)?;
        let key = account.key.clone();
        let written = FrozenAccount { card, ..account }.line();
        if written != line {
            self.differing += 1;
            if self.defects.len() < DEFECTS_TOLD {
                self.defects.push(format!("{key}: {}", difference(line, &written)));
            }
        }
        Ok(())
    }

    /// Holds the tail against what was read.
    ///
    /// # Errors
    /// Everything that does not hold, one a line.
    pub fn finish(mut self, tail: &FrozenTail) -> Result<Verified, String> {
        let digest = self.digest.finish();
        if self.accounts != tail.accounts || self.again != tail.accounts {
            let (read, told) = (self.accounts, tail.accounts);
            self.defects.push(format!("{read} accounts were read, the tail tells {told}"));
        }
        if digest != tail.digest {
            self.defects.push(format!("the lines give {digest}, the tail tells {}", tail.digest));
        }
        if self.differing > DEFECTS_TOLD as u64 {
            self.defects.push(format!("{} accounts differ in all", self.differing));
        }
        if self.defects.is_empty() {
            return Ok(Verified { accounts: self.accounts, digest });
        }
        Err(self.defects.join("\n"))
    }
}

/// Where two lines part, with a little of each.
fn difference(frozen: &str, now: &str) -> String {
    let at = frozen.bytes().zip(now.bytes()).take_while(|(one, other)| one == other).count();
    let around = |text: &str| {
        let begin = text.floor_char_boundary(at.saturating_sub(40));
        let end = text.floor_char_boundary((at + 40).min(text.len()));
        text[begin..end.max(begin)].to_owned()
    };
    format!("byte {at}: frozen …{}…, computed …{}…", around(frozen), around(now))
}
