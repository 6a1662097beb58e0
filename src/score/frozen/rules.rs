use crate::calendar::Calendar;
use crate::domain::{Problem, SourceText};
use crate::scheme::{Catalog, IndexCatalog, Scheme};

use super::super::{Tables, measure_ids};
use super::bundle::{FORMAT, FORMAT_1, FrozenHead, FrozenText};

/// The rules of a bundle, compiled.
pub struct FrozenRules {
    /// The head they stand in.
    pub head: FrozenHead,
    schemes: Catalog,
    indices: IndexCatalog,
    calendar: Calendar,
}

impl FrozenRules {
    /// Reads the first line of a bundle and compiles what it carries.
    ///
    /// # Errors
    /// Another format, a text that is not that of its digest, rules that this program does not
    /// compile.
    pub fn read(line: &str) -> Result<Self, String> {
        let head: FrozenHead =
            serde_json::from_str(line).map_err(|error| format!("the head: {error}"))?;
        if ![FORMAT, FORMAT_1].contains(&head.format.as_str()) {
            return Err(format!(
                "the format {:?} is not {FORMAT:?}, which this program reads",
                head.format
            ));
        }
        let indices = IndexCatalog::compile(&sources(&head.indices)?).map_err(told)?;
        let calendar = match head.calendar.as_slice() {
            [] => Calendar::default(),
            files => Calendar::compile(&sources(files)?).map_err(told)?,
        };
        if calendar.digest() != head.calendar_digest {
            return Err("the working days are not those of their digest".to_owned());
        }
        let schemes =
            Catalog::compile(&sources(&head.schemes)?, &measure_ids(&indices)).map_err(told)?;
        Ok(Self { head, schemes, indices, calendar })
    }

    /// The scheme of an id.
    pub fn scheme(&self, id: &str) -> Option<&Scheme> {
        self.schemes.get(id)
    }

    /// Every scheme, by id.
    pub fn schemes(&self) -> impl Iterator<Item = &Scheme> {
        self.schemes.iter()
    }

    /// Working days and index formulas.
    pub fn tables(&self) -> Tables<'_> {
        Tables { calendar: &self.calendar, indices: &self.indices }
    }

    /// Compiles a draft over the same measures and indices; its catalogue holds it alone.
    ///
    /// # Errors
    /// Every problem of the file.
    pub fn draft(&self, source: &SourceText) -> Result<Catalog, Vec<Problem>> {
        Catalog::compile(std::slice::from_ref(source), &measure_ids(&self.indices))
    }
}

fn sources(files: &[FrozenText]) -> Result<Vec<SourceText>, String> {
    files.iter().map(FrozenText::source).collect()
}

#[expect(clippy::needless_pass_by_value, reason = "what a compiler's error is mapped by")]
fn told(problems: Vec<Problem>) -> String {
    let problems: Vec<String> = problems.iter().map(ToString::to_string).collect();
    format!("the rules do not compile: {}", problems.join("; "))
}
