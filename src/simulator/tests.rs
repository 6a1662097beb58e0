//! The city as a visitor sees it, without sockets.

use std::collections::BTreeSet;

use chrono::{DateTime, Duration, Utc};
use scraper::{Html, Selector};
use serde_json::Value;

use crate::domain::{Activity, Reason, SHANGHAI, shanghai_date};

use super::answer::{Ask, BRIDGE, Manner, Reply, WEIBO, answer};
use super::fault::Faults;
use super::resident::Resident;
use super::weibo_form::shown_time;
use super::*;

const SEED: u64 = 20_261_122;

fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

fn born() -> DateTime<Utc> {
    at("2026-11-22T02:30:00Z")
}

fn city() -> City {
    City::generate(SEED, born(), 200)
}

fn get(city: &City, host: &str, path: &str, now: DateTime<Utc>) -> Reply {
    answer(city, &Faults::default(), &Ask::new(host, path, now))
}

fn get_url(city: &City, url: &str, now: DateTime<Utc>) -> Reply {
    let rest = url.strip_prefix("https://").unwrap();
    let (host, path) = rest.split_at(rest.find('/').unwrap());
    get(city, host, path, now)
}

fn timeline(city: &City, uid: &str, page: usize, now: DateTime<Utc>) -> Value {
    let path =
        format!("/api/container/getIndex?type=uid&value={uid}&containerid=107603{uid}&page={page}");
    serde_json::from_slice(&get(city, WEIBO, &path, now).body).unwrap()
}

fn profile(city: &City, uid: &str, now: DateTime<Utc>) -> Value {
    let path = format!("/api/container/getIndex?type=uid&value={uid}");
    serde_json::from_slice(&get(city, WEIBO, &path, now).body).unwrap()
}

fn one(city: &City, venue: Venue, character: Character) -> &Resident {
    let keys = city.keys_of(character);
    let mut residents = keys.iter().filter_map(|key| city.resident(key));
    residents.find(|resident| resident.venue == venue).unwrap()
}

fn all(city: &City, venue: Venue, character: Character) -> Vec<&Resident> {
    let keys = city.keys_of(character).into_iter();
    let residents = keys.filter_map(|key| city.resident(&key));
    residents.filter(|resident| resident.venue == venue).collect()
}

fn header<'a>(reply: &'a Reply, name: &str) -> Option<&'a str> {
    reply.headers.iter().find(|(key, _)| *key == name).map(|(_, value)| value.as_str())
}

#[test]
fn a_city_of_two_hundred_has_the_whole_cast() {
    let city = city();
    let ledger = city.ledger();
    assert_eq!(ledger.len(), 200);
    let keys = ledger.iter().map(|entry| &entry.key).collect::<BTreeSet<_>>();
    assert_eq!(keys.len(), 200);
    for venue in Venue::ALL {
        let platform = venue.platform();
        assert!(ledger.iter().filter(|entry| entry.platform == platform).count() >= 30);
        assert!(city.canaries().iter().any(|canary| canary.platform == platform));
    }
    use Character::*;
    for character in [
        Canary,
        Active,
        Quiet,
        Dormant,
        Zombie,
        NeverPosted,
        PinnedActive,
        PinnedDormant,
        Cancelled,
        Walled,
        Redesigned,
        Unreachable,
        RobotsRefused,
        Cached,
        HollowSuccess,
        Slow,
        RateLimiting,
        Young,
        Deleting,
        Backdating,
    ] {
        assert!(!city.keys_of(character).is_empty(), "{character:?}");
    }
}

#[test]
fn the_same_seed_and_time_give_the_same_bytes() {
    let (first, second) = (city(), city());
    assert_eq!(first.ledger_csv(), second.ledger_csv());
    let later = born() + Duration::hours(5);
    for entry in first.ledger() {
        let url = entry.url.unwrap();
        let (one, two) = (get_url(&first, &url, later), get_url(&second, &url, later));
        assert_eq!((one.status, &one.body), (two.status, &two.body), "{url}");
    }
    let other = City::generate(SEED + 1, born(), 200);
    assert_ne!(first.ledger_csv(), other.ledger_csv());
}

#[test]
fn keys_and_names_do_not_depend_on_the_given_time() {
    let who = |city: City| {
        city.ledger().into_iter().map(|entry| (entry.key, entry.name)).collect::<Vec<_>>()
    };
    let later = City::generate(SEED, born() + Duration::days(400), 200);
    assert_eq!(who(city()), who(later));
}

#[test]
fn the_past_does_not_change_as_time_goes_on() {
    let city = city();
    for entry in city.ledger() {
        let posts = |now| city.truth(&entry.key, now).unwrap().posts;
        let (before, after) = (posts(born()), posts(born() + Duration::days(40)));
        assert!(after.starts_with(&before), "{}", entry.key);
        assert!(before.is_sorted());
    }
}

#[test]
fn the_truth_of_each_character_is_as_scripted() {
    use Character::*;
    let city = city();
    let check = |characters: &[Character], observable: bool, right: &dyn Fn(Activity) -> bool| {
        for character in characters {
            for key in city.keys_of(*character) {
                let truth = city.truth(&key, born()).unwrap();
                assert!(right(truth.activity), "{character:?} {key}: {:?}", truth.activity);
                let empty_feed = *character == NeverPosted && !observable_when_empty(&city, &key);
                assert_eq!(truth.observable, observable && !empty_feed, "{character:?} {key}");
            }
        }
    };
    let active = |activity| activity == Activity::Active;
    check(&[Canary, Active, PinnedActive, Slow, RateLimiting, Deleting], true, &active);
    check(&[Quiet], true, &|one| matches!(one, Activity::Active | Activity::Watch));
    check(&[Backdating], true, &|one| one == Activity::Watch);
    check(&[Dormant, PinnedDormant], true, &|one| one == Activity::Dormant);
    check(&[Zombie], true, &|one| one == Activity::Zombie);
    check(&[NeverPosted], true, &|one| one == Activity::Empty);
    check(&[Cancelled], true, &|one| one == Activity::Gone);
    check(&[Young], true, &|one| {
        matches!(one, Activity::Active | Activity::Undetermined(Reason::TooYoung))
    });
    let hidden = [Walled, Redesigned, Unreachable, RobotsRefused, Cached, HollowSuccess];
    check(&hidden, false, &|one| matches!(one, Activity::Active | Activity::Dormant));
}

fn observable_when_empty(city: &City, key: &str) -> bool {
    matches!(city.resident(key).unwrap().venue, Venue::Weibo | Venue::Portal)
}

#[test]
fn hidden_accounts_are_living_and_dead() {
    let city = city();
    let hidden = city
        .ledger()
        .into_iter()
        .map(|entry| entry.key)
        .filter(|key| city.character(key).is_some_and(Character::is_hidden));
    let hidden = hidden.map(|key| city.truth(&key, born()).unwrap()).collect::<Vec<_>>();
    let dead = hidden.iter().filter(|truth| truth.activity == Activity::Dormant).count();
    assert!(dead >= 8 && hidden.len() - dead >= 8, "{dead} of {}", hidden.len());
    assert!(hidden.iter().all(|truth| !truth.observable && !truth.reasons.is_empty()));
}

#[test]
fn half_of_the_quiet_fall_asleep_and_half_return_before_the_fourteenth_day() {
    let city = city();
    let later = born() + Duration::days(60);
    let asleep = |key: &String| city.truth(key, later).unwrap().activity == Activity::Dormant;
    let (asleep, awake): (Vec<_>, Vec<_>) =
        city.keys_of(Character::Quiet).into_iter().partition(asleep);
    assert!(asleep.len() >= 4 && awake.len() >= 4, "{asleep:?} {awake:?}");
    for day in 0..60 {
        for key in &awake {
            let truth = city.truth(key, born() + Duration::days(day)).unwrap();
            assert!(matches!(truth.activity, Activity::Active | Activity::Watch), "{key} {day}");
        }
    }
}

#[test]
fn thresholds_turn_at_their_instant() {
    let city = city();
    let key = &city.keys_of(Character::Dormant)[0];
    let last = *city.truth(key, born()).unwrap().posts.last().unwrap();
    let second = Duration::seconds(1);
    for (age, at_age, after) in [
        (Duration::days(10), Activity::Active, Activity::Watch),
        (Duration::days(14), Activity::Watch, Activity::Dormant),
    ] {
        assert_eq!(city.truth(key, last + age).unwrap().activity, at_age);
        assert_eq!(city.truth(key, last + age + second).unwrap().activity, after);
    }
}

#[test]
fn canaries_are_fresh_at_every_hour() {
    let city = city().with_canary(Venue::Weibo, "1234567890");
    assert_eq!(city.ledger().len(), 200);
    assert_eq!(city.canaries().len(), 5);
    for canary in city.canaries() {
        for turn in 0..15 {
            let now = born() + Duration::hours(turn * 7);
            let last = *city.truth(&canary.key, now).unwrap().posts.last().unwrap();
            assert!(now - last < Duration::hours(2), "{} {now}", canary.key);
        }
    }
    let list = timeline(&city, "1234567890", 1, born());
    assert_eq!(list["data"]["cards"][0]["mblog"]["user"]["id"], 1_234_567_890_u64);
}

#[test]
fn a_timeline_lists_each_post_once_with_its_time_in_the_id() {
    let city = city();
    let resident = one(&city, Venue::Weibo, Character::Deleting);
    let uid = &resident.entry.handle;
    let mut ids = BTreeSet::new();
    let mut page = 1;
    loop {
        let answer = timeline(&city, uid, page, born());
        let cards = answer["data"]["cards"].as_array().unwrap();
        if cards.is_empty() {
            assert_eq!((&answer["ok"], &answer["msg"]), (&0.into(), &"这里还没有内容".into()));
            break;
        }
        let posts = cards.iter().filter(|card| card["card_type"] == 9).map(|card| &card["mblog"]);
        for post in posts {
            let id = post["mid"].as_str().unwrap().parse::<u64>().unwrap();
            assert!(ids.insert(id), "{id} twice");
            assert_eq!(post["user"]["id"].to_string(), *uid);
            assert!(post["created_at"].is_string() && post["text"].is_string());
        }
        page += 1;
    }
    let info = &profile(&city, uid, born())["data"]["userInfo"];
    assert_eq!(info["statuses_count"], ids.len());
    assert_eq!(info["screen_name"], resident.entry.name.as_str());
    let truth = city.truth(&resident.entry.key, born()).unwrap();
    let times = ids.iter().map(|id| (id >> 22).cast_signed() + 515_483_463);
    let known = truth.posts.iter().map(DateTime::timestamp).collect::<BTreeSet<_>>();
    assert!(times.clone().all(|second| known.contains(&second)));
    assert!(times.count() < known.len(), "some posts are deleted");
}

#[test]
fn weibo_times_are_written_as_the_site_does() {
    let now = at("2026-03-02T09:00:00+08:00");
    for (then, relative, full) in [
        ("2026-03-02T08:59:30+08:00", "刚刚", "Mon Mar 02 08:59:30 +0800 2026"),
        ("2026-03-02T08:55:00+08:00", "5分钟前", "Mon Mar 02 08:55:00 +0800 2026"),
        ("2026-03-01T18:00:00+08:00", "15小时前", "Sun Mar 01 18:00:00 +0800 2026"),
        ("2026-03-01T08:07:00+08:00", "昨天 08:07", "Sun Mar 01 08:07:00 +0800 2026"),
        ("2026-02-28T23:00:00+08:00", "02-28", "Sat Feb 28 23:00:00 +0800 2026"),
        ("2025-12-31T23:59:00+08:00", "2025-12-31", "Wed Dec 31 23:59:00 +0800 2025"),
    ] {
        assert_eq!(shown_time(at(then), now, true), relative);
        assert_eq!(shown_time(at(then), now, false), full);
    }
}

#[test]
fn old_pins_stand_on_top_marked_or_not() {
    let city = city();
    let mut marks = BTreeSet::new();
    for character in [Character::PinnedActive, Character::PinnedDormant] {
        for resident in all(&city, Venue::Weibo, character) {
            let list = timeline(&city, &resident.entry.handle, 1, born());
            let cards = list["data"]["cards"].as_array().unwrap();
            let first = cards.iter().find(|card| card["card_type"] == 9).unwrap();
            let mid = first["mblog"]["mid"].as_str().unwrap().parse::<u64>().unwrap();
            let age = born().timestamp() - ((mid >> 22).cast_signed() + 515_483_463);
            assert!(age > 90 * 86_400, "{}", resident.entry.key);
            marks.insert(first["mblog"]["title"]["text"] == "置顶");
        }
    }
    assert_eq!(marks, BTreeSet::from([true, false]));
}

#[test]
fn weibo_walls_have_the_sites_own_forms() {
    let city = city();
    let walls = all(&city, Venue::Weibo, Character::Walled);
    let statuses = walls.iter().map(|resident| {
        let path = format!("/api/container/getIndex?type=uid&value={}", resident.entry.handle);
        let reply = get(&city, WEIBO, &path, born());
        if reply.status == 200 {
            let answer: Value = serde_json::from_slice(&reply.body).unwrap();
            assert_eq!(answer["ok"], -100);
            assert!(answer["url"].as_str().unwrap().contains("passport.weibo.com"));
        }
        if reply.status == 302 {
            let target = header(&reply, "location").unwrap();
            assert_eq!(get_url(&city, target, born()).status, 200);
        }
        reply.status
    });
    assert_eq!(statuses.collect::<BTreeSet<_>>(), BTreeSet::from([200, 302, 418, 432]));
}

#[test]
fn weibo_says_what_is_gone_empty_hollow_or_redesigned() {
    let city = city();
    let list = |character| {
        let resident = one(&city, Venue::Weibo, character);
        let uid = &resident.entry.handle;
        (timeline(&city, uid, 1, born()), profile(&city, uid, born()))
    };
    let (gone, gone_profile) = list(Character::Cancelled);
    assert_eq!((&gone["msg"], &gone_profile["msg"]), (&"用户不存在".into(), &"用户不存在".into()));
    let (empty, empty_profile) = list(Character::NeverPosted);
    assert_eq!(empty["msg"], "这里还没有内容");
    assert_eq!(empty_profile["data"]["userInfo"]["statuses_count"], 0);
    let (hollow, hollow_profile) = list(Character::HollowSuccess);
    assert_eq!(hollow, empty);
    assert!(hollow_profile["data"]["userInfo"]["statuses_count"].as_u64() > Some(0));
    let (redesigned, redesigned_profile) = list(Character::Redesigned);
    assert!(redesigned["data"]["cards"].is_null());
    assert!(redesigned_profile["data"]["userInfo"].is_null());
}

#[test]
fn comments_carry_the_accounts_answers() {
    let city = city();
    let mut answered = 0;
    for resident in all(&city, Venue::Weibo, Character::Active) {
        let list = timeline(&city, &resident.entry.handle, 1, born());
        for card in list["data"]["cards"].as_array().unwrap() {
            let Some(mid) = card["mblog"]["mid"].as_str() else { continue };
            let body = |path: &str| {
                let reply = get(&city, WEIBO, &format!("{path}?id={mid}&mid={mid}&page=1"), born());
                serde_json::from_slice::<Value>(&reply.body).unwrap()
            };
            let (flat, nested) = (body("/api/comments/show"), body("/comments/hotflow"));
            let count = card["mblog"]["comments_count"].as_u64().unwrap();
            assert_eq!(nested["data"]["total_number"], count);
            let rows = flat["data"]["data"].as_array().cloned().unwrap_or_default();
            let questions = rows.iter().filter(|row| row["reply_id"].is_null()).count();
            assert_eq!(questions as u64, count);
            answered += rows.len() - questions;
        }
    }
    assert!(answered > 0);
}

#[test]
fn the_bridge_tells_its_own_last_success() {
    let city = city();
    let resident = one(&city, Venue::Wechat, Character::Active);
    let reply = get_url(&city, resident.entry.url.as_deref().unwrap(), born());
    let success = at(header(&reply, "x-upstream-success-at").unwrap());
    assert!(born() - success < Duration::hours(2) && success <= born());
    let feed = feed_rs::parser::parse(reply.body.as_slice()).unwrap();
    assert_eq!(feed.title.unwrap().content, resident.entry.name);
    assert_eq!(feed.entries.len(), 30);
    for entry in &feed.entries {
        assert!(entry.published.is_some_and(|at| at <= success));
        let link = &entry.links[0].href;
        assert!(link.starts_with("https://mp.weixin.qq.com/s?__biz="), "{link}");
        assert!(link.contains("&mid=") && link.contains("&idx="), "{link}");
    }
    let ids = feed.entries.iter().map(|entry| &entry.id).collect::<BTreeSet<_>>();
    assert_eq!(ids.len(), 30);

    let stuck = one(&city, Venue::Wechat, Character::Walled);
    let reply = get_url(&city, stuck.entry.url.as_deref().unwrap(), born());
    let success = at(header(&reply, "x-upstream-success-at").unwrap());
    assert!(born() - success >= Duration::days(30));
    assert_eq!(header(&reply, "age"), None);
    assert_eq!(get(&city, BRIDGE, "/feeds/nobody.xml", born()).status, 404);
}

#[test]
fn every_readable_feed_parses_with_its_newest_post() {
    let city = city();
    let mut forms = BTreeSet::new();
    for character in [Character::Active, Character::Dormant, Character::Zombie, Character::Canary] {
        for resident in all(&city, Venue::Feed, character) {
            let reply = get_url(&city, resident.entry.url.as_deref().unwrap(), born());
            forms.insert(header(&reply, "content-type").unwrap().to_owned());
            let feed = feed_rs::parser::parse(reply.body.as_slice()).unwrap();
            let newest = feed.entries.iter().filter_map(|entry| entry.published).max();
            let truth = city.truth(&resident.entry.key, born()).unwrap();
            assert_eq!(newest, truth.posts.last().copied());
        }
    }
    assert_eq!(forms.len(), 2, "RSS and Atom: {forms:?}");
}

fn page_text(reply: &Reply) -> String {
    let encoding = match header(reply, "content-type").unwrap() {
        "text/html" => encoding_rs::GBK,
        _ => encoding_rs::UTF_8,
    };
    let (text, _, broken) = encoding.decode(&reply.body);
    assert!(!broken);
    text.into_owned()
}

fn rows(page: &str) -> Vec<(String, String)> {
    let page = Html::parse_document(page);
    let [row, link, date] = ["ul.list > li", "a", "span"].map(|css| Selector::parse(css).unwrap());
    let rows = page.select(&row).filter_map(|row| {
        let link = row.select(&link).next()?.attr("href")?.to_owned();
        let date = row.select(&date).next()?.text().collect::<String>();
        Some((link, date.trim_matches(['(', ')']).to_owned()))
    });
    rows.collect()
}

#[test]
fn columns_list_articles_in_both_encodings() {
    let city = city();
    let mut encodings = BTreeSet::new();
    for character in [Character::Active, Character::Dormant, Character::Quiet, Character::Canary] {
        for resident in all(&city, Venue::Portal, character) {
            let url = resident.entry.url.as_deref().unwrap();
            let reply = get_url(&city, url, born());
            encodings.insert(header(&reply, "content-type").unwrap().to_owned());
            let text = page_text(&reply);
            let rows = rows(&text);
            assert_eq!(rows.len(), 15, "{url}");
            let last = *city.truth(&resident.entry.key, born()).unwrap().posts.last().unwrap();
            assert_eq!(rows[0].1, shanghai_date(last).to_string());
            assert!(text.contains("<meta name=\"SiteName\""));
            let article = url.split("/col/").next().unwrap().to_owned() + &rows[0].0;
            let article = page_text(&get_url(&city, &article, born()));
            let minute = last.with_timezone(&SHANGHAI).format("%Y-%m-%d %H:%M");
            assert!(article.contains(&format!("<meta name=\"PubDate\" content=\"{minute}\">")));
            assert!(article.contains("<meta name=\"ArticleTitle\""));
            let second = get_url(&city, &url.replace("index.html", "index_2.html"), born());
            let second = self::rows(&page_text(&second));
            assert!(second[0].1 <= rows[14].1 && second[0].0 != rows[14].0, "{url}");
        }
    }
    assert_eq!(encodings.len(), 2, "UTF-8 and GBK: {encodings:?}");
}

#[test]
fn columns_say_what_is_gone_empty_hollow_or_redesigned() {
    let city = city();
    let page = |character| {
        let url = one(&city, Venue::Portal, character).entry.url.clone().unwrap();
        let reply = get_url(&city, &url, born());
        (reply.status, page_text(&reply))
    };
    assert_eq!(page(Character::Cancelled).0, 410);
    assert!(page(Character::NeverPosted).1.contains("暂无信息"));
    let hollow = page(Character::HollowSuccess);
    assert!(hollow.0 == 200 && rows(&hollow.1).is_empty() && !hollow.1.contains("暂无信息"));
    let redesigned = page(Character::Redesigned);
    assert!(redesigned.0 == 200 && !redesigned.1.contains("class=\"list\""));
}

#[test]
fn backdated_articles_appear_late_below_their_date() {
    let city = city();
    let resident = one(&city, Venue::Portal, Character::Backdating);
    let url = resident.entry.url.as_deref().unwrap();
    let dates = |now| {
        let listed = rows(&page_text(&get_url(&city, url, now)));
        listed.into_iter().map(|row| row.1).collect::<Vec<_>>()
    };
    let claimed = shanghai_date(born() - Duration::days(5)).to_string();
    assert!(!dates(born() + Duration::days(1)).contains(&claimed));
    assert!(dates(born() + Duration::days(3)).contains(&claimed));
    let truth = city.truth(&resident.entry.key, born() + Duration::days(3)).unwrap();
    assert_eq!(
        shanghai_date(*truth.posts.last().unwrap()),
        shanghai_date(born()) + Duration::days(2)
    );
}

#[test]
fn boards_show_when_it_was_asked_and_answered() {
    let city = city();
    let boards = all(&city, Venue::Portal, Character::Active).into_iter();
    let boards = boards.chain(all(&city, Venue::Portal, Character::Dormant)).map(|resident| {
        let reply = get(&city, resident.host(), "/hdjl/lyb/index.html", born());
        let page = Html::parse_document(&page_text(&reply));
        let cell = |css| page.select(&Selector::parse(css).unwrap()).count();
        (cell("table.board td.asked"), page_text(&reply).matches("已答复").count())
    });
    let boards = boards.collect::<Vec<_>>();
    assert!(boards.iter().any(|(asked, answered)| *asked == 15 && *answered > 0), "{boards:?}");
}

#[test]
fn a_cache_repeats_an_old_body_and_may_say_so() {
    let city = city();
    let later = born() + Duration::days(3);
    let mut with_age = BTreeSet::new();
    for venue in Venue::ALL {
        for resident in all(&city, venue, Character::Cached) {
            let url = match venue {
                Venue::Weibo => format!(
                    "https://{WEIBO}/api/container/getIndex?value={0}&containerid=107603{0}",
                    resident.entry.handle
                ),
                _ => resident.entry.url.clone().unwrap(),
            };
            let (one, two) = (get_url(&city, &url, born()), get_url(&city, &url, later));
            assert_eq!(one.body, two.body, "{url}");
            assert!(header(&one, "x-cache").unwrap().starts_with("HIT"));
            let age = |reply: &Reply| header(reply, "age").map(|age| age.parse::<i64>().unwrap());
            if let (Some(one), Some(two)) = (age(&one), age(&two)) {
                assert_eq!((one, two), (30 * 86_400, 33 * 86_400));
            }
            assert_eq!(age(&one).is_some(), header(&one, "date").is_some());
            with_age.insert(age(&one).is_some());
        }
    }
    assert_eq!(with_age.len(), 2);
}

#[test]
fn robots_refuse_where_scripted_and_only_there() {
    let city = city();
    let text =
        |host: &str| String::from_utf8(get(&city, host, "/robots.txt", born()).body).unwrap();
    for venue in [Venue::Portal, Venue::Feed] {
        let refusing = one(&city, venue, Character::RobotsRefused).host().to_owned();
        assert!(text(&refusing).contains("Disallow: /\n"));
    }
    for host in [WEIBO, BRIDGE, "feeds.lucheng.example"] {
        assert!(!text(host).contains("Disallow: /\n"), "{host}");
    }
    assert_eq!(get(&city, "elsewhere.example", "/robots.txt", born()).status, 421);
}

#[test]
fn rate_limits_come_and_go_with_the_clock() {
    let city = city();
    let url = one(&city, Venue::Portal, Character::RateLimiting).entry.url.clone().unwrap();
    let replies = |step: Duration| {
        let times = (0..30).map(move |turn| born() + step * turn);
        times.map(|now| get_url(&city, &url, now)).collect::<Vec<_>>()
    };
    for (step, name) in [(Duration::minutes(5), "5 min"), (Duration::hours(1), "1 h")] {
        let replies = replies(step);
        let limited = replies.iter().filter(|reply| reply.status == 429).collect::<Vec<_>>();
        assert!((5..=15).contains(&limited.len()), "{name}: {}", limited.len());
    }
    let said = replies(Duration::minutes(1))
        .iter()
        .filter_map(|reply| header(reply, "retry-after").map(|after| after.parse::<u64>().is_ok()))
        .collect::<BTreeSet<_>>();
    assert_eq!(said, BTreeSet::from([true, false]), "in seconds and as a date");
}

#[test]
fn what_a_timeline_shows_agrees_with_the_truth_of_every_account_in_sight() {
    let city = city();
    for now in [born(), born() + Duration::days(6), born() + Duration::days(20)] {
        let ledger = city.ledger().into_iter().filter(|entry| entry.platform == "weibo");
        for entry in ledger {
            let truth = city.truth(&entry.key, now).unwrap();
            let hindered = city.resident(&entry.key).unwrap().obstacle(now).is_some();
            if !truth.observable || hindered || truth.activity == Activity::Gone {
                continue;
            }
            let newest = (1..=2).flat_map(|page| {
                let list = timeline(&city, &entry.handle, page, now);
                let cards = list["data"]["cards"].as_array().unwrap().clone();
                let mids = cards.into_iter().filter_map(|card| {
                    card["mblog"]["mid"].as_str().map(|mid| mid.parse::<u64>().unwrap())
                });
                mids.collect::<Vec<_>>()
            });
            let newest = newest.max().map(|mid| (mid >> 22).cast_signed() + 515_483_463);
            let last = truth.posts.last().map(DateTime::timestamp);
            assert_eq!(newest, last, "{} {now}", entry.key);
        }
    }
}

#[test]
fn faults_of_a_key_go_before_those_of_its_host_and_before_the_script() {
    let city = city();
    let resident = one(&city, Venue::Portal, Character::Slow);
    let (host, url) = (resident.host(), resident.entry.url.as_deref().unwrap());
    let mut faults = Faults::default();
    let ask = |faults: &Faults| {
        let path = url.split_once(host).unwrap().1;
        answer(&city, faults, &Ask::new(host, path, born()))
    };
    assert!(matches!(ask(&faults).manner, Manner::Answered(1000..3000)));
    faults.set(host, Some(Fault::Outage(Outage::Status(502))));
    assert_eq!(ask(&faults).status, 502);
    faults.set(&resident.entry.key, Some(Fault::TooManyRequests { retry_after_seconds: 7 }));
    assert_eq!(ask(&faults).status, 429);
    faults.clear();
    assert_eq!(ask(&faults).status, 200);
}

#[test]
fn weibo_cards_need_no_session_for_any_readable_account() {
    let city = city();
    for character in [Character::Active, Character::Young, Character::Zombie, Character::Slow] {
        for resident in all(&city, Venue::Weibo, character) {
            let info = profile(&city, &resident.entry.handle, born());
            assert_eq!(info["data"]["userInfo"]["id"].to_string(), resident.entry.handle);
            let followers = &info["data"]["userInfo"]["followers_count"];
            assert!(followers.is_u64() || followers.as_str().unwrap().ends_with(['万', '+']));
        }
    }
}

#[test]
fn a_single_post_is_shown_until_it_is_deleted() {
    let city = city();
    let resident = one(&city, Venue::Weibo, Character::Deleting);
    let published = resident.plan.script.published(born());
    let deleted =
        published.iter().rev().find(|item| item.deleted_at.is_some_and(|at| at <= born()));
    let deleted = deleted.unwrap();
    let show = |now| {
        let path = format!("/statuses/show?id={}", weibo::mid(resident, deleted));
        serde_json::from_slice::<Value>(&get(&city, WEIBO, &path, now).body).unwrap()
    };
    assert_eq!(show(deleted.at)["data"]["user"]["id"].to_string(), resident.entry.handle);
    assert_eq!(show(born())["msg"], "该微博不存在");
}

#[test]
fn a_fault_of_a_host_strikes_every_account_in_the_platforms_own_form() {
    let city = city();
    let mut faults = Faults::default();
    for (venue, walled_status) in [(Venue::Wechat, 403), (Venue::Feed, 403)] {
        for fault in [
            Fault::Blocked,
            Fault::LayoutBreak,
            Fault::HollowSuccess,
            Fault::TooManyRequests { retry_after_seconds: 60 },
        ] {
            let resident = one(&city, venue, Character::Active);
            faults.set(resident.host(), Some(fault));
            let path = resident.address().strip_prefix(resident.host()).unwrap();
            let reply = answer(&city, &faults, &Ask::new(resident.host(), path, born()));
            let feed = feed_rs::parser::parse(reply.body.as_slice());
            match fault {
                Fault::Blocked => assert_eq!(reply.status, walled_status),
                Fault::LayoutBreak => assert!(reply.status == 200 && feed.is_err()),
                Fault::HollowSuccess => assert!(feed.unwrap().entries.is_empty()),
                _ => assert_eq!(reply.status, 429),
            }
        }
    }
    faults.set(WEIBO, Some(Fault::Blocked));
    let ask = Ask::new(WEIBO, "/api/container/getIndex?type=uid&value=1", born());
    let wall: Value = serde_json::from_slice(&answer(&city, &faults, &ask).body).unwrap();
    assert_eq!(wall["ok"], -100);
}

#[test]
fn the_ledger_has_the_required_columns_filled_and_the_defects_of_real_ones() {
    let csv = city().ledger_csv();
    let mut reader = csv::Reader::from_reader(csv.as_bytes());
    let columns = reader.headers().unwrap().clone();
    let rows = reader.records().map(Result::unwrap).collect::<Vec<_>>();
    assert_eq!(rows.len(), 200);
    for name in ["平台", "平台账号", "账号名称", "主办单位", "行政区划代码", "状态"]
    {
        let at = columns.iter().position(|column| column == name).unwrap();
        assert!(rows.iter().all(|row| !row[at].is_empty()), "{name}");
    }
    let ledger = city().ledger();
    assert!(ledger.iter().any(|entry| entry.supervisor.is_none()));
    assert!(ledger.iter().any(|entry| entry.sponsor_code.is_none()));
    assert!(ledger.iter().any(|entry| entry.exempt_until.is_some()));
    assert!(ledger.iter().any(|entry| entry.filed_on > entry.opened_on));
    let weibo = ledger.iter().filter(|entry| entry.platform == "weibo");
    let mut sponsors = weibo.map(|entry| &entry.sponsor).collect::<Vec<_>>();
    sponsors.sort();
    let twice = sponsors.windows(2).filter(|pair| pair[0] == pair[1]).count();
    assert_eq!(twice, 1, "one sponsor runs two accounts on one platform");
}

fn sample_path() -> std::path::PathBuf {
    std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("config/ledger.sample.csv")
}

#[test]
fn the_sample_ledger_is_in_step_with_the_city() {
    let text = std::fs::read_to_string(sample_path()).unwrap();
    assert!(
        text == City::sample().ledger_csv(),
        "run `xunjian simulate --sample-ledger > config/ledger.sample.csv`"
    );
    assert!(text.lines().count() > 200);
}
