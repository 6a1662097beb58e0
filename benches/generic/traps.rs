//! Pages that are hard to read, each made for a reason, by what sites do rather than by what the
//! reader looks for: other templates, other labels, dates that are not the publication.
//!
//! Shared by the tests of the generic reader and by the measurement in this folder. Observed on
//! 22 November 2026; the publication is 23 October, where there is one.

/// A page with what is true of it.
pub(crate) struct Trap {
    pub(crate) name: String,
    pub(crate) body: Vec<u8>,
    pub(crate) url: String,
    /// The day of publication; `None` where the page does not tell it, and any answer is wrong.
    pub(crate) day: Option<&'static str>,
}

/// A column page with its entries, or with none that can be told for sure.
pub(crate) struct ListTrap {
    pub(crate) name: String,
    pub(crate) body: Vec<u8>,
    pub(crate) url: String,
    pub(crate) entries: Vec<(String, String)>,
}

const DAY: &str = "2026-10-23";
const TITLE: &str = "海岚市财政局关于下达二〇二六年度中小企业发展专项资金的通知";
const PLAIN_URL: &str = "https://czj.hailan.example/info/1042/88317.htm";

/// What stands where a template has its line of details, and the day that it tells.
fn details() -> Vec<(&'static str, String, Option<&'static str>)> {
    let told = Some(DAY);
    let plain = |name, text: &str, day| (name, text.to_owned(), day);
    vec![
        plain("label and clock", "发布时间：2026-10-23 09:15", told),
        plain("label in brackets", "[发布日期] 2026年10月23日", told),
        plain("label without a colon", "发布日期 2026/10/23　浏览量 1842", told),
        plain("label in full width", "发布时间：２０２６－１０－２３　０９：１５", told),
        plain("label, ISO with offset", "发布时间：2026-10-23T09:15:00+08:00", told),
        plain("label, dots", "日期：2026.10.23 字体：【大 中 小】", told),
        plain("label, one digit short", "时间：2026-10-23  来源：本站原创  点击：次", told),
        plain(
            "label in its own span",
            "<span>来源：</span><span>财政局</span><span>时间：</span><span>2026-10-23</span>",
            told,
        ),
        plain("label spaced out", "发 布 时 间：2026-10-23", told),
        plain("label split by tags", "<b>发布</b><i>时间</i>：2026-10-23", told),
        plain(
            "date split by spans",
            "发布时间：<span>2026</span>年<span>10</span>月<span>23</span>日",
            told,
        ),
        plain("date split by comments", "发布时间：2026-<!-- m -->10-<!-- d -->23", told),
        plain("day over month", "<em>23</em><i>2026-10</i>", told),
        plain("date before the word", "2026-10-23 发布", told),
        plain("date before source", "2026-10-23 09:15:00 来源：市财政局 作者：预算科", told),
        plain("date behind a name", "预算科 2026-10-23 09:15", told),
        plain("first published, revised", "首次发布：2026-10-23　最近修订：2026-11-20", told),
        plain("published, updated", "发布：2026-10-23　更新：2026-11-20", told),
        plain("updated, published", "更新时间：2026-11-20 | 发布时间：2026-10-23", told),
        plain("written, published", "成文日期：2026年10月9日　发布日期：2026年10月23日", told),
        plain("published, written", "发布日期：2026年10月23日　成文日期：2026年10月9日", told),
        plain("published, valid until", "发布日期：2026-10-23　有效期至：2027-10-22", told),
        plain("published, deadline", "发布时间：2026-10-23　截止时间：2026-11-20", told),
        plain(
            "three dates",
            "生成日期：2026-10-09　公开日期：2026-10-23　失效日期：2028-10-09",
            told,
        ),
        plain("English label", "Published: October 23, 2026", told),
        plain("English, short month", "Posted on Oct 23, 2026 by Admin", told),
        plain("English, day first", "Published 23 October 2026", told),
        plain(
            "English, updated and published",
            "Updated: Nov 20, 2026 · Published: Oct 23, 2026",
            told,
        ),
        plain("Chinese numerals", "发布时间：二〇二六年十月二十三日", told),
        plain("without a year", "发布时间：10-23 09:15", told),
        plain("without a year, words", "发布于 10月23日", told),
        plain("two-digit year", "发布时间：26-10-23", told),
        plain("relative", "发布时间：30天前", told),
        plain(
            "time element",
            "<time datetime='2026-10-23T09:15:00+08:00' itemprop='datePublished'>10月23日</time>",
            told,
        ),
        plain("time element without a value", "<time>2026-10-23 09:15</time>", told),
        plain(
            "edited time element beside",
            "<time itemprop='dateModified' datetime='2026-11-20'>11-20</time> 发布时间：2026-10-23",
            told,
        ),
        plain("tooltip", "<span title='2026-10-23 09:15'>发布时间：2026-10-23</span>", told),
        plain(
            "hidden decoy before",
            "<span style='display: none'>2026-11-22</span>发布时间：2026-10-23",
            told,
        ),
        plain("hidden input", "<input type='hidden' value='2026-11-22'>发布时间：2026-10-23", told),
        plain(
            "reads like a date",
            "浏览次数：20261120　发布时间：2026-10-23　编号：2026-11-01-003",
            told,
        ),
        plain("number of a document", "文号：海财发〔2026〕11号　发布时间：2026-10-23", told),
        plain(
            "table, label left",
            "<table><tr><th>索引号</th><td>AB0300-2026-0117</td></tr><tr><th>成文日期</th><td>2026-10-09</td></tr><tr><th>发布日期</th><td>2026-10-23</td></tr></table>",
            told,
        ),
        plain(
            "table, two pairs a row",
            "<table><tr><td>发文机关</td><td>市财政局</td><td>成文日期</td><td>2026年10月09日</td></tr><tr><td>标题</td><td>通知</td><td>发布日期</td><td>2026年10月23日</td></tr></table>",
            told,
        ),
        plain(
            "table, label above",
            "<table><tr><th>成文日期</th><th>发布日期</th></tr><tr><td>2026-10-09</td><td>2026-10-23</td></tr></table>",
            told,
        ),
        plain(
            "table, label above, swapped",
            "<table><tr><th>发布日期</th><th>成文日期</th></tr><tr><td>2026-10-23</td><td>2026-10-09</td></tr></table>",
            told,
        ),
        plain(
            "definition list",
            "<dl><dt>有效性</dt><dd>有效</dd><dt>发布日期</dt><dd>2026-10-23</dd><dt>施行日期</dt><dd>2026-11-01</dd></dl>",
            told,
        ),
        plain(
            "label and value in columns",
            "<div><p>发布日期：</p><p>施行日期：</p></div><div><p>2026-10-23</p><p>2026-11-01</p></div>",
            told,
        ),
        // No publication time is told from here on.
        plain("only written", "成文日期：2026年10月9日", None),
        plain("only generated", "生成日期：2026-10-09", None),
        plain("only valid until", "有效期至：2027-10-22", None),
        plain("only a deadline", "截止日期：2026-11-20", None),
        plain("only in force from", "施行日期：2026年11月1日", None),
        plain("only updated", "更新时间：2026-11-20 10:00", None),
        plain("only revised", "最后修订：2026年11月20日", None),
        plain("only printed", "打印时间：2026-11-22 08:00", None),
        plain("only a meeting", "会议时间：2026年10月29日 地点：市政府二楼", None),
        plain("only a period of notice", "公示时间：2026年10月26日至2026年10月30日", None),
        plain("only a period of entry", "报名时间：2026年10月26日—2026年11月6日", None),
        plain("only the opening of bids", "开标时间：2026-11-16 09:30", None),
        plain("only a birthday", "出生日期：1969-10-23", None),
        plain("only today", "今天是2026年11月22日 星期日", None),
        plain("only the time of the visit", "当前时间：2026-11-22 20:14:55", None),
        plain(
            "label without a value",
            "<span>发布时间：<i id='pub'></i></span><p>更新于 2026-11-20</p>",
            None,
        ),
        plain("label with an impossible value", "发布时间：2026-13-45", None),
        plain("label with the first second", "发布时间：1970-01-01 08:00:00", None),
        plain("label of the future", "发布时间：2027-10-23", None),
        plain("label of another page", "原文发布时间：2026-08-01", None),
        plain("a wish of a visitor", "网友留言时间：2026-10-25", None),
        plain("collected", "采集时间：2026-11-19 03:00", None),
        plain("nothing", "来源：市财政局　作者：预算科", None),
    ]
}

/// What else a page may hold: the head, before the title, behind the text.
fn company() -> Vec<(&'static str, &'static str, &'static str, &'static str)> {
    vec![
        ("alone", "", "", ""),
        (
            "newest posts beside, comments behind",
            "",
            "<div class='b2'><h3>最新发布</h3><p>2026-11-21 <a href='/info/1042/90001.htm'>关于召开全市预算编制工作会议的通知</a></p><p>2026-11-19 <a href='/info/1042/90000.htm'>关于开展政府采购自查的通知</a></p></div>",
            "<div class='c7'><p>网友评论</p><div><b>海岚网友</b><span>发表于 2026-10-25 21:03:11</span><p>支持，希望尽快落实。</p></div><div><b>清风</b><span>2026-10-26 08:12</span><p>请问什么时候到账？</p></div></div>",
        ),
        (
            "linked data of others, weather, related cards",
            "<script type='application/ld+json'>{\"@context\":\"https://schema.org\",\"@graph\":[{\"@type\":\"Organization\",\"name\":\"海岚市财政局\",\"foundingDate\":\"1983-05-01\"},{\"@type\":\"ItemList\",\"itemListElement\":[{\"@type\":\"NewsArticle\",\"headline\":\"其他\",\"datePublished\":\"2026-09-01\"}]},{\"@type\":\"NewsArticle\",\"headline\":\"海岚港三期工程正式开工建设\",\"datePublished\":\"2026-09-02\"}]}</script><script>var today='2026-11-22',built='2026-11-20 03:00:00';</script>",
            "<div class='tq'>2026年11月22日 多云转晴 8~15℃ 农历十月十四</div>",
            "<div class='q3'><b>相关文章</b><div><a href='/info/1042/70001.htm'>关于下达二〇二五年度专项资金的通知</a><span>发布时间：2025-10-21</span></div><div><a href='/info/1042/70002.htm'>专项资金管理办法解读</a><span>发布时间：2025-11-02</span></div></div><p>网站建成于2009年5月1日　最后更新：2026-11-20　Copyright 2009-2026</p>",
        ),
        (
            "rendered today, signed, quoted",
            "<meta name='date' content='2026-11-22'><meta property='og:updated_time' content='2026-11-20T03:00:00+08:00'><meta http-equiv='last-modified' content='Fri, 20 Nov 2026 03:00:00 GMT'><meta name='generator' content='CMS 2026-01-15'>",
            "",
            "<p>附件：1.分配表（2026-10-08）.xlsx</p><p style='text-align:right'>海岚市财政局</p><p style='text-align:right'>2026年10月9日</p><p>（此件公开发布，原文件发布时间：2025-01-02）</p>",
        ),
    ]
}

/// A page of a head, what stands before the title, the details, and what stands behind the text.
type Template = fn(&str, &str, &str, &str) -> String;

/// Four ways in which sites are built.
fn templates() -> Vec<(&'static str, Template)> {
    const TEXT: &str = "<p>各县（市、区）财政局：</p><p>根据2026年8月15日市政府第三十二次常务会议精神和2026年度预算安排，现将中小企业发展专项资金下达给你们，请于2026年12月31日前完成拨付，并做好绩效管理。</p><p>专项资金实行专款专用，任何单位和个人不得截留挪用。2025年11月30日前结余的资金按规定收回。</p>";
    vec![
        ("tables", |head, before, details, after| {
            format!(
                "<HTML><HEAD><TITLE>{TITLE}-海岚市财政局</TITLE><META http-equiv=Content-Type content='text/html; charset=utf-8'>{head}</HEAD><BODY>{before}<TABLE width=960 align=center><TR><TD align=center><FONT size=5><B>{TITLE}</B></FONT></TD></TR><TR><TD align=center>{details}</TD></TR><TR><TD>{TEXT}</TD></TR></TABLE>{after}</BODY></HTML>"
            )
        }),
        ("headings", |head, before, details, after| {
            format!(
                "<!DOCTYPE html><html lang='zh'><head><meta charset='utf-8'><title>{TITLE}</title>{head}</head><body><header><a href='/'>海岚市财政局</a></header>{before}<main><article><h1>{TITLE}</h1><div class='m1'>{details}</div><div class='txt'>{TEXT}</div></article>{after}</main></body></html>"
            )
        }),
        ("nothing but blocks", |head, before, details, after| {
            format!(
                "<!doctype html><html><head><meta charset=\"utf-8\"><title>海岚市财政局</title>{head}</head><body><div id=app><div>{before}</div><div><div><div class=t9>{TITLE}</div><div class=t8>{details}</div></div><section>{TEXT}</section></div><div>{after}</div></div></body></html>"
            )
        }),
        ("details behind the text", |head, before, details, after| {
            format!(
                "<html><head><meta charset='utf-8'><title>{TITLE}_政策文件_海岚市财政局</title>{head}</head><body>{before}<div class='w'><h2>{TITLE}</h2>{TEXT}<div class='info'>{details}</div></div>{after}</body></html>"
            )
        }),
    ]
}

/// Every article page.
pub(crate) fn articles() -> Vec<Trap> {
    let mut traps = Vec::new();
    for (template, page) in templates() {
        for (what, details, day) in details() {
            for (company, head, before, after) in company() {
                let name = format!("{what}; {template}; {company}");
                let body = page(head, before, &details, after).into_bytes();
                traps.push(Trap { name, body, url: PLAIN_URL.to_owned(), day });
            }
        }
    }
    traps.extend(declared());
    traps
}

/// What the head, scripts and the address say, with a page that says nothing or something else.
fn declared() -> Vec<Trap> {
    let article = |date: &str| {
        format!(
            "{{\"@type\":\"NewsArticle\",\"headline\":\"{TITLE}\",\"datePublished\":\"{date}\",\"dateModified\":\"2026-11-20\"}}"
        )
    };
    let data = |json: String| format!("<script type='application/ld+json'>{json}</script>");
    let own = article("2026-10-23T09:15:00+08:00");
    let others =
        "{\"@type\":\"NewsArticle\",\"headline\":\"别的文章\",\"datePublished\":\"2026-09-02\"}";
    let meta = |name: &str, content: &str| format!("<meta name='{name}' content='{content}'>");
    let told = Some(DAY);
    let quiet = "来源：市财政局";
    let cases: Vec<(&str, String, &str, String, Option<&'static str>)> = vec![
        (
            "graph with others",
            data(format!(
                "{{\"@graph\":[{{\"@type\":\"WebSite\"}},{own},{{\"@type\":\"BreadcrumbList\"}}]}}"
            )),
            quiet,
            PLAIN_URL.into(),
            told,
        ),
        (
            "main entity",
            data(format!(
                "{{\"@type\":\"WebPage\",\"dateModified\":\"2026-11-20\",\"mainEntity\":{own}}}"
            )),
            quiet,
            PLAIN_URL.into(),
            told,
        ),
        (
            "main entity, others listed",
            data(format!("{{\"@type\":\"WebPage\",\"mainEntity\":{own},\"hasPart\":[{others}]}}")),
            quiet,
            PLAIN_URL.into(),
            told,
        ),
        (
            "two scripts",
            data("{\"@type\":\"Organization\",\"foundingDate\":\"1983-05-01\"}".into())
                + &data(own.clone()),
            quiet,
            PLAIN_URL.into(),
            told,
        ),
        (
            "only others in the graph",
            data(format!("{{\"@graph\":[{others}]}}")),
            quiet,
            PLAIN_URL.into(),
            None,
        ),
        (
            "only a list of others",
            data(format!("{{\"@type\":\"ItemList\",\"itemListElement\":[{others}]}}")),
            quiet,
            PLAIN_URL.into(),
            None,
        ),
        ("broken linked data", data(own.replace("通知", "通\n知")), quiet, PLAIN_URL.into(), told),
        (
            "only an event",
            data("{\"@type\":\"Event\",\"startDate\":\"2026-10-29\"}".into()),
            quiet,
            PLAIN_URL.into(),
            None,
        ),
        (
            "only modified",
            data("{\"@type\":\"NewsArticle\",\"dateModified\":\"2026-11-20\"}".into()),
            quiet,
            PLAIN_URL.into(),
            None,
        ),
        (
            "meta of the standard",
            meta("PubDate", "2026-10-23 09:15"),
            quiet,
            PLAIN_URL.into(),
            told,
        ),
        (
            "meta in capitals",
            meta("PUBDATE", "2026-10-23").to_uppercase(),
            quiet,
            PLAIN_URL.into(),
            told,
        ),
        (
            "meta, other quotes",
            "<META content=2026-10-23 name=PubDate>".into(),
            quiet,
            PLAIN_URL.into(),
            told,
        ),
        (
            "meta without a value, label",
            meta("PubDate", ""),
            "发布时间：2026-10-23",
            PLAIN_URL.into(),
            told,
        ),
        (
            "meta of rendering, label",
            meta("PubDate", "2026-11-22 03:00:00"),
            "发布时间：2026-10-23",
            PLAIN_URL.into(),
            told,
        ),
        ("meta date of rendering", meta("date", "2026-11-22"), quiet, PLAIN_URL.into(), None),
        (
            "meta of expiry",
            meta("expires", "2027-01-01") + &meta("revised", "2026-11-20"),
            quiet,
            PLAIN_URL.into(),
            None,
        ),
        (
            "script variable of today",
            "<script>var now='2026-11-22';var createTime='2026-11-22 03:00'</script>".into(),
            quiet,
            PLAIN_URL.into(),
            None,
        ),
        (
            "address of the day, label",
            String::new(),
            "发布时间：2026-10-23",
            "https://czj.hailan.example/zwgk/202610/t20261023_11.html".into(),
            told,
        ),
        (
            "address of a draft, label",
            String::new(),
            "发布时间：2026-10-23",
            "https://czj.hailan.example/zwgk/202610/t20261019_11.html".into(),
            told,
        ),
        (
            "address of a moved site, label",
            String::new(),
            "发布时间：2026-10-23",
            "https://czj.hailan.example/art/2019/3/4/art_12_99.html".into(),
            told,
        ),
        (
            "address alone",
            String::new(),
            quiet,
            "https://czj.hailan.example/2026/10/23/12.html".into(),
            told,
        ),
        (
            "address with a number like a day",
            String::new(),
            quiet,
            "https://czj.hailan.example/info/20991341/88.htm".into(),
            None,
        ),
        (
            "address of the year",
            String::new(),
            quiet,
            "https://czj.hailan.example/2026/88317.htm".into(),
            None,
        ),
        (
            "address of the column",
            String::new(),
            quiet,
            "https://czj.hailan.example/zt2026-1001/88317.htm".into(),
            None,
        ),
    ];
    let mut traps = Vec::new();
    for (template, page) in templates() {
        for (what, head, details, url, day) in &cases {
            let body = page(head, "", details, "").into_bytes();
            traps.push(Trap {
                name: format!("{what}; {template}"),
                body,
                url: url.clone(),
                day: *day,
            });
        }
    }
    for (what, details, day) in details().into_iter().take(24) {
        let (_, page) = templates()[1];
        let text = page("", "", &details, "").replace("utf-8", "gb2312");
        let body = encoding_rs::GB18030.encode(&text).0.into_owned();
        traps.push(Trap { name: format!("{what}; GB18030"), body, url: PLAIN_URL.to_owned(), day });
    }
    traps
}

const LIST_URL: &str = "https://czj.hailan.example/zwgk/tzgg/index.htm";

/// Rows of a column: address, title, day.
fn rows(count: usize) -> Vec<(String, String, String)> {
    let subjects = [
        "预算编制",
        "政府采购",
        "专项资金",
        "国库集中支付",
        "会计考试",
        "资产管理",
        "绩效评价",
        "债券发行",
    ];
    let row = |at: usize| {
        let day = format!("2026-{:02}-{:02}", 11 - at / 9, 21 - at % 9 * 2);
        let title =
            format!("关于做好{}年度{}工作的通知", 2026 - at % 2, subjects[at % subjects.len()]);
        (format!("/info/1042/{}.htm", 90_100 - at), title, day)
    };
    (0..count).map(row).collect()
}

/// Every column page.
pub(crate) fn lists() -> Vec<ListTrap> {
    type Row = fn(&(String, String, String)) -> String;
    let forms: Vec<(&str, &str, Row, &str)> = vec![
        (
            "items",
            "<ul>",
            |(url, title, day)| format!("<li><a href='{url}'>{title}</a> <span>{day}</span></li>"),
            "</ul>",
        ),
        (
            "date first",
            "<ul>",
            |(url, title, day)| format!("<li><span>[{day}]</span><a href='{url}'>{title}</a></li>"),
            "</ul>",
        ),
        (
            "rows with a head",
            "<table><tr><th>序号</th><th>标题</th><th>发布日期</th></tr>",
            |(url, title, day)| {
                format!("<tr><td>1</td><td><a href='{url}'>{title}</a></td><td>{day}</td></tr>")
            },
            "</table>",
        ),
        (
            "rows, capitals, unclosed",
            "<TABLE>",
            |(url, title, day)| format!("<TR><TD>·<A HREF={url}>{title}</A><TD>{day}"),
            "</TABLE>",
        ),
        (
            "definition list",
            "<dl>",
            |(url, title, day)| format!("<dt>{day}</dt><dd><a href='{url}'>{title}</a></dd>"),
            "</dl>",
        ),
        (
            "breaks",
            "<div>",
            |(url, title, day)| format!("<a href='{url}'>{title}</a>&nbsp;({day})<br>"),
            "</div>",
        ),
        (
            "paragraphs",
            "<div>",
            |(url, title, day)| {
                format!(
                    "<p><a href='{url}' title='{title}'>{}…</a><i>{day}</i></p>",
                    title.chars().take(10).collect::<String>()
                )
            },
            "</div>",
        ),
        (
            "cards with a summary",
            "<div>",
            |(url, title, day)| {
                format!(
                    "<div class='k'><h3><a href='{url}'>{title}</a></h3><p>根据2025年3月1日印发的办法，现将有关事项通知如下。</p><div>发布时间：{day}　<a href='{url}'>查看详情</a></div></div>"
                )
            },
            "</div>",
        ),
        (
            "kind before the title",
            "<ul>",
            |(url, title, day)| {
                format!(
                    "<li><a href='/zwgk/tzgg/'>[通知]</a><a href='{url}'>{title}</a><em>{day}</em></li>"
                )
            },
            "</ul>",
        ),
        (
            "day over month",
            "<ul>",
            |(url, title, day)| {
                format!(
                    "<li><div><b>{}</b><span>{}</span></div><a href='{url}'>{title}</a></li>",
                    &day[8..],
                    &day[..7]
                )
            },
            "</ul>",
        ),
        (
            "inside the link",
            "<ul>",
            |(url, title, day)| {
                format!("<li><a href='{url}'><span>{title}</span><span>{day}</span></a></li>")
            },
            "</ul>",
        ),
        (
            "年月日",
            "<ul>",
            |(url, title, day)| {
                format!(
                    "<li><a href='{url}'>{title}</a><span>{}年{}月{}日</span></li>",
                    &day[..4],
                    &day[5..7],
                    &day[8..]
                )
            },
            "</ul>",
        ),
        (
            "published and deadline",
            "<table><tr><th>项目</th><th>发布日期</th><th>截止日期</th></tr>",
            |(url, title, day)| {
                format!(
                    "<tr><td><a href='{url}'>{title}</a></td><td>{day}</td><td>2026-12-{}</td></tr>",
                    &day[8..]
                )
            },
            "</table>",
        ),
        (
            "month and day",
            "<ul>",
            |(url, title, day)| {
                format!("<li><a href='{url}'>{title}</a><span>{}</span></li>", &day[5..])
            },
            "</ul>",
        ),
        (
            "English months",
            "<ul>",
            |(url, title, day)| {
                format!(
                    "<li><a href='{url}'>{title}</a><span>{} {}, 2026</span></li>",
                    if &day[5..7] == "11" { "Nov" } else { "Oct" },
                    &day[8..]
                )
            },
            "</ul>",
        ),
    ];
    let side = "<div class='z1'><p>点击排行</p><ul><li><a href='/info/1/5.htm'>全市财政工作会议召开</a><span>2026-02-01</span></li><li><a href='/info/1/9.htm'>财政局开展廉政教育活动</a><span>2026-07-15</span></li><li><a href='/info/1/7.htm'>财政局召开党组扩大会议</a><span>2026-05-06</span></li></ul></div>";
    let companies: Vec<(&str, String, &str)> = vec![
        ("alone", String::new(), ""),
        ("side list before", side.to_owned(), ""),
        (
            "today above, pager below",
            "<p>今天是2026年11月22日 星期日</p>".to_owned(),
            "<div>共 38 页 <a href='index_2.htm'>下一页</a> <a href='index_38.htm'>尾页</a></div>",
        ),
        (
            "menu before, footer below",
            (0..30).map(|at| format!("<a href='/c{at}/'>财政信息公开栏目{at}</a>")).collect(),
            "<p>版权所有 2009-2026　最后更新：2026-11-20　<a href='/map.htm'>网站地图</a></p>",
        ),
    ];
    let mut traps = Vec::new();
    for (form, open, row, close) in &forms {
        for count in [6, 15] {
            for (company, before, after) in &companies {
                let rows = rows(count);
                let list = rows.iter().map(row).collect::<String>();
                let body = format!(
                    "<html><head><meta charset='utf-8'><title>通知公告-海岚市财政局</title></head><body>{before}<div class='r'><div>当前位置：<a href='/'>首页</a> &gt; 通知公告</div>{open}{list}{close}{after}</div></body></html>"
                );
                let entry = |(url, _, day): (String, String, String)| {
                    (format!("https://czj.hailan.example{url}"), day)
                };
                traps.push(ListTrap {
                    name: format!("{form}, {count}; {company}"),
                    body: body.into_bytes(),
                    url: LIST_URL.to_owned(),
                    entries: rows.into_iter().map(entry).collect(),
                });
            }
        }
    }
    traps
}
