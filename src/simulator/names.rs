use super::chance::{Chance, Use};

/// A made-up government unit: the sponsor of up to one account on each platform.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Unit {
    /// 行政区划代码, in a prefecture (3399) that does not exist.
    pub(super) region: &'static str,
    /// 主办单位.
    pub(super) title: String,
    /// What its accounts are called.
    pub(super) short: String,
    /// 主管单位.
    pub(super) supervisor: String,
    /// 层级.
    pub(super) level: &'static str,
    /// 类别.
    pub(super) category: &'static str,
    /// The name of its hosts, a part of a domain.
    pub(super) slug: String,
    /// 常住人口 of its area.
    pub(super) population: u64,
}

struct Place {
    region: &'static str,
    title: &'static str,
    short: &'static str,
    slug: &'static str,
    population: u64,
}

const fn place(
    region: &'static str,
    title: &'static str,
    short: &'static str,
    slug: &'static str,
    population: u64,
) -> Place {
    Place { region, title, short, slug, population }
}

const PLACES: [Place; 7] = [
    place("339900", "鹿城市", "鹿城", "", 3_126_400),
    place("339902", "清河区", "清河", "qinghe", 864_200),
    place("339903", "云台区", "云台", "yuntai", 652_900),
    place("339904", "南屏区", "南屏", "nanping", 498_300),
    place("339921", "白鹭县", "白鹭", "bailu", 371_600),
    place("339922", "青溪县", "青溪", "qingxi", 288_500),
    place("339981", "石梁市", "石梁", "shiliang", 450_900),
];

/// Title, what its accounts are called, part of the domain, category.
const BUREAUS: [(&str, &str, &str, &str); 22] = [
    ("人民政府办公室", "发布", "gov", "发布"),
    ("公安局", "公安", "ga", "服务"),
    ("交通运输局", "交通", "jt", "服务"),
    ("教育局", "教育", "jy", "发布"),
    ("卫生健康委员会", "健康", "wjw", "发布"),
    ("人力资源和社会保障局", "人社", "rsj", "服务"),
    ("民政局", "民政", "mz", "发布"),
    ("司法局", "司法", "sfj", "发布"),
    ("财政局", "财政", "czj", "发布"),
    ("自然资源和规划局", "资规", "zgj", "发布"),
    ("生态环境局", "生态环境", "sthj", "互动"),
    ("住房和城乡建设局", "住建", "zjj", "发布"),
    ("水利局", "水利", "slj", "发布"),
    ("农业农村局", "三农", "nyj", "发布"),
    ("商务局", "商务", "swj", "发布"),
    ("文化广电旅游体育局", "文旅", "wgl", "互动"),
    ("应急管理局", "应急", "yjj", "服务"),
    ("审计局", "审计", "sjj", "发布"),
    ("市场监督管理局", "市场监管", "scj", "互动"),
    ("统计局", "统计", "tjj", "发布"),
    ("医疗保障局", "医保", "ybj", "服务"),
    ("综合行政执法局", "综合执法", "zfj", "互动"),
];

const TOWN_FIRST: [&str; 16] = [
    "东", "西", "南", "北", "上", "下", "新", "长", "大", "双", "金", "平", "清", "龙", "松", "柳",
];
const TOWN_SECOND: [&str; 12] =
    ["桥", "塘", "溪", "岭", "湾", "坪", "川", "浦", "洲", "堰", "渡", "埠"];

/// The `number`-th unit: bureaus of the city and its districts first, then towns, then their
/// communities, so that a city of any size has names.
pub(super) fn unit(number: usize) -> Unit {
    let bureaus = PLACES.len() * BUREAUS.len();
    if number >= bureaus {
        return town(number - bureaus);
    }
    let home = &PLACES[number % PLACES.len()];
    let (title, short, slug, category) = BUREAUS[number / PLACES.len()];
    let city = home.slug.is_empty();
    Unit {
        region: home.region,
        title: format!("{}{title}", home.title),
        short: format!("{}{short}", home.short),
        supervisor: format!("{}人民政府办公室", home.title),
        level: if city { "市级" } else { "县级" },
        category,
        slug: if city { slug.to_owned() } else { format!("{slug}.{}", home.slug) },
        population: home.population,
    }
}

fn town(number: usize) -> Unit {
    let districts = &PLACES[1..];
    let home = &districts[number % districts.len()];
    let name = number / districts.len();
    let names = TOWN_FIRST.len() * TOWN_SECOND.len();
    let first = TOWN_FIRST[name % TOWN_FIRST.len()];
    let second = TOWN_SECOND[(name / TOWN_FIRST.len()) % TOWN_SECOND.len()];
    let community = match name / names {
        0 => String::new(),
        turn => format!("第{turn}社区"),
    };
    Unit {
        region: home.region,
        title: format!("{}{first}{second}镇人民政府{community}", home.title),
        short: format!("{}{first}{second}{community}", home.short),
        supervisor: format!("{}人民政府办公室", home.title),
        level: "乡镇",
        category: "发布",
        slug: format!("z{name}.{}", home.slug),
        population: 18_000 + 37 * (number as u64 % 900),
    }
}

const OCCASIONS: [&str; 14] = [
    "召开全市安全生产工作例会",
    "开展冬春季火灾防控专项检查",
    "发布道路临时交通管制通告",
    "组织基层干部业务培训",
    "公布第三季度民生实事进展",
    "提示大风降温天气防范要点",
    "启动小微企业政策宣讲活动",
    "举办青年人才专场招聘会",
    "完成老旧小区改造验收",
    "开展食品安全进校园活动",
    "调研乡村产业发展情况",
    "通报近期空气质量状况",
    "部署汛期隐患排查整改",
    "推进政务服务事项就近办理",
];
const TAILS: [&str; 6] = [
    "",
    "，多部门协同推进",
    "，请广大市民留意",
    "，取得阶段性成效",
    "（附图解）",
    "，欢迎提出意见建议",
];

/// The title of one item, the same whenever it is asked for.
pub(super) fn title(seed: u64, number: u64, at_seconds: i64, place: u8, unit: &str) -> String {
    let labels = [number, at_seconds.cast_unsigned(), u64::from(place)];
    let mut chance = Chance::of(seed, Use::Prose, &labels);
    let occasion = chance.pick(&OCCASIONS);
    let tail = chance.pick(&TAILS);
    // The serial keeps two titles of one account apart, as issue numbers do in the field.
    format!("{unit}{occasion}{tail}〔{}号〕", (at_seconds / 60).rem_euclid(100_000))
}

/// A paragraph under a title.
pub(super) fn paragraph(title: &str) -> String {
    format!(
        "{title}。本消息由虚构的鹿城市政务新媒体模拟生成，仅用于演示与测试，\
         所涉单位、人物与事项均不存在。"
    )
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn units_are_distinct_in_title_and_host() {
        let units = (0..5000).map(unit).collect::<Vec<_>>();
        let titles = units.iter().map(|unit| &unit.title).collect::<BTreeSet<_>>();
        let slugs = units.iter().map(|unit| &unit.slug).collect::<BTreeSet<_>>();
        assert_eq!((titles.len(), slugs.len()), (5000, 5000));
    }

    #[test]
    fn every_region_code_lies_in_the_city_that_does_not_exist() {
        assert!(PLACES.iter().all(|place| place.region.starts_with("3399")));
    }
}
