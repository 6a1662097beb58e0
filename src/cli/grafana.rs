//! `xunjian grafana`: who may look at the boards' lists, and of which area.

use std::io::{self, Write};

use super::registry::with_store;
use super::{Context, Misused};
use crate::app::clock::SystemClock;
use crate::domain::{Area, Clock, SHANGHAI};
use crate::settings;
use crate::store::LoginGiven;

/// Gives out, lists and ends the database logins of Grafana: each reads the boards' views of its
/// area, and no table.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    task: Task,
}

#[derive(Debug, clap::Subcommand)]
enum Task {
    Login(Login),
    /// Lists the logins, one a line: name, area, who gave it out, when.
    List,
    /// Lets a login see nothing from now on; its role stays on the server.
    Revoke {
        /// The login.
        #[arg(value_parser = login)]
        name: String,
    },
}

/// Makes a login, or gives one that is there another area: its password goes to stdout, once, and
/// is kept nowhere.
#[derive(Debug, clap::Args)]
struct Login {
    /// The role's name: small letters, digits and _.
    #[arg(value_parser = login)]
    name: String,
    /// 行政区划代码 of the subtree outside of which nothing exists for it.
    #[arg(long, value_name = "CODE", required_unless_present = "all_areas", value_parser = region)]
    region: Option<Area>,
    /// For all areas.
    #[arg(long, conflicts_with = "region")]
    all_areas: bool,
    /// A new password for a login that is there.
    #[arg(long)]
    renew_password: bool,
    /// Who gives it out [default: the user of this machine].
    #[arg(long, value_name = "NAME")]
    actor: Option<String>,
}

fn region(code: &str) -> Result<Area, String> {
    let area: Area = code.parse()?;
    if area.is_all() { Err("for all areas say --all-areas".to_owned()) } else { Ok(area) }
}

/// What Postgres takes without quotes, and none of the names that it or the program uses itself.
fn login(name: &str) -> Result<String, String> {
    let first_is_letter = name.starts_with(|first: char| first.is_ascii_lowercase());
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
    if !first_is_letter || !name.bytes().all(plain) || name.len() > 63 {
        return Err("a small letter, then small letters, digits and _; 63 at most".to_owned());
    }
    if name.starts_with("pg_") || matches!(name, "public" | "none" | "xunjian_grafana") {
        return Err(format!("{name} is a name of the server or the program"));
    }
    Ok(name.to_owned())
}

pub(super) async fn run(args: Args, context: &Context) -> anyhow::Result<()> {
    let settings = context.settings()?;
    match args.task {
        Task::Login(wanted) => {
            let by = wanted.actor.or_else(settings::user_name).unwrap_or_default();
            let by = by.trim().to_owned();
            if by.is_empty() {
                return Err(Misused("--actor must name somebody".to_owned()).into());
            }
            let (name, area) = (wanted.name, wanted.region.unwrap_or_default());
            let (renew, now) = (wanted.renew_password, SystemClock.now());
            let given = with_store(&settings, async |store| {
                Ok(store.give_board_login(&name, &area, renew, &by, now).await?)
            });
            match given.await? {
                LoginGiven::Password(password) => {
                    println!("{password}");
                    eprintln!("{name} sees {area}; its password stands above and is kept nowhere");
                }
                LoginGiven::Kept => eprintln!("{name} sees {area}; its password is what it was"),
                LoginGiven::Refused(reason) => anyhow::bail!("the server's role {name}: {reason}"),
            }
            Ok(())
        }
        Task::List => {
            let logins = with_store(&settings, async |store| Ok(store.board_logins().await?));
            let mut out = io::stdout().lock();
            for one in logins.await? {
                let at = one.created_at.with_timezone(&SHANGHAI).format("%Y-%m-%d %H:%M");
                let missing = if one.exists { "" } else { "\tthe server has no such role" };
                writeln!(out, "{}\t{}\t{}\t{at}{missing}", one.login, one.area, one.created_by)?;
            }
            Ok(())
        }
        Task::Revoke { name } => {
            let done =
                with_store(&settings, async |store| Ok(store.end_board_login(&name).await?));
            anyhow::ensure!(done.await?, "{name} is no login of the boards");
            println!("{name} sees nothing from now on");
            Ok(())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_logins_need_no_quotes_and_are_nobody_elses() {
        for good in ["grafana", "county_441521", "a"] {
            assert_eq!(login(good).as_deref(), Ok(good));
        }
        for bad in ["", "1a", "_a", "A", "a-b", "a\"b", "pg_read_all_data", "xunjian_grafana"] {
            assert!(login(bad).is_err(), "{bad}");
        }
        assert!(login(&"a".repeat(64)).is_err());
    }
}
