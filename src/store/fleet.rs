//! The whole fleet as dashboards show it.

use chrono::{DateTime, Utc};
use futures::stream::BoxStream;
use futures::{StreamExt, TryStreamExt};
use serde_json::Value;

use super::columns::{misread, read_count};
use super::states::read_activity;
use super::{Store, StoreError};
use crate::domain::{FleetCell, Standing};

struct StandingRow {
    key: String,
    platform: String,
    name: String,
    sponsor: String,
    region: String,
    category: Option<String>,
    activity: String,
    reason: Option<String>,
    last_post_at: Option<DateTime<Utc>>,
    last_observation_at: Option<DateTime<Utc>>,
    silence_deadline_at: Option<DateTime<Utc>>,
    coverage: f64,
    followers: Option<Value>,
    dimensions: Vec<String>,
    points: Vec<f64>,
}

impl TryFrom<StandingRow> for Standing {
    type Error = StoreError;

    fn try_from(row: StandingRow) -> Result<Self, StoreError> {
        Ok(Self {
            activity: read_activity(&row.activity, row.reason.as_deref())?,
            region: row.region.parse().map_err(|_| misread("a region", &row.region))?,
            followers: read_count(row.followers)?,
            key: row.key,
            platform: row.platform,
            name: row.name,
            sponsor: row.sponsor,
            category: row.category,
            last_post_at: row.last_post_at,
            last_observation_at: row.last_observation_at,
            silence_deadline_at: row.silence_deadline_at,
            coverage: row.coverage,
            scores: row.dimensions.into_iter().zip(row.points).collect(),
        })
    }
}

/// Which accounts are wanted; what is absent does not choose.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct StandingFilter<'a> {
    /// Only those of the platform of this id.
    pub platform: Option<&'a str>,
    /// Only those whose region begins with these digits.
    pub area: Option<&'a str>,
    /// Only those in the activity of this stable word.
    pub activity: Option<&'a str>,
    /// Only those whose sponsor's name holds this.
    pub sponsor: Option<&'a str>,
    /// Only those whose name, key or handle holds this, in whatever case.
    pub text: Option<&'a str>,
}

/// Which accounts are read, and how many of them.
#[derive(Clone, Copy, Default)]
struct Choice<'a> {
    limit: u32,
    key: Option<&'a str>,
    after: Option<&'a str>,
    wanted: StandingFilter<'a>,
}

impl Store {
    /// How many judged accounts of each platform and area are in each activity.
    pub async fn fleet(&self) -> Result<Vec<FleetCell>, StoreError> {
        let rows = sqlx::query!(
            r#"select a.platform, a.region as "region!", s.activity, count(*) as "accounts!",
                   sum(s.coverage) as "coverage_sum!"
               from accounts a join account_states s on s.account_id = a.id
               where a.in_ledger and a.lifecycle not in ('closed', 'cancelled')
               group by 1, 2, 3 order by 1, 2, 3"#
        )
        .fetch_all(&self.pool)
        .await?;
        rows.into_iter()
            .map(|row| {
                Ok(FleetCell {
                    platform: row.platform,
                    region: row.region.parse().map_err(|_| misread("a region", &row.region))?,
                    activity: row.activity,
                    accounts: row.accounts.unsigned_abs(),
                    coverage_sum: row.coverage_sum,
                })
            })
            .collect()
    }

    /// At most `limit` judged accounts, worst first: by the tier of silence, then by the oldest
    /// last post. `platform` and `area_prefix` (the first digits of the area code) choose.
    pub async fn standings(
        &self,
        limit: u32,
        platform: Option<&str>,
        area_prefix: Option<&str>,
    ) -> Result<Vec<Standing>, StoreError> {
        self.each_standing(limit, platform, area_prefix).try_collect().await
    }

    /// The same, streamed: only one is in memory at a time.
    pub fn each_standing(
        &self,
        limit: u32,
        platform: Option<&str>,
        area_prefix: Option<&str>,
    ) -> BoxStream<'_, Result<Standing, StoreError>> {
        let wanted = StandingFilter { platform, area: area_prefix, ..StandingFilter::default() };
        self.chosen(Choice { limit, wanted, ..Choice::default() })
    }

    /// At most `limit` of the chosen judged accounts with keys after `after`, in the order of their
    /// keys.
    pub async fn standings_after(
        &self,
        after: &str,
        limit: u32,
        wanted: StandingFilter<'_>,
    ) -> Result<Vec<Standing>, StoreError> {
        self.chosen(Choice { limit, after: Some(after), key: None, wanted }).try_collect().await
    }

    /// The standing of one judged account.
    pub async fn standing(&self, key: &str) -> Result<Option<Standing>, StoreError> {
        self.chosen(Choice { limit: 1, key: Some(key), ..Choice::default() }).try_next().await
    }

    /// The chosen accounts by key where a key to go on after is given, worst first elsewhere.
    fn chosen(&self, choice: Choice<'_>) -> BoxStream<'_, Result<Standing, StoreError>> {
        sqlx::query_as!(
            StandingRow,
            r#"with newest as (
                 select distinct on (r.scheme) r.id from score_runs r
                 where r.finished_at is not null and r.known_at = (
                     select k.known_at from score_runs k where k.finished_at is not null
                     order by k.finished_at desc, k.id desc limit 1)
                 order by r.scheme, r.finished_at desc, r.id desc
             ), worst as (
                 select a.id, a.key, a.platform, a.name, a.sponsor_id, a.region, a.category,
                     s.activity, s.reason, s.last_post_at, s.last_observation_at,
                     s.silence_deadline_at, s.coverage,
                     array_position(array['gone', 'empty', 'zombie', 'dormant', 'watch',
                         'undetermined', 'active'], s.activity) as tier
                 from accounts a join account_states s on s.account_id = a.id
                 where a.in_ledger and a.lifecycle not in ('closed', 'cancelled')
                   and ($2::text is null or a.platform = $2)
                   and ($3::text is null or starts_with(a.region, $3))
                   and ($4::text is null or a.key = $4)
                   and ($5::text is null or a.key > $5)
                   and ($6::text is null or s.activity = $6)
                   and ($7::text is null or exists (select from units n
                       where n.id = a.sponsor_id and strpos(n.name, $7) > 0))
                   and ($8::text is null or strpos(lower(a.name), lower($8)) > 0
                       or strpos(lower(a.key), lower($8)) > 0
                       or strpos(lower(a.handle), lower($8)) > 0)
                 order by case when $5 is null then array_position(array['gone', 'empty', 'zombie',
                         'dormant', 'watch', 'undetermined', 'active'], s.activity) end,
                     case when $5 is null then s.last_post_at end nulls first, a.key
                 limit $1
             )
             select w.key, w.platform, w.name, u.name as sponsor, w.region as "region!",
                 w.category, w.activity, w.reason, w.last_post_at, w.last_observation_at,
                 w.silence_deadline_at, w.coverage, p.followers as "followers?",
                 coalesce(n.dimensions, '{}') as "dimensions!",
                 coalesce(n.points, '{}') as "points!"
             from worst w
             join units u on u.id = w.sponsor_id
             left join account_profiles p on p.account_id = w.id
             left join lateral (
                 select array_agg(s.dimension order by s.dimension) as dimensions,
                     array_agg(s.points::float8 order by s.dimension) as points
                 from scores s
                 where s.account_id = w.id and s.run_id in (select id from newest)
                   and s.points is not null
             ) n on true
             order by case when $5 is null then w.tier end,
                 case when $5 is null then w.last_post_at end nulls first, w.key"#,
            i64::from(choice.limit),
            choice.wanted.platform,
            choice.wanted.area,
            choice.key,
            choice.after,
            choice.wanted.activity,
            choice.wanted.sponsor,
            choice.wanted.text
        )
        .fetch(&self.pool)
        .map(|row| Standing::try_from(row?))
        .boxed()
    }
}
