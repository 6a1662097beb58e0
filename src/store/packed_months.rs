//! Which rows of visits, samples and posts are read packed, and which one by one.

use std::fmt::Write as _;

use chrono::{DateTime, Days, Months, NaiveDate, NaiveTime, Utc};
use sqlx::PgConnection;

use super::StoreError;
use super::copy_out::literal;
use super::period_columns::{POST, SAMPLE, VISIT};

/// How rows are packed: the next number where [`super::packing`] or the type of a column changes.
const FORM: u32 = 1;

/// A table of which ended months are packed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Source {
    Visits,
    Samples,
    Posts,
}

impl Source {
    /// All of them.
    pub(super) const ALL: [Self; 3] = [Self::Visits, Self::Samples, Self::Posts];

    /// The table.
    pub(super) fn table(self) -> &'static str {
        match self {
            Self::Visits => "visits",
            Self::Samples => "post_samples",
            Self::Posts => "posts",
        }
    }

    /// Where its packed rows are.
    pub(super) fn packed(self) -> &'static str {
        match self {
            Self::Visits => "packed_visits",
            Self::Samples => "packed_samples",
            Self::Posts => "packed_posts",
        }
    }

    /// What is read of a row behind its account.
    pub(super) fn columns(self) -> &'static str {
        match self {
            Self::Visits => VISIT,
            Self::Samples => SAMPLE,
            Self::Posts => POST,
        }
    }

    /// The rows that are read at all.
    pub(super) fn wanted(self) -> &'static str {
        match self {
            Self::Visits => "part <> '-'",
            Self::Samples | Self::Posts => "true",
        }
    }

    /// The order of an account's rows: alike ones next to each other.
    pub(super) fn order(self) -> &'static str {
        match self {
            Self::Visits => "page, started_at",
            Self::Samples => "ref, at",
            Self::Posts => "page, first_seen",
        }
    }

    /// The instant by which a row belongs to its month.
    fn at(self) -> &'static str {
        match self {
            Self::Visits => "started_at",
            Self::Samples => "at",
            Self::Posts => "greatest(claimed_at, first_seen)",
        }
    }

    /// What tells packed rows from those of other programs.
    pub(super) fn form(self) -> String {
        let words = self.columns().split_whitespace().collect::<Vec<_>>().join(" ");
        format!("{FORM}: {words} where {}", self.wanted())
    }

    /// Whether a row's instant is in `[from, to)`, as a condition.
    pub(super) fn within(self, from: DateTime<Utc>, to: Option<DateTime<Utc>>) -> String {
        let inside = |at: &str| {
            let end = to.map_or_else(String::new, |to| format!(" and {at} < {}", literal(to)));
            format!("({at} >= {}{end})", literal(from))
        };
        match self {
            Self::Visits | Self::Samples => inside(self.at()),
            // What is known of blocks of the disk is known of each of the two.
            Self::Posts => {
                let either = [inside("claimed_at"), inside("first_seen")].join(" or ");
                format!("(({either}) and {})", inside(self.at()))
            }
        }
    }
}

/// The begin of a month, given by its first day (UTC).
pub(super) fn begin(month: NaiveDate) -> DateTime<Utc> {
    month.and_time(NaiveTime::MIN).and_utc()
}

/// The first day of the month that follows.
pub(super) fn next(month: NaiveDate) -> NaiveDate {
    month.checked_add_months(Months::new(1)).unwrap_or(month + Days::new(31))
}

/// The months of a table that are packed, of those that a stretch of time touches.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct PackedMonths {
    source: Source,
    from: DateTime<Utc>,
    to: Option<DateTime<Utc>>,
    /// In order.
    months: Vec<NaiveDate>,
    /// Whether rows came to one of them since.
    are_late_rows: bool,
}

impl PackedMonths {
    /// Those of `[from, to)`, without an end where nothing ends it, as the connection sees them.
    pub(super) async fn read(
        connection: &mut PgConnection,
        source: Source,
        from: DateTime<Utc>,
        to: Option<DateTime<Utc>>,
    ) -> Result<Self, StoreError> {
        let rows = sqlx::query!(
            r#"select month as "month!", exists (select from late_rows l
                   where l.packed = p.packed and l.month = p.month) as "is_late!"
               from standing_packs p where packed = $1 and form = $2 order by month"#,
            source.table(),
            source.form()
        )
        .fetch_all(connection)
        .await?;
        let touched = rows.into_iter().filter(|row| {
            from < begin(next(row.month)) && to.is_none_or(|to| begin(row.month) < to)
        });
        let (months, are_late): (Vec<_>, Vec<_>) =
            touched.map(|row| (row.month, row.is_late)).unzip();
        Ok(Self { source, from, to, months, are_late_rows: are_late.contains(&true) })
    }

    /// Every packed account-month that counts, in the order of the accounts; none where nothing is
    /// packed.
    pub(super) fn packed_rows(&self) -> Option<String> {
        let (first, last) = self.months.first().zip(self.months.last())?;
        let (table, packed) = (self.source.table(), self.source.packed());
        let late = format!(
            "and not exists (select from late_rows l where l.packed = '{table}'
                 and l.month = p.month and l.account_id = p.account_id)"
        );
        // An index in the order of the accounts tells other months by their range, before their
        // rows are looked at.
        Some(format!(
            "select account_id, rows from {packed} p
             where month between '{first}' and '{last}' and month = any({}) {}
             order by account_id",
            self.list(),
            if self.are_late_rows { &late } else { "" },
        ))
    }

    /// Every other row of the stretch for which `more` holds, in the order of the accounts.
    pub(super) fn other_rows(&self, more: &str) -> String {
        let source = self.source;
        let (table, columns, wanted) = (source.table(), source.columns(), source.wanted());
        let mut query = format!(
            "select account_id, {columns} from {table}
             where {wanted} and {more} and ({})",
            self.gaps()
        );
        if self.are_late_rows {
            let at = source.at();
            let _ = write!(
                query,
                " union all
                 select t.account_id, {columns}
                 from (select distinct account_id, month from late_rows
                       where packed = '{table}' and month = any({})) as l (account, late_month)
                 join {table} t on t.account_id = l.account
                     and {at} >= late_month::timestamp at time zone 'UTC'
                     and {at} < (late_month + interval '1 month')::timestamp at time zone 'UTC'
                 where {wanted} and {more} and {}",
                self.list(),
                source.within(self.from, self.to)
            );
        }
        format!("select * from ({query}) as rows order by account_id")
    }

    /// What of the stretch is not in packed months.
    fn gaps(&self) -> String {
        let mut gaps = Vec::new();
        let mut from = self.from;
        for month in &self.months {
            if from < begin(*month) {
                gaps.push((from, Some(begin(*month))));
            }
            from = from.max(begin(next(*month)));
        }
        if self.to.is_none_or(|to| from < to) {
            gaps.push((from, self.to));
        }
        let told: Vec<String> =
            gaps.into_iter().map(|(from, to)| self.source.within(from, to)).collect();
        if told.is_empty() { "false".to_owned() } else { told.join(" or ") }
    }

    fn list(&self) -> String {
        let months: Vec<String> = self.months.iter().map(NaiveDate::to_string).collect();
        format!("'{{{}}}'::date[]", months.join(","))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gaps(months: &[&str], from: &str, to: Option<&str>) -> String {
        let at = |text: &str| begin(text.parse().unwrap());
        let packed = PackedMonths {
            source: Source::Samples,
            from: at(from),
            to: to.map(at),
            months: months.iter().map(|month| month.parse().unwrap()).collect(),
            are_late_rows: false,
        };
        packed.gaps().replace("T00:00:00.000000Z'::timestamptz", "'")
    }

    #[test]
    fn rows_of_packed_months_are_not_read_one_by_one() {
        let cases = [
            (&[][..], "2026-07-01", None, "(at >= '2026-07-01')"),
            (&[], "2026-07-01", Some("2026-08-01"), "(at >= '2026-07-01' and at < '2026-08-01')"),
            (&["2026-07-01"], "2026-07-09", None, "(at >= '2026-08-01')"),
            (&["2026-07-01"], "2026-07-09", Some("2026-08-01"), "false"),
            (&["2026-07-01"], "2026-07-09", Some("2026-07-20"), "false"),
            (
                &["2026-06-01", "2026-08-01", "2026-12-01"],
                "2026-06-23",
                Some("2027-01-05"),
                "(at >= '2026-07-01' and at < '2026-08-01') or \
                 (at >= '2026-09-01' and at < '2026-12-01') or \
                 (at >= '2027-01-01' and at < '2027-01-05')",
            ),
        ];
        for (months, from, to, wanted) in cases {
            assert_eq!(gaps(months, from, to), wanted, "{months:?} {from} {to:?}");
        }
    }
}
