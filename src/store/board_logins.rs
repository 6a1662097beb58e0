//! Logins of the boards: roles of the server, and the area that each sees in this database.

mod password;

use chrono::{DateTime, Utc};
use sqlx::PgConnection;

use super::columns::misread;
use super::snapshot::{named, quoted};
use super::{Store, StoreError};
use crate::domain::Area;

use password::Password;

/// A login of the boards.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BoardLogin {
    /// The role's name.
    pub login: String,
    /// What it sees; nothing of any other area.
    pub area: Area,
    /// Who gave it out.
    pub created_by: String,
    /// When, or when its area was last changed.
    pub created_at: DateTime<Utc>,
    /// Whether the server has the role: after a restore onto another server it has not.
    pub exists: bool,
}

/// What came of giving out a login.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LoginGiven {
    /// The role is new, or was to have a new password: here it is, kept nowhere.
    Password(String),
    /// The role was there; its area is set and its password is what it was.
    Kept,
    /// A role of this name may do more than look at boards, for this reason.
    Refused(&'static str),
}

impl Store {
    /// Gives a login its area, and makes the role where the server has none of this name.
    pub async fn give_board_login(
        &self,
        login: &str,
        area: &Area,
        renew_password: bool,
        by: &str,
        now: DateTime<Utc>,
    ) -> Result<LoginGiven, StoreError> {
        let mut transaction = self.pool.begin().await?;
        let role = sqlx::query!(
            r#"select r.rolsuper or r.rolcreaterole or r.rolbypassrls or r.rolreplication
                   as "mighty!",
                   pg_has_role(r.oid, c.relowner, 'member') as "owns!", r.rolcanlogin as "logs_in!",
                   exists (select from pg_auth_members m join pg_roles g on g.oid = m.roleid
                       where m.member = r.oid and g.rolname <> 'xunjian_grafana')
                   or exists (select from pg_class t
                       where t.relnamespace = c.relnamespace and t.relkind in ('r', 'p')
                         and has_table_privilege(r.oid, t.oid, 'select')) as "reads_more!"
               from pg_roles r, pg_class c
               where r.rolname = $1 and c.oid = 'board_logins'::regclass"#,
            login
        )
        .fetch_optional(&mut *transaction)
        .await?;
        if let Some(role) = &role {
            for (is_so, reason) in [
                (role.mighty, "it may act beyond this database's boards"),
                (role.owns, "it owns this database's tables, or may act as who does"),
                (role.reads_more, "it reads tables, or belongs to another group that may"),
                (!role.logs_in, "it is a group, or may not log in"),
            ] {
                if is_so {
                    return Ok(LoginGiven::Refused(reason));
                }
            }
        }
        grant_views(&mut transaction).await?;
        let name = quoted(login);
        let password = (role.is_none() || renew_password).then(Password::random).transpose()?;
        let mut statements = Vec::new();
        if role.is_none() {
            statements.push(format!("create role {name} login connection limit 20"));
        }
        if let Some(password) = &password {
            // The server is told no password that a log of statements could keep.
            statements.push(format!("alter role {name} password '{}'", password.verifier()));
        }
        statements.push(format!("grant xunjian_grafana to {name}"));
        statements.push(format!("alter role {name} set default_transaction_read_only to on"));
        statements.push(format!("alter role {name} set statement_timeout to '30s'"));
        for statement in statements {
            sqlx::raw_sql(named(statement)).execute(&mut *transaction).await?;
        }
        sqlx::query!(
            "insert into board_logins (login, area, created_by, created_at)
             values ($1, $2, $3, $4)
             on conflict (login) do update set area = excluded.area,
                 created_by = excluded.created_by, created_at = excluded.created_at",
            login,
            area.digits(),
            by,
            now
        )
        .execute(&mut *transaction)
        .await?;
        transaction.commit().await?;
        Ok(password.map_or(LoginGiven::Kept, |one| LoginGiven::Password(one.text())))
    }

    /// Every login by name.
    pub async fn board_logins(&self) -> Result<Vec<BoardLogin>, StoreError> {
        let rows = sqlx::query!(
            r#"select l.login, l.area, l.created_by, l.created_at,
                   exists (select from pg_roles r where r.rolname = l.login) as "exists!"
               from board_logins l order by l.login"#
        )
        .fetch_all(&self.pool)
        .await?;
        let read = rows.into_iter().map(|row| {
            let area = row.area.parse().map_err(|_| misread("an area", &row.area))?;
            let (login, created_by) = (row.login, row.created_by);
            Ok(BoardLogin {
                login,
                area,
                created_by,
                created_at: row.created_at,
                exists: row.exists,
            })
        });
        read.collect()
    }

    /// Lets a login see nothing from now on; false where it saw nothing before. The role stays:
    /// other databases of the server may know it.
    pub async fn end_board_login(&self, login: &str) -> Result<bool, StoreError> {
        let done = sqlx::query!("delete from board_logins where login = $1", login)
            .execute(&self.pool)
            .await?;
        Ok(done.rows_affected() > 0)
    }
}

/// The group of all logins reads every view. The migrations have seen to it where they were allowed
/// to, and where the server had the group then.
async fn grant_views(connection: &mut PgConnection) -> Result<(), StoreError> {
    sqlx::raw_sql(
        "do $$ declare board text; begin
             if not exists (select from pg_roles where rolname = 'xunjian_grafana') then
                 create role xunjian_grafana nologin;
             end if;
             execute format('grant usage on schema %I to xunjian_grafana', current_schema());
             for board in select viewname from pg_views
                 where schemaname = current_schema() and viewname like 'grafana\\_%' loop
                 execute format('grant select on %I to xunjian_grafana', board);
             end loop;
         end $$",
    )
    .execute(connection)
    .await?;
    Ok(())
}
