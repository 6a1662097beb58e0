use super::*;

/// The recorded form, a small set, and the promises.
#[test]
fn made_up_habits_are_learned_and_told_in_time() {
    let folder = tempfile::tempdir().unwrap();
    histories::write(&histories::habitual(40, 7), folder.path()).unwrap();
    let arguments = Arguments::read(std::iter::empty()).unwrap();
    let (from, to) = (arguments.from, arguments.from + chrono::TimeDelta::days(60));
    let set = histories::recorded(folder.path(), (from, to), Half::All).unwrap();
    assert!(set.accounts.len() >= 36);
    assert!(replay(&set, "recorded", &Arguments { only: Some("ours".into()), ..arguments }));
}
