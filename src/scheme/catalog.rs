use std::collections::BTreeMap;

use crate::domain::{Problem, SourceText};

use super::compile::scheme;
use super::rules::Scheme;

/// Every scheme of an installation.
#[derive(Debug, Default)]
pub struct Catalog {
    schemes: BTreeMap<String, Scheme>,
}

impl Catalog {
    /// Compiles scheme files over the known measures.
    ///
    /// # Errors
    ///
    /// Every problem of every file, in the order of the files.
    pub fn compile(sources: &[SourceText], measures: &[&str]) -> Result<Self, Vec<Problem>> {
        let mut catalog = Self::default();
        let mut problems = Vec::new();
        for source in sources {
            let Some(scheme) = scheme(source, measures, &mut problems) else { continue };
            if catalog.schemes.contains_key(&scheme.id) {
                let reason = format!("another file has the scheme {:?} already", scheme.id);
                problems.push(source.problem("id", reason));
            }
            catalog.schemes.insert(scheme.id.clone(), scheme);
        }
        if problems.is_empty() { Ok(catalog) } else { Err(problems) }
    }

    /// The scheme of an id.
    pub fn get(&self, id: &str) -> Option<&Scheme> {
        self.schemes.get(id)
    }

    /// Every scheme, by id.
    pub fn iter(&self) -> impl Iterator<Item = &Scheme> {
        self.schemes.values()
    }
}
