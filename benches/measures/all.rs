//! Every measure of every account, by the way that the program itself reads and judges.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use xunjian::app::Jobs;
use xunjian::app::clock::SystemClock;
use xunjian::jobs::score::{Judging, each, tables};
use xunjian::scheme::Scheme;
use xunjian::score::{Period, PeriodFacts, Reading, readings};
use xunjian::settings::Settings;

/// The parts of the program over the scratch database.
pub(crate) async fn open(url: &str, place: &Path) -> anyhow::Result<Jobs> {
    let problems = |problems| anyhow::anyhow!("settings: {problems:?}");
    let mut settings = Settings::load(None).map_err(problems)?;
    settings.database.url = url.to_owned();
    settings.data_dir = place.join("kept");
    Jobs::open(&settings, Arc::new(SystemClock)).await
}

/// Accounts with a post, posts and days with a post by every account's measures, and the seconds
/// that reading, judging and measuring took: from the connection's first statement to the last
/// number, without digests, comparisons, cards and what is written.
pub(crate) async fn measures(
    jobs: &Jobs,
    period: Period,
) -> anyhow::Result<((i64, i64, i64), f64)> {
    let context = jobs.context();
    let begun = Instant::now();
    let known_at = context.clock.now();
    let judging = Judging { period, cutoff: period.to(), known_at, scheme: None, only: None };
    let alone = BTreeMap::new();
    let work = |scheme: &Scheme, facts: &PeriodFacts| {
        readings(facts, scheme.reply_deadline_hours, &[], &alone, tables(context))
    };
    let mut found = (0, 0, 0);
    each(context, &judging, work, |_, _, readings| {
        let value = |id: &str| match readings.get(id) {
            Some(Reading::Known(quantity)) => quantity.value,
            _ => f64::NAN,
        };
        #[expect(clippy::cast_possible_truncation, reason = "counts of a quarter")]
        let (posts, days) = (value("posts") as i64, value("active_days") as i64);
        found = (found.0 + i64::from(posts > 0), found.1 + posts, found.2 + days);
        Ok(())
    })
    .await?;
    Ok((found, begun.elapsed().as_secs_f64()))
}
