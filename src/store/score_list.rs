//! Scores as lists show them.

use chrono::{DateTime, Utc};
use rust_decimal::Decimal;

use super::{Store, StoreError};

/// One account's points in one dimension, as the newest run of a period gave them.
#[derive(Debug, Clone, PartialEq)]
#[expect(missing_docs, reason = "as in `Score` and `NewScoreRun`")]
pub struct ListedScore {
    /// 账号编号.
    pub key: String,
    pub name: String,
    pub platform: String,
    pub region: String,
    pub sponsor: String,
    pub scheme: String,
    pub scheme_digest: String,
    pub cutoff: DateTime<Utc>,
    pub known_at: DateTime<Utc>,
    pub dimension: String,
    pub points: Option<Decimal>,
    pub low: Option<Decimal>,
    pub high: Option<Decimal>,
    /// Why there are no points.
    pub reason: Option<String>,
    pub coverage: Option<f64>,
}

/// Which scores are wanted; what is absent does not choose.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ScoreFilter<'a> {
    /// The platform's id.
    pub platform: Option<&'a str>,
    /// The first digits of the region.
    pub area: Option<&'a str>,
    /// The scheme's id.
    pub scheme: Option<&'a str>,
    /// 账号编号.
    pub key: Option<&'a str>,
}

impl Store {
    /// At most `limit` scores of the newest runs of a period, in the order of key, scheme and
    /// dimension, those after the three given.
    pub async fn score_page(
        &self,
        period: &str,
        after: [&str; 3],
        limit: u32,
        wanted: ScoreFilter<'_>,
    ) -> Result<Vec<ListedScore>, StoreError> {
        let rows = sqlx::query_as!(
            ListedScore,
            r#"with newest as (
                 select distinct on (r.scheme) r.* from score_runs r
                 where r.period = $1 and r.finished_at is not null and r.known_at = (
                     select k.known_at from score_runs k
                     where k.period = $1 and k.finished_at is not null
                     order by k.finished_at desc, k.id desc limit 1)
                 order by r.scheme, r.finished_at desc, r.id desc
             )
             select a.key, a.name, a.platform, a.region as "region!", u.name as sponsor, n.scheme,
                 n.scheme_digest, n.cutoff, n.known_at, s.dimension, s.points,
                 s.interval_low as low, s.interval_high as high, s.reason, s.coverage
             from newest n join scores s on s.run_id = n.id
             join accounts a on a.id = s.account_id
             join units u on u.id = a.sponsor_id
             where a.in_ledger and a.lifecycle not in ('closed', 'cancelled')
               and (a.key, n.scheme, s.dimension) > ($2, $3, $4)
               and ($6::text is null or a.platform = $6)
               and ($7::text is null or starts_with(a.region, $7))
               and ($8::text is null or n.scheme = $8) and ($9::text is null or a.key = $9)
             order by a.key, n.scheme, s.dimension limit $5"#,
            period,
            after[0],
            after[1],
            after[2],
            i64::from(limit),
            wanted.platform,
            wanted.area,
            wanted.scheme,
            wanted.key
        )
        .fetch_all(&self.pool)
        .await?;
        Ok(rows)
    }
}
