//! The pages in a real browser: on a telephone and on a desk, by keyboard, and a form from signing
//! in to its line in the log.

use std::path::PathBuf;

use base64::Engine as _;
use xunjian::domain::{FindingId, FindingState, Scope};

use super::{Counties, EAST};
use crate::support::Browser;

/// Everything that assistive technology and a narrow screen need of a page; gives what is amiss.
const CHECKS: &str = r"(() => {
    const amiss = [];
    const all = (selector) => [...document.querySelectorAll(selector)];
    const check = (right, what) => { if (!right) amiss.push(what) };
    check(document.documentElement.scrollWidth <= window.innerWidth,
        'scrolls sideways: ' + document.documentElement.scrollWidth + ' of ' + window.innerWidth);
    for (const one of all('main *')) {
        const box = one.getBoundingClientRect();
        check(box.width === 0 || one.closest('.hidden, thead, svg') || box.right <= window.innerWidth + 1,
            one.tagName + '.' + one.className + ' ends at ' + box.right);
    }
    check(document.documentElement.lang === 'zh-CN', 'language');
    check(all('h1').length === 1, 'one first heading');
    let level = 1;
    for (const one of all('h1, h2, h3')) {
        const own = Number(one.tagName[1]);
        check(own <= level + 1, 'heading leaps: ' + one.textContent);
        level = own;
    }
    for (const land of ['header', 'nav', 'main', 'footer']) check(all(land).length, 'no ' + land);
    for (const one of all('input:not([type=hidden]), select, textarea'))
        check(one.labels.length === 1, 'no label: ' + one.name);
    for (const one of all('table')) {
        check(one.caption && one.caption.textContent, 'a table without caption');
        check([...one.querySelectorAll('th')].every((th) => th.scope), 'a head without scope');
    }
    for (const one of all('svg')) check(one.querySelector('title') && one.querySelector('desc'), 'svg');
    for (const one of all('a, button, summary'))
        check((one.textContent || one.ariaLabel).trim(), 'nameless ' + one.outerHTML);
    const ids = all('[id]').map((one) => one.id);
    check(new Set(ids).size === ids.length, 'an id twice');
    check(getComputedStyle(document.body).lineHeight !== 'normal', 'the stylesheet is not there');
    return amiss.join('; ');
})()";

/// Where pictures of the pages go, if anybody wants them.
fn album() -> Option<PathBuf> {
    std::env::var_os("XUNJIAN_SCREENSHOTS").map(PathBuf::from)
}

async fn look(browser: &mut Browser, name: &str, texts: &[&str]) {
    for (form, width, height) in [("phone", 360, 740), ("desk", 1280, 900)] {
        browser.resize(width, height).await;
        assert_eq!(browser.evaluate(CHECKS).await, "", "{name} on a {form}");
        let shown = browser.evaluate("document.body.innerText").await;
        for text in texts {
            assert!(shown.as_str().unwrap().contains(text), "{name}: {text} in {shown}");
        }
        if let Some(folder) = album() {
            let picture = base64::engine::general_purpose::STANDARD.decode(browser.picture().await);
            std::fs::write(folder.join(format!("{name}-{form}.png")), picture.unwrap()).unwrap();
        }
    }
}

#[tokio::test]
async fn the_pages_work_in_a_browser_on_a_telephone_and_by_keyboard() {
    let counties = Counties::open().await;
    let origin = format!("http://{}", counties.app.address());
    let token = counties.token("zhang", Scope::Write, EAST.1).await;
    let id = counties.findings(EAST.0).await[0];
    let mut browser = Browser::start().await;

    browser.open(&format!("{origin}/")).await;
    look(&mut browser, "closed", &["查看账号数需要令牌", "登录"]).await;
    // The first thing a keyboard reaches leads past the head, and is seen then.
    browser.press("Tab", 9).await;
    let first = "[document.activeElement.className, document.activeElement.getBoundingClientRect()\
                 .left >= 0, getComputedStyle(document.activeElement).outlineStyle].join(' ')";
    assert_eq!(browser.evaluate(first).await, "skip true solid");

    let fill = format!("document.getElementById('token').value = '{token}'");
    browser.evaluate(&fill).await;
    browser.lead_on("document.querySelector('main button').click()").await;
    look(&mut browser, "overview", &["账号 2 个", "休眠", "平安甲-2", "甲局", "退出"]).await;
    assert_eq!(browser.evaluate("document.cookie").await, "", "no script sees the cookie");

    browser.open(&format!("{origin}/accounts/%E7%94%B2-2")).await;
    look(&mut browser, "account", &["平安甲-2", "经 1 次观察确认", "时间图", "访问记录"]).await;
    browser.resize(360, 740).await;
    let drawn = "[...document.querySelectorAll('svg')].map((one) => one.getClientRects().length)";
    assert_eq!(browser.evaluate(drawn).await, serde_json::json!([0, 1]), "the narrow one alone");

    browser.open(&format!("{origin}/findings?state=all")).await;
    look(&mut browser, "findings", &["问题", "平安甲-2"]).await;
    browser.open(&format!("{origin}/findings/{id}")).await;
    look(&mut browser, "finding", &["依据条款", "证据", "经过", "办理"]).await;

    // A person opens a form, writes and sends it.
    browser
        .evaluate("document.querySelector('.acts form[action$=dismiss]').parentElement.open = true")
        .await;
    browser.evaluate("document.getElementById('dismiss-reason').value = '系统迁移期间'").await;
    look(&mut browser, "form", &["理由"]).await;
    browser.lead_on("document.querySelector('form[action$=dismiss] button').click()").await;
    look(&mut browser, "done", &["已登记：撤销", "系统迁移期间"]).await;
    let record = counties.office.context().store.finding(FindingId(id)).await.unwrap().unwrap();
    assert_eq!(record.state, FindingState::Dismissed);

    browser.lead_on("document.querySelector('.who button').click()").await;
    look(&mut browser, "left", &["查看账号数需要令牌"]).await;

    for url in browser.requests() {
        assert!(url.starts_with(&origin), "something else is asked for: {url}");
    }
    assert!(browser.requests().len() > 8);
    assert_eq!(browser.complaints(), Vec::<&serde_json::Value>::new());
    browser.close().await;
    counties.close().await;
}
