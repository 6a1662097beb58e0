use chrono::{DateTime, Duration, Utc};
use serde_json::{Value, json};

use super::answer::{Ask, Reply, VISITOR, WEIBO, is_gone};
use super::chance::{Chance, Use};
use super::character::Venue;
use super::city::City;
use super::inbox;
use super::names;
use super::resident::Resident;
use super::script::{Item, Pin};
use super::view::View;
use super::weibo_form::{base62, count, interactions, shown_time};

/// Posts on one page of a timeline.
const PAGE: usize = 10;

/// What stands where a visitor without a session is sent.
pub(super) const VISITOR_PAGE: &str = "<!DOCTYPE html><html><head><meta charset=\"utf-8\">\
    <title>Sina Visitor System</title></head><body><script>/* visitor */</script></body></html>";

/// The account of a question: named by uid, by container, or by the post whose comments are asked.
pub(super) fn asked_for<'a>(city: &'a City, ask: &Ask) -> Option<&'a Resident> {
    let uid = ask.parameter("value").or_else(|| ask.parameter("containerid")?.get(6..16));
    let uid = uid.or_else(|| ask.path.strip_prefix("/u/"));
    match uid {
        Some(uid) => city.by_handle(Venue::Weibo, uid),
        None => {
            let mid: u64 = ask.parameter("id")?.parse().ok()?;
            let number = usize::try_from((mid & 0x3f_ffff) >> 2).ok()?;
            city.by_number(number).filter(|one| item_of(one, mid).is_some())
        }
    }
}

/// The answer of `m.weibo.cn`.
pub(super) fn page(city: &City, ask: &Ask, resident: Option<&Resident>, view: View) -> Reply {
    let is_list = ask.parameter("containerid").is_some_and(|id| id.starts_with("107603"));
    let answer = match (ask.path.as_str(), resident) {
        (_, Some(resident)) if view == View::Walled => return wall(ask, resident.look.wall),
        _ if view == View::Walled => return wall(ask, 0),
        ("/api/container/getIndex", None) => nobody(),
        ("/api/container/getIndex", Some(one)) if is_gone(one, ask.now) => nobody(),
        ("/api/container/getIndex", Some(_)) if is_list && view == View::Hollow => nothing(),
        ("/api/container/getIndex", Some(one)) if is_list => timeline(city, ask, one, view),
        ("/api/container/getIndex", Some(one)) => profile(ask, one, view),
        ("/statuses/show", Some(one)) => single(city, ask, one),
        ("/api/comments/show", Some(one)) => inbox::weibo_flat(ask, one),
        ("/comments/hotflow", Some(one)) => inbox::weibo_nested(ask, one),
        _ => return Reply::html(404, "<html><body>404</body></html>"),
    };
    Reply::new(200, "application/json; charset=utf-8", answer.to_string())
}

fn wall(ask: &Ask, form: usize) -> Reply {
    let back = format!("https%3A%2F%2F{}{}", ask.host, ask.path.replace('/', "%2F"));
    match form % 4 {
        0 => {
            let url = format!("https://passport.weibo.com/sso/signin?entry=wapsso&url={back}");
            let body = json!({"ok": -100, "url": url, "errno": "100005"});
            Reply::new(200, "application/json; charset=utf-8", body.to_string())
        }
        1 => Reply::html(302, "")
            .with("location", format!("https://{VISITOR}/visitor/visitor?entry=sinawap&a=enter")),
        2 => Reply::html(432, ""),
        _ => Reply::html(418, "<html><body>418 I'm a teapot</body></html>"),
    }
}

/// The platform's sign of an empty list and of a list's end; also what a soft block looks like.
fn nothing() -> Value {
    json!({"ok": 0, "msg": "这里还没有内容", "data": {"cards": []}})
}

pub(super) fn nobody() -> Value {
    json!({"ok": 0, "errno": "20003", "msg": "用户不存在"})
}

/// One post by its own address.
fn single(city: &City, ask: &Ask, resident: &Resident) -> Value {
    let item = ask.parameter("id").and_then(|id| item_of(resident, id.parse().ok()?));
    match item.filter(|item| item.is_visible(ask.now) && !is_gone(resident, ask.now)) {
        Some(item) => {
            let author = user(resident, ask.now);
            json!({"ok": 1, "data": mblog(city, resident, &item, &author, ask.now)})
        }
        None => json!({"ok": 0, "errno": "20101", "msg": "该微博不存在"}),
    }
}

fn timeline(city: &City, ask: &Ask, resident: &Resident, view: View) -> Value {
    let items = on_page(resident, ask, view);
    if items.is_empty() {
        return nothing();
    }
    let uid = &resident.entry.handle;
    let total = resident.plan.script.visible_total(ask.now);
    let next =
        (ask.page() * PAGE < usize::try_from(total).unwrap_or(usize::MAX)).then(|| ask.page() + 1);
    let redesigned = view == View::Redesigned;
    // Counting all posts is the dear part: once for the page, as its profile card.
    let author = user(resident, ask.now);
    let cards = items.iter().map(|item| {
        let post = mblog(city, resident, item, &author, ask.now);
        match redesigned {
            true => json!({"type": "status", "status": renamed(post)}),
            false => json!({
                "card_type": 9,
                "itemid": format!("107603{uid}_-_{}", mid(resident, item)),
                "scheme": format!("https://m.weibo.cn/status/{}", base62(mid(resident, item))),
                "mblog": post,
                "show_type": 0,
            }),
        }
    });
    let mut cards = cards.collect::<Vec<_>>();
    // Lists carry cards that are no posts: search bars, recommendations.
    if !redesigned && ask.page() == 1 && resident.look.wall % 3 == 1 {
        let more = json!({"card_type": 4, "desc": "全部微博", "title": "查看更多"});
        cards.insert(0, json!({"card_type": 11, "show_type": 1, "card_group": [more]}));
    }
    json!({"ok": 1, "data": {
        "cardlistInfo": {
            "containerid": format!("107603{uid}"), "v_p": 42, "show_style": 1,
            "total": total, "page": next,
        },
        (if redesigned { "statuses" } else { "cards" }): cards,
        "scheme": format!("sinaweibo://cardlist?containerid=107603{uid}&type=uid&value={uid}"),
    }})
}

fn on_page(resident: &Resident, ask: &Ask, view: View) -> Vec<Item> {
    let script = &resident.plan.script;
    let pins = script.singles.iter().rev().filter(|item| item.pin.is_some()).copied().collect();
    let rest = script.visible(ask.now).filter(|item| item.pin.is_none());
    view.arranged(pins, rest).skip((ask.page() - 1) * PAGE).take(PAGE).collect()
}

fn renamed(mut post: Value) -> Value {
    if let Some(fields) = post.as_object_mut() {
        let at = fields.remove("created_at").unwrap_or_default();
        fields.insert("publish_time".to_owned(), at);
        fields.remove("user");
    }
    post
}

fn mblog(
    city: &City,
    resident: &Resident,
    item: &Item,
    author: &Value,
    now: DateTime<Utc>,
) -> Value {
    let id = mid(resident, item);
    let mut chance = Chance::of(city.seed(), Use::Counts, &[id]);
    let title = resident.title(item);
    let rounded = resident.look.rounded_counts;
    let repost = chance.percent(resident.look.reposts_percent);
    let mut post = json!({
        "visible": {"type": 0, "list_id": 0},
        "created_at": shown_time(item.shown_at, now, resident.look.relative_times),
        "id": id.to_string(), "idstr": id.to_string(), "mid": id.to_string(),
        "bid": base62(id),
        "can_edit": false,
        "text": format!("【{title}】{}", names::paragraph(&title)),
        "source": "微博网页版",
        "favorited": false,
        "user": author,
        "reposts_count": count(interactions(&mut chance, item, now), rounded),
        "comments_count": inbox::under(resident, item, now).len(),
        "attitudes_count": count(interactions(&mut chance, item, now), rounded),
        "isLongText": false,
        "mblogtype": if item.pin == Some(Pin::Marked) { 2 } else { 0 },
    });
    let Some(fields) = post.as_object_mut() else { return post };
    if item.pin == Some(Pin::Marked) {
        fields.insert("isTop".to_owned(), json!(1));
        fields.insert("title".to_owned(), json!({"text": "置顶", "base_color": 1}));
    }
    if repost {
        let source = Item::at(item.at - Duration::minutes(chance.between(30, 3000)));
        let other = city.first_on_host(WEIBO).unwrap_or(resident);
        let mut original = json!({
            "created_at": shown_time(source.at, now, resident.look.relative_times),
            "id": mid(other, &source).to_string(), "mid": mid(other, &source).to_string(),
            "text": names::paragraph(&other.title(&source)),
            "user": user(other, now),
        });
        original["attitudes_count"] = json!(chance.below(5000));
        fields.insert("retweeted_status".to_owned(), original);
    }
    post
}

fn profile(ask: &Ask, resident: &Resident, view: View) -> Value {
    let uid = &resident.entry.handle;
    let key = if view == View::Redesigned { "profile_card" } else { "userInfo" };
    let mut info = user(resident, ask.now);
    if view == View::Redesigned {
        info = json!({"nick": resident.entry.name, "fans": info["followers_count"]});
    }
    json!({"ok": 1, "data": {
        key: info,
        "fans_scheme": format!("https://m.weibo.cn/p/index?containerid=231051_-_fans_-_{uid}"),
        "tabsInfo": {"selectedTab": 1, "tabs": [
            {"id": 1, "tabKey": "profile", "title": "主页", "containerid": format!("230283{uid}")},
            {"id": 2, "tabKey": "weibo", "title": "微博", "tab_type": "weibo",
             "containerid": format!("107603{uid}")},
        ]},
    }})
}

fn user(resident: &Resident, now: DateTime<Utc>) -> Value {
    let script = &resident.plan.script;
    let mut chance = Chance::of(script.seed, Use::Counts, &[script.number]);
    let least = *chance.pick(&[300, 6_000, 40_000, 700_000]);
    let base = least + chance.below(least * 3);
    let days = (now - script.opened_at).num_days().max(0).unsigned_abs();
    let followers = base + days * (1 + base / 20_000);
    let uid = &resident.entry.handle;
    json!({
        "id": uid.parse::<u64>().unwrap_or_default(),
        "screen_name": resident.entry.name,
        "profile_url": format!("https://m.weibo.cn/u/{uid}?uid={uid}"),
        "statuses_count": script.visible_total(now),
        "verified": true, "verified_type": 1,
        "verified_reason": format!("{}官方微博", resident.entry.sponsor),
        "description": "虚构城市的模拟账号",
        "followers_count": count(followers, resident.look.rounded_counts),
        "follow_count": 20 + chance.below(300),
    })
}

/// The post id: seconds since the site's epoch 515483463 above 22 bits of its own, here the
/// account's number and the place.
pub(super) fn mid(resident: &Resident, item: &Item) -> u64 {
    let seconds = (item.made_at.timestamp() - 515_483_463).max(0).unsigned_abs();
    seconds << 22 | (resident.plan.script.number << 2 | u64::from(item.place & 3)) & 0x3f_ffff
}

/// The account's post with an id.
pub(super) fn item_of(resident: &Resident, id: u64) -> Option<Item> {
    let seconds = (id >> 22).cast_signed() + 515_483_463;
    resident.plan.script.made_at(seconds).find(|item| mid(resident, item) == id)
}
