use std::borrow::Cow;

use proptest::prelude::*;
use scraper::Html;

use super::{cut, parse, standard};

/// The tree is html5ever's own, whoever built it.
#[track_caller]
fn check(page: &str) {
    let wanted = standard::copied(&Html::parse_document(page)).unwrap().to_string();
    let ours = parse(Cow::Borrowed(page)).unwrap().to_string();
    assert_eq!(ours, wanted, "{page:?}");
}

/// The same, and built here.
#[track_caller]
fn check_own(page: &str) {
    assert!(cut::tree(page).is_ok(), "left to html5ever: {page:?}");
    check(page);
}

#[test]
fn pages_are_parsed_as_html5ever_parses_them() {
    for page in [
        "",
        "1 < 2 &amp; 3 &gt; 2, &copy 2026 &#20013;&#x6587;&#128;&#0;&#xD800; &notit; &NotEqualTilde;",
        "<!DOCTYPE html PUBLIC \"-//W3C//DTD XHTML 1.0 Transitional//EN\" \"a>b\"><p>一",
        "<a href=\"?a=1&b=2&lt=3&amp;c=4&lt\" title='&quot;' rel=x&y>一</a>",
        "<A HREF=x Href=y =z a/b c = d e='>' />二</A x=y></a/>",
        "<script>a</script x><script><!-- <script> </script> --></script>三",
        "<script><!-- document.write('<b>') //--></script>四<!-- a--b --!>五<!-->六<!--->七<!---->",
        "<title>一 &lt; 二</ title></TITLE ><textarea>\n\n</textarea><style>a<b</style><pre>\r\n三\r四",
        "<svg><title><![CDATA[ a > b ]]></title></svg><![CDATA[ x ]]><?xml x?><!x></ y></>八",
        "<table>九<tr><td>十<b><p></b>一</table><plaintext></plaintext>&amp;",
        "\u{feff}\u{feff}<script></script>\u{feff}二<title>\u{feff}\u{feff}</title",
        "三<a href='四",
        "五<!-- 六",
        "七<",
        "八</",
        "九<script>十",
        "a\0b<p c=\0>",
        "<pre>&#10\n</pre><pre></>\n",
    ] {
        check(page);
    }
}

#[test]
fn attributes_of_tags_that_are_left_out_leave_nothing_behind() {
    for page in ["<th x>", "<td class=x width=1 height=2>一<ul class=list><li>二</ul>"] {
        let tree = parse(Cow::Borrowed(page)).unwrap();
        let mut all = std::iter::once(tree.root()).chain(tree.root().descendants());
        assert!(all.all(|one| one.attribute(&super::AttributeName::of("x")).is_none()), "{page}");
        check_own(page);
    }
}

#[test]
fn what_is_decoded_does_not_grow_with_what_is_left_out() {
    for page in ["a</X>".repeat(20_000), "a<TD>".repeat(20_000), "&lt;</X>b".repeat(20_000)] {
        let tree = cut::tree(&page).unwrap();
        assert!(tree.decoded.len() < 2 * page.len(), "{} bytes", tree.decoded.len());
    }
    // html5ever begins formatting anew for every paragraph.
    let formatted =
        format!("<svg></svg><p><b title={}>{}", "y".repeat(40_000), "<p>x".repeat(2_000));
    let tree = parse(Cow::Borrowed(&formatted)).unwrap();
    assert!(tree.decoded.len() < 4 * formatted.len(), "{} bytes", tree.decoded.len());
}

#[test]
fn limits_hold_for_whatever_adds_elements() {
    assert!(cut::tree(&format!("x{}", "</p>".repeat(600_000))).is_err(), "too many");
    let bold = (0..690).map(|id| format!("<b id={id}>")).collect::<String>();
    let deep = format!("<div>{bold}</div>{}x", "<div>".repeat(600));
    assert!(cut::tree(&deep).is_err(), "too deep");
}

#[test]
fn what_a_template_holds_is_no_part_of_the_page() {
    let tree =
        parse(Cow::Borrowed("<div><template><p>一<template><b></template></template>二")).unwrap();
    let names = tree.root().descendants().map(super::Element::name).collect::<Vec<_>>();
    assert_eq!(names, ["head", "body", "div", "template"]);
    assert_eq!(tree.root().texts().collect::<String>(), "二");
}

#[test]
fn pages_of_every_day_are_built_here() {
    for page in [
        "",
        "a",
        "<!DOCTYPE html>\n<html lang=zh>\n<head>\n<title>一 &amp; 二</title><meta charset=utf-8></head>\n\
         <body class=x>\n<p>三<p>四<ul><li>五<li>六</ul></body>\n</html>\n",
        "<body>一</body> \n</html> <!-- 二 --> \n<script>三</script>",
        "一<!-- 二 -->三 &lt;&nbsp;四</x>五&amp;<br>&#8212;六",
        "<div><b>一</div>二<p><i><u>三</i>四</p></u></b>五",
        "<p>一<b>二<span>三</b>四</span></p></p>五</br>六",
        "<b a=1>1<b a=1>2<b a=1>3<b a=1>4</b></b></b></b><p>5",
        "<table><caption>一</caption><col><colgroup><col></colgroup><thead><tr><th>二</thead>\n\
         <tbody><tr><td>三<p>四<td><b>五</tbody><tfoot><tr></tfoot></table>六",
        "<table><td>一<table><tr><th>二</table>三</td></tr> <form><tr><td><input type=hidden></form></table>",
        "<table><tr><td>一</body></html></td></tr></table>二",
        "<!DOCTYPE html><p>一<table><tr><td></table><p>二<div>三</p>",
        "<select><option>一<option selected>二<optgroup><option>三</select><hr><select>四<input>五",
        "<form>一<form>二</form>三<button>四<button>五</button><h1>六<h2>七</h1>",
        "<dl><dt>一<dd>二<dl><dt>三</dl><dd>四</dl><marquee><b>五</marquee>六",
        "<pre>\n一\n</pre><textarea>\n二 &lt;</textarea><iframe><p></iframe><noscript><p></noscript>",
        "<A HREF='?a=1&b=2&amp;c=3' Title=&quot;x&quot; href=y>一<a>二</A><x-y>三</X-Y>",
        "<html><head></head> <frame><body><td>一<object>二</object><link rel=x><style>a<b</style>",
        "<ul><li>一<div><li>二</div></li></ul></li></dd></h1></div><address><li>三",
        "<?xml version=1.0?><!x><head/><p/>一</><br/><img src=x/>二<!DOCTYPE html>",
        "<font>一<center>二</center></font>三<strike><s>四</strike>五</s>",
    ] {
        check_own(page);
    }
}

const PIECES: [&str; 92] = [
    "<",
    ">",
    "</",
    "/>",
    "&",
    "&amp;",
    "&lt",
    "&#",
    "&#x4e2d;",
    "&#20013;",
    "&#128;",
    "&#12=",
    "&b=",
    "&notit;",
    "&not",
    "&copy=",
    ";",
    "=",
    "\"",
    "'",
    " ",
    "\n",
    "\r",
    "\r\n",
    "\t",
    "\x0c",
    "a",
    "b",
    "<div>",
    "</div>",
    "<p>",
    "<table>",
    "<tr>",
    "<td>",
    "</table>",
    "<script>",
    "</script>",
    "<SCRIPT",
    "</ScRiPt ",
    "<!--",
    "-->",
    "--!>",
    "-",
    "--",
    "<!-->",
    "<!--->",
    "<!DOCTYPE html>",
    "<!doctype",
    "PUBLIC \"-//W3C//DTD HTML 4.01//EN\"",
    "<![CDATA[",
    "]]>",
    "<?xml",
    "<svg>",
    "<math>",
    "</svg>",
    "<title>",
    "</title>",
    "<textarea>",
    "</textarea",
    "<style>",
    "</style>",
    "<pre>",
    "\u{feff}",
    "中",
    "文",
    "\0",
    "<a href=\"?a=1&b=2&lt\">",
    "<a b='&amp;",
    " c=d",
    " C=&quot;x&quot;e",
    "<br/>",
    "<plaintext>",
    "<meta charset=gbk>",
    "<template>",
    "</template>",
    "<select>",
    "<option>",
    "<noscript>",
    "</noscript>",
    "<iframe>",
    "</iframe>",
    "<b>",
    "</b>",
    "<form>",
    "<body x=1>",
    "</body>",
    "<frameset>",
    "<x:y z:w=1>",
    "<foreignObject>",
    "&NotEqualTilde;",
    "&nbsp;",
    "<A HREF=X>",
];

/// Tags that end each other, and what stands between them.
const TAGS: [&str; 81] = [
    "<tr a=1 b=2>",
    "<td x>",
    "<th x y>",
    "</DIV>",
    "<TD>",
    "<div>",
    "</div>",
    "<p>",
    "</p>",
    "<ul>",
    "</ul>",
    "<ol>",
    "<li>",
    "</li>",
    "<dl>",
    "<dt>",
    "<dd>",
    "</dd>",
    "<table>",
    "</table>",
    "<caption>",
    "</caption>",
    "<colgroup>",
    "<col>",
    "<tbody>",
    "</tbody>",
    "<thead>",
    "<tr>",
    "</tr>",
    "<td>",
    "</td>",
    "<th>",
    "</th>",
    "<b>",
    "</b>",
    "<i class=a>",
    "<i class=b>",
    "</i>",
    "<a href=x>",
    "</a>",
    "<font>",
    "</font>",
    "<span>",
    "</span>",
    "<x-y>",
    "</x-y>",
    "<form>",
    "</form>",
    "<input>",
    "<input type=hidden>",
    "<button>",
    "</button>",
    "<select>",
    "</select>",
    "<option>",
    "</option>",
    "<optgroup>",
    "<h1>",
    "</h2>",
    "<hr>",
    "<br>",
    "</br>",
    "<img>",
    "<marquee>",
    "</marquee>",
    "<address>",
    "<center>",
    "</center>",
    "<script></script>",
    "<title>a</title>",
    "<meta>",
    "<head>",
    "</head>",
    "<body>",
    "</body>",
    "</html>",
    "<!DOCTYPE html>",
    "<!-- -->",
    " ",
    "a",
    "&amp;",
];

fn some(cases: u32) -> ProptestConfig {
    ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(cases) }
}

proptest! {
    #![proptest_config(some(2000))]

    #[test]
    fn broken_pages_are_parsed_as_html5ever_parses_them(
        pieces in prop::collection::vec(prop::sample::select(&PIECES[..]), 0..24),
    ) {
        check(&pieces.concat());
    }

    #[test]
    fn nested_pages_are_parsed_as_html5ever_parses_them(
        pieces in prop::collection::vec(prop::sample::select(&TAGS[..]), 0..32),
    ) {
        check(&pieces.concat());
    }
}
