use super::bundle::{BundleDigest, FORMAT, FORMAT_1, FrozenAccount, FrozenTail};
use super::recompute::Recomputation;
use super::rules::FrozenRules;
use super::summary::Summary;
use super::summing::Summing;

/// Most differences that are told one by one; they are counted whole.
const DEFECTS_TOLD: usize = 20;

/// A bundle read line by line, twice: [`Self::first`] for each account, [`Self::compare`],
/// [`Self::second`] for each account again, [`Self::finish`].
pub struct Verification<'a> {
    rules: &'a FrozenRules,
    recomputation: Recomputation<'a>,
    summing: Summing<'a>,
    /// The lines of roll-ups and rankings as they stand in the bundle.
    summaries: Vec<String>,
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
    /// Lines of roll-ups and rankings that are, bit for bit, those that the cards give.
    pub summaries: u64,
    /// The digest of the whole.
    pub digest: String,
}

impl<'a> Verification<'a> {
    /// Begins after the head, whose line `rules` were read from.
    pub fn new(rules: &'a FrozenRules, head_line: &str) -> Self {
        let mut digest = BundleDigest::default();
        digest.line(head_line);
        let recomputation = Recomputation::new(rules, None);
        Self {
            rules,
            recomputation,
            summing: Summing::default(),
            summaries: Vec::new(),
            digest,
            accounts: 0,
            again: 0,
            defects: Vec::new(),
            differing: 0,
        }
    }

    /// Takes a line for the first time: an account's, or after all of them a roll-up or ranking.
    ///
    /// # Errors
    /// It does not read, stands in the wrong place, or names a scheme that the head does not carry.
    pub fn first(&mut self, line: &str) -> Result<(), String> {
        self.digest.line(line);
        if Summary::begins(line) {
            self.summaries.push(line.to_owned());
            return Ok(());
        }
        if !self.summaries.is_empty() {
            return Err("an account stands after the roll-ups and rankings".to_owned());
        }
        self.accounts += 1;
        self.recomputation.enter(&FrozenAccount::read(line)?)
    }

    /// Ends the first pass.
    pub fn compare(&mut self) {
        self.recomputation.compare();
    }

    /// Takes an account's line again: computes its card from its facts and holds the whole line, as
    /// it would be written now, against the bytes that are there. What stands after the accounts is
    /// held against them at the end.
    ///
    /// # Errors
    /// It does not read.
    pub fn second(&mut self, line: &str) -> Result<(), String> {
        if Summary::begins(line) {
            return Ok(());
        }
        self.again += 1;
        let account = FrozenAccount::read(line)?;
        let card = self.recomputation.card(&account)?;
        if let Some(scheme) = self.rules.scheme(&account.scheme) {
            let answering = (account.sponsor.as_str(), account.supervisor.as_deref());
            let subject = &account.facts.subject;
            self.summing.take(scheme, &account.key, answering, subject, &card);
        }
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
        let now: Vec<String> = self.summing.finish().iter().map(Summary::line).collect();
        self.compare_summaries(&now);
        let digest = std::mem::take(&mut self.digest).finish();
        if self.rules.head.format == FORMAT_1 {
            let holds = if digest == tail.digest { "holds" } else { "does not hold" };
            return Err(format!(
                "frozen in the format {FORMAT_1:?}: its digest {holds}, its scores are not \
                 computed again, for this program words their reasons as in {FORMAT:?}"
            ));
        }
        if self.accounts != tail.accounts || self.again != tail.accounts {
            let (read, told) = (self.accounts, tail.accounts);
            self.defects.push(format!("{read} accounts were read, the tail tells {told}"));
        }
        let summaries = self.summaries.len() as u64;
        if summaries != tail.summaries {
            let told = tail.summaries;
            self.defects.push(format!("{summaries} summaries were read, the tail tells {told}"));
        }
        if digest != tail.digest {
            self.defects.push(format!("the lines give {digest}, the tail tells {}", tail.digest));
        }
        if self.differing > DEFECTS_TOLD as u64 {
            self.defects.push(format!("{} accounts differ in all", self.differing));
        }
        if self.defects.is_empty() {
            return Ok(Verified { accounts: self.accounts, summaries, digest });
        }
        Err(self.defects.join("\n"))
    }

    /// Holds the roll-ups and rankings, as they would be written now, against the lines read.
    fn compare_summaries(&mut self, now: &[String]) {
        let lines = self.summaries.len().max(now.len());
        let line = |lines: &[String], at: usize| lines.get(at).cloned().unwrap_or_default();
        for at in 0..lines {
            let (frozen, written) = (line(&self.summaries, at), line(now, at));
            if frozen != written && self.defects.len() < DEFECTS_TOLD {
                self.defects.push(format!("summary {}: {}", at + 1, difference(&frozen, &written)));
            }
        }
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
