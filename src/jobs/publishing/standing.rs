//! What stands between an account and its naming.

use std::collections::BTreeSet;

use chrono::{DateTime, NaiveDate, Utc};

use crate::alert::{Bar, Check};
use crate::domain::{FindingId, FindingState};
use crate::jobs::Context;
use crate::jobs::findings::bar_of;
use crate::jobs::report::items;
use crate::report::{Item, ItemKind};
use crate::score::VerdictWord;
use crate::score::frozen::FrozenAccount;
use crate::store::{Assessment, FindingRecord};

/// Measures of which findings of their own are raised, day by day.
const OF_SILENCE: [&str; 3] = ["silence_tier", "never_posted", "is_gone"];

/// Whether a failed account may be named.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Standing {
    /// Under these findings.
    Ready(Vec<FindingId>),
    /// Once a second person has approved one of these.
    Waiting(Vec<FindingId>),
    /// It is counted and not named, for this reason.
    Withheld(String),
    /// No finding speaks of its failure yet.
    Unraised,
}

/// A failed account with the findings of its own.
pub(super) struct Found<'a> {
    pub(super) one: &'a Assessment,
    pub(super) frozen: &'a FrozenAccount,
    pub(super) findings: &'a [FindingRecord],
    pub(super) without_approval: bool,
}

/// The finding that was raised for this very assessment decides; without one, those that speak of
/// the silence for which alone the account failed, or those of the ladder in the period for which
/// it is named without having failed. One that its rule let pass without a person's word names
/// nobody, unless the scheme needs none; a reason not to name outweighs every other.
pub(super) fn standing(context: &Context, found: &Found<'_>, today: NaiveDate) -> Standing {
    let Found { one, frozen, findings, without_approval } = *found;
    let raised = findings.iter().filter(|record| record.found.occasion == one.digest);
    let of_silence = findings.iter().filter(|record| {
        let rule = context.rules.rule(&record.found.rule);
        rule.is_some_and(|rule| rule.check.is_failing_silence())
            && speaks_of(record, one.cutoff, frozen.last_post_at)
    });
    let raised: Vec<&FindingRecord> = raised.collect();
    let has_its_own = !raised.is_empty();
    let speaking = match frozen.card.verdict.as_ref().map(|verdict| verdict.result) {
        _ if has_its_own => raised,
        Some(VerdictWord::Fail) if fails_by_silence_alone(frozen) => of_silence.collect(),
        Some(VerdictWord::Fail) => raised,
        _ => findings.iter().filter(|record| is_of_ladder(context, record, &one.period)).collect(),
    };
    let (mut ready, mut waiting, mut withheld) = (Vec::new(), Vec::new(), None);
    for record in speaking {
        match bar_of(record, today) {
            None if record.approved_by.is_some() || without_approval => ready.push(record.id),
            // Raised for this assessment when none was asked for: nobody can give it any more.
            None if has_its_own => {
                withheld = withheld.or(Some("程序代为通过，未经第二人复核".to_owned()));
            }
            None => {}
            Some(Bar::NotApproved) if record.state == FindingState::Open => waiting.push(record.id),
            // It ended before anybody looked: nobody can approve it any more.
            Some(Bar::NotApproved) => {}
            Some(bar) => withheld = withheld.or(Some(bar.to_string())),
        }
    }
    match (ready.is_empty(), withheld, waiting.is_empty()) {
        (_, Some(bar), _) => Standing::Withheld(bar),
        (false, None, _) => Standing::Ready(ready),
        (true, None, false) => Standing::Waiting(waiting),
        (true, None, true) => Standing::Unraised,
    }
}

/// Whether a finding's window is that of the silence at the cutoff: not over before the last post,
/// not begun after the cutoff, and not settled by then.
fn speaks_of(
    record: &FindingRecord,
    cutoff: DateTime<Utc>,
    last_post_at: Option<DateTime<Utc>>,
) -> bool {
    let Some((from, to)) = record.found.window else { return false };
    let settled = matches!(
        record.state,
        FindingState::Rectified | FindingState::Rechecked | FindingState::Closed
    );
    from < cutoff
        && last_post_at.is_none_or(|last| to > last)
        && !(settled && record.state_since < cutoff)
}

/// Whether a finding is that notices of a period were not followed.
fn is_of_ladder(context: &Context, record: &FindingRecord, period: &str) -> bool {
    let rule = context.rules.rule(&record.found.rule);
    rule.is_some_and(|rule| rule.check == Check::MissedNotices) && record.found.occasion == period
}

/// Whether its scheme has it named whether it failed or not.
pub(super) fn is_called(frozen: &FrozenAccount) -> bool {
    items(&frozen.card).iter().any(|item| item.kind == ItemKind::Called)
}

pub(super) fn fails_by_silence_alone(frozen: &FrozenAccount) -> bool {
    let held = || frozen.card.vetoes.iter().filter(|veto| veto.state.holds() == Some(true));
    let is_of_silence = |inputs: BTreeSet<&str>| {
        !inputs.is_empty() && inputs.iter().all(|name| OF_SILENCE.contains(name))
    };
    let of_more = |item: &Item| matches!(item.kind, ItemKind::Score | ItemKind::Called);
    let nothing_more = !items(&frozen.card).iter().any(of_more) && held().next().is_some();
    nothing_more
        && held().all(|veto| is_of_silence(veto.inputs.keys().map(String::as_str).collect()))
}
