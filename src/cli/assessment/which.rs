use anyhow::{Context as _, bail};

use crate::cli::Misused;
use crate::score::Period;
use crate::store::{Assessment, Store};

/// Which assessment is meant.
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Which {
    /// Its number, as `assessment list` tells.
    pub(in crate::cli) id: Option<i64>,
    /// The newest version of this period.
    #[arg(long, conflicts_with = "id")]
    pub(in crate::cli) period: Option<Period>,
    /// Of this scheme; needed where the period is frozen under several.
    #[arg(long, requires = "period")]
    pub(in crate::cli) scheme: Option<String>,
}

impl Which {
    /// Finds it.
    pub(in crate::cli) async fn find(&self, store: &Store) -> anyhow::Result<Assessment> {
        if let Some(id) = self.id {
            return store.assessment(id).await?.with_context(|| format!("no assessment {id}"));
        }
        let Some(period) = self.period else {
            return Err(Misused("name an assessment: its number, or --period".to_owned()).into());
        };
        let mut newest = store.assessments(Some(&period.to_string())).await?;
        newest.retain(|one| one.superseded_by.is_none());
        if self.scheme.is_some() {
            newest.retain(|one| one.scheme == self.scheme);
        }
        match newest.len() {
            0 => bail!("{period} is not frozen"),
            1 => Ok(newest.remove(0)),
            _ => {
                let schemes: Vec<&str> =
                    newest.iter().map(|one| one.scheme.as_deref().unwrap_or("-")).collect();
                let known = schemes.join(", ");
                let message = format!("{period} is frozen under several; name --scheme: {known}");
                Err(Misused(message).into())
            }
        }
    }
}
