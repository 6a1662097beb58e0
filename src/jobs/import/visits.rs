use chrono::{DateTime, SecondsFormat, Utc};

use crate::domain::PageVerdict;
use crate::extract::DeclaredList;
use crate::observe::{
    Known, PageRules, Policy, Proof, Provenance, Reading, Role, Source, Visit, compose,
};
use crate::platform::{ImportMapping, Observability};
use crate::store::{
    ImportRecord, Imported, Store, StoreError, VisitDetails, VisitEvidence, VisitRecord,
};

/// A file that is handed in, read and found without fault.
pub struct HandedIn<'a> {
    /// The mapping under which it was read.
    pub mapping: &'a ImportMapping,
    /// What it declares, account by account.
    pub lists: &'a [DeclaredList],
    /// The file's name.
    pub file: &'a str,
    /// `sha256:…` of its bytes.
    pub digest: &'a str,
    /// 账号编号 of its account, where it was named with the file.
    pub account: Option<&'a str>,
    /// From when on it is complete, where that was said with the file.
    pub complete_from: Option<DateTime<Utc>>,
    /// Until when, likewise.
    pub complete_to: Option<DateTime<Utc>>,
    /// Who hands it in.
    pub actor: &'a str,
}

/// Writes down what was handed in, each account's part as a visit; the same file a second time
/// changes nothing.
///
/// # Errors
/// The database does not answer.
pub async fn import_observations(
    store: &Store,
    policy: &Policy,
    handed: &HandedIn<'_>,
    now: DateTime<Utc>,
) -> Result<Imported, StoreError> {
    let mapping = handed.mapping;
    let time = |at: Option<DateTime<Utc>>| {
        at.map_or_else(|| "-".to_owned(), |at| at.to_rfc3339_opts(SecondsFormat::Secs, true))
    };
    let declared = format!(
        "account {}, complete {} to {}",
        handed.account.unwrap_or("-"),
        time(handed.complete_from),
        time(handed.complete_to)
    );
    let class = match mapping.platform.observability {
        Observability::OfficeFile => "office_file",
        _ => "owner_api",
    };
    let record = ImportRecord {
        source: mapping.platform.id.clone(),
        title: mapping.platform.title.clone(),
        class: class.to_owned(),
        file: handed.file.to_owned(),
        file_digest: handed.digest.to_owned(),
        mapping_digest: mapping.platform.digest.clone(),
        declared,
        actor: handed.actor.to_owned(),
        imported_at: now,
    };
    let visits: Vec<VisitRecord> =
        handed.lists.iter().map(|list| visit(handed, list, policy, now)).collect();
    store.import(&record, &visits).await
}

/// One account's part of the export as a visit: what it proves is for the calculus to say.
fn visit(
    handed: &HandedIn<'_>,
    list: &DeclaredList,
    policy: &Policy,
    now: DateTime<Utc>,
) -> VisitRecord {
    let mapping = handed.mapping;
    let reading = Reading {
        provenance: Provenance::Declared {
            entered_at: now,
            complete_from: list.complete_from,
            complete_to: list.complete_to,
        },
        failure: None,
        verdict: PageVerdict::Observation,
        rules: PageRules {
            role: Role::List,
            newest_first: false,
            verified: true,
            short_page_is_end: false,
        },
        // The person who hands it in answers for whose it is.
        proof: Proof::Id { matches: Some(true), address_kept: true },
        posts: list.posts.clone(),
        end_marker: false,
        short_page: false,
        empty_marker: false,
        posts_total: None,
        registered_at: None,
    };
    let composed = compose(&reading, &Known::default(), policy);
    VisitRecord {
        account: list.account,
        host: None,
        lease: None,
        status: None,
        bytes: None,
        duration_ms: None,
        body_digest: Some(handed.digest.to_owned()),
        seen_at: composed.posts_as_of.unwrap_or(now),
        identity: None,
        posts: list.posts.clone(),
        inquiries: Vec::new(),
        details: VisitDetails::default(),
        next: None,
        visit: Visit {
            page: mapping.platform.id.as_str().into(),
            part: mapping.kind().lists.as_str().into(),
            started_at: now,
            recorded_at: now,
            adapter: mapping.platform.digest.as_str().into(),
            source: match mapping.platform.observability {
                Observability::OfficeFile => Source::Person,
                _ => Source::Import,
            },
            items: u32::try_from(list.posts.len()).unwrap_or(u32::MAX),
            outcome: composed.outcome,
        },
        look: None,
        // What was handed in lies with whoever handed it in; its digest stands above.
        evidence: VisitEvidence::Nothing,
    }
}
