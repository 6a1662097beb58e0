//! An explanation as the command line shows it.

use std::fmt;

use super::{ExplainedValue, Explanation};
use crate::extract::reader::quoted;

impl fmt::Display for Explanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for layout in &self.layouts {
            let what = match (layout.tried, layout.chosen) {
                (false, _) => "not tried: an earlier one was chosen",
                (true, true) => "chosen",
                (true, false) => "not chosen",
            };
            let reason = layout.reason.as_ref().map(|reason| format!(": {reason}"));
            writeln!(f, "layout {}: {what}{}", layout.name, reason.unwrap_or_default())?;
        }
        if let Some(found) = &self.extraction.finding {
            writeln!(f, "found without paths: {}, {} %", found.place, found.confidence_percent)?;
        }
        self.values.iter().try_for_each(|value| value.fmt(f))?;
        self.left_out.iter().try_for_each(|(place, why)| writeln!(f, "{place} left out: {why}"))
    }
}

impl fmt::Display for ExplainedValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{} = {}", self.place, self.value)?;
        for asked in &self.asked {
            if asked.found.is_empty() {
                writeln!(f, "    {}: nothing there", asked.source)?;
            }
            for (raw, text) in &asked.found {
                write!(f, "    {}: {:?}", asked.source, quoted(raw.trim()))?;
                match text {
                    None => writeln!(f, " does not fit")?,
                    Some(text) if text == raw.trim() => writeln!(f)?,
                    Some(text) => writeln!(f, " → {:?}", quoted(text))?,
                }
            }
        }
        Ok(())
    }
}
