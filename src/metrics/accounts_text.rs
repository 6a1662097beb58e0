//! The page of the accounts in the text format, family by family, whole or in pieces.

use std::ops::Range;

use super::accounts::AccountsPage;
use super::table::{
    ACCOUNT_ACTIVITY, ACCOUNT_FOLLOWERS, ACCOUNT_INFO, ACCOUNT_LAST_OBSERVATION, ACCOUNT_LAST_POST,
    ACCOUNT_SCORE_POINTS, ACCOUNT_SILENCE_DEADLINE, ACCOUNTS_DROPPED, Family,
};
use super::text::{number, push_header, push_number, push_series};

/// Bytes of one account's usual nine series, labels included; a short guess costs one regrowth.
const BYTES_AN_ACCOUNT: usize = 1_100;
/// Bytes after which a piece ends, with the account under way.
const PIECE_BYTES: usize = 64 * 1024;

/// The families of the page in their order, `ACCOUNTS_DROPPED` before them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    Info,
    Activity,
    LastPost,
    LastObservation,
    SilenceDeadline,
    ScorePoints(usize),
    Followers,
}

impl AccountsPage {
    /// The page in the text format.
    pub fn render(&self) -> String {
        let mut text = String::with_capacity(2_048 + self.accounts() * BYTES_AN_ACCOUNT);
        self.push_dropped(&mut text);
        for part in self.parts() {
            self.push_head(&mut text, part);
            self.push_rows(&mut text, part, 0..self.rows(part));
        }
        text
    }

    /// The same text piece by piece, so that the whole is never in memory.
    pub fn into_pieces(self) -> impl Iterator<Item = String> + Send {
        let parts = self.parts();
        let (mut place, mut row, mut begun) = (0, 0, false);
        std::iter::from_fn(move || {
            let mut text = String::with_capacity(PIECE_BYTES + BYTES_AN_ACCOUNT);
            if !begun {
                begun = true;
                self.push_dropped(&mut text);
            }
            while text.len() < PIECE_BYTES && place < parts.len() {
                let part = parts[place];
                if row == 0 {
                    self.push_head(&mut text, part);
                }
                if row == self.rows(part) {
                    (place, row) = (place + 1, 0);
                } else {
                    self.push_rows(&mut text, part, row..row + 1);
                    row += 1;
                }
            }
            Some(text).filter(|text| !text.is_empty())
        })
    }

    fn parts(&self) -> Vec<Part> {
        use Part::{
            Activity, Followers, Info, LastObservation, LastPost, ScorePoints, SilenceDeadline,
        };
        let dimensions = (0..self.dimensions.len().max(1)).map(ScorePoints);
        [Info, Activity, LastPost, LastObservation, SilenceDeadline]
            .into_iter()
            .chain(dimensions)
            .chain([Followers])
            .collect()
    }

    /// Rows that a part goes through, those without a value included.
    fn rows(&self, part: Part) -> usize {
        match part {
            Part::ScorePoints(place) => self.dimensions.get(place).map_or(0, |d| d.points.len()),
            _ => self.accounts(),
        }
    }

    fn push_dropped(&self, text: &mut String) {
        push_header(text, &ACCOUNTS_DROPPED);
        push_series(text, &ACCOUNTS_DROPPED, &[], number(self.dropped));
    }

    fn push_head(&self, text: &mut String, part: Part) {
        // The dimensions are one family.
        if !matches!(part, Part::ScorePoints(1..)) {
            push_header(text, family(part));
        }
    }

    fn push_rows(&self, text: &mut String, part: Part, rows: Range<usize>) {
        match part {
            Part::Info => {
                for row in rows {
                    push_account(
                        text,
                        &ACCOUNT_INFO,
                        self.labels.at(row),
                        &[self.info.at(row)],
                        1.0,
                    );
                }
            }
            Part::Activity => {
                for row in rows {
                    let rest = [",activity=\"", self.activities[row], "\""];
                    push_account(text, &ACCOUNT_ACTIVITY, self.labels.at(row), &rest, 1.0);
                }
            }
            Part::ScorePoints(place) => {
                let Some(dimension) = self.dimensions.get(place) else { return };
                for &(account, points) in &dimension.points[rows] {
                    let labels = self.labels.at(account);
                    push_account(text, family(part), labels, &[&dimension.label], points);
                }
            }
            Part::LastPost => self.push_column(text, part, &self.last_posts, rows),
            Part::LastObservation => self.push_column(text, part, &self.last_observations, rows),
            Part::SilenceDeadline => self.push_column(text, part, &self.silence_deadlines, rows),
            Part::Followers => self.push_column(text, part, &self.followers, rows),
        }
    }

    fn push_column(
        &self,
        text: &mut String,
        part: Part,
        column: &[Option<f64>],
        rows: Range<usize>,
    ) {
        for row in rows {
            if let Some(value) = column[row] {
                push_account(text, family(part), self.labels.at(row), &[], value);
            }
        }
    }
}

fn family(part: Part) -> &'static Family {
    match part {
        Part::Info => &ACCOUNT_INFO,
        Part::Activity => &ACCOUNT_ACTIVITY,
        Part::LastPost => &ACCOUNT_LAST_POST,
        Part::LastObservation => &ACCOUNT_LAST_OBSERVATION,
        Part::SilenceDeadline => &ACCOUNT_SILENCE_DEADLINE,
        Part::ScorePoints(_) => &ACCOUNT_SCORE_POINTS,
        Part::Followers => &ACCOUNT_FOLLOWERS,
    }
}

/// Writes one series: the account's two labels, then `rest`, escaped already.
fn push_account(text: &mut String, family: &Family, account: &str, rest: &[&str], value: f64) {
    text.push_str(family.name);
    text.push('{');
    text.push_str(account);
    for part in rest {
        text.push_str(part);
    }
    text.push('}');
    push_number(text, value);
}
