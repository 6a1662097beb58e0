//! Template mutations of recorded and made-up pages: the same facts in other clothes.
//!
//! Deterministic: a page gives the same mutants every time. Shared by the tests of the generic
//! reader and by the measurement in this folder.

use regex::{Captures, Regex};

/// A changed page.
pub(crate) struct Mutant {
    /// What was changed.
    pub(crate) name: String,
    /// The page's bytes.
    pub(crate) body: Vec<u8>,
    /// The address it is read from.
    pub(crate) url: Option<String>,
    /// Whether its date, or its list, can still be found on it.
    pub(crate) readable: bool,
}

/// What is true of an article page.
pub(crate) struct Truth<'a> {
    pub(crate) title: &'a str,
    /// `2026-11-18`.
    pub(crate) day: &'a str,
    /// `16:42` or `16:42:05`; empty where only the day is known.
    pub(crate) clock: &'a str,
    pub(crate) url: Option<&'a str>,
}

fn fixed(pattern: &str) -> Regex {
    Regex::new(pattern).expect("a fixed pattern")
}

impl Truth<'_> {
    fn parts(&self) -> (&str, u32, u32) {
        let number =
            |range| self.day.get(range).and_then(|text: &str| text.parse().ok()).unwrap_or(0);
        (&self.day[..4], number(5..7), number(8..10))
    }

    fn written(&self, form: &str) -> String {
        let (year, month, day) = self.parts();
        let date = match form {
            "han" => format!("{year}年{month}月{day}日"),
            "slash" => format!("{year}/{month}/{day}"),
            "dot" => format!("{year}.{month:02}.{day:02}"),
            "wide" => self.day.chars().map(wide).collect(),
            "entity" => self.day.chars().map(|c| format!("&#{};", u32::from(c))).collect(),
            _ => self.day.to_owned(),
        };
        let clock = match form {
            "wide" => self.clock.chars().map(wide).collect(),
            _ => self.clock.to_owned(),
        };
        format!("{date} {clock}").trim().to_owned()
    }

    /// The date in every form, with a clock behind it.
    fn pattern(&self) -> Regex {
        let (year, month, day) = self.parts();
        fixed(&format!(
            "{year}\\s?[-/.年]\\s?0?{month}\\s?[-/.月]\\s?0?{day}(?:日|\\b)(?:(?:\\s|&nbsp;|T)*\\d{{1,2}}:\\d{{2}}(?::\\d{{2}})?)?(?:\\.0|Z|\\+08:?00)?"
        ))
    }

    fn compact(&self) -> Regex {
        let (year, month, day) = self.parts();
        fixed(&format!("{year}[-/]?{month:02}[-/]?{day:02}|{year}/{month}/{day}"))
    }

    fn wide_pattern(&self) -> Regex {
        let (year, month, day) = self.parts();
        let wide = |text: String| text.chars().map(wide).collect::<String>();
        fixed(&format!(
            "{}年{}月{}日",
            wide(year.to_owned()),
            wide(format!("{month:02}")),
            wide(format!("{day:02}"))
        ))
    }

    /// The page without its date, in the head, in the text and in addresses.
    fn removed(&self, page: &str) -> String {
        let page = self.pattern().replace_all(page, "");
        let page = self.compact().replace_all(&page, "0");
        self.wide_pattern().replace_all(&page, "").into_owned()
    }
}

fn wide(character: char) -> char {
    match character {
        '!'..='~' => char::from_u32(u32::from(character) + 0xfee0).unwrap_or(character),
        other => other,
    }
}

/// Every mutant of an article page.
pub(crate) fn articles(page: &str, truth: &Truth<'_>) -> Vec<Mutant> {
    let undated = truth.removed(page);
    let statement = |form: &str| format!("<div>{}</div>", truth.written(form));
    let labelled = |label: &str, form: &str| format!("<p>{label}{}</p>", truth.written(form));
    let iso = match truth.clock {
        "" => truth.day.to_owned(),
        clock if clock.len() == 5 => format!("{}T{clock}:00+08:00", truth.day),
        clock => format!("{}T{clock}+08:00", truth.day),
    };
    let compact_day = truth.day.replace('-', "");
    let url = |text: &str| Some(format!("https://www.hailan.example/{text}"));
    let old = truth.url.map(str::to_owned);
    let none = url("content/detail.html");
    let mut bases = vec![
        ("as it is", page.to_owned(), old.clone(), true),
        ("no date metas", without_metas(page, true), old.clone(), true),
        ("no metas", without_metas(page, false), old.clone().or(none.clone()), true),
        ("renamed", renamed(page), old.clone(), true),
        ("other tags", retagged(page), old.clone(), true),
        (
            "renamed, other tags, no metas",
            renamed(&retagged(&without_metas(page, false))),
            old.clone().or(none.clone()),
            true,
        ),
        ("relabelled", relabelled(page), old, true),
        (
            "moved to PubDate",
            in_head(&undated, &format!("<meta name='PubDate' content='{}'>", truth.written(""))),
            none.clone(),
            true,
        ),
        (
            "moved to linked data",
            in_head(
                &undated,
                &format!(
                    "<script type='application/ld+json'>{{\"@type\":\"NewsArticle\",\"datePublished\":\"{iso}\",\"dateModified\":\"2026-11-22\"}}</script>"
                ),
            ),
            none.clone(),
            true,
        ),
        (
            "moved to the address",
            undated.clone(),
            url(&format!("tzgg/{}/t{compact_day}_77.html", &compact_day[..6])),
            true,
        ),
        (
            "moved to the end with a label",
            at_end(&undated, &labelled("发布日期：", "")),
            none.clone(),
            true,
        ),
        ("moved to an unlabelled end", at_end(&undated, &statement("")), none.clone(), false),
        ("removed", undated.clone(), none.clone(), false),
    ];
    for (name, block) in [
        ("moved under the title, bare", statement("")),
        ("moved under the title, 年月日", labelled("发布时间：", "han")),
        ("moved under the title, slashes", labelled("日期：", "slash")),
        ("moved under the title, dots", labelled("发表于 ", "dot")),
        ("moved under the title, wide", labelled("发布日期：", "wide")),
        ("moved under the title, entities", labelled("时&nbsp;间：", "entity")),
        ("moved under the title, element", format!("<p><time datetime='{iso}'>发布</time></p>")),
        (
            "moved under the title, byline",
            format!(
                "<p>来源：<a href='/'>海岚日报</a>&nbsp;&nbsp;{}&nbsp;&nbsp;浏览：5</p>",
                truth.written("")
            ),
        ),
        (
            "moved under the title, table",
            format!(
                "<table><tr><td>成文日期：</td><td>2011年1月5日</td></tr><tr><td>发布日期：</td><td>{}</td></tr></table>",
                truth.written("han")
            ),
        ),
    ] {
        if let Some(changed) = under_title(&undated, truth.title, &block) {
            bases.push((name, changed, none.clone(), true));
        }
    }
    let mut out = Vec::new();
    for (name, page, url, readable) in bases {
        for (decoy, changed) in decoys(&page) {
            let name = format!("{name}; {decoy}");
            out.push(Mutant { name, body: changed.into_bytes(), url: url.clone(), readable });
        }
    }
    for (name, body) in encodings(page) {
        out.push(Mutant { name, body, url: truth.url.map(str::to_owned), readable: true });
    }
    out
}

/// Every mutant of a column page.
pub(crate) fn lists(page: &str, url: &str) -> Vec<Mutant> {
    let date = fixed(r"((?:19|20)\d{2})-(\d{2})-(\d{2})");
    let shown = |form: &str| {
        in_text(page, &date, |m| match form {
            "han" => format!("{}年{}月{}日", &m[1], &m[2], &m[3]),
            "slash" => format!("{}/{}/{}", &m[1], &m[2], &m[3]),
            "clock" => format!("{} 08:30", &m[0]),
            _ => format!("[{}]", &m[0]),
        })
    };
    let bases = [
        ("as it is", page.to_owned()),
        ("renamed", renamed(page)),
        ("other tags", retagged(page)),
        ("renamed, other tags", renamed(&retagged(page))),
        ("年月日", shown("han")),
        ("slashes", shown("slash")),
        ("brackets", shown("brackets")),
        ("clocks", shown("clock")),
        ("wrapped", wrapped(page)),
    ];
    let mut out = Vec::new();
    for (name, page) in bases {
        for (decoy, changed) in list_decoys(&page) {
            let name = format!("{name}; {decoy}");
            out.push(Mutant {
                name,
                body: changed.into_bytes(),
                url: Some(url.to_owned()),
                readable: true,
            });
        }
    }
    for (name, body) in encodings(page) {
        out.push(Mutant { name, body, url: Some(url.to_owned()), readable: true });
    }
    let removed = date.replace_all(page, "").into_owned();
    out.push(Mutant {
        name: "dates removed".to_owned(),
        body: at_start(&removed, SIDE).into_bytes(),
        url: Some(url.to_owned()),
        readable: false,
    });
    out
}

const SIDE: &str = "<div class='k3'><h4>热点推荐</h4><ul><li><a href='/other/1.html'>全市防汛抗旱工作电视电话会议召开</a><span>2016-07-08</span></li><li><a href='/other/2.html'>关于做好高温天气安全生产的通知</a><span>2018-08-02</span></li><li><a href='/other/3.html'>图书馆新馆建成开放</a><span>2017-05-19</span></li></ul></div>";
const RELATED: &str = "<div class='k4'><p>相关阅读</p><p><a href='/other/4.html'>市政府召开重点工作推进会</a> 2015-09-10</p><p><a href='/other/5.html'>全市招商引资项目签约仪式举行</a> 2018-02-03</p></div>";
const FOOT: &str = "<div class='k5'>版权所有 © 2001-2026 某某办公室 主办　京ICP备20010101号-1　京公网安备 11010120150312号　最后更新：2014-12-31</div>";
const TODAY: &str = "<div class='k6'>今天是 2013年7月9日 星期二</div>";
const BARS: &str = "<div class='k7'><a href='/'>首页</a> <a href='/gk/'>信息公开</a> <a href='/fw/'>办事服务</a> <a href='/hd/'>互动交流</a></div>";
const NEIGHBOURS: &str = "<div class='k8'>上一篇：<a href='/other/6.html'>关于开展专项检查的通知</a> 2016-03-04<br>下一篇：<a href='/other/7.html'>关于放假安排的公告</a> (2016-03-09)</div>";
const CALENDAR: &str = "<table class='k9'><caption>2012年5月</caption><tr><td>29</td><td>30</td><td>1</td><td>2</td></tr><tr><td><a href='?d=2012-05-03'>3</a></td><td>4</td><td>5</td><td>6</td></tr></table>";

fn decoys(page: &str) -> Vec<(&'static str, String)> {
    let changed = format!("{NEIGHBOURS}{RELATED}{FOOT}");
    vec![
        ("no decoys", page.to_owned()),
        ("header of today, footer", at_end(&at_start(page, &format!("{TODAY}{BARS}")), FOOT)),
        ("hot list before", at_start(page, SIDE)),
        ("neighbours, related, footer", at_end(page, &changed)),
        (
            "calendar, other metas",
            in_head(
                &at_start(page, CALENDAR),
                "<meta name='lastmodified' content='2014-01-02'><meta property='article:modified_time' content='2014-01-02T08:00:00+08:00'><meta http-equiv='expires' content='2015-01-01'>",
            ),
        ),
        (
            "everything",
            at_end(&at_start(page, &format!("{TODAY}{BARS}{CALENDAR}{SIDE}")), &changed),
        ),
    ]
}

fn list_decoys(page: &str) -> Vec<(&'static str, String)> {
    vec![
        ("no decoys", page.to_owned()),
        ("header of today, footer", at_end(&at_start(page, &format!("{TODAY}{BARS}")), FOOT)),
        ("hot list before", at_start(page, SIDE)),
        ("related after, calendar", at_end(&at_start(page, CALENDAR), RELATED)),
        (
            "everything",
            at_end(
                &at_start(page, &format!("{TODAY}{BARS}{CALENDAR}{SIDE}")),
                &format!("{RELATED}{FOOT}"),
            ),
        ),
    ]
}

fn encodings(page: &str) -> Vec<(String, Vec<u8>)> {
    let charset = fixed(r#"(?i)charset\s*=\s*["']?[\w-]+"#);
    let said = |name: &str| charset.replace_all(page, format!("charset={name}")).into_owned();
    let gb = |text: &str| encoding_rs::GB18030.encode(text).0.into_owned();
    let utf16 = |text: &str| {
        let units = text.encode_utf16().flat_map(u16::to_le_bytes);
        [0xff, 0xfe].into_iter().chain(units).collect::<Vec<_>>()
    };
    vec![
        ("GB18030, declared".to_owned(), gb(&said("gb2312"))),
        ("GB18030, declared as UTF-8".to_owned(), gb(&said("utf-8"))),
        ("GB18030, undeclared".to_owned(), gb(&charset.replace_all(page, "x"))),
        ("UTF-8, declared as GB2312".to_owned(), said("gb2312").into_bytes()),
        ("UTF-16".to_owned(), utf16(page)),
    ]
}

fn without_metas(page: &str, dates_only: bool) -> String {
    let date = fixed(r"(?i)date|time|pub");
    let meta = fixed(r"(?is)<meta\b[^>]*>");
    let keep = |m: &Captures<'_>| {
        let charset = m[0].to_ascii_lowercase().contains("charset");
        if charset || dates_only && !date.is_match(&m[0]) { m[0].to_owned() } else { String::new() }
    };
    meta.replace_all(page, keep).into_owned()
}

/// Classes and ids without meaning.
fn renamed(page: &str) -> String {
    let names = fixed(r#"(?i)\s(class|id)\s*=\s*(?:"([^"]*)"|'([^']*)')"#);
    let mut known: Vec<String> = Vec::new();
    let rename = |m: &Captures<'_>| {
        let value = m.get(2).or_else(|| m.get(3)).map_or("", |m| m.as_str());
        let name = |word: &str| {
            let at = known.iter().position(|known| known == word).unwrap_or_else(|| {
                known.push(word.to_owned());
                known.len() - 1
            });
            format!("x{at}")
        };
        let words = value.split_whitespace().map(name).collect::<Vec<_>>();
        format!(" {}=\"{}\"", &m[1], words.join(" "))
    };
    names.replace_all(page, rename).into_owned()
}

/// Headings, lists and spans as other elements.
fn retagged(page: &str) -> String {
    let tag = fixed(r"(?i)<(/?)(h1|h2|ul|li|span|em)\b");
    let other = |m: &Captures<'_>| {
        let name = match m[2].to_ascii_lowercase().as_str() {
            "h1" | "h2" | "ul" => "div",
            "li" => "section",
            "span" => "b",
            _ => "font",
        };
        format!("<{}{name}", &m[1])
    };
    tag.replace_all(page, other).into_owned()
}

fn relabelled(page: &str) -> String {
    let label = fixed("发布时间|发布日期|发稿时间|发表时间");
    let mut at = 0;
    let words = ["发稿日期", "公布时间", "信息时间", "发布于"];
    label
        .replace_all(page, |_: &Captures<'_>| {
            at += 1;
            words[at % words.len()]
        })
        .into_owned()
}

fn wrapped(page: &str) -> String {
    let body = fixed(r"(?is)(<body\b[^>]*>)(.*)(</body>)");
    let wrap = "$1<table><tr><td>首页 导航</td><td><div><div>$2</div></div></td></tr></table>$3";
    body.replace(page, wrap).into_owned()
}

fn at_start(page: &str, block: &str) -> String {
    let body = fixed(r"(?i)<body\b[^>]*>");
    body.replace(page, |m: &Captures<'_>| format!("{}{block}", &m[0])).into_owned()
}

fn at_end(page: &str, block: &str) -> String {
    match page.rfind("</body>").or_else(|| page.rfind("</BODY>")) {
        Some(end) => format!("{}{block}{}", &page[..end], &page[end..]),
        None => format!("{page}{block}"),
    }
}

fn in_head(page: &str, block: &str) -> String {
    match page.find("</head>").or_else(|| page.find("</HEAD>")) {
        Some(end) => format!("{}{block}{}", &page[..end], &page[end..]),
        None => format!("<head>{block}</head>{page}"),
    }
}

/// Behind the last element of the body that holds the title and nothing else.
fn under_title(page: &str, title: &str, block: &str) -> Option<String> {
    let body = page.find("<body").or_else(|| page.find("<BODY"))?;
    let place = fixed(&format!(
        r"{}\s*</(?:h\d|div|b|strong|font|td)>(?:\s*</(?:td|h1|b)>)*",
        regex::escape(title)
    ));
    let found = place.find_iter(&page[body..]).next()?;
    let end = body + found.end();
    let cell = found.as_str().contains("</td>");
    let block = if cell { format!("</tr><tr><td>{block}</td>") } else { block.to_owned() };
    Some(format!("{}{block}{}", &page[..end], &page[end..]))
}

/// Changes dates of the text, not those in attributes.
fn in_text(page: &str, date: &Regex, change: impl Fn(&Captures<'_>) -> String) -> String {
    let text = fixed(r">[^<]+<");
    let each =
        |m: &Captures<'_>| date.replace_all(&m[0], |d: &Captures<'_>| change(d)).into_owned();
    text.replace_all(page, each).into_owned()
}

/// How an extraction compares with the truth.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Answer {
    Right,
    Refused,
    Wrong,
}

/// Compares the one post of an article, as `xunjian extract` prints it: the same day, and where it
/// names a clock, that of the page.
pub(crate) fn compare_article(read: &serde_json::Value, day: &str, clock: &str) -> Answer {
    let Some(at) = read["posts"][0]["published_at"].as_str() else { return Answer::Refused };
    let length = match read["posts"][0]["precision"].as_str() {
        Some("second") => 8,
        Some("minute") => 5,
        _ => 0,
    };
    let shown = at.get(11..11 + length.min(clock.len())).unwrap_or_default();
    if at.get(..10) == Some(day) && clock.starts_with(shown) {
        Answer::Right
    } else {
        Answer::Wrong
    }
}

/// Compares a list: every entry with its day, and no other but the optional ones.
pub(crate) fn compare_list(
    read: &serde_json::Value,
    entries: &[(String, String)],
    optional: &[String],
) -> Answer {
    let posts = read["posts"].as_array().map(Vec::as_slice).unwrap_or_default();
    if posts.is_empty() {
        return Answer::Refused;
    }
    let bare = |url: &str| url.replacen("http://", "https://", 1);
    let read = posts.iter().filter_map(|post| {
        Some((bare(post["url"].as_str()?), post["published_at"].as_str()?.get(..10)?.to_owned()))
    });
    let read = read.collect::<Vec<_>>();
    let all = entries.iter().all(|(url, day)| read.contains(&(bare(url), day.clone())));
    let only = read.iter().all(|(url, day)| {
        entries.iter().any(|(known, known_day)| bare(known) == *url && known_day == day)
            || optional.iter().any(|known| bare(known) == *url)
    });
    if all && only { Answer::Right } else { Answer::Wrong }
}
