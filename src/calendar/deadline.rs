use chrono::{DateTime, NaiveDate, NaiveTime, Utc};

use crate::domain::{SHANGHAI, shanghai_midnight};

use super::{Calendar, UnknownYear};

/// When an office is open, in Asia/Shanghai.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OfficeHours {
    /// From this time on.
    pub from: NaiveTime,
    /// Until before this time.
    pub until: NaiveTime,
}

/// How working days are counted; every part is the scheme's to say.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counting {
    /// Whether the day of receipt is the first day (民法典: it is not counted).
    pub receipt_day_counted: bool,
    /// What comes at or after the end of office hours, or on a day off, is received on the next
    /// working day; what comes before they begin is received that day. Absent: received on the
    /// calendar day on which it came.
    pub office_hours: Option<OfficeHours>,
}

impl Calendar {
    /// The day on which something counts as received.
    ///
    /// # Errors
    ///
    /// The year whose notice would have to be known.
    pub fn received_on(
        &self,
        at: DateTime<Utc>,
        counting: &Counting,
    ) -> Result<NaiveDate, UnknownYear> {
        let local = at.with_timezone(&SHANGHAI);
        let day = local.date_naive();
        let Some(hours) = counting.office_hours else { return Ok(day) };
        if local.time() >= hours.until {
            let next = day.succ_opt().ok_or(UnknownYear(i32::MAX))?;
            return self.working_day_from(next);
        }
        self.working_day_from(day)
    }

    /// The last instant of a term of working days: 24:00 Asia/Shanghai of its last day. What
    /// happens exactly then is still in time.
    ///
    /// # Errors
    ///
    /// The year whose notice would have to be known.
    pub fn deadline(
        &self,
        received: DateTime<Utc>,
        working_days: u32,
        counting: &Counting,
    ) -> Result<DateTime<Utc>, UnknownYear> {
        let day = self.received_on(received, counting)?;
        let counted = counting.receipt_day_counted && working_days > 0 && self.is_working(day)?;
        let last = self.working_days_after(day, working_days - u32::from(counted))?;
        let next = last.succ_opt().ok_or(UnknownYear(i32::MAX))?;
        Ok(shanghai_midnight(next))
    }
}
