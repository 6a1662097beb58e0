use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use chacha20poly1305::Key;
use chacha20poly1305::aead::Generate;
use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};

use crate::store::StoreError;

/// Rounds of PBKDF2, as Postgres makes them.
const ROUNDS: u32 = 4096;

/// A password of 256 random bits, and the salt under which Postgres knows it.
pub(super) struct Password {
    secret: [u8; 32],
    salt: [u8; 16],
}

impl Password {
    pub(super) fn random() -> Result<Self, StoreError> {
        let random = || -> Result<[u8; 32], StoreError> {
            let key = Key::try_generate().map_err(|_| {
                StoreError::Unavailable(sqlx::Error::Protocol("no random bytes".into()))
            })?;
            Ok(key.into())
        };
        let (secret, more) = (random()?, random()?);
        let mut salt = [0; 16];
        salt.copy_from_slice(&more[..16]);
        Ok(Self { secret, salt })
    }

    pub(super) fn text(&self) -> String {
        hex::encode(self.secret)
    }

    pub(super) fn verifier(&self) -> String {
        verifier(&self.text(), &self.salt)
    }
}

fn keyed(key: &[u8], parts: &[&[u8]]) -> [u8; 32] {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).unwrap_or_else(|_| unreachable!());
    parts.iter().for_each(|part| mac.update(part));
    mac.finalize().into_bytes().into()
}

/// What Postgres keeps of a password: `SCRAM-SHA-256$rounds:salt$StoredKey:ServerKey` (RFC 5803).
fn verifier(password: &str, salt: &[u8]) -> String {
    let mut round = keyed(password.as_bytes(), &[salt, &1_u32.to_be_bytes()]);
    let mut salted = round;
    for _ in 1..ROUNDS {
        round = keyed(password.as_bytes(), &[&round]);
        salted.iter_mut().zip(round).for_each(|(sum, byte)| *sum ^= byte);
    }
    let stored = Sha256::digest(keyed(&salted, &[b"Client Key"]));
    let server = keyed(&salted, &[b"Server Key"]);
    let [salt, stored, server] =
        [salt, stored.as_slice(), &server].map(|part| BASE64_STANDARD.encode(part));
    format!("SCRAM-SHA-256${ROUNDS}:{salt}${stored}:{server}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_verifier_is_the_one_of_the_example_of_rfc_7677() {
        let salt = BASE64_STANDARD.decode("W22ZaJ0SNY7soEsUEjb6gQ==").unwrap();
        assert_eq!(
            verifier("pencil", &salt),
            "SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==$\
             WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=:\
             wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU="
        );
    }

    #[test]
    fn no_two_passwords_are_the_same() {
        let (one, other) = (Password::random().unwrap(), Password::random().unwrap());
        assert_ne!(one.text(), other.text());
        assert_eq!(one.text().len(), 64);
    }
}
