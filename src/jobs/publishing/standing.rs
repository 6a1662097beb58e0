//! What stands between an account and its naming.

use std::collections::BTreeSet;

use chrono::{DateTime, NaiveDate, Utc};

use crate::alert::{Bar, Check, Reset};
use crate::domain::{FindingId, FindingState};
use crate::jobs::Context;
use crate::jobs::findings::bar_of;
use crate::jobs::report::{is_naming, items};
use crate::report::{Item, ItemKind};
use crate::score::frozen::FrozenAccount;
use crate::score::{ScoreCard, VerdictWord};
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
        Some(VerdictWord::Fail) if fails_by_silence_alone(&frozen.card) => of_silence.collect(),
        Some(VerdictWord::Fail) => raised,
        _ if is_called_by_ladder(&frozen.card) => {
            let of_ladder = |record: &&FindingRecord| is_of_ladder(context, record, &one.period);
            let of_ladder: Vec<&FindingRecord> = findings.iter().filter(of_ladder).collect();
            if of_ladder.is_empty() && forgets(context, frozen) {
                return Standing::Withheld("按阶梯的清零规则未达到点名次数".to_owned());
            }
            of_ladder
        }
        _ => raised,
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
pub(super) fn is_called(card: &ScoreCard) -> bool {
    card.flags.iter().any(is_naming)
}

/// Whether notices that were not followed are all that it is named for.
fn is_called_by_ladder(card: &ScoreCard) -> bool {
    let mut called = card.flags.iter().filter(|flag| is_naming(flag));
    called.all(|flag| flag.inputs.keys().eq(["missed_notices"]))
}

/// Whether the ladder of an account's region has a reset, which its scheme's count does not know.
fn forgets(context: &Context, frozen: &FrozenAccount) -> bool {
    let region = frozen.region.parse().ok();
    let ladder = region.and_then(|region| context.rules.ladder_for(&region));
    ladder.is_some_and(|ladder| ladder.reset != Reset::Never)
}

/// Whether the vetoes alone fail it, and these for silence.
fn fails_by_silence_alone(card: &ScoreCard) -> bool {
    !is_called(card) && fails_by_silence(card)
}

/// Whether it fails for nothing but silence, whatever else it is named for.
pub(super) fn fails_by_silence(card: &ScoreCard) -> bool {
    let held = || card.vetoes.iter().filter(|veto| veto.state.holds() == Some(true));
    let is_of_silence = |inputs: BTreeSet<&str>| {
        !inputs.is_empty() && inputs.iter().all(|name| OF_SILENCE.contains(name))
    };
    let of_score = |item: &Item| item.kind == ItemKind::Score;
    let by_vetoes = !items(card).iter().any(of_score) && held().next().is_some();
    by_vetoes && held().all(|veto| is_of_silence(veto.inputs.keys().map(String::as_str).collect()))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::scheme::Certainty;
    use crate::score::{FlagScore, FlagState, Reading, Verdict};

    fn held(outcome: &str, measure: &str) -> FlagScore {
        FlagScore {
            id: measure.to_owned(),
            title: measure.to_owned(),
            clause: String::new(),
            certainty: Certainty::Confirmed,
            outcome: outcome.to_owned(),
            manual: false,
            state: FlagState::Holds,
            inputs: BTreeMap::from([(measure.to_owned(), Reading::exact(3.0))]),
        }
    }

    fn card(result: VerdictWord, vetoes: &[&str], flags: &[&str]) -> ScoreCard {
        ScoreCard {
            scheme: "s".to_owned(),
            version: "1".to_owned(),
            scheme_digest: String::new(),
            certainty: Certainty::Confirmed,
            assigned_by: None,
            period: "2026Q4".to_owned(),
            cutoff: DateTime::from_timestamp(1_795_788_900, 0).unwrap(),
            verdict: Some(Verdict { result, reasons: Vec::new() }),
            vetoes: vetoes.iter().map(|measure| held("fail", measure)).collect(),
            flags: flags.iter().map(|measure| held("name", measure)).collect(),
            dimensions: Vec::new(),
            unmeasured: Vec::new(),
            inputs: String::new(),
            facts_digest: String::new(),
            calendar_digest: String::new(),
        }
    }

    #[test]
    fn silence_needs_its_confirmation_whatever_else_an_account_is_named_for() {
        for (vetoes, flags, by_silence, alone) in [
            (&["silence_tier"][..], &[][..], true, true),
            (&["silence_tier"], &["missed_notices"], true, false),
            (&["silence_tier", "replied"], &[], false, false),
            (&[], &["missed_notices"], false, false),
            (&[], &[], false, false),
        ] {
            let card = card(VerdictWord::Fail, vetoes, flags);
            let found = (fails_by_silence(&card), fails_by_silence_alone(&card));
            assert_eq!(found, (by_silence, alone), "{vetoes:?} {flags:?}");
        }
    }

    #[test]
    fn the_ladder_speaks_for_its_own_flag_alone() {
        for (flags, called, by_ladder) in [
            (&["missed_notices"][..], true, true),
            (&["short_weeks"], true, false),
            (&["missed_notices", "short_weeks"], true, false),
        ] {
            let card = card(VerdictWord::Pass, &[], flags);
            assert_eq!((is_called(&card), is_called_by_ladder(&card)), (called, by_ladder));
        }
        assert!(!is_called(&card(VerdictWord::Pass, &[], &[])));
    }
}
