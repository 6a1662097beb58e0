use chrono::{DateTime, Utc};

use super::answer::{Ask, Reply, is_gone};
use super::inbox::{self, beijing};
use super::names;
use super::resident::Resident;
use super::script::{Item, Pin};
use super::site;
use super::view::{HOT, View};

/// Articles on one page of a column, messages on one page of a board.
const PAGE: usize = 15;

/// The answer of a site: its column, articles and board.
pub(super) fn page(ask: &Ask, resident: &Resident, view: View) -> Reply {
    if view == View::Walled {
        return wall(resident.look.wall);
    }
    if is_gone(resident, ask.now) {
        // A missing page says nothing about the site; this says that it has been closed.
        return Reply::html(410, "<html><head><title>网站已关停</title></head></html>");
    }
    let column_folder = folder(resident);
    let in_column = ask.path.strip_prefix(column_folder.as_str());
    let number = in_column.and_then(page_number);
    if let Some(number) = number {
        let page = column(ask, resident, number, view);
        return send(resident, &page).validated(newest(resident, ask.now));
    }
    if let Some(number) = ask.path.strip_prefix("/hdjl/lyb/").and_then(page_number) {
        return send(resident, &board(ask, resident, number));
    }
    if let Some(column) = site::beside(&ask.path) {
        return send(resident, &site::page(ask, resident, column));
    }
    let article = ask.path.strip_prefix("/art/").and_then(|_| article_of(resident, ask));
    match article {
        Some(item) => send(resident, &article_page(ask, resident, &item)).validated(Some(item.at)),
        None if ask.path == "/" => send(resident, &home(ask, resident)),
        None => missing(),
    }
}

fn folder(resident: &Resident) -> String {
    let path = resident.address().find('/').map_or("/", |at| &resident.address()[at..]);
    path.rsplit_once('/').map_or_else(|| "/".to_owned(), |(folder, _)| format!("{folder}/"))
}

/// `index.html` is page 1, `index_2.html` page 2.
fn page_number(name: &str) -> Option<usize> {
    match name {
        "" | "index.html" => Some(1),
        _ => name.strip_prefix("index_")?.strip_suffix(".html")?.parse().ok().filter(|n| *n > 1),
    }
}

fn newest(resident: &Resident, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
    resident.plan.script.visible(now).next().map(|item| item.at)
}

fn wall(form: usize) -> Reply {
    match form % 3 {
        0 => Reply::html(
            200,
            "<!DOCTYPE html><html><head><title>安全验证</title></head><body>\
             <div id=\"captcha\" class=\"slider\">请完成安全验证后继续访问：拖动滑块</div>\
             </body></html>",
        ),
        1 => Reply::html(403, "<html><body>您的访问请求可能对网站造成威胁，已被拦截</body></html>"),
        _ => Reply::html(412, "<html><script>/* challenge */</script></html>"),
    }
}

fn missing() -> Reply {
    Reply::html(
        404,
        "<!DOCTYPE html><html><head><title>404</title></head><body>\
         <p>您访问的页面不存在或已被删除</p></body></html>",
    )
}

/// Sends a page in the site's own encoding.
fn send(resident: &Resident, page: &str) -> Reply {
    if !resident.look.second_form {
        return Reply::html(200, page);
    }
    // Older sites leave the charset to the page; the page calls GBK by its older name.
    let (bytes, _, _) = encoding_rs::GBK.encode(page);
    Reply::new(200, "text/html", bytes.into_owned())
}

pub(super) fn frame(
    resident: &Resident,
    title: &str,
    metas: &[(&str, &str)],
    body: &str,
) -> String {
    let charset = if resident.look.second_form { "gb2312" } else { "UTF-8" };
    let site = &resident.entry.sponsor;
    let site_id = resident.entry.site_id.as_deref().unwrap_or_default();
    let own =
        [("SiteName", site.as_str()), ("SiteDomain", resident.host()), ("SiteIDCode", site_id)];
    let metas = own.iter().chain(metas).fold(String::new(), |text, (name, content)| {
        text + &format!("<meta name=\"{name}\" content=\"{content}\">\n")
    });
    format!(
        "<!DOCTYPE html>\n<html>\n<head>\n\
         <meta http-equiv=\"Content-Type\" content=\"text/html; charset={charset}\">\n\
         <title>{title} - {site}</title>\n{metas}\
         <link rel=\"stylesheet\" href=\"/images/site.css\">\n</head>\n<body>\n\
         <div class=\"top\"><a href=\"/\">{site}</a></div>\n\
         <ul class=\"nav\"><li><a href=\"/\">首页</a></li>\
         <li><a href=\"{}\">工作动态</a></li>{}\
         <li><a href=\"/hdjl/lyb/index.html\">互动交流</a></li></ul>\n{body}\n\
         <div class=\"footer\">主办：{site}　网站标识码：{site_id}</div>\n</body>\n</html>\n",
        folder(resident) + "index.html",
        site::links(resident),
    )
}

fn home(ask: &Ask, resident: &Resident) -> String {
    let newest = site::newest(resident, ask.now);
    let body = format!("<div class=\"welcome\"></div>\n{}", site::list(resident, &newest));
    frame(resident, "首页", &[("ColumnName", "首页")], &body)
}

/// The items of a column page: pinned first, then by shown date, newest first.
fn listed(resident: &Resident, now: DateTime<Utc>, page: usize, view: View) -> (Vec<Item>, bool) {
    let script = &resident.plan.script;
    let pins = script.singles.iter().rev().filter(|item| item.pin.is_some()).copied().collect();
    // Backdated items stand further down than they appeared: look a little further than the page.
    let further = if view == View::Hot { HOT } else { 1 };
    let enough = page * PAGE + further + script.singles.len();
    let mut rest =
        script.visible(now).filter(|item| item.pin.is_none()).take(enough).collect::<Vec<_>>();
    rest.sort_by_key(|item| std::cmp::Reverse(item.shown_at));
    let all = view.arranged(pins, rest.into_iter()).collect::<Vec<_>>();
    let more = all.len() > page * PAGE;
    (all.into_iter().skip((page - 1) * PAGE).take(PAGE).collect(), more)
}

fn column(ask: &Ask, resident: &Resident, page: usize, view: View) -> String {
    let (mut items, more) = listed(resident, ask.now, page, view);
    if view == View::Hollow {
        items.clear();
    }
    let date = |item: &Item| {
        let day = beijing(item.shown_at, "%Y-%m-%d");
        if resident.look.second_dates { format!("({day})") } else { day }
    };
    let redesigned = view == View::Redesigned;
    let rows = items.iter().map(|item| {
        let (link, title, date) = (article_path(item), resident.title(item), date(item));
        if redesigned {
            return format!(
                "<div class=\"card\" data-href=\"{link}\"><h3>{title}</h3><em>{date}</em></div>\n"
            );
        }
        let pinned = if item.pin == Some(Pin::Marked) { "<i class=\"top\">置顶</i>" } else { "" };
        format!(
            "<li>{pinned}<a href=\"{link}\" title=\"{title}\" target=\"_blank\">{title}</a>\
             <span>{date}</span></li>\n"
        )
    });
    let rows = rows.collect::<String>();
    let list = match (redesigned, rows.is_empty() && view != View::Hollow) {
        (true, _) => format!("<section class=\"news-cards\">\n{rows}</section>"),
        (_, true) => "<ul class=\"list\">\n<li class=\"empty\">暂无信息</li>\n</ul>".to_owned(),
        _ => format!("<ul class=\"list\">\n{rows}</ul>"),
    };
    let pager = pager(page, more && !matches!(view, View::Redesigned | View::Hollow));
    let body = format!(
        "<div class=\"position\">当前位置：<a href=\"/\">首页</a> &gt; 工作动态</div>\n{list}\n{pager}"
    );
    frame(resident, "工作动态", &[("ColumnName", "工作动态"), ("ColumnType", "工作动态")], &body)
}

fn pager(page: usize, more: bool) -> String {
    let next = match more {
        true => format!("<a class=\"next\" href=\"index_{}.html\">下一页</a>", page + 1),
        false => "<span class=\"disabled\">下一页</span>".to_owned(),
    };
    format!("<div class=\"page\"><span class=\"current\">{page}</span>{next}</div>")
}

pub(super) fn article_path(item: &Item) -> String {
    let folder = beijing(item.shown_at, "%Y/%-m/%-d");
    format!("/art/{folder}/art_1229_{}.html", item.made_at.timestamp())
}

fn article_of(resident: &Resident, ask: &Ask) -> Option<Item> {
    let name = ask.path.rsplit('/').next()?.strip_suffix(".html")?;
    let seconds = name.rsplit('_').next()?.parse().ok()?;
    let mut items = resident.plan.script.made_at(seconds);
    items.find(|item| item.answers(ask.now) && article_path(item) == ask.path)
}

fn article_page(ask: &Ask, resident: &Resident, item: &Item) -> String {
    let title = resident.title(item);
    let minute = beijing(item.shown_at, "%Y-%m-%d %H:%M");
    let url = format!("https://{}{}", ask.host, ask.path);
    let metas = [
        ("ArticleTitle", title.as_str()),
        ("PubDate", minute.as_str()),
        ("ContentSource", resident.entry.sponsor.as_str()),
        ("ColumnName", "工作动态"),
        ("Url", url.as_str()),
    ];
    let body = format!(
        "<div class=\"article\">\n<h1>{title}</h1>\n\
         <p class=\"info\">发布时间：{minute}　来源：{}</p>\n\
         <div id=\"zoom\"><p>{}</p></div>\n</div>",
        resident.entry.sponsor,
        names::paragraph(&title),
    );
    frame(resident, &title, &metas, &body)
}

fn board(ask: &Ask, resident: &Resident, page: usize) -> String {
    let mut messages = inbox::on_board(resident, ask.now).skip((page - 1) * PAGE);
    let rows = messages.by_ref().take(PAGE).map(|message| {
        let (state, replied) = match message.replied_at {
            Some(at) => ("已答复", beijing(at, "%Y-%m-%d")),
            None => ("办理中", String::new()),
        };
        let id = message.asked_at.timestamp();
        format!(
            "<tr><td class=\"no\">{id}</td><td><a href=\"/hdjl/lyb/{id}.html\">关于办事流程的咨询\
             </a></td><td class=\"asked\">{}</td><td class=\"replied\">{replied}</td>\
             <td class=\"state\">{state}</td></tr>\n",
            beijing(message.asked_at, "%Y-%m-%d"),
        )
    });
    let mut rows = rows.collect::<String>();
    if rows.is_empty() {
        rows.push_str("<tr><td colspan=\"5\">暂无留言</td></tr>\n");
    }
    let body = format!(
        "<table class=\"board\">\n<tr><th>编号</th><th>标题</th><th>来信时间</th><th>答复时间</th>\
         <th>状态</th></tr>\n{rows}</table>\n{}",
        pager(page, messages.next().is_some()),
    );
    frame(resident, "留言板", &[("ColumnName", "留言板")], &body)
}
