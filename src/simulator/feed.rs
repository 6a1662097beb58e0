use std::cmp::Reverse;

use chrono::{DateTime, Datelike, Utc};

use crate::domain::shanghai_date;

use super::answer::{Ask, Reply, is_gone};
use super::character::Venue;
use super::inbox::beijing;
use super::names;
use super::resident::Resident;
use super::script::Item;
use super::view::View;

/// Entries of a feed.
const ENTRIES: usize = 30;

/// The header by which the bridge says when it last reached the platform for an account.
pub(super) const UPSTREAM_SUCCESS: &str = "x-upstream-success-at";

pub(super) fn rfc3339(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(chrono::SecondsFormat::Secs, true)
}

/// The answer of a feed, or of the bridge as it stood at `refreshed_before` at the latest: the
/// bridge shows what it found on its own last visit upstream and says when that was.
pub(super) fn page(
    ask: &Ask,
    resident: &Resident,
    refreshed_before: DateTime<Utc>,
    view: View,
) -> Reply {
    let is_bridge = resident.venue == Venue::Wechat;
    if is_gone(resident, ask.now) {
        let gone = Reply::new(410, "text/plain; charset=utf-8", "账号已注销 (410 Gone)\n");
        let success = resident.upstream_success_at(refreshed_before.min(ask.now));
        return if is_bridge { gone.with(UPSTREAM_SUCCESS, rfc3339(success)) } else { gone };
    }
    match view {
        View::Walled => return Reply::html(403, "<html><body>403 Forbidden</body></html>"),
        View::Redesigned => {
            let text = "<html><head><title>改版公告</title></head><body>本站已升级，订阅地址已调整\
                        </body></html>";
            return Reply::html(200, text);
        }
        _ => {}
    }
    let before = refreshed_before.min(ask.now);
    let as_of = if is_bridge { resident.upstream_success_at(before) } else { before };
    let items = match view {
        View::Hollow => Vec::new(),
        _ => {
            let script = &resident.plan.script;
            let part = ask.parameter("part").and_then(|part| part.parse().ok());
            let items = script.visible(as_of).filter(|item| is_of_part(item, part));
            // Items that claim an earlier time stand further down: look a little further.
            let enough = ENTRIES + script.singles.len();
            let mut items: Vec<Item> = view.arranged(Vec::new(), items).take(enough).collect();
            if view != View::Hot {
                items.sort_by_key(|item| Reverse(item.shown_at));
            }
            items.truncate(ENTRIES);
            items
        }
    };
    let items = items.into_iter().map(|item| view.dated(item)).collect::<Vec<_>>();
    let newest = items.first().map(|item| item.at);
    if is_bridge {
        let text = rss(resident, &items, Some(as_of), view);
        return Reply::new(200, "application/rss+xml; charset=utf-8", text)
            .with(UPSTREAM_SUCCESS, rfc3339(as_of))
            .validated(Some(as_of));
    }
    let (kind, text) = match resident.look.second_form {
        // Atom demands a time of every entry.
        true if !matches!(view, View::Undated(_)) => {
            ("application/atom+xml; charset=utf-8", atom(resident, &items))
        }
        // Half of the sites leave out the optional time of the last change.
        _ => {
            let built = newest.filter(|_| resident.look.second_dates);
            ("application/rss+xml; charset=utf-8", rss(resident, &items, built, view))
        }
    };
    Reply::new(200, kind, text).validated(newest)
}

/// A site that shows its posts in two parts puts those of twenty days into one, of the next twenty
/// into the other.
fn is_of_part(item: &Item, part: Option<i32>) -> bool {
    let day = shanghai_date(item.written_at).num_days_from_ce();
    part.is_none_or(|part| day / 20 % 2 == part)
}

fn pub_date(resident: &Resident, item: &Item, view: View) -> String {
    match view {
        View::Undated(since) if item.at > since => String::new(),
        _ => format!("<pubDate>{}</pubDate>\n", rss_time(resident, item.shown_at)),
    }
}

fn rss(resident: &Resident, items: &[Item], built_at: Option<DateTime<Utc>>, view: View) -> String {
    let time = |at| rss_time(resident, at);
    let built = built_at.map(|at| format!("<lastBuildDate>{}</lastBuildDate>\n", time(at)));
    let entries = items.iter().map(|item| {
        let title = escaped(&resident.title(item));
        let link = escaped(&link(resident, item));
        format!(
            "<item>\n<title>{title}</title>\n<link>{link}</link>\n\
             <guid isPermaLink=\"{}\">{}</guid>\n<description>{}</description>\n\
             {}</item>\n",
            resident.venue == Venue::Feed,
            escaped(&reference(resident, item)),
            escaped(&names::paragraph(&resident.title(item))),
            pub_date(resident, item, view),
        )
    });
    let home = match resident.venue {
        Venue::Wechat => "https://mp.weixin.qq.com/".to_owned(),
        _ => format!("https://{}/", resident.host()),
    };
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<rss version=\"2.0\">\n<channel>\n\
         <title>{}</title>\n<link>{home}</link>\n<description>{}（模拟）</description>\n\
         <language>zh-cn</language>\n{}{}</channel>\n</rss>\n",
        escaped(&resident.entry.name),
        escaped(&resident.entry.name),
        built.unwrap_or_default(),
        entries.collect::<String>(),
    )
}

fn atom(resident: &Resident, items: &[Item]) -> String {
    let time = |at| beijing(at, "%Y-%m-%dT%H:%M:%S%:z");
    let address = escaped(resident.entry.url.as_deref().unwrap_or_default());
    let updated = items.first().map_or(resident.plan.script.opened_at, |item| item.at);
    let entries = items.iter().map(|item| {
        format!(
            "<entry>\n<id>{}</id>\n<title>{}</title>\n<link rel=\"alternate\" href=\"{}\"/>\n\
             <published>{}</published>\n<updated>{}</updated>\n<summary>{}</summary>\n</entry>\n",
            escaped(&reference(resident, item)),
            escaped(&resident.title(item)),
            escaped(&link(resident, item)),
            time(item.shown_at),
            time(item.shown_at),
            escaped(&names::paragraph(&resident.title(item))),
        )
    });
    format!(
        "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n\
         <feed xmlns=\"http://www.w3.org/2005/Atom\" xml:lang=\"zh-CN\">\n<id>{address}</id>\n\
         <title>{}</title>\n<link rel=\"self\" href=\"{address}\"/>\n<updated>{}</updated>\n\
         <author><name>{}</name></author>\n{}</feed>\n",
        escaped(&resident.entry.name),
        time(updated),
        escaped(&resident.entry.sponsor),
        entries.collect::<String>(),
    )
}

fn rss_time(resident: &Resident, at: DateTime<Utc>) -> String {
    match resident.look.second_dates {
        true => at.format("%a, %d %b %Y %H:%M:%S GMT").to_string(),
        false => beijing(at, "%a, %d %b %Y %H:%M:%S %z"),
    }
}

/// The message number of an official account's push: grows with time, one for all its articles.
fn message_number(item: &Item) -> i64 {
    2_247_000_000 + (item.made_at.timestamp() - 1_700_000_000)
}

fn link(resident: &Resident, item: &Item) -> String {
    match resident.venue {
        Venue::Wechat => format!(
            "https://mp.weixin.qq.com/s?__biz={}&mid={}&idx={}&sn={:016x}",
            resident.entry.handle,
            message_number(item),
            item.place,
            item.made_at.timestamp().wrapping_mul(0x9e37_79b9).cast_unsigned()
                + u64::from(item.place),
        ),
        _ => reference(resident, item),
    }
}

fn reference(resident: &Resident, item: &Item) -> String {
    match resident.venue {
        Venue::Wechat => format!("{}_{}", message_number(item), item.place),
        _ => {
            let name = resident.address().rsplit('/').next().unwrap_or_default();
            let name = name.trim_end_matches(".xml");
            format!("https://{}/{name}/{}.html", resident.host(), item.made_at.timestamp())
        }
    }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
