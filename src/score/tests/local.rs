//! Every shipped scheme walks one account through pass, boundary and fail.

use std::sync::LazyLock;

use super::*;
use crate::domain::Lifecycle;
use crate::scheme::{IndexCatalog, Scheme};

macro_rules! shipped {
    ($($name:literal),* $(,)?) => {
        &[$(($name, include_str!(concat!("../../../config/schemes/", $name, ".toml")))),*]
    };
}

const SHIPPED: &[(&str, &str)] = shipped![
    "beijing_2019",
    "chaohu_2006",
    "chengdu_2015",
    "default",
    "filing_hedong",
    "gongshu_2022",
    "guizhou_2025",
    "jiangsu_2023",
    "jingmen_2010",
    "liaoning_sites",
    "luan_2016",
    "minhou_2024",
    "national_2019_accounts",
    "national_2019_sites",
    "shanwei_2020",
    "wanzhi_2021",
    "wechat_cancellation",
    "xiayi_2022",
    "yangling_2021_columns",
    "yangling_2025",
    "zhaoqing_2019",
    "zhengfa_2020",
];

/// Compiled once: every condition is probed over a grid.
static CATALOG: LazyLock<Catalog> = LazyLock::new(compiled);

pub(super) fn shipped() -> &'static Catalog {
    &CATALOG
}

fn compiled() -> Catalog {
    let indices = IndexCatalog::default();
    let assign = ("assign", include_str!("../../../config/schemes/assign.toml"));
    let files = SHIPPED
        .iter()
        .chain([&assign])
        .map(|(name, text)| SourceText { file: format!("{name}.toml"), text: (*text).to_owned() });
    let files: Vec<SourceText> = files.collect();
    Catalog::compile(&files, &measure_ids(&indices)).unwrap_or_else(|problems| {
        panic!("{}", problems.iter().map(|p| format!("{p}\n")).collect::<String>())
    })
}

/// One account's facts while a rule is walked along.
struct Walk {
    scheme: &'static str,
    facts: PeriodFacts,
    beside: BTreeMap<String, Reading>,
}

/// Facts of a month in which a post a day is seen, answered within the hour.
fn walk(scheme: &'static str) -> Walk {
    let silence = SilenceFact::Proven { tier: 0, at_most: 0, empty: false, gone: false };
    let subject = SubjectFact {
        platform: "weibo".to_owned(),
        region: "441200".to_owned(),
        lifecycle: Some(Lifecycle::Running),
        ..SubjectFact::default()
    };
    let facts = PeriodFacts {
        silence: Some(silence),
        subject,
        inquiries: Some(vec![]),
        followers: Some(Count::Exact(5_000)),
        ..every(1)
    };
    Walk { scheme, facts, beside: BTreeMap::new() }
}

impl Walk {
    fn rules<T>(&self, of: impl FnOnce(&Scheme) -> T) -> T {
        of(shipped().get(self.scheme).unwrap())
    }

    /// The last post lies so long before the cutoff; the tiers are the scheme's own.
    fn last_post(mut self, last: DateTime<Utc>) -> Self {
        let cutoff = at("2026-07-01");
        let tiers = self.rules(|scheme| scheme.activity_of(&self.facts.subject.subject()));
        let crossed = [tiers.watch, tiers.dormant, tiers.zombie]
            .map(|tier| u8::from(tier.is_crossed(last, cutoff)));
        let tier = crossed.iter().sum();
        let silence = SilenceFact::Proven { tier, at_most: tier, empty: false, gone: false };
        self.facts.silence = Some(silence);
        self
    }

    fn silent_for(self, duration: Duration) -> Self {
        self.last_post(at("2026-07-01") - duration)
    }

    fn with(mut self, change: impl FnOnce(&mut PeriodFacts)) -> Self {
        change(&mut self.facts);
        self
    }

    fn category(self, category: &str) -> Self {
        self.with(|facts| facts.subject.category = Some(category.to_owned()))
    }

    fn entered(self, item: &str, value: &str) -> Self {
        let entry = Entry {
            value: value.parse().unwrap(),
            actor: "检查员".to_owned(),
            reason: "现场核对".to_owned(),
            recorded_at: at("2026-07-02"),
        };
        self.with(|facts| {
            facts.entered.insert(item.to_owned(), entry);
        })
    }

    fn beside(mut self, id: &str, value: f64) -> Self {
        self.beside.insert(id.to_owned(), Reading::exact(value));
        self
    }

    fn message(self, kind: &str, asked_at: &str, replied: Option<&str>) -> Self {
        let inquiry = InquiryFact { kind: kind.to_owned(), ..asked(asked_at, replied) };
        self.with(|facts| facts.inquiries.as_mut().unwrap().push(inquiry))
    }

    fn card(&self) -> ScoreCard {
        let catalog = shipped();
        let scheme = catalog.get(self.scheme).unwrap();
        with_tables(|tables| score(scheme, &self.facts, &self.beside, tables).unwrap())
    }

    /// `verdict`, a veto or flag by its id, or the points of a dimension.
    fn tells(&self, what: &str) -> String {
        let card = self.card();
        if what == "verdict" {
            return card.verdict.unwrap().result.as_str().to_owned();
        }
        if let Some(flag) = card.vetoes.iter().chain(&card.flags).find(|flag| flag.id == what) {
            return match &flag.state {
                FlagState::Holds => "holds".to_owned(),
                FlagState::Clear => "clear".to_owned(),
                FlagState::NotApplicable => "not applicable".to_owned(),
                FlagState::Undetermined { .. } => "open".to_owned(),
            };
        }
        match &card.score(what).unwrap_or_else(|| panic!("no {what}")).outcome {
            Outcome::Scored(points) => points.points.normalize().to_string(),
            Outcome::NotScored(why) => format!("{:?}", why.kind),
        }
    }
}

fn check(walks: Vec<(Walk, &str, &str)>) {
    for (at, (walk, what, want)) in walks.into_iter().enumerate() {
        assert_eq!(walk.tells(what), want, "{} step {at}: {what}", walk.scheme);
    }
}

const SECOND: Duration = Duration::seconds(1);
const TWO_WEEKS: Duration = Duration::days(14);

#[test]
fn every_shipped_scheme_compiles_and_its_doubts_are_warned_about() {
    let catalog = shipped();
    assert_eq!(catalog.iter().count(), SHIPPED.len());
    for (name, text) in SHIPPED {
        let warned = catalog.get(name).unwrap().warnings.len();
        assert_eq!(warned, text.matches("certainty = \"unverified\"").count(), "{name}");
    }
    assert_eq!(catalog.assignments()[0].to_string(), "assign.toml#1 */*/* 2026-01-01");
}

#[test]
fn two_weeks_are_the_line_of_the_nation_and_of_those_who_follow_it() {
    for scheme in ["national_2019_accounts", "guizhou_2025", "liaoning_sites", "shanwei_2020"] {
        check(vec![
            (walk(scheme).silent_for(TWO_WEEKS - SECOND), "verdict", "pass"),
            (walk(scheme).silent_for(TWO_WEEKS), "verdict", "pass"),
            (walk(scheme).silent_for(TWO_WEEKS + SECOND), "verdict", "fail"),
            (walk(scheme).with(|facts| facts.silence = None), "verdict", "undetermined"),
        ]);
    }
    let closed = |facts: &mut PeriodFacts| facts.subject.lifecycle = Some(Lifecycle::Closed);
    check(vec![(
        walk("guizhou_2025").silent_for(TWO_WEEKS * 3).with(closed),
        "verdict",
        "not_judged",
    )]);
}

#[test]
fn guizhou_lists_zombies_beyond_three_months() {
    let edge = at("2026-04-01");
    check(vec![
        (walk("guizhou_2025").last_post(edge + SECOND), "zombie", "clear"),
        (walk("guizhou_2025").last_post(edge), "zombie", "clear"),
        (walk("guizhou_2025").last_post(edge - SECOND), "zombie", "holds"),
    ]);
}

#[test]
fn national_accounts_fail_by_any_one_veto() {
    let scheme = "national_2019_accounts";
    let app = |facts: &mut PeriodFacts| facts.subject.platform = "app".to_owned();
    check(vec![
        (walk(scheme), "verdict", "pass"),
        (walk(scheme).entered("entered_security", "1"), "verdict", "fail"),
        (walk(scheme).entered("entered_no_interaction", "0"), "verdict", "pass"),
        (walk(scheme).entered("entered_no_interaction", "1"), "verdict", "fail"),
        (walk(scheme), "app_unusable", "not applicable"),
        (walk(scheme).with(app).silent_for(TWO_WEEKS * 2), "not_updated", "not applicable"),
        (walk(scheme).with(app).entered("entered_app_unusable", "1"), "verdict", "fail"),
        (walk(scheme).silent_for(Duration::days(11)), "near_limit", "holds"),
    ]);
}

/// A portal whose counts a person has entered, all without fault.
fn site() -> Walk {
    let counts = [
        "unreachable_share",
        "stale_columns",
        "long_stale_columns",
        "blank_columns",
        "stale_policy_columns",
        "wrong_leaders",
        "stale_statistics",
        "stale_answers",
    ];
    let walk = walk("national_2019_sites").entered("entered_design", "21");
    let walk = walk.entered("entered_extra", "12");
    counts.into_iter().fold(walk, |walk, item| walk.entered(item, "0"))
}

#[test]
fn histories_reach_back_to_the_longest_silence_of_any_column() {
    for (scheme, begin) in [
        ("default", "2026-04-01"),
        ("national_2019_sites", "2025-07-01"),
        ("yangling_2021_columns", "2025-07-01"),
    ] {
        let begins = walk(scheme).rules(|rules| {
            let silences = rules.silences();
            silences.map(|one| one.limit.before(at("2026-07-01"))).min()
        });
        assert_eq!(begins, Some(at(begin)), "{scheme}");
    }
}

#[test]
fn national_sites_have_vetoes_capped_deductions_and_a_gated_bonus() {
    let no_service = |facts: &mut PeriodFacts| {
        facts.subject.notes.insert("无公共服务".to_owned(), "是".to_owned());
    };
    check(vec![
        (site(), "verdict", "pass"),
        (site(), "total", "112"),
        (site().entered("unreachable_share", "0.0499"), "unreachable", "clear"),
        (site().entered("unreachable_share", "0.05"), "unreachable", "holds"),
        (site().entered("stale_columns", "4"), "columns_not_updated", "clear"),
        (site().entered("stale_columns", "5"), "verdict", "fail"),
        (site().entered("long_stale_columns", "10"), "verdict", "fail"),
        (site().entered("blank_columns", "5"), "verdict", "fail"),
        // 31 points at most are lost by one indicator, whatever is wrong.
        (site().entered("stale_policy_columns", "3"), "deduction", "85"),
        (site().entered("stale_policy_columns", "30"), "deduction", "69"),
        (site().entered("stale_policy_columns", "4"), "bonus", "0"),
        (site().entered("stale_policy_columns", "3"), "bonus", "12"),
        (site().entered("entered_design", "0"), "verdict", "pass"),
        (
            site().entered("stale_policy_columns", "30").entered("entered_design", "11"),
            "verdict",
            "fail",
        ),
        // 75 points of a department without services are 100: 70 of them are 93.33.
        (site().with(no_service).entered("stale_policy_columns", "1"), "deduction", "93.33"),
        (walk("national_2019_sites"), "verdict", "undetermined"),
    ]);
    assert_eq!(site().card().unmeasured.len(), 1);
}

#[test]
fn yangling_wants_an_original_every_month_and_watches_what_closes() {
    let scheme = "yangling_2025";
    let none = |facts: &mut PeriodFacts| {
        facts.posts.iter_mut().for_each(|post| post.original = Some(false));
    };
    let one = |facts: &mut PeriodFacts| {
        facts.posts.iter_mut().skip(1).for_each(|post| post.original = Some(false));
    };
    let closing = |facts: &mut PeriodFacts| facts.subject.lifecycle = Some(Lifecycle::Closing);
    check(vec![
        (walk(scheme), "verdict", "pass"),
        (walk(scheme).with(one), "no_original", "clear"),
        (walk(scheme).with(none), "verdict", "fail"),
        (walk(scheme).with(none).with(closing), "no_original", "clear"),
        (walk(scheme).with(closing).silent_for(TWO_WEEKS), "verdict", "pass"),
        (walk(scheme).with(closing).silent_for(TWO_WEEKS + SECOND), "closing_silent", "holds"),
        (walk(scheme).entered("entered_not_reposted", "1"), "verdict", "fail"),
    ]);
}

#[test]
fn columns_are_stale_by_their_class() {
    let scheme = "yangling_2021_columns";
    for (category, edge) in [
        ("动态", at("2026-07-01") - TWO_WEEKS),
        ("业务工作", at("2026-06-01")),
        ("信息公开", at("2026-06-01")),
        ("通知公告", at("2026-01-01")),
        ("政策文件", at("2026-01-01")),
        ("便民服务", at("2026-01-01")),
    ] {
        check(vec![
            (walk(scheme).category(category).last_post(edge + SECOND), "verdict", "pass"),
            (walk(scheme).category(category).last_post(edge), "verdict", "pass"),
            (walk(scheme).category(category).last_post(edge - SECOND), "verdict", "fail"),
        ]);
    }
}

#[test]
fn minhou_wants_an_update_every_ten_days() {
    let ten = Duration::days(10);
    check(vec![
        (walk("minhou_2024").silent_for(ten - SECOND), "verdict", "pass"),
        (walk("minhou_2024").silent_for(ten), "verdict", "pass"),
        (walk("minhou_2024").silent_for(ten + SECOND), "verdict", "fail"),
        (walk("minhou_2024").with(|facts| facts.posts = every(10).posts), "gap", "clear"),
        (walk("minhou_2024").with(|facts| facts.posts = every(11).posts), "gap", "holds"),
    ]);
}

/// Posts on these days of the month at noon.
fn on(days: &[u32]) -> Vec<PostFact> {
    days.iter().map(|day| post(&format!("2026-06-{day:02}T12:00:00"))).collect()
}

#[test]
fn weekly_minimums_count_whole_weeks_from_monday() {
    // Whole weeks of June 2026 begin on the 1st, 8th, 15th and 22nd.
    let three = [1, 2, 3, 8, 9, 10, 15, 16, 17, 22, 23, 28];
    let two = [1, 2, 3, 8, 9, 10, 15, 16, 17, 22, 23, 29];
    let more = [1, 2, 3, 4, 8, 9, 10, 11, 15, 16, 17, 18, 22, 23, 24, 25];
    check(vec![
        (walk("xiayi_2022").with(|facts| facts.posts = on(&more)), "insufficient", "clear"),
        (walk("xiayi_2022").with(|facts| facts.posts = on(&three)), "insufficient", "clear"),
        (walk("xiayi_2022").with(|facts| facts.posts = on(&two)), "insufficient", "holds"),
        (walk("xiayi_2022").silent_for(TWO_WEEKS + SECOND), "verdict", "fail"),
        (walk("luan_2016").with(|facts| facts.posts = on(&[1, 14, 15, 28])), "weekly", "clear"),
        (walk("luan_2016").with(|facts| facts.posts = on(&[1, 15, 28])), "weekly", "holds"),
    ]);
    let titled = |title: &str| {
        let title = title.to_owned();
        move |facts: &mut PeriodFacts| facts.posts[3].title = Some(title)
    };
    check(vec![
        (walk("luan_2016").with(titled("关于低保问题的答复")), "responses", "clear"),
        (walk("luan_2016").with(titled("清明祭扫安排")), "responses", "holds"),
    ]);
    // A week that nobody watched is not proven short.
    let unwatched = walk("xiayi_2022").with(|facts| {
        facts.posts = on(&[1, 2, 3, 8, 9, 10, 15, 16, 17]);
        facts.covered = vec![Stretch { from: at("2026-05-01"), to: at("2026-06-20") }];
    });
    check(vec![(unwatched, "insufficient", "open")]);
}

#[test]
fn gongshu_proposes_to_cancel_by_followers_or_place() {
    let street = |followers: u64| {
        walk("gongshu_2022").beside("effect_place", 5.0).with(|facts| {
            facts.subject.level = Some("街道".to_owned());
            facts.subject.population = Some(50_000);
            facts.followers = Some(Count::Exact(followers));
        })
    };
    check(vec![
        (street(10_001), "few_followers", "clear"),
        (street(10_000), "few_followers", "holds"),
        (street(9_999), "few_followers", "holds"),
        (street(20_000), "low_place", "clear"),
        (street(20_000).beside("effect_place", 6.0), "low_place", "holds"),
        (street(20_000).entered("entered_effect_index", "77.5"), "effect", "77.5"),
        (street(20_000), "effect", "Undetermined"),
        (walk("gongshu_2022"), "few_followers", "not applicable"),
        (street(20_000).entered("entered_security", "1"), "verdict", "fail"),
    ]);
}

#[test]
fn jingmen_has_three_stages_over_the_holidays() {
    // Friday 2026-06-12; the 19th to 21st are off, so that five working days end on the 22nd.
    let asked_at = "2026-06-12T10:00:00";
    let replied = |at: &'static str| walk("jingmen_2010").message("message", asked_at, Some(at));
    check(vec![
        (replied("2026-06-12T13:59:59"), "slow_response", "clear"),
        (replied("2026-06-12T14:00:00"), "slow_response", "clear"),
        (replied("2026-06-12T14:00:01"), "slow_response", "holds"),
        (replied("2026-06-22T23:59:59"), "slow_answer", "clear"),
        (replied("2026-06-23T00:00:01"), "slow_answer", "holds"),
        (replied("2026-06-29T23:59:59"), "verdict", "pass"),
        (replied("2026-06-30T00:00:01"), "verdict", "fail"),
        (walk("jingmen_2010").message("message", asked_at, None), "verdict", "fail"),
        (walk("jingmen_2010"), "verdict", "pass"),
    ]);
    // The same over a year whose holidays nobody has entered: not guessed.
    let next_year = |facts: &mut PeriodFacts| {
        facts.period = "2027-06".parse().unwrap();
        facts.cutoff = at("2027-08-01");
        facts.covered = vec![Stretch { from: at("2027-05-01"), to: at("2027-07-02") }];
        facts.posts = vec![];
    };
    let unknown = walk("jingmen_2010").message("message", "2027-06-12T10:00:00", None);
    check(vec![(unknown.with(next_year), "verdict", "undetermined")]);
}

#[test]
fn chaohu_escalates_from_a_call_to_a_naming() {
    let asked_at = "2026-06-08T10:00:00";
    let replied = |at: &'static str| walk("chaohu_2006").message("message", asked_at, Some(at));
    check(vec![
        (replied("2026-06-11T23:00:00"), "call", "clear"),
        (replied("2026-06-12T00:00:00"), "call", "clear"),
        (replied("2026-06-12T00:00:01"), "call", "holds"),
        (replied("2026-06-14T00:00:00"), "named", "clear"),
        (replied("2026-06-14T00:00:01"), "named", "holds"),
        (replied("2026-06-24T00:00:00"), "verdict", "pass"),
        (replied("2026-06-24T00:00:01"), "verdict", "fail"),
    ]);
}

#[test]
fn liaoning_holds_error_reports_to_three_working_days() {
    let report = |kind: &'static str, replied: &'static str| {
        walk("liaoning_sites").message(kind, "2026-06-12T17:00:00", Some(replied))
    };
    check(vec![
        // Received after hours, so on Monday the 15th: three days end on the 18th.
        (report("error_report", "2026-06-18T23:59:59"), "error_reports", "clear"),
        (report("error_report", "2026-06-19T00:00:00"), "error_reports", "clear"),
        (report("error_report", "2026-06-19T00:00:01"), "error_reports", "holds"),
        (report("message", "2026-06-28T00:00:00"), "error_reports", "clear"),
    ]);
    let keys: Vec<String> = (0..101).map(|key| format!("LN-{key:04}")).collect();
    let drawn = walk("liaoning_sites").rules(|scheme| {
        let sampling = scheme.sampling.unwrap();
        sampling.draw("2026-06", keys.iter().map(String::as_str)).len()
    });
    assert_eq!(drawn, 51, "50 % of 101, rounded up");
}

/// Messages that nobody answered, asked early enough to be overdue.
fn unanswered(walk: Walk, count: usize) -> Walk {
    (0..count).fold(walk, |walk, _| walk.message("message", "2026-06-02T09:00:00", None))
}

#[test]
fn wanzhi_caps_deductions_and_opens_the_bonus_above_eighty() {
    let scheme = "wanzhi_2021";
    let extra = |walk: Walk| walk.entered("entered_extra", "15");
    check(vec![
        (extra(walk(scheme)), "total", "115"),
        (walk(scheme), "total", "100"),
        (extra(unanswered(walk(scheme), 1)), "total", "105"),
        (extra(unanswered(walk(scheme), 2)), "bonus", "0"),
        (unanswered(walk(scheme), 4), "verdict", "pass"),
        (unanswered(walk(scheme), 40), "deduction", "60"),
        (
            unanswered(walk(scheme), 4).with(|facts| facts.posts = on(&[1, 8, 15])),
            "verdict",
            "fail",
        ),
        (walk(scheme).silent_for(TWO_WEEKS + SECOND), "verdict", "fail"),
    ]);
}

/// The roll-up of some walks under the scheme's only one.
fn rolled(walks: &[Walk]) -> Outcome {
    let catalog = shipped();
    let rollup = &catalog.get(walks[0].scheme).unwrap().rollups[0];
    let cards: Vec<ScoreCard> = walks.iter().map(Walk::card).collect();
    let accounts: Vec<_> =
        walks.iter().zip(&cards).map(|(walk, card)| (walk.facts.subject.subject(), card)).collect();
    roll_up(rollup, &accounts).outcome
}

fn points(outcome: &Outcome) -> String {
    outcome.points().map_or("none".to_owned(), |points| points.points.normalize().to_string())
}

#[test]
fn wanzhi_weighs_sites_thirty_and_accounts_seventy() {
    let scheme = "wanzhi_2021";
    let site = || walk(scheme).with(|facts| facts.subject.platform = "portal".to_owned());
    let eighty = || unanswered(walk(scheme), 2);
    assert_eq!(points(&rolled(&[site(), eighty()])), "86");
    assert_eq!(points(&rolled(&[site(), eighty(), walk(scheme)])), "93");
    assert_eq!(points(&rolled(&[eighty()])), "80", "without a site the accounts count for all");
}

#[test]
fn zhaoqing_gives_a_county_59_for_one_veto_and_spreads_missing_services() {
    let scheme = "zhaoqing_2019";
    let no_service = |facts: &mut PeriodFacts| {
        facts.subject.notes.insert("无公共服务".to_owned(), "是".to_owned());
    };
    let vetoed = || walk(scheme).silent_for(TWO_WEEKS + SECOND);
    let gap = |days: usize| walk(scheme).with(move |facts| facts.posts = every(days).posts);
    check(vec![
        (gap(10), "deduction", "100"),
        (gap(12), "deduction", "90"),
        (gap(28), "deduction", "60"),
        (unanswered(gap(28), 1), "verdict", "fail"),
        (walk(scheme).entered("service_faults", "4"), "deduction", "80"),
        (walk(scheme).entered("service_faults", "9"), "deduction", "80"),
        // 办事服务's 20 points are given to the other two, ten each: 30 of 40 are 37.5 of 50.
        (unanswered(walk(scheme).with(no_service), 1), "deduction", "87.5"),
    ]);
    assert_eq!(points(&rolled(&[walk(scheme), gap(12)])), "95");
    assert_eq!(points(&rolled(&[walk(scheme), gap(12), vetoed()])), "59");
    let poor = unanswered(gap(28), 9).entered("service_faults", "9");
    assert_eq!(points(&rolled(&[vetoed(), poor])), "50", "59 is a cap, not a gift");
    let open = rolled(&[walk(scheme), walk(scheme).with(|facts| facts.silence = None)]);
    let Outcome::Scored(open) = open else { panic!() };
    assert_eq!((open.points, open.low), (100.into(), 59.into()), "a veto that may hold");
}

#[test]
fn chengdu_is_sixty_twenty_twenty() {
    let spread = |count: u64| {
        walk("chengdu_2015").with(move |facts| {
            for post in &mut facts.posts {
                (post.shares, post.comments) = (Some(Count::Exact(count)), Some(Count::Exact(0)));
            }
        })
    };
    check(vec![
        (spread(100), "total", "80"),
        (spread(9), "total", "69.98"),
        (spread(0), "total", "60"),
        (walk("chengdu_2015").with(|facts| facts.posts = vec![]), "activity", "0"),
    ]);
}

#[test]
fn zhengfa_waits_for_what_persons_judge() {
    let scheme = "zhengfa_2020";
    let entered = |points: &'static str| {
        ["entered_guiding", "entered_convenience", "entered_cluster"]
            .into_iter()
            .fold(walk(scheme), |walk, item| walk.entered(item, points))
    };
    check(vec![
        (entered("5"), "service", "20"),
        (entered("0"), "service", "5"),
        (entered("5").with(|facts| facts.posts = vec![]), "service", "15"),
        (walk(scheme), "service", "Undetermined"),
    ]);
}

#[test]
fn hedong_wants_filing_within_two_working_days() {
    // Opened on Friday the 12th of June: the two working days are Monday and Tuesday.
    let filed = |day: Option<&str>| {
        let day = day.map(|day| day.parse().unwrap());
        walk("filing_hedong").with(move |facts| {
            facts.subject.opened_on = Some("2026-06-12".parse().unwrap());
            facts.subject.filed_on = day;
        })
    };
    check(vec![
        (filed(Some("2026-06-15")), "verdict", "pass"),
        (filed(Some("2026-06-16")), "verdict", "pass"),
        (filed(Some("2026-06-17")), "verdict", "fail"),
        (filed(None), "verdict", "fail"),
        (filed(Some("2026-06-15")).entered("late_filings", "1"), "verdict", "fail"),
        (walk("filing_hedong"), "verdict", "undetermined"),
    ]);
}

#[test]
fn beijing_cleans_up_what_has_nothing() {
    let scheme = "beijing_2019";
    let followed = |count: u64, empty: bool| {
        walk(scheme).with(move |facts| {
            facts.followers = Some(Count::Exact(count));
            let tier = if empty { 2 } else { 0 };
            facts.silence = Some(SilenceFact::Proven { tier, at_most: tier, empty, gone: false });
        })
    };
    let closing = |facts: &mut PeriodFacts| facts.subject.lifecycle = Some(Lifecycle::Closing);
    check(vec![
        (followed(0, true), "nothing", "holds"),
        (followed(1, true), "nothing", "clear"),
        (followed(0, false), "nothing", "clear"),
        (followed(999, false), "merge", "holds"),
        (followed(1_000, false), "merge", "clear"),
        (walk(scheme).with(closing), "no_stop_notice", "holds"),
        (walk(scheme).with(closing).entered("stop_notice", "1"), "no_stop_notice", "clear"),
        (walk(scheme).silent_for(TWO_WEEKS + SECOND), "verdict", "fail"),
    ]);
    // 1.2万 rounded down could not be below a thousand, 1千 shown as 0.1万 could.
    let rough = Count::Bounded { value: 1_000, low: 950, high: Some(1_049) };
    let unsure = walk(scheme).with(|facts| facts.followers = Some(rough));
    check(vec![(unsure, "merge", "open")]);
}

#[test]
fn shanwei_names_at_two_missed_notices_and_closes_at_three_namings() {
    let record = |missed_notices, namings| {
        walk("shanwei_2020").with(move |facts| {
            facts.record = Some(RecordFact { missed_notices, namings, ..RecordFact::default() });
        })
    };
    check(vec![
        (record(1, 0), "named", "clear"),
        (record(2, 0), "named", "holds"),
        (record(3, 0), "named", "holds"),
        (record(0, 2), "close", "clear"),
        (record(0, 3), "close", "holds"),
        (walk("shanwei_2020"), "named", "open"),
    ]);
}

#[test]
fn jiangsu_deducts_what_others_veto_and_keeps_a_watch_list() {
    let scheme = "jiangsu_2023";
    check(vec![
        (walk(scheme).silent_for(TWO_WEEKS), "deduction", "100"),
        (walk(scheme).silent_for(TWO_WEEKS + SECOND), "deduction", "70"),
        (walk(scheme).silent_for(TWO_WEEKS + SECOND), "verdict", "pass"),
        (walk(scheme).entered("broken_functions", "5"), "deduction", "60"),
        (walk(scheme).entered("entered_no_interaction", "1"), "verdict", "fail"),
        (walk(scheme).silent_for(Duration::days(10)), "watch_list", "clear"),
        (walk(scheme).silent_for(Duration::days(10) + SECOND), "watch_list", "holds"),
    ]);
    let cutoffs = walk(scheme)
        .rules(|scheme| scheme.rhythm.unwrap().cutoffs(at("2026-07-01"), at("2026-10-01")));
    assert_eq!(cutoffs, [at("2026-07-25"), at("2026-08-25"), at("2026-09-25")]);
}

#[test]
fn wechat_warns_a_fortnight_before_the_platform_cancels() {
    let silent = |days: i64| {
        walk("wechat_cancellation").with(move |facts| {
            facts.subject.platform = "wechat".to_owned();
            facts.period = "2026".parse().unwrap();
            facts.cutoff = at("2026-12-01");
            facts.covered = vec![Stretch { from: at("2026-01-01"), to: at("2026-12-01") }];
            let last = at("2026-12-01") - Duration::days(days);
            facts.posts = vec![PostFact {
                published: Stretch { from: last, to: last },
                ..post("2026-06-01")
            }];
        })
    };
    let certified = |facts: &mut PeriodFacts| {
        facts.subject.notes.insert("已认证".to_owned(), "是".to_owned());
    };
    check(vec![
        (silent(195), "at_risk", "clear"),
        (silent(196), "at_risk", "holds"),
        (silent(210), "at_risk", "holds"),
        (silent(210).with(certified), "at_risk", "not applicable"),
        (walk("wechat_cancellation"), "at_risk", "not applicable"),
    ]);
}
