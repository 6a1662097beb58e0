//! What the words around a date say about it.

use std::sync::LazyLock;

use regex::Regex;

use super::outline::Outline;
use super::written::Written;

/// How far before a date its label may begin, in bytes.
const LABEL_WITHIN: usize = 60;

/// The longest line, in characters, that is a label of the line below without a colon: `发布时间`
/// in a cell of its own, not a title that happens to end in 时间.
const LABEL_LINE_MAX: usize = 10;

/// What a date is, by the words beside it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Label {
    /// The words say that something was published then.
    Published(String),
    /// `时间：`, `日期：`: the publication, if it stands under the title.
    Plain(String),
    /// The words say that it is something else: a last change, a deadline, today.
    Other(String),
    /// There are no such words, and the date stands by itself.
    Bare,
    /// A part of a sentence.
    Prose,
}

fn fixed(pattern: &str) -> Regex {
    Regex::new(pattern).expect("a fixed pattern")
}

static PUBLISHED: LazyLock<Regex> = LazyLock::new(|| {
    fixed(concat!(
        r"(?i)((?:首次|本站|本网|网站|网上)?(?:发\s?布|发表|发稿|发文|刊发|刊登|刊载|登载|公布|公开|信息|",
        r"上传|上线|上网|稿件|文章|新闻|发帖|添加|录入|信息发布|首发|推送)(?:的)?\s?",
        r"(?:时\s?间|日\s?期|时日)|首次发布|发布于|发表于|发稿于|发布|",
        r"(?-u:\b)published(?: on| at)?|(?-u:\b)publish(?: |_)?(?:date|time)|",
        r"(?-u:\b)posted(?: on)?|(?-u:\b)pub(?: |_)?date|(?-u:\b)release date)",
        r"[\])）】]?\s?[:：]?\s?[\[(（【]?\s?$",
    ))
});
static PLAIN: LazyLock<Regex> = LazyLock::new(|| {
    fixed(
        r"(?i)(时间|日期|时\s间|日\s期|(?-u:\b)date|(?-u:\b)time)[\])）】]?\s?[:：]\s?[\[(（【]?\s?$",
    )
});
static OTHER: LazyLock<Regex> = LazyLock::new(|| {
    fixed(concat!(
        r"(?i)((?:最后|最近|上次|本次|页面)?(?:更新|修改|编辑|维护|生成|制作)(?:时间|日期|于)?|",
        r"[\p{Han}]{1,8}(?:时间|日期|期限|时限|之日|生日)|今天是?|今日|现在是?|当前|版权所有|有效期至?|",
        r"copyright|©|备案|截至|截止|(?-u:\b)updated?(?: on| at)?|(?-u:\b)modified(?: on)?|",
        r"(?-u:\b)expires?|(?-u:\b)since|(?-u:\b)from)\s?[:：]?\s?[\[(（【]?\s?$",
    ))
});
static WEEKDAY_AFTER: LazyLock<Regex> =
    LazyLock::new(|| fixed(r"^ ?[(（]?(?:星期|周)[一二三四五六日天]"));
static LINE_OF_OTHERS: LazyLock<Regex> = LazyLock::new(|| {
    fixed(concat!(
        r"(?i)^(?:上一?[篇条则页]|下一?[篇条则页]|前一?篇|后一?篇|",
        r"版权|copyright|©|相关|推荐|热点)|ICP备|公网安备|版权所有|copyright|℃|农历|多云",
    ))
});

/// Lines whose first date is no publication; a later one may be, if it says so.
static BEGINS_WITH_OTHER: LazyLock<Regex> =
    LazyLock::new(|| fixed(r"^(?:最后更新|更新时间|今天是?|今日)"));

/// One end of a period.
static PERIOD_AFTER: LazyLock<Regex> =
    LazyLock::new(|| fixed(r"^\s?(?:至|到|[—–~～]{1,2}|-)\s?\d"));
static PERIOD_BEFORE: LazyLock<Regex> =
    LazyLock::new(|| fixed(r"\d[日号]?\s?(?:至|到|[—–~～]{1,2}|-)\s?$"));

/// A line that is nothing but the name of a date, or nothing but a date.
static LABEL_LINE: LazyLock<Regex> =
    LazyLock::new(|| fixed(r"^\D{0,8}(?:时间|日期|时限|期限|之日)\s?[:：]?\s*$"));
static DATE_LINE: LazyLock<Regex> =
    LazyLock::new(|| fixed(r"^\s*(?:19|20)\d{2} ?[-/.年] ?\d{1,2} ?[-/.月] ?\d{1,2}日?\s*$"));

/// What may follow a date that stands by itself.
static ENDS_WELL: LazyLock<Regex> = LazyLock::new(|| {
    fixed(concat!(
        r"^[\])）】]?(?:\s|$|[|/·—\-]|&|[\[(（【]|(?:来源|作者|浏览|阅读|点击|字号|字体|编辑|责任|",
        r"责编|记者|发布|访问|打印|分享|文章|信息|供稿|撰稿|审核|星期|周[一二三四五六日]))",
    ))
});

/// Words of the line under a title.
static BYLINE: LazyLock<Regex> = LazyLock::new(|| {
    fixed(
        "来源|作者|浏览|阅读次数|阅读量|点击|访问次数|字号|字体|编辑[:：]|责编|记者[:：]|打印|供稿|发布机构|发布者",
    )
});

/// The longest line that is still no paragraph, in characters.
pub(super) const LINE_MAX: usize = 90;

/// Reads the words beside a date.
pub(super) fn label(outline: &Outline<'_>, date: &Written) -> Label {
    let line = outline.line(date.range.start);
    let text = &outline.text[line.clone()];
    if LINE_OF_OTHERS.is_match(text) {
        return Label::Other(text.chars().take(12).collect());
    }
    let before = words_before(outline, date);
    let after = outline.after(date.range.end, 60);
    if PERIOD_AFTER.is_match(after) || PERIOD_BEFORE.is_match(before) {
        return Label::Other("period".to_owned());
    }
    if in_columns(outline, date) {
        return Label::Other("columns of dates".to_owned());
    }
    let word = |found: regex::Captures<'_>| found[1].to_owned();
    if let Some(found) = PUBLISHED.captures(before) {
        // `重新发布时间`, `招标公告发布日期`: a longer word of the same end.
        let start = before.len() - found[0].len();
        return if is_glued(outline, date, &found[0]) && !glued_well(&before[..start]) {
            Label::Other(word(found))
        } else {
            Label::Published(word(found))
        };
    }
    if let Some(found) = PLAIN.captures(before)
        && !is_glued(outline, date, &found[0])
    {
        return Label::Plain(word(found));
    }
    if let Some(found) = OTHER.captures(before) {
        return Label::Other(word(found));
    }
    if BEGINS_WITH_OTHER.is_match(text) {
        return Label::Other(text.chars().take(12).collect());
    }
    let clock = date.moment.precision < crate::domain::Precision::Day;
    if WEEKDAY_AFTER.is_match(after) && !clock {
        return Label::Other("星期".to_owned());
    }
    let on_line = &outline.text[line.start..date.range.start];
    let byline = BYLINE.is_match(text);
    let begins =
        on_line.is_empty() || on_line.ends_with([' ', '|', '[', '(', '（', '【', '/']) || byline;
    let short = text.chars().count() <= LINE_MAX;
    if begins && short && ENDS_WELL.is_match(after) { Label::Bare } else { Label::Prose }
}

/// The words that may be a date's label: on its line, or all of the line above where that is short.
fn words_before<'o>(outline: &'o Outline<'_>, date: &Written) -> &'o str {
    let before = outline.before(date.range.start, LABEL_WITHIN);
    let Some(above) = before.strip_suffix('\n') else { return before };
    let above = above.rsplit('\n').next().unwrap_or_default();
    let label = above.chars().count() <= LABEL_LINE_MAX || above.ends_with([':', '：']);
    if label { before } else { "" }
}

/// Whether the words before a date are the end of a longer word in the same element.
fn is_glued(outline: &Outline<'_>, date: &Written, words: &str) -> bool {
    let start = date.range.start - words.len();
    let before = outline.text[..start].char_indices().next_back();
    let Some((place, character)) = before else { return false };
    is_han(character) && outline.at(place) == outline.at(start)
}

/// Whether names of dates stand side by side, and the dates below them: which is whose, the order
/// of the text does not tell.
fn in_columns(outline: &Outline<'_>, date: &Written) -> bool {
    let Some(above) = outline.before(date.range.start, 200).strip_suffix('\n') else {
        return false;
    };
    let mut above = above.rsplit('\n');
    let (first, second) = (above.next().unwrap_or_default(), above.next().unwrap_or_default());
    DATE_LINE.is_match(first) || LABEL_LINE.is_match(first) && LABEL_LINE.is_match(second)
}

/// Whether the line of a date is one that names source, author or reads.
pub(super) fn has_byline(outline: &Outline<'_>, date: &Written) -> bool {
    let line = outline.line(date.range.start);
    let next = outline.after(line.end, 120);
    let next = next.trim_start().lines().next().unwrap_or_default();
    BYLINE.is_match(&outline.text[line])
        || next.chars().count() <= LINE_MAX && BYLINE.is_match(next)
}

fn is_han(character: char) -> bool {
    matches!(character, '\u{4e00}'..='\u{9fff}')
}

/// A source without a blank behind it, as in `来源:海岚日报发布时间:`.
fn glued_well(before: &str) -> bool {
    let line = before.rsplit('\n').next().unwrap_or_default();
    ["来源", "作者"].iter().any(|word| line.contains(word))
}
