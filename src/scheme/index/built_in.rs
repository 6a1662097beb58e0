//! The shipped formulas, each with its source; every test vector stands in `score::index`.

use std::sync::LazyLock;

use super::Aggregate::{HeadlinePerDay, Peak, PeakPerDay, PerDay, PerDayPerPost, PerPost, Total};
use super::Metric::{
    Comments, Followers, Likes, NewFollowers, Posts, Pushes, Reads, Shares, Zaikan,
};
use super::{Aggregate, Certainty, Formula, Metric, Term};

/// Every formula whose coefficients are confirmed or reported.
pub static BUILT_IN: LazyLock<Vec<Formula>> = LazyLock::new(|| {
    vec![
        wci_2_0(),
        wci_11(),
        wci_12_0(),
        wci_13_0(),
        wci_14_2(),
        registered("bci_registered", "微博传播指数(登记版)", "BCI"),
        registered("vci_registered", "短视频传播指数(登记版)", "VCI"),
        bvci(),
        qsci(),
    ]
});

const WCI_SQUARE: f64 = 10.0;

fn term(metric: Metric, of: Aggregate, weight: f64, gain: f64) -> Term {
    Term { metric, of, weight, gain }
}

fn wci(id: &str, version: &str, certainty: Certainty, terms: Vec<Term>, scale: f64) -> Formula {
    Formula {
        id: id.to_owned(),
        title: format!("微信传播指数 WCI {version}"),
        index: "WCI".to_owned(),
        version: version.to_owned(),
        source: "清博;按公布的公式自行计算,非发布机构公布值".to_owned(),
        certainty,
        warning: None,
        terms,
        power: 2,
        scale,
    }
}

/// Total, mean and peak with the weights 0.40, 0.45, 0.15, of reads (0.8) and 在看 (0.2).
fn early(aggregates: [Aggregate; 3], zaikan_gain: f64) -> Vec<Term> {
    let shares = [0.40, 0.45, 0.15];
    let of = |metric, part: f64, gain| {
        aggregates
            .into_iter()
            .zip(shares)
            .map(move |(aggregate, share)| term(metric, aggregate, part * share, gain))
    };
    of(Reads, 0.8, 1.0).chain(of(Zaikan, 0.2, zaikan_gain)).collect()
}

fn wci_2_0() -> Formula {
    let terms = early([Total, PerPost, Peak], 1.0);
    wci("wci_2_0", "2.0", Certainty::Confirmed, terms, WCI_SQUARE)
}

fn wci_11() -> Formula {
    let terms = early([Total, PerPost, Peak], 10.0);
    wci("wci_11", "11.x", Certainty::Reported, terms, WCI_SQUARE)
}

fn wci_12_0() -> Formula {
    let terms = early([PerDay, PerDayPerPost, PeakPerDay], 10.0);
    wci("wci_12_0", "12.0", Certainty::Reported, terms, WCI_SQUARE)
}

/// The four parts O (per day), A (per post), H (headlines per day), P (peak) of one metric.
fn parts(metric: Metric, weights: [f64; 4], share: f64, gain: f64) -> impl Iterator<Item = Term> {
    [PerDay, PerPost, HeadlinePerDay, Peak]
        .into_iter()
        .zip(weights)
        .map(move |(of, weight)| term(metric, of, weight * share, gain))
}

fn wci_13_0() -> Formula {
    let weights = [0.3, 0.3, 0.3, 0.1];
    let terms =
        parts(Reads, weights, 0.85, 1.0).chain(parts(Zaikan, weights, 0.15, 10.0)).collect();
    let formula = wci("wci_13_0", "13.0", Certainty::Reported, terms, WCI_SQUARE);
    let warning = "整体乘数 10 未经核实,仅与 2.0 和 11.x 一致;需要别的乘数时另建系数文件";
    Formula { warning: Some(warning.to_owned()), ..formula }
}

fn wci_14_2() -> Formula {
    let weights = [0.6, 0.2, 0.1, 0.1];
    let terms = parts(Reads, weights, 0.70, 1.0)
        .chain(parts(Zaikan, weights, 0.09, 10.0))
        .chain(parts(Likes, weights, 0.06, 10.0))
        .chain(parts(Shares, weights, 0.15, 10.0))
        .collect();
    wci("wci_14_2_4m", "14.2", Certainty::Confirmed, terms, 1.2 * WCI_SQUARE)
}

/// BCI and VCI as registered on 浙江省数据知识产权登记平台 in 2024.
fn registered(id: &str, title: &str, index: &str) -> Formula {
    Formula {
        id: id.to_owned(),
        title: title.to_owned(),
        index: index.to_owned(),
        version: "登记版 2024".to_owned(),
        source: "浙江省数据知识产权登记平台,2024".to_owned(),
        certainty: Certainty::Confirmed,
        warning: None,
        terms: vec![
            term(Posts, Total, 0.2, 1.0),
            term(Shares, Total, 0.8 * 0.4, 1.0),
            term(Comments, Total, 0.8 * 0.4, 1.0),
            term(Likes, Total, 0.8 * 0.2, 1.0),
        ],
        power: 1,
        scale: 160.0,
    }
}

fn bvci() -> Formula {
    Formula {
        id: "bvci_2_0".to_owned(),
        title: "B站传播指数 BVCI V2.0".to_owned(),
        index: "BVCI".to_owned(),
        version: "2.0".to_owned(),
        source: "清博;按公布的公式自行计算,非发布机构公布值".to_owned(),
        certainty: Certainty::Confirmed,
        warning: None,
        terms: vec![
            term(Posts, Total, 0.15, 1.0),
            term(Reads, PerDay, 0.25, 1.0),
            term(Comments, PerDay, 0.30, 1.0),
            term(Followers, Total, 0.18, 1.0),
            term(NewFollowers, Total, 0.12, 1.0),
        ],
        power: 1,
        scale: 100.0,
    }
}

fn qsci() -> Formula {
    Formula {
        id: "qsci_1_0".to_owned(),
        title: "QQ公众号传播指数 QSCI V1.0".to_owned(),
        index: "QSCI".to_owned(),
        version: "1.0".to_owned(),
        source: "清博;按公布的公式自行计算,无整体乘数,非发布机构公布值".to_owned(),
        certainty: Certainty::Confirmed,
        warning: None,
        terms: vec![
            term(Posts, Total, 0.25 * 0.40, 10.0),
            term(Posts, PerDay, 0.25 * 0.45, 10.0),
            term(Pushes, Total, 0.25 * 0.15, 10.0),
            term(Reads, Total, 0.75 * 0.45, 1.0),
            term(Comments, Total, 0.75 * 0.40, 1.0),
            term(Likes, Total, 0.75 * 0.15, 1.0),
        ],
        power: 1,
        scale: 1.0,
    }
}
