use std::collections::BTreeMap;

use chrono::Duration;

use super::reading::{Reading, UnknownKind};
use super::window::Window;
use super::{PeriodFacts, influence, posting, replies};

/// A number that schemes may use.
pub struct Measure {
    /// The name in expressions.
    pub id: &'static str,
    /// The unit, in words; `ratio` is 0 to 1.
    pub unit: &'static str,
    /// The Chinese title.
    pub title: &'static str,
    /// What it is, exactly.
    pub definition: &'static str,
    /// Which facts it is computed from.
    pub source: &'static str,
    /// What makes it unknown or bounded.
    pub undetermined: &'static str,
    compute: fn(&Window<'_>) -> Reading,
}

const POSTS: &str = "列表页中的发布及其时间";
const COUNTS: &str = "最近一次读取的各条计数";
const MESSAGES: &str = "留言及本账号答复的时间";
const GAPS_BOUND: &str = "有未覆盖的时段、时间不精确时给出上下限";
const COUNTS_BOUND: &str = "平台或页面不显示则未知;约数、部分发布不显示或有未覆盖时段则给出上下限";
const NO_POSTS: &str =
    "没有发布则不适用,覆盖不全而未见发布则未知;平台不显示则未知;约数或部分不显示则给出上下限";
const NO_MESSAGES: &str = "没有留言则不适用;未读取过载有留言的页面则未知";

/// Writes the catalogue as a table: id, unit, title, definition, source, what makes it unknown.
macro_rules! measures {
    ($($id:ident $unit:literal $title:literal, $definition:literal, $source:expr, $undetermined:expr
        => $compute:path;)*) => {
        &[$(Measure {
            id: stringify!($id),
            unit: $unit,
            title: $title,
            definition: $definition,
            source: $source,
            undetermined: $undetermined,
            compute: $compute,
        }),*]
    };
}

/// Every measure, in the order in which results list them.
///
/// All are of the judged window: the period, cut to the cutoff and to the account's existence. An
/// account that did not exist in the period has none of them.
pub static MEASURES: &[Measure] = measures! {
    coverage "ratio" "覆盖率", "被观察覆盖的时间占评价时段的比例", "各次访问的覆盖区间",
        "始终可知" => posting::coverage;
    days "days" "日历天数", "评价时段触及的日历天数(北京时间)", "评价时段", "始终可知"
        => posting::days_in_period;
    posts "posts" "发布数", "时段内的发布条数,含转载;时间落在时段内即计入", POSTS, GAPS_BOUND
        => posting::posts;
    posts_per_week "posts per week" "周均发布数", "发布数除以时段的周数(天数除以 7)", POSTS, GAPS_BOUND
        => posting::posts_per_week;
    original_posts "posts" "原创数", "标明为原创的发布条数", POSTS,
        "页面不标明原创或转载则未知;部分未标明、有未覆盖时段则给出上下限" => posting::original_posts;
    original_share "ratio" "原创率", "已标明来源的发布中原创所占比例", POSTS,
        "没有发布则不适用,覆盖不全而未见发布则未知;页面均不标明则未知;部分未标明则给出上下限" => posting::original_share;
    active_days "days" "发布天数", "有发布的日历天数(北京时间)", POSTS, GAPS_BOUND
        => posting::active_days;
    longest_gap_days "days" "最长更新间隔",
        "相邻两次发布之间的最长间隔,时段的首尾亦作端点,以 24 小时为一天", POSTS, GAPS_BOUND
        => posting::longest_gap_days;
    silent_days "days" "末次发布距今", "最后一次发布到评价时段末的间隔,以 24 小时为一天", POSTS,
        "时段内没有发布则只有下限;有未覆盖的时段、时间不精确时给出上下限" => posting::silent_days;
    weeks_without_post "weeks" "无发布周数",
        "自时段首日起每 7×24 小时为一周,末尾不足一周的并入最后一周;没有发布的周数", POSTS, GAPS_BOUND
        => posting::weeks_without_post;
    posting_weeks_share "ratio" "有发布周数占比", "有发布的周数除以全部周数,周同上", POSTS, GAPS_BOUND
        => posting::posting_weeks_share;
    reads "reads" "阅读总数", "时段内各条发布的阅读或播放数之和", COUNTS, COUNTS_BOUND
        => influence::reads;
    likes "likes" "点赞总数", "时段内各条发布的点赞数之和", COUNTS, COUNTS_BOUND
        => influence::likes;
    comments "comments" "评论总数", "时段内各条发布的评论数之和", COUNTS, COUNTS_BOUND
        => influence::comments;
    shares "shares" "转发总数", "时段内各条发布的转发或分享数之和", COUNTS, COUNTS_BOUND
        => influence::shares;
    reads_per_post "reads per post" "篇均阅读", "已列出发布的阅读数之和除以条数", COUNTS, NO_POSTS
        => influence::reads_per_post;
    interactions_per_post "interactions per post" "篇均互动",
        "已列出发布的点赞、评论、转发之和除以条数;平台不显示其中一类时只作下限", COUNTS, NO_POSTS
        => influence::interactions_per_post;
    followers "accounts" "关注数", "截止前最近一次读取的关注数", "主页", "平台或页面不显示则未知;约数给出上下限"
        => influence::followers;
    bci_registered "points" "微博传播指数(登记版)",
        "(0.2·W1+0.8·W2)×160,W1=ln(发布数+1),W2=0.4ln(转发+1)+0.4ln(评论+1)+0.2ln(点赞+1);\
         浙江省数据知识产权登记平台 2024 年登记的公式,非发布机构的公布值", COUNTS, COUNTS_BOUND
        => influence::bci;
    inquiries "messages" "留言数", "时段内提出的留言条数", MESSAGES,
        "未读取过载有留言的页面则未知;有未标时间的留言则给出上限" => replies::inquiries;
    replied "messages" "已答复数", "上述留言中截止前本账号已答复的条数", MESSAGES,
        "未读取过载有留言的页面则未知" => replies::replied;
    reply_rate "ratio" "答复率", "已答复数除以留言数", MESSAGES, NO_MESSAGES => replies::reply_rate;
    reply_rate_low "ratio" "答复率下限", "答复率的威尔逊 95% 区间下限", MESSAGES, NO_MESSAGES
        => replies::reply_rate_low;
    reply_rate_high "ratio" "答复率上限", "答复率的威尔逊 95% 区间上限", MESSAGES, NO_MESSAGES
        => replies::reply_rate_high;
    reply_median_hours "hours" "答复用时中位数",
        "从提出到答复的用时,按卡普兰–迈耶法取中位数,未答复的按已等待到截止计入", MESSAGES,
        "没有留言则不适用;未读取过载有留言的页面则未知;过半未答复则只有下限"
        => replies::reply_median_hours;
    overdue_replies "messages" "超期留言数", "超过方案规定时限才答复或仍未答复的留言条数", MESSAGES,
        "未读取过载有留言的页面则未知;时间不精确时给出上下限" => replies::overdue_replies;
    overdue_share "ratio" "超期留言占比", "超期留言数除以留言数", MESSAGES, NO_MESSAGES
        => replies::overdue_share;
};

/// The ids of [`MEASURES`], for compiling schemes.
pub fn measure_ids() -> Vec<&'static str> {
    MEASURES.iter().map(|measure| measure.id).collect()
}

/// Every measure of the facts.
///
/// `reply_deadline_hours` is the scheme's: a message unanswered for longer is overdue.
pub fn readings(facts: &PeriodFacts, reply_deadline_hours: u32) -> BTreeMap<&'static str, Reading> {
    let window = Window::of(facts, Duration::hours(i64::from(reply_deadline_hours)));
    let read = |measure: &Measure| match &window {
        Some(window) => (measure.compute)(window),
        None => {
            Reading::unknown(UnknownKind::NotApplicable, "本期内账号尚未开通、已关停或尚未开始")
        }
    };
    MEASURES.iter().map(|measure| (measure.id, read(measure))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_measure_is_documented_and_named_once() {
        let mut ids = measure_ids();
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), MEASURES.len());
        for measure in MEASURES {
            for text in [
                measure.unit,
                measure.title,
                measure.definition,
                measure.source,
                measure.undetermined,
            ] {
                assert!(!text.trim().is_empty(), "{}", measure.id);
            }
            let plain = |c: char| c.is_ascii_lowercase() || c == '_';
            assert!(measure.id.chars().all(plain), "{}", measure.id);
        }
    }
}
