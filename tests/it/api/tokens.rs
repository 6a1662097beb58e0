//! `xunjian token`, and what a daemon does without any.

use serde_json::Value;
use xunjian::app::App;
use xunjian::app::clock::SystemClock;

use super::{EAST, account, ask, bearer};
use crate::findings::Office;

#[tokio::test]
async fn a_token_is_given_out_once_listed_without_its_secret_and_revoked() {
    let office = Office::open().await;
    office.ledger(&[account(1, EAST)]).await;
    let create = ["token", "create", "--person", "zhang", "--actor", "li", "--scope"];
    let made = office.xunjian(&[&create[..], &["read", "--region", "441500"]].concat());
    assert_eq!(made.code, Some(0), "{}", made.reason);
    let secret = made.out.trim().to_owned();
    assert!(secret.starts_with("xunjian_") && secret.len() == 72, "one line of stdout: {secret:?}");
    assert!(made.reason.contains("token 1 is given out"), "{}", made.reason);
    let kept: Vec<u8> = sqlx::query_scalar("select digest from api_tokens")
        .fetch_one(&office.database.pool)
        .await
        .unwrap();
    assert_eq!(kept.len(), 32);
    assert!(!secret.contains(&hex::encode(&kept)), "the secret is not what is kept");

    let app = office.answering(|_| {}).await;
    let accounts = async |secret: &str| {
        let shown = bearer(secret);
        ask(app.address(), "GET", "/api/v1/accounts", &[("authorization", &shown)], b"").await
    };
    // The office's clock stands in October; a token of today is valid from there on.
    assert_eq!(accounts(&secret).await.status, 200);
    let listed = office.xunjian(&["token", "list", "--json"]).out;
    let one: Value = serde_json::from_str(&listed).unwrap();
    assert_eq!((&one["person"], &one["area"]), (&"zhang".into(), &"4415".into()));
    assert_eq!((&one["created_by"], &one["scope"]), (&"li".into(), &"read".into()));
    assert!(one["last_used_at"].is_string(), "{one}");
    assert!(!listed.contains(&secret[8..]));

    assert_eq!(office.xunjian(&["token", "revoke", "1", "--actor", "li"]).code, Some(0));
    accounts(&secret).await.refused(401, "revoked");
    assert_eq!(office.xunjian(&["token", "list"]).out, "");
    assert!(office.xunjian(&["token", "list", "--all"]).out.contains("revoked"));
    let again = office.xunjian(&["token", "revoke", "1", "--actor", "li"]);
    assert_eq!(again.code, Some(1));
    assert!(again.reason.contains("revoked already"), "{}", again.reason);

    for (more, words) in [
        (&["read"][..], "--region"),
        (&["king", "--all-areas"], "one of read, sponsor"),
        (&["read", "--region", "12x"], "no division code"),
        (&["sponsor", "--all-areas"], "--sponsor goes with"),
        (&["read", "--all-areas", "--source", "x"], "--source goes with"),
        (&["import", "--all-areas", "--source", "x"], "no mapping \"x\""),
    ] {
        let said = office.xunjian(&[&create[..], more].concat());
        assert_eq!(said.code, Some(2), "{}", said.reason);
        assert!(said.reason.contains(words), "{}", said.reason);
    }
    let unknown = [&create[..], &["sponsor", "--all-areas", "--sponsor", "丙局"]].concat();
    assert!(office.xunjian(&unknown).reason.contains("no account of the ledger"));
    let known = [&create[..], &["sponsor", "--all-areas", "--sponsor", "甲局"]].concat();
    assert_eq!(office.xunjian(&known).code, Some(0));
    app.run_until_stopped(futures::stream::empty()).await.unwrap();
}

#[tokio::test]
async fn a_daemon_that_others_can_reach_does_not_start_without_a_token() {
    let office = Office::open().await;
    let mut settings = xunjian::settings::Settings {
        data_dir: office.folder.path().join("other"),
        platforms_dir: concat!(env!("CARGO_MANIFEST_DIR"), "/config/platforms").into(),
        schemes_dir: concat!(env!("CARGO_MANIFEST_DIR"), "/config/schemes").into(),
        ..Default::default()
    };
    settings.database.url = office.database.url.clone();
    settings.http.listen = "0.0.0.0:0".parse().unwrap();
    let clock = std::sync::Arc::new(SystemClock);
    let refused = App::build(&settings, clock.clone()).await.err().unwrap().to_string();
    assert!(refused.contains("no token is valid"), "{refused}");
    let made = office.xunjian(&[
        "token",
        "create",
        "--person",
        "z",
        "--actor",
        "li",
        "--scope",
        "read",
        "--all-areas",
    ]);
    assert_eq!(made.code, Some(0), "{}", made.reason);
    let app = App::build(&settings, clock).await.unwrap();
    app.run_until_stopped(futures::stream::empty()).await.unwrap();
}
