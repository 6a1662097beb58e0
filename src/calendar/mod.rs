//! Working days (工作日) of the yearly State Council notice, as data.
//!
//! Rules in natural time (14 days, 3 months) never look here. Rules in 工作日 do, and where the
//! notice of a year is not known they get no answer: weekends alone would be a guess, wrong for
//! every make-up working day (调休) and every holiday.

mod deadline;
mod file;

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use chrono::{Datelike, NaiveDate, Weekday};
use sha2::{Digest, Sha256};

use crate::domain::{Problem, SourceText};

pub use deadline::{Counting, OfficeHours};

/// From this day of December on, the notice of the following year has changed days before (2018,
/// 2011): until it is known they are undetermined.
const NEXT_NOTICE_FROM: (u32, u32) = (12, 25);

/// The working days of the years whose notice is known.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Calendar {
    years: BTreeSet<i32>,
    /// Days the notices name: `true` off, `false` a make-up working day.
    named: BTreeMap<NaiveDate, bool>,
    digest: String,
    files: Vec<SourceText>,
}

/// A year without a notice, which a working-day question would have to know.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UnknownYear(pub i32);

impl fmt::Display for UnknownYear {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} 年的节假日安排尚未录入,工作日无法确定", self.0)
    }
}

impl Calendar {
    /// Reads the files of a folder, one a year.
    ///
    /// # Errors
    ///
    /// Every problem of every file: a day that is none, of another year, or named twice; a year
    /// with two files. A file without days is valid and leaves its year unknown.
    pub fn compile(files: &[SourceText]) -> Result<Self, Vec<Problem>> {
        let mut calendar = Self::default();
        let mut problems = Vec::new();
        let mut digest = Sha256::new();
        let mut seen = BTreeMap::new();
        for source in files {
            digest.update(source.text.as_bytes());
            let Some(year) = file::read(source, &mut problems) else { continue };
            if let Some(other) = seen.insert(year.year, &source.file) {
                let reason = format!("{other} has the year {} already", year.year);
                problems.push(source.problem_at(0, "year", reason));
            }
            if !year.days.is_empty() {
                calendar.years.insert(year.year);
            }
            calendar.named.extend(year.days);
        }
        calendar.digest = format!("sha256:{}", hex::encode(digest.finalize()));
        calendar.files = files.to_vec();
        if problems.is_empty() { Ok(calendar) } else { Err(problems) }
    }

    /// `sha256:…` of the files: what a result names as its calendar.
    pub fn digest(&self) -> &str {
        &self.digest
    }

    /// The files themselves, in the order in which the digest takes them: a freeze keeps them.
    pub fn files(&self) -> &[SourceText] {
        &self.files
    }

    /// The years whose notice is known.
    pub fn years(&self) -> impl Iterator<Item = i32> + '_ {
        self.years.iter().copied()
    }

    /// Whether a day is a working day.
    ///
    /// # Errors
    ///
    /// The year whose notice would have to be known.
    pub fn is_working(&self, day: NaiveDate) -> Result<bool, UnknownYear> {
        if !self.years.contains(&day.year()) {
            return Err(UnknownYear(day.year()));
        }
        if let Some(off) = self.named.get(&day) {
            return Ok(!off);
        }
        let next = day.year() + 1;
        if (day.month(), day.day()) >= NEXT_NOTICE_FROM && !self.years.contains(&next) {
            return Err(UnknownYear(next));
        }
        Ok(!matches!(day.weekday(), Weekday::Sat | Weekday::Sun))
    }

    /// The first working day at or after a day.
    ///
    /// # Errors
    ///
    /// As [`Self::is_working`].
    pub fn working_day_from(&self, mut day: NaiveDate) -> Result<NaiveDate, UnknownYear> {
        while !self.is_working(day)? {
            day = next(day)?;
        }
        Ok(day)
    }

    /// The `count`-th working day after a day, which itself is not counted.
    ///
    /// # Errors
    ///
    /// As [`Self::is_working`].
    pub fn working_days_after(
        &self,
        mut day: NaiveDate,
        count: u32,
    ) -> Result<NaiveDate, UnknownYear> {
        for _ in 0..count {
            day = self.working_day_from(next(day)?)?;
        }
        Ok(day)
    }

    /// How many working days lie in `(after, until]`; 0 where `until` is not later.
    ///
    /// # Errors
    ///
    /// As [`Self::is_working`].
    pub fn working_days_between(
        &self,
        after: NaiveDate,
        until: NaiveDate,
    ) -> Result<u32, UnknownYear> {
        let mut count = 0;
        for day in after.iter_days().skip(1).take_while(|day| *day <= until) {
            count += u32::from(self.is_working(day)?);
        }
        Ok(count)
    }
}

fn next(day: NaiveDate) -> Result<NaiveDate, UnknownYear> {
    day.succ_opt().ok_or(UnknownYear(day.year()))
}
