use std::fmt;

use serde::Serialize;

use super::finding::FindingState;

/// What is done to a finding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Step {
    /// Confirm it.
    Approve,
    /// Tell the sponsor.
    Notify,
    /// Take down the sponsor's explanation.
    Explain,
    /// Take down that the fault is repaired.
    Rectify,
    /// Find that the repair, or the explanation, holds.
    Recheck,
    /// Find that it does not.
    Reopen,
    /// End it after a passed check.
    Close,
    /// End it as no fault, or as not pursued.
    Dismiss,
}

/// Who takes a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum By {
    /// A person, who is named.
    Person,
    /// A job, from data.
    Job,
}

use FindingState as S;
use Step as D;

/// Every step there is: from where, what, to where, and whether persons and jobs may take it.
///
/// `notified` and `closed` are set by jobs alone: a notice was sent, a check has passed. A job
/// rectifies wherever the data prove it, also before anybody was told, and reopens what was told
/// once the notice is proven missed.
const STEPS: &[(FindingState, Step, FindingState, bool, bool)] = &[
    (S::Open, D::Approve, S::Approved, true, true),
    (S::Open, D::Rectify, S::Rectified, false, true),
    (S::Open, D::Dismiss, S::Dismissed, true, false),
    (S::Approved, D::Notify, S::Notified, false, true),
    (S::Approved, D::Rectify, S::Rectified, false, true),
    (S::Approved, D::Dismiss, S::Dismissed, true, false),
    (S::Notified, D::Explain, S::Explained, true, false),
    (S::Notified, D::Rectify, S::Rectified, true, true),
    (S::Notified, D::Reopen, S::Reopened, false, true),
    (S::Notified, D::Dismiss, S::Dismissed, true, false),
    (S::Explained, D::Rectify, S::Rectified, true, true),
    (S::Explained, D::Recheck, S::Rechecked, true, false),
    (S::Explained, D::Reopen, S::Reopened, true, true),
    (S::Explained, D::Dismiss, S::Dismissed, true, false),
    (S::Rectified, D::Recheck, S::Rechecked, true, true),
    (S::Rectified, D::Reopen, S::Reopened, true, true),
    (S::Rechecked, D::Close, S::Closed, false, true),
    (S::Rechecked, D::Reopen, S::Reopened, true, false),
    (S::Reopened, D::Notify, S::Notified, false, true),
    (S::Reopened, D::Explain, S::Explained, true, false),
    (S::Reopened, D::Rectify, S::Rectified, true, true),
    (S::Reopened, D::Dismiss, S::Dismissed, true, false),
];

impl Step {
    /// Every step with its stable word and its past participle.
    pub const ALL: [(Self, &'static str, &'static str); 8] = [
        (Self::Approve, "approve", "approved"),
        (Self::Notify, "notify", "notified"),
        (Self::Explain, "explain", "explained"),
        (Self::Rectify, "rectify", "rectified"),
        (Self::Recheck, "recheck", "rechecked"),
        (Self::Reopen, "reopen", "reopened"),
        (Self::Close, "close", "closed"),
        (Self::Dismiss, "dismiss", "dismissed"),
    ];

    /// The stable word.
    pub fn as_str(self) -> &'static str {
        Self::ALL.into_iter().find(|row| row.0 == self).map_or("", |row| row.1)
    }

    fn participle(self) -> &'static str {
        Self::ALL.into_iter().find(|row| row.0 == self).map_or("", |row| row.2)
    }
}

/// A step that a finding cannot take from where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IllegalStep {
    /// Where the finding stands.
    pub from: FindingState,
    /// What was to be done.
    pub step: Step,
    /// Who wanted it.
    pub by: By,
}

impl fmt::Display for IllegalStep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { from, step, by } = self;
        if STEPS.iter().any(|row| row.0 == *from && row.1 == *step) {
            let who = if *by == By::Person { "only a job" } else { "only a person" };
            return write!(f, "{who} may have a finding that is {from} {}", step.participle());
        }
        let starts: Vec<&str> =
            STEPS.iter().filter(|row| row.1 == *step).map(|row| row.0.as_str()).collect();
        write!(
            f,
            "the finding is {from}; only one that is {} can be {}",
            starts.join(" or "),
            step.participle()
        )
    }
}

impl std::error::Error for IllegalStep {}

/// Where a step leads.
///
/// # Errors
/// The step does not exist from there, or not for whoever wants it.
pub fn take_step(from: FindingState, step: Step, by: By) -> Result<FindingState, IllegalStep> {
    let row = STEPS.iter().find(|row| row.0 == from && row.1 == step);
    row.filter(|row| match by {
        By::Person => row.3,
        By::Job => row.4,
    })
    .map(|row| row.2)
    .ok_or(IllegalStep { from, step, by })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ends(steps: &[(Step, By)]) -> Result<FindingState, String> {
        steps.iter().try_fold(FindingState::Open, |from, (step, by)| {
            take_step(from, *step, *by).map_err(|refused| refused.to_string())
        })
    }

    #[test]
    fn the_whole_way_is_walked() {
        use By::{Job, Person};
        let told = [(Step::Approve, Person), (Step::Notify, Job)];
        let check = |rest: &[(Step, By)], end: FindingState| {
            assert_eq!(ends(&[&told[..], rest].concat()), Ok(end));
        };
        check(&[], FindingState::Notified);
        check(
            &[(Step::Rectify, Person), (Step::Recheck, Job), (Step::Close, Job)],
            FindingState::Closed,
        );
        check(&[(Step::Explain, Person), (Step::Recheck, Person)], FindingState::Rechecked);
        check(
            &[(Step::Rectify, Person), (Step::Reopen, Job), (Step::Notify, Job)],
            FindingState::Notified,
        );
        check(&[(Step::Dismiss, Person)], FindingState::Dismissed);
        assert_eq!(
            ends(&[(Step::Rectify, Job), (Step::Recheck, Job), (Step::Close, Job)]),
            Ok(FindingState::Closed)
        );
    }

    #[test]
    fn every_other_step_is_refused_with_a_sentence() {
        let mut refused = 0;
        for (from, ..) in FindingState::ALL {
            for (step, ..) in Step::ALL {
                for by in [By::Person, By::Job] {
                    let Err(illegal) = take_step(from, step, by) else { continue };
                    let sentence = illegal.to_string();
                    assert!(sentence.contains(from.as_str()), "{sentence}");
                    assert!(sentence.ends_with(step.participle()), "{sentence}");
                    refused += 1;
                }
            }
        }
        let allowed: usize = STEPS.iter().map(|row| usize::from(row.3) + usize::from(row.4)).sum();
        assert_eq!(refused + allowed, FindingState::ALL.len() * Step::ALL.len() * 2);
    }

    #[test]
    fn what_is_done_with_stays_so_and_jobs_alone_notify_and_close() {
        for (step, ..) in Step::ALL {
            for by in [By::Person, By::Job] {
                assert!(take_step(FindingState::Closed, step, by).is_err());
                assert!(take_step(FindingState::Dismissed, step, by).is_err());
            }
        }
        let sentence = |from, step, by| take_step(from, step, by).unwrap_err().to_string();
        assert_eq!(
            sentence(FindingState::Approved, Step::Notify, By::Person),
            "only a job may have a finding that is approved notified"
        );
        assert_eq!(
            sentence(FindingState::Open, Step::Close, By::Job),
            "the finding is open; only one that is rechecked can be closed"
        );
    }
}
