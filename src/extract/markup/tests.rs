use proptest::prelude::*;
use scraper::Html;

use super::parse;

/// The tree is html5ever's own.
fn check(page: &str) {
    let (ours, wanted) = (parse(page), Html::parse_document(page));
    assert!(ours == wanted, "{page:?}\nours: {}\nhtml5ever's: {}", ours.html(), wanted.html());
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

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn broken_pages_are_parsed_as_html5ever_parses_them(
        pieces in prop::collection::vec(prop::sample::select(&PIECES[..]), 0..24),
    ) {
        check(&pieces.concat());
    }
}
