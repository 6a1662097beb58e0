//! What the ledger says of persons, encrypted before it reaches the database.

use std::fmt;

use chacha20poly1305::aead::{Aead, Generate, Payload};
use chacha20poly1305::{KeyInit, XChaCha20Poly1305, XNonce};
use sha2::{Digest, Sha256};

use super::StoreError;

/// Bytes of a nonce; it is drawn at random, which its width allows.
const NONCE_BYTES: usize = 24;

/// Encrypts what the ledger says of persons: 责任人 and 通知方式.
///
/// `XChaCha20-Poly1305`; each value is bound to its field and its account, so that none can be put
/// in another's place. The text in the database is `x1.KEY.HEX`: the form, eight digits by which
/// the key is known again, nonce and ciphertext.
#[derive(Clone)]
pub struct Secrets(Result<Key, String>);

#[derive(Clone)]
struct Key {
    cipher: XChaCha20Poly1305,
    name: String,
}

/// A field that is kept encrypted.
#[derive(Debug, Clone, Copy)]
pub(super) enum Field {
    Officer,
    Notify,
}

/// The encrypted fields of one account, as they stand in the database.
#[derive(Debug, Clone, Default)]
pub(super) struct Sealed {
    pub(super) officer: Option<String>,
    pub(super) notify: Option<String>,
}

impl Secrets {
    /// Under this key, which the database must not know.
    pub fn new(key: &[u8; 32]) -> Self {
        let name = hex::encode(&Sha256::digest(key)[..4]);
        Self(Ok(Key { cipher: XChaCha20Poly1305::new(key.into()), name }))
    }

    /// Without a key, and why: the fields can be neither read nor written, all else can.
    pub fn unavailable(reason: String) -> Self {
        Self(Err(reason))
    }

    /// The text for the database.
    pub(super) fn seal(
        &self,
        account: &str,
        field: Field,
        value: &str,
    ) -> Result<String, StoreError> {
        let refusal = |reason: &str| refusal(account, field, reason.to_owned());
        let key = self.0.as_ref().map_err(|reason| refusal(reason))?;
        let nonce = XNonce::try_generate().map_err(|_| refusal("no random bytes"))?;
        let bound = bound(account, field);
        let payload = Payload { msg: value.as_bytes(), aad: &bound };
        let sealed = key.cipher.encrypt(&nonce, payload).map_err(|_| refusal("too long"))?;
        Ok(format!("x1.{}.{}{}", key.name, hex::encode(nonce), hex::encode(sealed)))
    }

    /// What [`Secrets::seal`] was given.
    pub(super) fn open(
        &self,
        account: &str,
        field: Field,
        sealed: &str,
    ) -> Result<String, StoreError> {
        let refusal = |reason: String| refusal(account, field, reason);
        let key = self.0.as_ref().map_err(|reason| refusal(reason.clone()))?;
        let damaged = || refusal("its text in the database is damaged".to_owned());
        let mut parts = sealed.split('.');
        let (Some("x1"), Some(name), Some(digits), None) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(damaged());
        };
        if name != key.name {
            return Err(refusal(format!(
                "it was encrypted under another installation.key ({name}, this one is {}); put \
                 back the file that belongs to this database",
                key.name
            )));
        }
        let bytes = hex::decode(digits).map_err(|_| damaged())?;
        let (nonce, text) = bytes.split_at_checked(NONCE_BYTES).ok_or_else(damaged)?;
        let nonce = XNonce::try_from(nonce).map_err(|_| damaged())?;
        let bound = bound(account, field);
        let plain = key.cipher.decrypt(&nonce, Payload { msg: text, aad: &bound });
        plain.ok().and_then(|plain| String::from_utf8(plain).ok()).ok_or_else(damaged)
    }
}

impl fmt::Debug for Secrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_ok() { "Secrets(key)" } else { "Secrets(no key)" })
    }
}

impl Field {
    fn as_str(self) -> &'static str {
        match self {
            Self::Officer => "officer",
            Self::Notify => "notify",
        }
    }
}

fn bound(account: &str, field: Field) -> Vec<u8> {
    format!("{}\0{account}", field.as_str()).into_bytes()
}

fn refusal(account: &str, field: Field, reason: String) -> StoreError {
    StoreError::Secret { account: account.to_owned(), field: field.as_str(), reason }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secrets() -> Secrets {
        Secrets::new(&[7; 32])
    }

    #[test]
    fn a_value_comes_back_and_is_never_written_the_same_way_twice() {
        for value in ["", "张三", "dingtalk:13800000000"] {
            let sealed = secrets().seal("k1", Field::Officer, value).unwrap();
            let again = secrets().seal("k1", Field::Officer, value).unwrap();
            assert_ne!(sealed, again);
            assert!(value.is_empty() || !sealed.contains(value), "{sealed}");
            assert_eq!(secrets().open("k1", Field::Officer, &sealed).unwrap(), value);
        }
    }

    #[test]
    fn a_value_is_bound_to_its_account_its_field_and_its_key() {
        let sealed = secrets().seal("k1", Field::Officer, "张三").unwrap();
        let check = |secrets: &Secrets, account, field, sealed: &str, reason: &str| {
            let error = secrets.open(account, field, sealed).unwrap_err().to_string();
            assert!(error.contains(account) && error.contains(reason), "{error}");
        };
        let damaged = format!("{sealed}00");
        check(&secrets(), "k2", Field::Officer, &sealed, "damaged");
        check(&secrets(), "k1", Field::Notify, &sealed, "damaged");
        check(&secrets(), "k1", Field::Officer, &damaged, "damaged");
        check(&secrets(), "k1", Field::Officer, "x1", "damaged");
        check(&secrets(), "k1", Field::Officer, "张三", "damaged");
        let other = Secrets::new(&[8; 32]);
        check(&other, "k1", Field::Officer, &sealed, "another installation.key");
        let none = Secrets::unavailable("no such file".to_owned());
        check(&none, "k1", Field::Officer, &sealed, "no such file");
        assert!(none.seal("k1", Field::Officer, "张三").is_err());
    }

    #[test]
    fn no_key_is_shown_in_logs() {
        assert_eq!(format!("{:?}", secrets()), "Secrets(key)");
    }
}
