//! Mappings of authorised exports (授权接口) and forms filled in by hand (人工填报): which column
//! holds which field, in the words of platform files.

use std::collections::{BTreeMap, BTreeSet};

use crate::domain::{Problem, SourceText};

use super::catalog::Platform;
use super::compile_import::compile_import;
use super::layout::ItemFields;
use super::page::PageKind;
use super::source::{Path, Place, Source};

/// How a row names its account.
#[derive(Debug, Clone)]
pub enum ImportAccount {
    /// By 账号编号, the office's own key.
    Key(Source),
    /// By the platform and the account's handle there.
    Handle {
        /// The platform of all rows; absent: each row names it.
        fixed: Option<String>,
        /// Where a row names its platform.
        platform: Source,
        /// The handle.
        handle: Source,
    },
    /// Not at all: the whole file is of one account, named with the command.
    Given,
}

/// One compiled mapping.
#[derive(Debug, Clone)]
pub struct ImportMapping {
    /// Id, title, provenance and digest of the mapping, with one page kind that reads a row.
    pub platform: Platform,
    /// Where the rows stand in a JSON export; absent: the export is a table.
    pub rows: Option<Path>,
    /// How a row names its account.
    pub account: ImportAccount,
    /// From when on the export is complete for the row's account.
    pub complete_from: Source,
    /// Until when it is.
    pub complete_to: Source,
    /// How times are written, as chrono's `strftime`; none: any form with a full date.
    pub time_formats: Vec<String>,
}

impl ImportMapping {
    /// The page kind that reads a row.
    pub fn kind(&self) -> &PageKind {
        self.platform.pages.first_key_value().expect("compiled with exactly one").1
    }

    /// Where a row's values stand.
    pub fn item(&self) -> &ItemFields {
        &self.kind().layouts.first().expect("compiled with exactly one").item
    }

    /// Every column that the mapping names.
    pub fn columns(&self) -> BTreeSet<String> {
        let item = self.item();
        let mut sources = vec![&self.complete_from, &self.complete_to];
        sources.extend([&item.reference, &item.url, &item.title, &item.published_at]);
        sources.extend([&item.original, &item.repost]);
        sources.extend([&item.reads, &item.likes, &item.comments, &item.shares]);
        match &self.account {
            ImportAccount::Key(key) => sources.push(key),
            ImportAccount::Handle { platform, handle, .. } => sources.extend([platform, handle]),
            ImportAccount::Given => {}
        }
        let mut columns = BTreeSet::new();
        sources.into_iter().for_each(|source| add_columns(source, &mut columns));
        columns
    }
}

fn add_columns(source: &Source, columns: &mut BTreeSet<String>) {
    for candidate in &source.candidates {
        match &candidate.place {
            Place::At(Path::Column(name)) | Place::Page(Path::Column(name)) => {
                columns.insert(name.clone());
            }
            Place::Joined(parts, _) => parts.iter().for_each(|part| add_columns(part, columns)),
            _ => {}
        }
    }
}

/// All mappings of this installation.
#[derive(Debug, Clone, Default)]
pub struct ImportCatalog(BTreeMap<String, ImportMapping>);

impl ImportCatalog {
    /// Compiles mapping files.
    ///
    /// # Errors
    /// Every problem of every file, in the order of files and lines.
    pub fn compile(files: &[SourceText]) -> Result<Self, Vec<Problem>> {
        let mut mappings: BTreeMap<String, ImportMapping> = BTreeMap::new();
        let mut problems = Vec::new();
        for file in files {
            match compile_import(file) {
                Ok(mapping) if mappings.contains_key(&mapping.platform.id) => {
                    problems.push(file.problem("id", "is used already"));
                }
                Ok(mapping) => {
                    mappings.insert(mapping.platform.id.clone(), mapping);
                }
                Err(found) => problems.extend(found),
            }
        }
        if problems.is_empty() { Ok(Self(mappings)) } else { Err(problems) }
    }

    /// The mapping of an id.
    pub fn get(&self, id: &str) -> Option<&ImportMapping> {
        self.0.get(id)
    }

    /// The ids, in order.
    pub fn ids(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::platform::Observability;

    fn compile(text: &str) -> Result<ImportCatalog, Vec<String>> {
        let source = SourceText { file: "x.toml".to_owned(), text: text.to_owned() };
        ImportCatalog::compile(&[source])
            .map_err(|problems| problems.iter().map(ToString::to_string).collect())
    }

    #[test]
    fn the_shipped_mappings_compile_and_name_their_columns() {
        let backend = compile(include_str!("../../config/imports/wechat_backend.toml")).unwrap();
        let columns = backend.get("wechat_backend").unwrap().columns();
        assert!(columns.contains("发表时间") && columns.contains("内容url"), "{columns:?}");
        let form = compile(include_str!("../../config/imports/monthly_form.toml")).unwrap();
        let form = form.get("monthly_form").unwrap();
        assert_eq!(form.platform.observability, Observability::OfficeFile);
        assert!(form.columns().contains("数据截至"));
    }

    #[test]
    fn every_problem_of_a_mapping_is_told_with_its_line() {
        let problems = compile(
            "id = \"x\"\ntitle = \"y\"\nprovenance = \"听说\"\ntime_formats = [\"%Q\"]\n\
             [account]\nkey = \"a\"\ngiven = true\n[item]\ntitle = \"b\"\nlieks = \"c\"\n",
        )
        .unwrap_err();
        let told = problems.join("\n");
        for part in [
            "x.toml:3: provenance: \"听说\" is none of",
            "x.toml:4: time_formats[0]: ",
            "account.key: needs exactly one of",
            "item.published_at: is missing",
            "item.ref: is missing",
            "x.toml:10: item.lieks: unknown key",
        ] {
            assert!(told.contains(part), "{part} is not in\n{told}");
        }
    }
}
