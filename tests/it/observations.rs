//! `xunjian observations import`: authorised exports and filled-in forms, through the binary.

use chrono::{DateTime, Days, Utc};
use xunjian::app::clock::SystemClock;
use xunjian::domain::{AccountId, Activity, Clock, Count, Moment, Post, Precision, SHANGHAI};
use xunjian::observe::{Observation, Outcome, Policy, Source, Visit, judge};
use xunjian::store::{Store, StoredPost, VisitDetails, VisitEvidence, VisitRecord};

use crate::registry::Office;

const LEDGER: &str = "账号编号,平台,平台账号,账号名称,主办单位,行政区划代码,状态,开通日期\n\
    A-1,douyin,u1,甲发布,甲单位,339900,运行,2020-01-01\n\
    A-2,douyin,u2,乙发布,乙单位,339900,运行,2020-01-01\n\
    A-3,wechat,gh_3,丙发布,丙单位,339900,运行,2020-01-01\n";

const FORM: &str = "账号编号,数据起始,数据截至,作品编号,作品链接,作品标题,发布时间,是否原创,阅读量,\
    点赞量,评论量,转发量";

/// The binary's own clock: it speaks of days before today.
fn now() -> DateTime<Utc> {
    SystemClock.now()
}

/// The day so many days ago, in Shanghai.
fn day(ago: u64) -> String {
    let today = now().with_timezone(&SHANGHAI).date_naive();
    today.checked_sub_days(Days::new(ago)).unwrap().to_string()
}

async fn office() -> (Office, Store) {
    let (office, store, _) = Office::connected().await;
    let ledger = office.path("ledger.csv");
    std::fs::write(&ledger, LEDGER).unwrap();
    office.import(&ledger, &[]).done();
    (office, store)
}

impl Office {
    fn hand_in(&self, text: &str, options: &[&str]) -> crate::registry::Said {
        let file = self.path("export");
        std::fs::write(&file, text).unwrap();
        let file = file.to_str().unwrap();
        self.xunjian(&[&["observations", "import", file], options].concat())
    }
}

async fn id(store: &Store, key: &str) -> AccountId {
    store.account(key).await.unwrap().unwrap().id
}

async fn activity(store: &Store, key: &str) -> Activity {
    let id = id(store, key).await;
    let now = now();
    let since = now - chrono::TimeDelta::days(120);
    let histories = store.histories(&[id], since).await.unwrap();
    judge(&histories[&id], &Policy::default(), now, now).activity
}

async fn visits(store: &Store, account: AccountId) -> Vec<Visit> {
    let mut histories = store.histories(&[account], DateTime::UNIX_EPOCH).await.unwrap();
    histories.remove(&account).unwrap().visits
}

async fn posts(store: &Store, key: &str) -> Vec<StoredPost> {
    let account = store.account(key).await.unwrap().unwrap();
    let mut posts = store.post_page(account.id, None, u32::MAX).await.unwrap();
    posts.reverse();
    posts
}

#[tokio::test]
async fn a_filled_in_form_proves_silence_where_it_is_declared_complete_and_activity_elsewhere() {
    let (office, store) = office().await;
    let (from, to, posted) = (day(40), day(1), day(3));
    let form = format!(
        "{FORM}\nA-1,{from},{to},,,,,,,,,\nA-2,{from},{to},w1,,防汛部署,{posted} 08:30,是,10万+,12,,\n"
    );
    let told = office.hand_in(&form, &["--source", "monthly_form", "--dry-run"]).done();
    assert!(told.contains("A-1: 0 posts, newest -, complete"), "{told}");
    assert!(told.ends_with("dry run, nothing is stored: 2 accounts, 1 posts\n"), "{told}");
    let a1 = id(&store, "A-1").await;
    assert_eq!(visits(&store, a1).await.len(), 0);

    let done = office.hand_in(&form, &["--source", "monthly_form"]).done();
    assert_eq!(done, "2 accounts, 1 posts, 1 of them new\n");
    let visits = visits(&store, a1).await;
    assert_eq!((visits.len(), visits[0].source), (1, Source::Person));
    assert_eq!(visits[0].page, "monthly_form");
    assert_eq!(activity(&store, "A-1").await, Activity::Dormant);
    assert_eq!(activity(&store, "A-2").await, Activity::Active);
    assert!(matches!(activity(&store, "A-3").await, Activity::Undetermined(_)));

    let posts = posts(&store, "A-2").await;
    let reads = posts[0].reads.as_ref().and_then(Count::low);
    assert_eq!((posts.len(), reads, posts[0].comments.clone()), (1, Some(100_001), None));
    let again = office.hand_in(&form, &["--source", "monthly_form"]).done();
    assert!(again.starts_with("nothing changed: brought in already by "), "{again}");
    assert_eq!(self::visits(&store, a1).await.len(), 1);
    let books = office.xunjian(&["observations", "list"]).done();
    assert!(books.contains("\t人工填报\tmonthly_form\texport\tsha256:"), "{books}");
    assert!(books.ends_with("2 accounts, 1 posts, 1 new, 0 conflicts\n"), "{books}");
}

#[tokio::test]
async fn every_wrong_row_is_told_and_nothing_is_stored() {
    let (office, store) = office().await;
    let form = format!(
        "{FORM}\nA-1,,{to},w1,,一,{to} 08:30,是,5,,,\nA-9,,,w2,,二,昨天,是,很多,,,\n",
        to = day(2)
    );
    let reason = office.hand_in(&form, &["--source", "monthly_form"]).failed();
    for part in [
        "row 3, column 账号编号: no account \"A-9\" in the ledger",
        "row 3, column 发布时间: \"昨天\" is not a time with its full date",
        "row 3, column 阅读量: not a number",
        "3 errors; nothing was imported",
    ] {
        assert!(reason.contains(part), "{part} is not in {reason}");
    }
    let without_columns = office.hand_in("账号编号\nA-1\n", &["--source", "monthly_form"]).failed();
    assert!(without_columns.contains("row 1, column 数据截至: the column is missing"));
    let a1 = id(&store, "A-1").await;
    assert_eq!(visits(&store, a1).await.len(), 0);
}

#[tokio::test]
async fn an_owners_export_names_its_account_and_completeness_with_the_command() {
    let (office, store) = office().await;
    let export = format!(
        "内容标题,发表时间,内容url,总阅读次数,总分享次数,送达人数\n\
         市政府常务会议,{},https://mp.weixin.qq.com/s?__biz=Mz&mid=2247480010&idx=1&sn=a,1024,7,9\n",
        day(5).replace('-', "")
    );
    let source = ["--source", "wechat_backend"];
    assert_eq!(office.hand_in(&export, &source).code, Some(2));
    let to: DateTime<Utc> = now() - chrono::TimeDelta::days(1);
    let to = to.to_rfc3339();
    let options = [&source[..], &["--account", "A-3", "--complete-to", &to]].concat();
    office.hand_in(&export, &options).done();
    let a3 = id(&store, "A-3").await;
    let posts = posts(&store, "A-3").await;
    let listed = &posts[0].listed;
    assert_eq!(listed.reference, "2247480010_1");
    assert_eq!(listed.claimed.map(Moment::to_rfc3339), Some(format!("{}T00:00:00+08:00", day(5))));
    let visit = visits(&store, a3).await.remove(0);
    assert_eq!(visit.source, Source::Import);
    assert_eq!(activity(&store, "A-3").await, Activity::Active);
    assert_eq!(office.hand_in(&export, &["--source", "nothing"]).code, Some(2));
}

/// What an export says against what a public page showed is kept apart and told.
#[tokio::test]
async fn sources_that_contradict_each_other_are_kept_side_by_side() {
    let (office, store) = office().await;
    let form = |likes: &str, title: &str, at: &str| {
        let (from, to) = (day(40), day(1));
        format!("{FORM}\nA-2,{from},{to},w1,,{title},{at} 08:30,是,,{likes},,\n")
    };
    let a2 = id(&store, "A-2").await;
    let posted = format!("{}T08:30:00+08:00", day(3)).parse::<DateTime<Utc>>().unwrap();
    let shown = Post {
        reference: Some("w1".into()),
        title: Some("防汛部署".into()),
        published: Some(Moment { at: posted, precision: Precision::Minute }),
        likes: Some(Count::Exact(20)),
        ..Post::default()
    };
    store.finish(&[crawled(a2, now() - chrono::TimeDelta::days(2), shown)]).await.unwrap();

    let source = ["--source", "monthly_form", "--actor", "王科员"];
    let told = office.hand_in(&form("12", "防汛工作部署", &day(9)), &source).done();
    assert!(told.contains("0 of them new; 3 values contradict another source"), "{told}");
    let kept = posts(&store, "A-2").await.remove(0);
    assert_eq!(kept.likes, Some(Count::Exact(20)));
    assert_eq!(kept.title.as_deref(), Some("防汛部署"));
    assert_eq!(kept.listed.claimed.map(|one| one.at), Some(posted));
    let conflicts = office.xunjian(&["observations", "conflicts"]).done();
    for part in
        ["A-2\tw1\tlikes\tkept 20 (公开页面)\toffered 12 (import 1)", "published_at", "title"]
    {
        let part = part
            .replace("kept 20", "kept {\"value\":20}")
            .replace("offered 12", "offered {\"value\":12}");
        assert!(conflicts.contains(&part), "{part} is not in {conflicts}");
    }

    // More is what came since; who gave which number is known of each.
    office.hand_in(&form("25", "防汛部署", &day(3)), &source).done();
    let kept = posts(&store, "A-2").await.remove(0);
    assert_eq!(kept.likes, Some(Count::Exact(25)));
    let (listed_by, numbers) = store.post_imports(a2, "w1").await.unwrap().unwrap();
    assert_eq!((listed_by, numbers.len(), numbers.get("likes")), (None, 1, Some(&2)));
    // A source may correct itself.
    let corrected = office.hand_in(&form("24", "防汛部署", &day(3)), &source).done();
    assert_eq!(corrected, "1 accounts, 1 posts, 0 of them new\n");
    assert_eq!(posts(&store, "A-2").await.remove(0).likes, Some(Count::Exact(24)));
    let books = office.xunjian(&["observations", "list"]).done();
    assert_eq!(books.matches("王科员").count(), 3, "{books}");
}

/// A visit of our own that listed one post.
fn crawled(account: AccountId, at: DateTime<Utc>, post: Post) -> VisitRecord {
    VisitRecord {
        account,
        host: Some("m.example.cn".into()),
        lease: None,
        visit: Visit {
            items: 0,
            page: "works".into(),
            part: "all".into(),
            started_at: at,
            recorded_at: at,
            adapter: "a".into(),
            source: Source::Crawl,
            outcome: Outcome::Observed(Observation {
                as_of: at,
                span: None,
                exhausted: false,
                empty: false,
                confirming: false,
                posts_total: None,
                new_items: 0,
                upstream_success: None,
                registered_at: None,
                bracket: None,
                claims_shift_seconds: 0,
            }),
        },
        status: Some(200),
        bytes: None,
        duration_ms: None,
        body_digest: None,
        seen_at: at,
        identity: None,
        posts: vec![post],
        inquiries: Vec::new(),
        details: VisitDetails::default(),
        look: None,
        evidence: VisitEvidence::Nothing,
        next: None,
    }
}
