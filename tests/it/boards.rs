//! What the logins of the boards see: of their own area everything, of another nothing, and no table.

use chrono::TimeDelta;
use sqlx::{AssertSqlSafe, Connection, PgConnection};
use xunjian::domain::{FindingState, LedgerEntry, Lifecycle, Step};
use xunjian::jobs::assessment::{Freeze, freeze};
use xunjian::jobs::findings;
use xunjian::jobs::score::score_current_quarter;
use xunjian::store::LedgerChanges;

use crate::findings::{Office, entry};
use crate::panels_boards::{Choice, Pick, Question, boards, questions};

/// Mark, county and host of the same office twice: one's rows must not show to the other.
const COUNTIES: [(&str, &str, &str); 2] =
    [("甲", "441521", "jia.example"), ("乙", "441502", "yi.example")];

/// What is told to logins of all areas only.
const OF_THE_WHOLE: [&str; 1] = ["grafana_daemons"];

/// One of a county's accounts.
fn account(mark: &str, county: &str, what: &str) -> LedgerEntry {
    LedgerEntry {
        name: format!("{mark}县{what}"),
        sponsor: format!("{mark}县某局"),
        supervisor: Some(format!("{mark}县政府办公室")),
        region: county.parse().unwrap(),
        notify: Some("打印".into()),
        ..entry(&format!("{mark}-{what}"))
    }
}

/// What this office has no job running for, in every county alike.
async fn fill(office: &Office, mark: &str, host: &str) {
    let statement = "
        insert into host_leases (host, owner, lease_until, spent_on, spent, rest_until)
            values ('HOST', 'daemon-1', now() + interval '1 hour', current_date, 7,
                now() + interval '1 hour');
        insert into crawl_targets (account_id, page, part, host, due_at, fails, last_visit_at,
                last_outcome, last_reason)
            select id, 'timeline', 'all', 'HOST', now() - interval '1 hour', 2,
                now() - interval '1 day', 'failed', 'blocked'
            from accounts where key like 'MARK-%';
        insert into host_budgets (host, per_day, claims_max, settled, price, spending, counted,
                priced_at) values ('HOST', 100, 5, 1, 1, '[]', 0, now());
        insert into yield_drifts (platform, host, page, since, compared, fallen, recorded_at)
            values ('weibo', 'HOST', 'timeline', now(), 10, 9, now());
        insert into canary_looks (host, page, at, account_id, adapter, healthy, recorded_at)
            select 'HOST', 'timeline', now(), min(id), 'adapter-1', true, now()
            from accounts where key like 'MARK-%';
        insert into sites (host, address, platform, account_id, probe_due_at)
            select 'HOST', 'https://HOST/', 'weibo', max(id), now()
            from accounts where key like 'MARK-%';
        insert into warnings (account_id, quiet_days, surprise_bits, silent_by_deadline,
                last_post_at, deadline_at, computed_at)
            select id, 3, 4, 0.5, now(), now(), now() from accounts where key = 'MARK-勤'
            on conflict do nothing;
        insert into daemons (owner, started_at, seen_until) values ('daemon-1', now(), now())
            on conflict do nothing";
    let statement = statement.replace("HOST", host).replace("MARK", mark);
    sqlx::raw_sql(AssertSqlSafe(statement)).execute(&office.database.pool).await.unwrap();
}

/// Two counties with something to show on every board, found, told of, frozen and published.
pub(crate) async fn office() -> Office {
    let office = Office::open().await;
    for (mark, county, _) in COUNTIES {
        let all = ["勤", "重", "默", "墙"].map(|what| account(mark, county, what));
        let ids = office.ledger(&all).await;
        office.checked(ids[0], 150, &[1, 4, 9, 20]).await;
        office.checked(ids[1], 150, &[2, 30]).await;
        office.checked(ids[2], 150, &[20, 60]).await;
        office.walled(ids[3]).await;
    }
    office.look().await;
    for found in office.all().await {
        if found.state == FindingState::Open {
            let by = ("wang", "属实");
            findings::act(office.context(), found.id, Step::Approve, by, None).await.unwrap();
        }
    }
    findings::send_notices(office.context()).await.unwrap();
    score_current_quarter(office.context()).await.unwrap();
    let context = office.context();
    let wanted = Freeze {
        period: "2026Q4".parse().unwrap(),
        scheme: context.schemes.get("wanzhi_2021"),
        cutoff: office.begun() - TimeDelta::hours(2),
        sample: None,
        actor: "zhang",
        reason: "",
    };
    freeze(context, &wanted).await.unwrap();
    office.published("2026Q4", None).await;
    for (mark, _, host) in COUNTIES {
        fill(&office, mark, host).await;
    }
    office
}

impl Office {
    async fn views(&self) -> Vec<String> {
        let views: Vec<String> = sqlx::query_scalar(
            "select viewname::text from pg_views
             where schemaname = 'public' and viewname like 'grafana\\_%' order by 1",
        )
        .fetch_all(&self.database.pool)
        .await
        .unwrap();
        assert!(views.len() >= 23, "{views:?}");
        views
    }

    /// Makes a login by the command and comes in with it.
    async fn board_login(&self, name: &str, area: &[&str]) -> PgConnection {
        let said = self.xunjian(&[&["grafana", "login", name, "--actor", "zhang"], area].concat());
        assert_eq!(said.code, Some(0), "{}", said.reason);
        assert_eq!(said.out.trim().len(), 64, "a password, once: {}", said.reason);
        self.session(name).await
    }

    async fn session(&self, role: &str) -> PgConnection {
        let url = self.database.url.replace("//postgres@", &format!("//{role}@"));
        PgConnection::connect(&url).await.unwrap()
    }
}

/// Every row of a view as text.
async fn rows(session: &mut PgConnection, view: &str) -> Vec<String> {
    let statement = format!("select row_to_json(v)::text from {view} v");
    sqlx::query_scalar(AssertSqlSafe(statement))
        .fetch_all(session)
        .await
        .unwrap_or_else(|error| panic!("{view}: {error}"))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_login_of_one_county_sees_nothing_of_another_on_any_view() {
    let office = office().await;
    let mut whole = office.board_login("boards_whole", &["--all-areas"]).await;
    let mut county = office.board_login("boards_county", &["--region", COUNTIES[0].1]).await;
    let mut other = office.board_login("boards_other", &["--region", COUNTIES[1].1]).await;
    let mut city = office.board_login("boards_city", &["--region", "4415"]).await;
    let mut owner = office.database.pool.acquire().await.unwrap();
    for view in office.views().await {
        let all = rows(&mut owner, &view).await;
        assert!(!all.is_empty(), "{view} has nothing to show in this test");
        assert_eq!(rows(&mut whole, &view).await.len(), all.len(), "{view}");
        let of_the_whole = OF_THE_WHOLE.contains(&view.as_str());
        for (session, own, others) in
            [(&mut county, COUNTIES[0], COUNTIES[1]), (&mut other, COUNTIES[1], COUNTIES[0])]
        {
            let seen = rows(session, &view).await;
            assert_eq!(seen.is_empty(), of_the_whole, "{view} of {}: {all:#?}", own.0);
            for row in &seen {
                let strange = [others.0, others.1, others.2].iter().any(|word| row.contains(*word));
                assert!(!strange, "{view} shows {} to {}: {row}", others.0, own.0);
            }
        }
        let seen = rows(&mut city, &view).await;
        assert_eq!(seen.is_empty(), of_the_whole, "{view} of the city");
    }
    // Where rows are accounts' own, the counties' parts make up the city's.
    for view in ["grafana_accounts", "grafana_posts", "grafana_visits", "grafana_assessed_scores"] {
        let parts = rows(&mut county, view).await.len() + rows(&mut other, view).await.len();
        assert_eq!(parts, rows(&mut city, view).await.len(), "{view}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_trick_shows_a_login_more_than_its_views() {
    let office = office().await;
    let mut county = office.board_login("boards_tricks", &["--region", COUNTIES[0].1]).await;
    let relations: Vec<(String, String)> = sqlx::query_as(
        "select relname::text, relkind::text from pg_class
         where relnamespace = 'public'::regnamespace and relkind in ('r', 'p', 'v', 'm', 'f', 'S')
           and relname not like 'grafana\\_%' order by 1",
    )
    .fetch_all(&office.database.pool)
    .await
    .unwrap();
    assert!(relations.len() > 60, "{relations:?}");
    for (relation, kind) in &relations {
        let statement = match kind.as_str() {
            "S" => format!("select nextval('{relation}')"),
            _ => format!("select from {relation}"),
        };
        let refused = sqlx::raw_sql(AssertSqlSafe(statement)).execute(&mut county).await;
        let refused = refused.expect_err(relation).to_string();
        assert!(refused.contains("denied") || refused.contains("read-only"), "{refused}");
        let any: bool = sqlx::query_scalar(
            "select case $2 when 'S' then has_sequence_privilege($1, 'usage, select, update')
                 else has_table_privilege($1, 'select, insert, update, delete, truncate')
                     or has_any_column_privilege($1, 'select') end",
        )
        .bind(relation)
        .bind(kind)
        .fetch_one(&mut county)
        .await
        .unwrap();
        assert!(!any, "{relation}");
    }
    // A function of its own, cheaper than any condition of a view, is shown no row of another.
    // That it may only read is a setting, which it may set.
    let off = "set default_transaction_read_only to off";
    sqlx::raw_sql(off).execute(&mut county).await.unwrap();
    sqlx::raw_sql(
        "create function pg_temp.spy(text) returns boolean cost 0.000001 language plpgsql as $$
         begin
             if $1 ~ '乙|441502|yi.example' then raise exception 'saw %', $1; end if;
             return true;
         end $$",
    )
    .execute(&mut county)
    .await
    .unwrap();
    for view in office.views().await {
        let statement = format!("select from {view} v where pg_temp.spy(v::text)");
        let asked = sqlx::raw_sql(AssertSqlSafe(statement)).execute(&mut county).await;
        asked.unwrap_or_else(|error| panic!("{view}: {error}"));
    }
    let written = sqlx::raw_sql("update board_logins set area = ''").execute(&mut county).await;
    assert!(written.unwrap_err().to_string().contains("denied"));

    // The group of all logins, a member without an area, and one whose area was taken away.
    sqlx::raw_sql("create role boards_stranger login in role xunjian_grafana")
        .execute(&office.database.pool)
        .await
        .unwrap();
    let mut stranger = office.session("boards_stranger").await;
    let said = office.xunjian(&["grafana", "revoke", "boards_tricks"]);
    assert_eq!(said.code, Some(0), "{}", said.reason);
    let mut group = office.session("boards_stranger").await;
    sqlx::raw_sql("set role xunjian_grafana").execute(&mut group).await.unwrap();
    for view in office.views().await {
        for session in [&mut stranger, &mut group, &mut county] {
            assert_eq!(rows(session, &view).await, [""; 0], "{view}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_past_of_a_closed_account_is_opened_on_the_account_board() {
    let office = Office::open().await;
    let all = [account("甲", "441521", "关"), account("甲", "441521", "勤")];
    let ids = office.ledger(&all).await;
    office.checked(ids[0], 150, &[20, 60]).await;
    office.look().await;
    office.days(1);
    let day = office.now().date_naive();
    let [entry, _] = all;
    let closed = LedgerEntry { lifecycle: Lifecycle::Closed, closed_on: Some(day), ..entry };
    let changes = LedgerChanges { changed: vec![closed], ..LedgerChanges::default() };
    let store = &office.context().store;
    store.apply_ledger(&changes, "li", "关停", office.now()).await.unwrap();

    let mut county = office.board_login("boards_past", &["--region", "441521"]).await;
    let asked: Vec<_> = boards().iter().flat_map(questions).collect();
    let asked = |panel: &str| {
        let is = |one: &&Question| one.board == "xunjian-account" && one.panel == panel;
        asked.iter().find(is).unwrap().text.clone()
    };
    let choice = Choice { account: Pick::these(&["甲-关"]), ..Choice::default() };
    let choices: Vec<(String, String)> =
        sqlx::query_as(AssertSqlSafe(choice.expand(&asked("$account"))))
            .fetch_all(&mut county)
            .await
            .unwrap();
    let texts: Vec<&str> = choices.iter().map(|(_, text)| text.as_str()).collect();
    assert_eq!(texts, ["甲县勤（甲-勤）", "甲县关（甲-关）［已关停］"]);
    for (panel, shown) in
        [("台账与平台显示", "\"关停日期\":\"2026-10-13\""), ("访问记录", "timeline")]
    {
        let text = choice.expand(&asked(panel));
        let answer = rows(&mut county, &format!("({text})")).await;
        assert!(answer.len() == 1 && answer[0].contains(shown), "{panel}: {answer:?}");
    }
    // It counts nowhere.
    assert!(!rows(&mut county, "grafana_accounts").await.iter().any(|row| row.contains("甲-关")));
}

#[tokio::test(flavor = "multi_thread")]
async fn logins_are_given_changed_listed_and_ended() {
    let office = Office::open().await;
    office.ledger(&[account("甲", "441521", "勤"), account("乙", "441502", "勤")]).await;
    let seen = async |role: &str| {
        let mut session = office.session(role).await;
        rows(&mut session, "grafana_accounts").await.len()
    };
    office.board_login("boards_moved", &["--region", "441521"]).await;
    assert_eq!(seen("boards_moved").await, 1);
    let said = office.xunjian(&[
        "grafana",
        "login",
        "boards_moved",
        "--region",
        "441500",
        "--actor",
        "li",
    ]);
    assert_eq!((said.code, said.out.as_str()), (Some(0), ""), "{}", said.reason);
    assert!(said.reason.contains("its password is what it was"), "{}", said.reason);
    assert_eq!(seen("boards_moved").await, 2);
    office.board_login("boards_moved", &["--all-areas", "--renew-password"]).await;
    let listed = office.xunjian(&["grafana", "list"]);
    assert!(listed.out.starts_with("boards_moved\tall areas\tzhang\t"), "{}", listed.out);
    let kept: String =
        sqlx::query_scalar("select rolpassword from pg_authid where rolname = 'boards_moved'")
            .fetch_one(&office.database.pool)
            .await
            .unwrap();
    assert!(kept.starts_with("SCRAM-SHA-256$4096:"), "{kept}");

    sqlx::raw_sql(
        "create role boards_mighty login createrole; create role boards_group nologin;
         create role boards_owner login in role postgres;
         create role boards_reader login in role pg_read_all_data;
         create role boards_granted login; grant select on accounts to boards_granted",
    )
    .execute(&office.database.pool)
    .await
    .unwrap();
    for (role, reason) in [
        ("boards_mighty", "may act beyond"),
        ("boards_group", "is a group"),
        ("boards_owner", "owns this database's tables"),
        ("boards_reader", "belongs to another group"),
        ("boards_granted", "it reads tables"),
    ] {
        let said = office.xunjian(&["grafana", "login", role, "--all-areas", "--actor", "li"]);
        assert_eq!(said.code, Some(1), "{}", said.out);
        assert!(said.reason.contains(reason), "{}", said.reason);
    }
    for wrong in [&["login", "A b", "--all-areas"][..], &["login", "boards_x"], &["revoke", "_x"]] {
        let said = office.xunjian(&[&["grafana"], wrong].concat());
        assert_eq!(said.code, Some(2), "{wrong:?}: {}", said.reason);
    }
    let said = office.xunjian(&["grafana", "revoke", "boards_moved"]);
    assert_eq!(said.code, Some(0), "{}", said.reason);
    assert_eq!(seen("boards_moved").await, 0);
    assert_eq!(office.xunjian(&["grafana", "revoke", "boards_moved"]).code, Some(1));
}
