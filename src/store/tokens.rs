//! Tokens of the HTTP interface: given out, read back, revoked.

use chacha20poly1305::Key;
use chacha20poly1305::aead::Generate;
use chrono::{DateTime, Utc};
use sha2::{Digest, Sha256};

use super::columns::misread;
use super::{Store, StoreError};
use crate::domain::{Area, Grant, Scope};

/// What every secret begins with, so that one is known where it was left lying.
const MARK: &str = "xunjian_";

/// A token that is to be given out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewToken {
    /// Who answers for what is done with it.
    pub person: String,
    /// What it is for.
    pub scope: Scope,
    /// Outside of it nothing exists for this token.
    pub area: Area,
    /// The number of the sponsor, for [`Scope::Sponsor`] and for no other.
    pub sponsor: Option<i64>,
    /// The id of the source, for [`Scope::Import`] and for no other.
    pub source: Option<String>,
    /// Who gives it out.
    pub created_by: String,
    /// Until when it is valid.
    pub expires_at: DateTime<Utc>,
}

/// A token as it stands; its secret is known nowhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token {
    /// What it says of whoever shows it.
    pub grant: Grant,
    /// The sponsor's name.
    pub sponsor: Option<String>,
    /// Who gave it out.
    pub created_by: String,
    /// When.
    pub created_at: DateTime<Utc>,
    /// Until when it is valid.
    pub expires_at: DateTime<Utc>,
    /// Who revoked it, and when.
    pub revoked: Option<(String, DateTime<Utc>)>,
    /// When it was last shown, to the minute.
    pub last_used_at: Option<DateTime<Utc>>,
}

/// A sponsor (主办单位) of the ledger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sponsor {
    /// Its number.
    pub id: i64,
    /// Its name.
    pub name: String,
    /// 统一社会信用代码.
    pub code: Option<String>,
}

struct Row {
    id: i64,
    person: String,
    scope: String,
    area: String,
    sponsor_id: Option<i64>,
    sponsor: Option<String>,
    source: Option<String>,
    created_by: String,
    created_at: DateTime<Utc>,
    expires_at: DateTime<Utc>,
    revoked_by: Option<String>,
    revoked_at: Option<DateTime<Utc>>,
    last_used_at: Option<DateTime<Utc>>,
}

impl TryFrom<Row> for Token {
    type Error = StoreError;

    fn try_from(row: Row) -> Result<Self, StoreError> {
        Ok(Self {
            grant: Grant {
                token: row.id,
                scope: Scope::from_word(&row.scope)
                    .ok_or_else(|| misread("a scope", &row.scope))?,
                area: row.area.parse().map_err(|_| misread("an area", &row.area))?,
                person: row.person,
                sponsor: row.sponsor_id,
                source: row.source,
            },
            sponsor: row.sponsor,
            created_by: row.created_by,
            created_at: row.created_at,
            expires_at: row.expires_at,
            revoked: row.revoked_by.zip(row.revoked_at),
            last_used_at: row.last_used_at,
        })
    }
}

fn digest(secret: &str) -> Vec<u8> {
    Sha256::digest(secret.as_bytes()).to_vec()
}

impl Store {
    /// Gives out a token: its number, and its secret, which can be read nowhere again.
    pub async fn create_token(
        &self,
        new: &NewToken,
        now: DateTime<Utc>,
    ) -> Result<(i64, String), StoreError> {
        let random = Key::try_generate().map_err(|_| {
            StoreError::Unavailable(sqlx::Error::Protocol("no random bytes".into()))
        })?;
        let secret = format!("{MARK}{}", hex::encode(random));
        let id = sqlx::query_scalar!(
            "insert into api_tokens (digest, person, scope, area, sponsor_id, source, created_by,
                 created_at, expires_at)
             values ($1, $2, $3, $4, $5, $6, $7, $8, $9) returning id",
            digest(&secret),
            new.person,
            new.scope.as_str(),
            new.area.digits(),
            new.sponsor,
            new.source,
            new.created_by,
            now,
            new.expires_at
        )
        .fetch_one(&self.pool)
        .await?;
        Ok((id, secret))
    }

    /// The token with this secret, be it valid or not.
    pub async fn token_of(&self, secret: &str) -> Result<Option<Token>, StoreError> {
        let row = sqlx::query_as!(
            Row,
            r#"select t.id, t.person, t.scope, t.area, t.sponsor_id, u.name as "sponsor?", t.source,
                   t.created_by, t.created_at, t.expires_at, t.revoked_by, t.revoked_at,
                   t.last_used_at
               from api_tokens t left join units u on u.id = t.sponsor_id where t.digest = $1"#,
            digest(secret)
        )
        .fetch_optional(&self.pool)
        .await?;
        row.map(Token::try_from).transpose()
    }

    /// Every token in the order of their numbers.
    pub async fn tokens(&self) -> Result<Vec<Token>, StoreError> {
        let rows = sqlx::query_as!(
            Row,
            r#"select t.id, t.person, t.scope, t.area, t.sponsor_id, u.name as "sponsor?", t.source,
                   t.created_by, t.created_at, t.expires_at, t.revoked_by, t.revoked_at,
                   t.last_used_at
               from api_tokens t left join units u on u.id = t.sponsor_id order by t.id"#
        )
        .fetch_all(&self.pool)
        .await?;
        rows.into_iter().map(Token::try_from).collect()
    }

    /// Whether any token is valid at this time.
    pub async fn has_token(&self, now: DateTime<Utc>) -> Result<bool, StoreError> {
        let any = sqlx::query_scalar!(
            r#"select exists (select from api_tokens where revoked_at is null and expires_at > $1)
                   as "any!""#,
            now
        )
        .fetch_one(&self.pool)
        .await?;
        Ok(any)
    }

    /// Notes that a token was shown; written once a minute at most.
    pub async fn token_used(&self, token: i64, now: DateTime<Utc>) -> Result<(), StoreError> {
        sqlx::query!(
            "update api_tokens set last_used_at = $2
             where id = $1 and (last_used_at is null
                 or last_used_at < $2::timestamptz - interval '1 minute')",
            token,
            now
        )
        .execute(&self.pool)
        .await?;
        Ok(())
    }

    /// Revokes a token; false where there is none of this number that is not revoked already.
    pub async fn revoke_token(
        &self,
        token: i64,
        by: &str,
        now: DateTime<Utc>,
    ) -> Result<bool, StoreError> {
        let done = sqlx::query!(
            "update api_tokens set revoked_by = $2, revoked_at = $3
             where id = $1 and revoked_at is null",
            token,
            by,
            now
        )
        .execute(&self.pool)
        .await?;
        Ok(done.rows_affected() > 0)
    }

    /// The sponsors of the ledger with this name or credit code.
    pub async fn sponsors_called(&self, name: &str) -> Result<Vec<Sponsor>, StoreError> {
        let rows = sqlx::query_as!(
            Sponsor,
            "select u.id, u.name, u.code from units u
             where (u.name = $1 or u.code = $1)
               and exists (select from accounts a where a.sponsor_id = u.id)
             order by u.id",
            name
        )
        .fetch_all(&self.pool)
        .await?;
        Ok(rows)
    }
}
