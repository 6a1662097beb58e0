//! How the microblog site writes numbers, ids and times.

use chrono::{DateTime, Datelike, Duration, Utc};
use serde_json::{Value, json};

use crate::domain::{SHANGHAI, shanghai_date};

use super::chance::Chance;
use super::script::Item;

/// A count as the site writes it: from 100 万 on only a bound, rounded for some from 1 万 on.
pub(super) fn count(number: u64, rounded: bool) -> Value {
    match number {
        10_000.. if rounded => {
            json!(format!("{}.{}万", number / 10_000, number % 10_000 / 1000))
        }
        1_000_000.. => json!("100万+"),
        _ => json!(number),
    }
}

/// The short form of an id: groups of seven decimal digits from the right, each in base 62.
pub(super) fn base62(id: u64) -> String {
    const DIGITS: &[u8; 62] = b"0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
    let mut text = Vec::new();
    let mut rest = id;
    while rest > 0 {
        let mut group = rest % 10_000_000;
        rest /= 10_000_000;
        for _ in 0..4 {
            if rest > 0 || group > 0 {
                text.push(char::from(DIGITS[usize::try_from(group % 62).unwrap_or(0)]));
            }
            group /= 62;
        }
    }
    text.iter().rev().collect()
}

/// A time as the site shows it: relative below a day, then ever coarser; or in full. No word says
/// a time to come: it is shown by its date.
pub(super) fn shown_time(at: DateTime<Utc>, now: DateTime<Utc>, relative: bool) -> String {
    let local = at.with_timezone(&SHANGHAI);
    if !relative {
        return local.format("%a %b %d %H:%M:%S %z %Y").to_string();
    }
    let age = now - at;
    let yesterday = shanghai_date(now).pred_opt();
    if age < Duration::zero() {
        local.format("%Y-%m-%d").to_string()
    } else if age < Duration::minutes(1) {
        "刚刚".to_owned()
    } else if age < Duration::hours(1) {
        format!("{}分钟前", age.num_minutes())
    } else if age < Duration::hours(24) {
        format!("{}小时前", age.num_hours())
    } else if Some(local.date_naive()) == yesterday {
        local.format("昨天 %H:%M").to_string()
    } else if local.year() == now.with_timezone(&SHANGHAI).year() {
        local.format("%m-%d").to_string()
    } else {
        local.format("%Y-%m-%d").to_string()
    }
}

/// How often a post was liked or reposted by now: most seldom, few very often, most of it early.
pub(super) fn interactions(chance: &mut Chance, item: &Item, now: DateTime<Utc>) -> u64 {
    let most = *chance.pick(&[3, 3, 3, 8, 8, 40, 40, 300, 4_000, 40_000]);
    let last = chance.below(most + 1) * if chance.percent(1) { 60 } else { 1 };
    let minutes = (now - item.at).num_minutes().max(0).unsigned_abs();
    last * minutes / (minutes + 360)
}
