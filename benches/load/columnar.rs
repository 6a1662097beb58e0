//! The barest writer of the same page: arrays of values, label bytes prepared for every series, one
//! buffer that is large enough.

use xunjian::domain::{Count, Standing};
use xunjian::metrics::FAMILIES;

/// One family's series, ready to be written.
pub(crate) struct Column {
    head: String,
    /// `name{labels} ` of every series, one after the other.
    labels: Vec<u8>,
    ends: Vec<usize>,
    values: Vec<f64>,
}

impl Column {
    fn new(name: &str) -> Self {
        let family = FAMILIES.iter().find(|family| family.name == name).expect("a known family");
        let kind = format!("{:?}", family.kind).to_lowercase();
        let head = format!("# HELP {name} {}\n# TYPE {name} {kind}\n", family.help);
        Self { head, labels: Vec::new(), ends: Vec::new(), values: Vec::new() }
    }

    fn push(&mut self, series: &str, value: f64) {
        self.labels.extend_from_slice(series.as_bytes());
        self.labels.push(b' ');
        self.ends.push(self.labels.len());
        self.values.push(value);
    }
}

/// Prepares all but the writing. Nothing here needs escaping.
pub(crate) fn prepare(standings: &[Standing]) -> Vec<Column> {
    let name = |short: &str| format!("xunjian_{short}");
    let mut dropped = Column::new(&name("metrics_accounts_dropped"));
    dropped.push(&name("metrics_accounts_dropped"), 0.0);
    let mut columns = vec![dropped];
    let mut column = |short: &str, rows: &dyn Fn(&Standing) -> Vec<(String, f64)>| {
        let name = name(short);
        let mut column = Column::new(&name);
        for one in standings {
            for (rest, value) in rows(one) {
                let (key, platform) = (&one.key, &one.platform);
                let series = format!("{name}{{key=\"{key}\",platform=\"{platform}\"{rest}}}");
                column.push(&series, value);
            }
        }
        columns.push(column);
    };
    let seconds = |at: Option<chrono::DateTime<chrono::Utc>>| {
        #[expect(clippy::cast_precision_loss, reason = "milliseconds of this age")]
        at.map(|at| (String::new(), at.timestamp_millis() as f64 / 1000.0)).into_iter().collect()
    };
    column("account_info", &|one| {
        let category = one.category.as_deref().unwrap_or_default();
        let (name, sponsor, area) = (&one.name, &one.sponsor, one.region.as_str());
        let rest = format!(
            ",name=\"{name}\",sponsor=\"{sponsor}\",area_code=\"{area}\",category=\"{category}\""
        );
        vec![(rest, 1.0)]
    });
    column("account_activity", &|one| {
        vec![(format!(",activity=\"{}\"", one.activity.as_str()), 1.0)]
    });
    column("account_last_post_timestamp_seconds", &|one| seconds(one.last_post_at));
    column("account_last_observation_timestamp_seconds", &|one| seconds(one.last_observation_at));
    column("account_silence_deadline_timestamp_seconds", &|one| seconds(one.silence_deadline_at));
    column("account_followers", &|one| {
        let followers = one.followers.as_ref().and_then(Count::value);
        #[expect(clippy::cast_precision_loss, reason = "below 2^53")]
        followers.map(|count| (String::new(), count as f64)).into_iter().collect()
    });
    // Before the followers, one dimension after the other.
    let mut points = Column::new(&name("account_score_points"));
    for place in 0..standings.first().map_or(0, |one| one.scores.len()) {
        for one in standings {
            let ((key, platform), (dimension, value)) =
                ((&one.key, &one.platform), &one.scores[place]);
            let labels = format!("key=\"{key}\",platform=\"{platform}\",dimension=\"{dimension}\"");
            points.push(&format!("{}{{{labels}}}", name("account_score_points")), *value);
        }
    }
    columns.insert(columns.len() - 1, points);
    columns
}

/// Writes the page.
pub(crate) fn render(columns: &[Column]) -> Vec<u8> {
    let series = |one: &Column| one.labels.len() + 24 * one.values.len() + one.head.len();
    let mut text = Vec::with_capacity(columns.iter().map(series).sum());
    for column in columns {
        text.extend_from_slice(column.head.as_bytes());
        let mut start = 0;
        for (&end, &value) in column.ends.iter().zip(&column.values) {
            text.extend_from_slice(&column.labels[start..end]);
            push_value(&mut text, value);
            start = end;
        }
    }
    text
}

/// Digits by hand, to the thousandth; our values have no more.
fn push_value(text: &mut Vec<u8>, value: f64) {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "positive")]
    let thousandths = (value * 1000.0).round() as u64;
    let (mut whole, part) = (thousandths / 1000, thousandths % 1000);
    let mut digits = [0_u8; 20];
    let mut first = digits.len();
    loop {
        first -= 1;
        digits[first] = b'0' + u8::try_from(whole % 10).unwrap_or(0);
        whole /= 10;
        if whole == 0 {
            break;
        }
    }
    text.extend_from_slice(&digits[first..]);
    if part > 0 {
        let places = [part / 100, part / 10 % 10, part % 10];
        let last = places.iter().rposition(|place| *place > 0).unwrap_or(0);
        text.push(b'.');
        text.extend(places[..=last].iter().map(|place| b'0' + u8::try_from(*place).unwrap_or(0)));
    }
    text.push(b'\n');
}
