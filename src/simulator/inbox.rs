use chrono::{DateTime, Datelike, Duration, NaiveDate, Utc};
use serde_json::{Value, json};

use crate::domain::{SHANGHAI, shanghai_date, shanghai_midnight};

use super::answer::Ask;
use super::chance::{Chance, Use};
use super::character::Venue;
use super::city::City;
use super::resident::{Replies, Resident};
use super::script::Item;
use super::weibo;
use super::weibo_form::shown_time;

/// A message of a citizen, with the account's answer where it has given one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Message {
    pub(super) asked_at: DateTime<Utc>,
    pub(super) replied_at: Option<DateTime<Utc>>,
    /// Set apart from other messages of its second.
    pub(super) serial: u64,
}

/// A message of a citizen as anybody can see it at an instant.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Correspondence {
    /// When it was asked.
    pub asked_at: DateTime<Utc>,
    /// When the account answered, if it has.
    pub replied_at: Option<DateTime<Utc>>,
    /// The platform's id of the post it stands under; none on a message board.
    pub post: Option<String>,
}

impl City {
    /// The messages that stand on an account's board, or under its posts since an instant, as they
    /// are at another, in no particular order; none for accounts that have neither.
    pub fn messages(
        &self,
        key: &str,
        since: DateTime<Utc>,
        now: DateTime<Utc>,
    ) -> Vec<Correspondence> {
        let Some(resident) = self.resident(key) else { return Vec::new() };
        let seen = |message: Message, post: Option<String>| Correspondence {
            asked_at: message.asked_at,
            replied_at: message.replied_at,
            post,
        };
        match resident.venue {
            Venue::Portal => on_board(resident, now)
                .take_while(|message| message.asked_at >= since - Duration::days(1))
                .filter(|message| message.asked_at >= since)
                .map(|message| seen(message, None))
                .collect(),
            Venue::Weibo => resident
                .plan
                .script
                .visible(now)
                .take_while(|item| item.at >= since)
                .flat_map(|item| {
                    let post = weibo::mid(resident, &item).to_string();
                    let messages = under(resident, &item, now).into_iter();
                    messages.map(move |message| seen(message, Some(post.clone())))
                })
                .collect(),
            Venue::Wechat | Venue::Feed => Vec::new(),
        }
    }
}

impl Message {
    fn draw(chance: &mut Chance, asked_at: DateTime<Utc>, replies: Replies) -> Option<Self> {
        let (percent, hours) = match replies {
            Replies::NoMessages => return None,
            Replies::Prompt => (95, (1, 20)),
            Replies::Slow => (70, (50, 400)),
            Replies::Never => (0, (1, 1)),
        };
        let answered = chance.percent(percent);
        let after = Duration::minutes(chance.between(hours.0 * 60, hours.1 * 60));
        let replied_at = answered.then_some(asked_at + after);
        Some(Self { asked_at, replied_at, serial: chance.below(1 << 20) })
    }

    /// The message as it stands at an instant.
    fn at(self, now: DateTime<Utc>) -> Option<Self> {
        let replied_at = self.replied_at.filter(|at| *at <= now);
        (self.asked_at <= now).then_some(Self { replied_at, ..self })
    }

    fn id(&self, at: DateTime<Utc>) -> u64 {
        (at.timestamp() - 515_483_463).max(0).unsigned_abs() << 22 | self.serial
    }
}

/// The comments under a post at an instant, newest first.
pub(super) fn under(resident: &Resident, item: &Item, now: DateTime<Utc>) -> Vec<Message> {
    let script = &resident.plan.script;
    let labels = [script.number, item.at.timestamp().cast_unsigned(), u64::from(item.place)];
    let mut chance = Chance::of(script.seed, Use::Inbox, &labels);
    let count = *chance.pick(&[0, 0, 1, 3]);
    let mut messages = (0..count)
        .filter_map(|_| {
            let asked_at = item.at + Duration::seconds(chance.between(300, 2 * 86_400));
            Message::draw(&mut chance, asked_at, resident.look.replies)?.at(now)
        })
        .collect::<Vec<_>>();
    messages.sort_by_key(|message| std::cmp::Reverse(message.asked_at));
    messages
}

/// The messages on a site's board at an instant, newest first.
pub(super) fn on_board(
    resident: &Resident,
    now: DateTime<Utc>,
) -> impl Iterator<Item = Message> + '_ {
    let script = &resident.plan.script;
    let first = shanghai_date(script.opened_at);
    let days = std::iter::successors(Some(shanghai_date(now)), NaiveDate::pred_opt);
    days.take_while(move |day| *day >= first).filter_map(move |day| {
        let number = u64::try_from(day.num_days_from_ce()).unwrap_or(0);
        let mut chance = Chance::of(script.seed, Use::Inbox, &[script.number, number]);
        if !chance.percent(40) {
            return None;
        }
        let asked_at = shanghai_midnight(day) + Duration::seconds(chance.between(0, 86_399));
        Message::draw(&mut chance, asked_at, resident.look.replies)?.at(now)
    })
}

fn asked_post(ask: &Ask, resident: &Resident) -> Vec<Message> {
    let id = ask.parameter("id").and_then(|id| id.parse().ok());
    let item = id.and_then(|id| weibo::item_of(resident, id));
    item.map(|item| under(resident, &item, ask.now)).unwrap_or_default()
}

fn citizen(message: &Message) -> Value {
    let id = 9_800_000_000 + message.serial;
    json!({"id": id, "screen_name": format!("市民{:05}", message.serial % 100_000),
        "verified": false, "verified_type": -1, "followers_count": message.serial % 90})
}

fn office(resident: &Resident) -> Value {
    json!({"id": resident.entry.handle.parse::<u64>().unwrap_or_default(),
        "screen_name": resident.entry.name, "verified": true, "verified_type": 1})
}

/// `api/comments/show`: comments and answers in one list.
pub(super) fn weibo_flat(ask: &Ask, resident: &Resident) -> Value {
    let messages = asked_post(ask, resident);
    if messages.is_empty() || ask.page() > 1 {
        return json!({"ok": 0, "msg": "暂无数据"});
    }
    let time = |at| shown_time(at, ask.now, resident.look.relative_times);
    let rows = messages.iter().flat_map(|message| {
        let answer = message.replied_at.map(|at| {
            json!({"id": message.id(at), "created_at": time(at), "user": office(resident),
                "text": "您好，您反映的问题已转交办理。", "reply_id": message.id(message.asked_at),
                "reply_text": "请问什么时候办理？", "like_counts": 0})
        });
        let asked = json!({"id": message.id(message.asked_at), "created_at": time(message.asked_at),
            "user": citizen(message), "text": "请问什么时候办理？", "like_counts": 0});
        answer.into_iter().chain([asked])
    });
    let rows = rows.collect::<Vec<_>>();
    json!({"ok": 1, "msg": "数据获取成功",
        "data": {"total_number": rows.len(), "max": 1, "data": rows}})
}

/// `comments/hotflow`: answers below their comments, times in full.
pub(super) fn weibo_nested(ask: &Ask, resident: &Resident) -> Value {
    let messages = asked_post(ask, resident);
    let time = |at| shown_time(at, ask.now, false);
    let rows = messages.iter().map(|message| {
        let id = message.id(message.asked_at);
        let answer = message.replied_at.map(|at| {
            json!({"id": message.id(at).to_string(), "rootid": id.to_string(),
                "created_at": time(at), "user": office(resident),
                "text": "您好，您反映的问题已转交办理。"})
        });
        json!({"id": id.to_string(), "mid": id.to_string(), "rootid": id.to_string(),
            "created_at": time(message.asked_at), "text": "请问什么时候办理？",
            "user": citizen(message), "like_count": 0,
            "total_number": u8::from(answer.is_some()),
            "comments": Vec::from_iter(answer)})
    });
    let rows = rows.collect::<Vec<_>>();
    json!({"ok": 1, "data": {"data": rows, "total_number": messages.len(),
        "max_id": 0, "max": 1, "max_id_type": 0}})
}

/// A day or a minute in Beijing time.
pub(super) fn beijing(at: DateTime<Utc>, form: &str) -> String {
    at.with_timezone(&SHANGHAI).format(form).to_string()
}
