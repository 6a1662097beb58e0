use super::*;

fn at(day: u32, hour: i64) -> DateTime<Utc> {
    let day: DateTime<Utc> = format!("2026-11-{day:02}T00:00:00+08:00").parse().unwrap();
    day + Duration::hours(hour)
}

fn cutoff() -> DateTime<Utc> {
    at(30, 0)
}

fn run(from: u32, to: u32, shown: Option<(&str, u32, Option<u32>)>) -> HomeRun {
    let shown = shown.map(|(fingerprint, items, newest)| HomeShown {
        fingerprint: fingerprint.to_owned(),
        items,
        newest_at: newest.map(|day| at(day, 0)),
    });
    HomeRun { from: at(from, 1), to: at(to, 1), shown }
}

fn column(class: ColumnClass, looked: Option<u32>, newest: Option<u32>) -> ColumnState {
    ColumnState {
        class,
        looked_at: looked.map(|day| at(day, 0)),
        newest_at: newest.map(|day| at(day, 0)),
        blank_since: None,
    }
}

fn blank(class: ColumnClass) -> ColumnState {
    ColumnState { blank_since: Some(at(1, 0)), ..column(class, Some(29), None) }
}

#[test]
fn a_home_page_is_stale_only_where_it_was_seen_to_stand_still() {
    let check = |runs: &[HomeRun], columns: &[ColumnState], wanted: Currency| {
        let found = home_currency(runs, columns, &SiteRules::default(), cutoff());
        assert_eq!(found, wanted, "{runs:?} {columns:?}");
    };
    let stale = Currency::Stale(Some(at(3, 0)));
    check(&[run(10, 29, Some(("a", 5, Some(3))))], &[], stale);
    check(&[run(10, 29, Some(("a", 5, None)))], &[], Currency::Stale(None));
    // A failed look in between changes nothing; the same page before and after does not hide.
    let broken = [
        run(10, 12, Some(("a", 5, Some(3)))),
        run(13, 14, None),
        run(15, 29, Some(("a", 5, Some(3)))),
    ];
    check(&broken, &[], stale);
    check(&[run(10, 29, Some(("a", 5, Some(20))))], &[], Currency::Updated(at(20, 0)));
    // The last day of the limit is on the page's side.
    check(&[run(10, 29, Some(("a", 5, Some(15))))], &[], Currency::Updated(at(15, 0)));
    let changed = [run(17, 20, Some(("a", 5, Some(3)))), run(21, 29, Some(("b", 6, Some(3))))];
    check(&changed, &[], Currency::Updated(at(21, 1)));
    // First seen within the limit: nobody knows what it was before.
    check(&[run(20, 29, Some(("a", 5, Some(3))))], &[], Currency::Undetermined);
    check(&[run(10, 20, Some(("a", 5, Some(3))))], &[], Currency::Undetermined);
    check(&[run(10, 29, None)], &[], Currency::Undetermined);
    check(&[], &[], Currency::Undetermined);
}

#[test]
fn a_home_page_that_only_leads_on_is_judged_by_its_columns() {
    let runs = [run(10, 29, Some(("a", 0, None)))];
    let check = |columns: &[ColumnState], wanted: Currency| {
        assert_eq!(home_currency(&runs, columns, &SiteRules::default(), cutoff()), wanted);
    };
    let news = |looked, newest| column(ColumnClass::News, looked, newest);
    check(&[news(Some(29), Some(3)), news(Some(29), Some(25))], Currency::Updated(at(25, 0)));
    check(&[news(Some(29), Some(3)), news(Some(29), None)], Currency::Stale(Some(at(3, 0))));
    check(&[news(Some(29), Some(3)), news(None, None)], Currency::Undetermined);
    check(&[], Currency::Undetermined);
}

#[test]
fn columns_have_their_own_limits() {
    use ColumnClass::{News, Notices, Other};
    let check = |column: ColumnState, wanted: Currency| {
        assert_eq!(column_currency(&column, &SiteRules::default(), cutoff()), wanted);
    };
    check(column(News, Some(29), Some(14)), Currency::Stale(Some(at(14, 0))));
    check(column(News, Some(29), Some(16)), Currency::Updated(at(16, 0)));
    check(column(Notices, Some(29), Some(1)), Currency::Updated(at(1, 0)));
    check(column(News, Some(29), None), Currency::Stale(None));
    check(column(News, Some(20), Some(1)), Currency::Undetermined);
    check(column(News, None, None), Currency::Undetermined);
    check(column(Other, Some(29), None), Currency::Stale(None));
    check(blank(News), Currency::Blank);
}

#[test]
fn the_rule_counts_by_class_and_says_where_it_cannot() {
    use ColumnClass::{Messages, News, Other};
    let check = |columns: Vec<ColumnState>, fails: Option<bool>| {
        let counts = column_counts(&columns, &SiteRules::default(), cutoff());
        assert_eq!(counts.fails, fails, "{counts:?}");
    };
    let stale = |n| vec![column(News, Some(29), Some(1)); n];
    let unread = |n| vec![column(News, None, None); n];
    check(stale(5), Some(true));
    check(stale(4), Some(false));
    check([stale(4), unread(1)].concat(), None);
    check([stale(5), unread(9)].concat(), Some(true));
    check(vec![blank(Other); 5], Some(true));
    check(vec![blank(Other); 4], Some(false));
    check(vec![column(Other, Some(29), None); 9], Some(false));
    check(vec![column(Other, Some(29), None); 10], Some(true));
    check(vec![column(Messages, None, None); 20], None);
    check(Vec::new(), None);
}
