//! What a platform file says of itself.

use std::io::{self, Write};

use crate::platform::{Observability, PageKind, Platform, Role};

/// Prints a platform: access, robots.txt, who can see what, and its page kinds with their proof.
pub(super) fn show(platform: &Platform) -> io::Result<()> {
    let mut out = io::stdout().lock();
    let access = match platform.observability {
        Observability::PublicPage => "public_page",
        Observability::PublicFeed => "public_feed",
        Observability::OwnerApi => "owner_api",
        Observability::OfficeFile => "office_file",
    };
    writeln!(out, "{} {}: {access}", platform.id, platform.title)?;
    writeln!(out, "  {}", platform.notes)?;
    if let Some(robots) = &platform.robots {
        let checked = robots
            .checked
            .map_or_else(|| "never checked".to_owned(), |day| format!("checked {day}"));
        writeln!(out, "  robots.txt: {} ({checked})", robots.verdict)?;
    }
    let lag = platform.visibility_lag.num_hours();
    writeln!(out, "  a post is visible within {lag} h")?;
    for (need, visibility) in &platform.visibility {
        writeln!(out, "  {:<13} {visibility}", need.to_string())?;
    }
    platform.pages.values().try_for_each(|kind| writeln!(out, "  {}", line(kind)))
}

fn line(kind: &PageKind) -> String {
    let role = match kind.role {
        Role::List => "list",
        Role::Profile => "profile",
        Role::Article => "article",
        Role::Comments => "comments",
        Role::Board => "board",
        Role::Inventory => "inventory",
    };
    let crawled = if kind.crawl { ", crawled" } else { "" };
    let verified = match kind.verified {
        Some(day) => format!("verified {day}"),
        None => "never verified: proves activity, never silence".to_owned(),
    };
    format!("page {}: {role}{crawled}, {verified}", kind.name)
}
