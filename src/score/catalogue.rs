//! Every number that a scheme may use, with its documentation.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use chrono::Duration;

use crate::scheme::{Declared, IndexCatalog, Scheme};

use super::PeriodFacts;
use super::measure::{
    aged, declared as own, indices, influence, ledger, posting, replies, texture,
};
use super::reading::{Reading, Readings, UnknownKind};
use super::window::{Tables, Window};

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
const AGED: &str = "发布满 1、3、7 日前后的读取";
const AGED_BOUND: &str =
    "没有满该时长的发布或当时没有读取则未知;前后两次读取给出上下限;平台不显示则未知";
const FORMS: &str = "页面不显示形式则未知;部分不显示、有未覆盖时段则给出上下限";
const PROOF: &str = "各次访问及其证明";
const PROOF_BOUND: &str = "未能判定则未知,并给出原因;更长的静默不能证明也不能排除时给出上限";
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
    interactions_1d_per_post "interactions per post" "满1日篇均可见互动",
        "截止前已满 24 小时的发布,在满 24 小时时可见的点赞、评论、转发之和的篇均值", AGED, AGED_BOUND
        => aged::interactions_1d_per_post;
    interactions_3d_per_post "interactions per post" "满3日篇均可见互动",
        "同上,72 小时", AGED, AGED_BOUND => aged::interactions_3d_per_post;
    interactions_7d_per_post "interactions per post" "满7日篇均可见互动",
        "同上,168 小时", AGED, AGED_BOUND => aged::interactions_7d_per_post;
    reads_7d_per_post "reads per post" "满7日篇均阅读",
        "截止前已满 168 小时的发布,在满 168 小时时阅读或播放数的篇均值", AGED, AGED_BOUND
        => aged::reads_7d_per_post;
    posts_sampled_7d "posts" "满7日且已取数的发布数", "已满 168 小时且其后读取过一次的发布条数", AGED,
        "始终可知" => aged::posts_sampled_7d;
    follower_gain "accounts" "新增关注数", "期末与期初最近一次读取的关注数之差,可为负", "主页",
        "期初或期末没有读取则未知;约数给出上下限" => influence::follower_gain;
    followers_per_resident "ratio" "关注数与常住人口之比", "关注数除以台账的常住人口", "主页、台账",
        "台账未填常住人口、平台不显示关注数则未知;约数给出上下限" => influence::followers_per_resident;
    population "persons" "常住人口", "台账所填的常住人口", "台账", "台账未填则未知" => ledger::population;
    text_posts "posts" "文字发布数", "形式为文字的发布条数", POSTS, FORMS => texture::text_posts;
    image_posts "posts" "图片发布数", "形式为图片的发布条数", POSTS, FORMS => texture::image_posts;
    video_posts "posts" "视频发布数", "形式为视频的发布条数", POSTS, FORMS => texture::video_posts;
    article_posts "posts" "文章发布数", "形式为文章的发布条数", POSTS, FORMS => texture::article_posts;
    live_posts "posts" "直播数", "形式为直播的发布条数", POSTS, FORMS => texture::live_posts;
    late_posts "posts" "迟现发布数",
        "时间早于一次本应列出它而未列出的观察的发布条数;只是线索,不等于补发或伪造日期", POSTS, GAPS_BOUND
        => texture::late_posts;
    repeated_posts "posts" "重复发布数", "文字与本账号同期较早一条相同的发布条数", POSTS,
        "页面不显示文字则未知;有未覆盖时段则给出上下限" => texture::repeated_posts;
    repeated_share "ratio" "重复发布占比", "重复发布数除以已列出发布数", POSTS,
        "没有发布则不适用;页面不显示文字则未知" => texture::repeated_share;
    burst_share "ratio" "期末突击占比", "评价时段末 7 天内的发布占全部发布的比例", POSTS,
        "没有发布则不适用;有未覆盖时段则给出上下限" => texture::burst_share;
    inquiries "messages" "留言数", "时段内提出的留言条数", MESSAGES,
        "未读取过载有留言的页面则未知;有未标时间的留言则给出上限" => replies::inquiries;
    replied "messages" "已答复数", "上述留言中截止前本账号已答复的条数", MESSAGES,
        "未读取过载有留言的页面则未知;可能已答复而未能读到的、未标时间的留言计入上限" => replies::replied;
    reply_rate "ratio" "答复率", "已答复数除以留言数", MESSAGES, NO_MESSAGES => replies::reply_rate;
    reply_share "ratio" "答复率(带区间)", "答复率,上下限为威尔逊 95% 区间;可能已答复而未能读到的计入上限", MESSAGES, NO_MESSAGES
        => replies::reply_share;
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
    silence_tier "tier" "更新情况",
        "截止时按方案门槛判定:0 正常,1 关注,2 休眠,3 僵尸;从未发布的空壳账号为 2", PROOF, PROOF_BOUND
        => ledger::silence_tier;
    never_posted "yes or no" "空壳", "1 为已证实从未发布,0 为否", PROOF, PROOF_BOUND
        => ledger::never_posted;
    is_gone "yes or no" "已消失", "1 为平台已证实账号不存在,0 为否", PROOF, PROOF_BOUND => ledger::is_gone;
    is_running "yes or no" "运行", "台账状态为运行", "台账", "始终可知" => ledger::is_running;
    is_closing "yes or no" "拟关停", "台账状态为拟关停", "台账", "始终可知" => ledger::is_closing;
    is_filing "yes or no" "备案中", "台账状态为备案中", "台账", "始终可知" => ledger::is_filing;
    months_running "months" "已运行月数", "开通(缺则备案)到评价时段末的整月数,每月按 30.4375 天", "台账",
        "台账未填日期则未知" => ledger::months_running;
    filing_delay_days "days" "备案用时", "从开通到备案的日历天数;尚未备案的算到截止,只有下限", "台账",
        "台账未填开通日期则未知" => ledger::filing_delay_days;
    filing_delay_working_days "working days" "备案用时(工作日)",
        "开通次日到备案日的工作日数;尚未备案的算到截止,只有下限", "台账、节假日安排",
        "台账未填开通日期或该年节假日安排未录入则未知" => ledger::filing_delay_working_days;
    missed_notices "notices" "未回应的更新提醒数", "本期到期而没有新发布的更新提醒次数,只计本系统发出的",
        "提醒记录", "没有提醒记录则未知;到期而不能判定是否更新的只计入上限" => ledger::missed_notices;
    namings "namings" "被通报次数", "截止前已印发通报中被点名的次数,一期只计一次,被更正撤回的不计", "通报记录", "没有通报记录则未知"
        => ledger::namings;
};

/// [`MEASURES`] by id: what is in order is gathered without sorting, account by account.
static BY_ID: LazyLock<Vec<&Measure>> = LazyLock::new(|| {
    let mut measures: Vec<&Measure> = MEASURES.iter().collect();
    measures.sort_unstable_by_key(|measure| measure.id);
    measures
});

/// The ids of [`MEASURES`] and of the index formulas, for compiling schemes.
pub fn measure_ids(indices: &IndexCatalog) -> Vec<&str> {
    let measures = MEASURES.iter().map(|measure| measure.id);
    measures.chain(indices.iter().map(|formula| formula.id.as_str())).collect()
}

/// The Chinese title of a measure of the catalogue.
pub(super) fn measure_title(id: &str) -> Option<&'static str> {
    MEASURES.iter().find(|measure| measure.id == id).map(|measure| measure.title)
}

/// Every measure of the facts, every index, and what a scheme declares.
///
/// `reply_deadline_hours` is the scheme's: a message unanswered for longer is overdue. `beside` are
/// the numbers that only a comparison with other accounts gives.
pub fn readings(
    facts: &PeriodFacts,
    reply_deadline_hours: u32,
    declared: &[Declared],
    beside: &BTreeMap<String, Reading>,
    tables: Tables<'_>,
) -> Readings {
    let deadline = Duration::hours(i64::from(reply_deadline_hours));
    let Some(window) = Window::of(facts, deadline, tables) else {
        let never = || {
            let reason = "本期内账号尚未开通、已关停或尚未开始";
            Reading::unknown(UnknownKind::NotApplicable, reason)
        };
        let own = declared.iter().flat_map(Declared::names);
        let ids = measure_ids(tables.indices).into_iter().map(str::to_owned);
        return ids.chain(own).map(|id| (id.into(), never())).collect();
    };
    let measured = BY_ID.iter().map(|one| (one.id.into(), (one.compute)(&window)));
    let mut readings: Readings = measured.collect();
    let material = indices::material(&window);
    for formula in tables.indices.iter() {
        readings.insert(formula.id.clone().into(), indices::value(formula, &material));
    }
    for one in declared {
        readings.extend(own::readings(&window, one, beside));
    }
    readings
}

/// Some measures of the facts, in the order asked; what the catalogue does not have is unknown.
///
/// For one number of very many accounts, where all of them would cost too much.
pub fn readings_of(ids: &[&str], facts: &PeriodFacts, tables: Tables<'_>) -> Vec<Reading> {
    let window = Window::of(facts, Duration::zero(), tables);
    let of = |id: &&str| match (&window, MEASURES.iter().find(|measure| measure.id == *id)) {
        (Some(window), Some(measure)) => (measure.compute)(window),
        (None, Some(_)) => Reading::unknown(UnknownKind::NotApplicable, "本期内没有可评价的时段"),
        (_, None) => Reading::unknown(UnknownKind::Undetermined, "没有这个指标"),
    };
    ids.iter().map(of).collect()
}

/// The readings of a scheme's account before any comparison with others.
pub fn readings_alone(facts: &PeriodFacts, scheme: &Scheme, tables: Tables<'_>) -> Readings {
    let alone = BTreeMap::new();
    readings(facts, scheme.reply_deadline_hours, &scheme.declared, &alone, tables)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_measure_is_documented_and_named_once() {
        let indices = IndexCatalog::default();
        let mut ids = measure_ids(&indices);
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), MEASURES.len() + indices.iter().count());
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
            let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
            assert!(measure.id.chars().all(plain), "{}", measure.id);
        }
    }
}
