//! The same values by hand: what a program written for one page would do, without judging it.

use std::sync::LazyLock;

use scraper::{ElementRef, Html, Selector};
use serde_json::Value;

fn selector(text: &str) -> Selector {
    Selector::parse(text).expect("a fixed selector")
}

fn text(element: ElementRef<'_>) -> String {
    element.text().collect::<String>().trim().to_owned()
}

static ITEMS: LazyLock<Selector> =
    LazyLock::new(|| selector("li, tr, dl, dd, dt, p, div, td, article, section"));
static LINK: LazyLock<Selector> = LazyLock::new(|| selector("a[href][title]"));
static DATE: LazyLock<Selector> =
    LazyLock::new(|| selector("span, em, i, time, td, dd, p, b, small, font, label"));
static EMPTY: LazyLock<Selector> = LazyLock::new(|| selector(".empty, .nodata, .no-data"));
static NEXT: LazyLock<Selector> =
    LazyLock::new(|| selector("[class*=\"pag\" i] a[class*=\"next\" i]"));

/// Address, title and date of each entry of the column; its sign of emptiness and next page.
pub(crate) fn column(body: &[u8]) -> Vec<[String; 3]> {
    let page = std::str::from_utf8(body).expect("UTF-8");
    let page = Html::parse_document(page);
    let mut entries = Vec::new();
    for item in page.select(&ITEMS) {
        // The hand that wrote this knows where the entries are.
        let name = item.value().name();
        let list = item.parent().and_then(ElementRef::wrap);
        if name != "li" || list.and_then(|list| list.attr("class")) != Some("list") {
            continue;
        }
        let Some(link) = item.select(&LINK).next() else { continue };
        let Some(date) = item.select(&DATE).next() else { continue };
        let attribute = |name: &str| link.attr(name).unwrap_or_default().to_owned();
        entries.push([attribute("href"), attribute("title"), text(date)]);
    }
    std::hint::black_box((page.select(&EMPTY).next(), page.select(&NEXT).next()));
    entries
}

static POSTS: LazyLock<Selector> = LazyLock::new(|| selector("div.c[id^=\"M_\"]"));
static FIELDS: LazyLock<Vec<Selector>> = LazyLock::new(|| {
    let fields = [
        ".ctt",
        ".ct",
        ".kt",
        ".cmt",
        "a[href*=\"/video/\"]",
        "a[href*=\"/mblog/pic\"]",
        "a[href*=\"/attitude/\"]",
        "a.cc, a[href*='/comment/']",
        "a[href*=\"/repost/\"]",
    ];
    fields.map(selector).into()
});
static OWNER: LazyLock<Vec<Selector>> =
    LazyLock::new(|| ["div.u a[href*=\"/fans\"]", "div.u .tc", "title"].map(selector).into());

/// Every field of each post of the plain timeline, and its owner.
pub(crate) fn plain_timeline(body: &[u8]) -> Vec<Vec<Option<String>>> {
    let page = std::str::from_utf8(body).expect("UTF-8");
    let page = Html::parse_document(page);
    for one in OWNER.iter() {
        std::hint::black_box(page.select(one).next().map(text));
    }
    let posts = page.select(&POSTS).map(|post| {
        let id = post.attr("id").map(str::to_owned);
        let fields = FIELDS.iter().map(|field| post.select(field).next().map(text));
        std::iter::once(id).chain(fields).collect()
    });
    posts.collect()
}

/// Every field of each card, and its owner.
pub(crate) fn cards(body: &[u8]) -> Vec<Vec<Option<String>>> {
    let answer: Value = serde_json::from_slice(body).expect("JSON");
    let told = |value: &Value| match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(yes) => Some(yes.to_string()),
        Value::Array(_) | Value::Object(_) => Some(String::new()),
        Value::Null => None,
    };
    let empty = Vec::new();
    let cards = answer["data"]["cards"].as_array().unwrap_or(&empty);
    let mut rows = Vec::with_capacity(cards.len());
    for card in cards {
        let post = &card["mblog"];
        let user = &post["user"];
        let own = [
            "mid",
            "id",
            "text",
            "created_at",
            "isTop",
            "mblogtype",
            "pics",
            "pic_num",
            "retweeted_status",
            "reads_count",
            "attitudes_count",
            "comments_count",
            "reposts_count",
        ];
        let mut row = own.map(|name| told(&post[name])).to_vec();
        row.push(told(&post["page_info"]["type"]));
        row.push(told(&post["title"]["text"]));
        row.push(told(&user["id"]));
        if rows.is_empty() {
            let owner = ["screen_name", "verified_reason", "followers_count", "statuses_count"];
            row.extend(owner.map(|name| told(&user[name])));
        }
        rows.push(row);
    }
    rows
}
