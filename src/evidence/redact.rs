//! What must not be kept: cookies, credentials, and the tokens that addresses carry.

/// What stands where something was taken out.
const REDACTED: &str = "REDACTED";

/// A header or parameter whose name has one of these in it carries a credential.
const SECRET_PARTS: [&str; 14] = [
    "apikey",
    "authentic",
    "authoriz",
    "cookie",
    "credential",
    "csrf",
    "passw",
    "secret",
    "session",
    "signature",
    "ticket",
    "token",
    "xauth",
    "xsrf",
];

/// Parameters that carry one under a shorter name.
const SECRET_NAMES: [&str; 10] =
    ["auth", "key", "openid", "pwd", "sid", "sig", "sign", "skey", "uin", "unionid"];

/// Headers that say how the body was packed on the way; it is kept unpacked.
const PACKING: [&str; 3] = ["content-encoding", "content-length", "transfer-encoding"];

/// Whether a header or a parameter of this name carries a credential.
fn is_secret(name: &str) -> bool {
    let plain: String =
        name.to_ascii_lowercase().chars().filter(|one| !matches!(one, '-' | '_')).collect();
    SECRET_PARTS.iter().any(|part| plain.contains(part)) || SECRET_NAMES.contains(&&*plain)
}

/// An address without user name, fragment and the values of parameters that carry credentials,
/// everything else letter for letter.
pub(super) fn address(text: &str) -> String {
    let without_fragment = text.split('#').next().unwrap_or_default();
    let (front, query) = match without_fragment.split_once('?') {
        Some((front, query)) => (front, Some(query)),
        None => (without_fragment, None),
    };
    let mut kept = without_user(front);
    // Session ids also stand in paths: /list;jsessionid=…
    if let Some((path, parameters)) = kept.split_once(';') {
        kept = format!("{path};{}", parameters_of(parameters, ';'));
    }
    match query {
        Some(query) => format!("{kept}?{}", parameters_of(query, '&')),
        None => kept,
    }
}

fn without_user(front: &str) -> String {
    let Some((scheme, rest)) = front.split_once("://") else { return front.to_owned() };
    let end = rest.find('/').unwrap_or(rest.len());
    match rest[..end].rfind('@') {
        Some(at) => format!("{scheme}://{}", &rest[at + 1..]),
        None => front.to_owned(),
    }
}

fn parameters_of(query: &str, separator: char) -> String {
    let kept = query.split(separator).map(|pair| match pair.split_once('=') {
        Some((name, _)) if is_secret(&decoded(name)) => format!("{name}={REDACTED}"),
        _ => pair.to_owned(),
    });
    kept.collect::<Vec<_>>().join(&separator.to_string())
}

/// A parameter's name with `%41` read as `A`: hiding a letter hides no credential.
fn decoded(name: &str) -> String {
    let mut pairs = url::form_urlencoded::parse(name.as_bytes());
    pairs.next().map_or_else(|| name.to_owned(), |(name, _)| name.into_owned())
}

/// The header lines that may be kept, in their order. Those that describe the packing get the name
/// under which web archives keep them; addresses in values lose their tokens.
pub(super) fn headers(lines: &[(String, String)]) -> Vec<(String, String)> {
    let kept = lines.iter().filter(|(name, _)| !is_secret(name)).map(|(name, value)| {
        let packing = PACKING.iter().any(|one| name.eq_ignore_ascii_case(one));
        let name = if packing { format!("x-archive-orig-{name}") } else { name.clone() };
        (line(&name), line(&addresses_in(value)))
    });
    kept.collect()
}

/// A value with the addresses in it redacted (`Location`, `Link`, `Refresh`, …).
fn addresses_in(value: &str) -> String {
    if !value.contains('=') {
        return value.to_owned();
    }
    let ends = |one: char| one.is_whitespace() || matches!(one, '<' | '>' | '"' | '\'' | ',');
    let mut redacted = String::new();
    for piece in value.split_inclusive(ends) {
        let word = piece.trim_end_matches(ends);
        let looks_like_one = word.contains("://") || word.starts_with('/') || word.contains('?');
        redacted.push_str(&if looks_like_one { address(word) } else { word.to_owned() });
        redacted.push_str(&piece[word.len()..]);
    }
    redacted
}

/// One line: control characters would begin another.
pub(super) fn line(text: &str) -> String {
    text.chars().map(|one| if one.is_control() { ' ' } else { one }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_lose_their_credentials_and_nothing_else() {
        let check = |text: &str, expected: &str| assert_eq!(address(text), expected, "{text}");
        check("https://a.cn/u/1?page=2&_=17", "https://a.cn/u/1?page=2&_=17");
        check(
            "https://a.cn/?biz=MzA=&Access_Token=x=y",
            "https://a.cn/?biz=MzA=&Access_Token=REDACTED",
        );
        check("https://a.cn/?a=1&sig=&b", "https://a.cn/?a=1&sig=REDACTED&b");
        check("https://me:word@a.cn:8/x@y?z#key=1", "https://a.cn:8/x@y?z");
        check("https://a.cn/l;jsessionid=9?q=1", "https://a.cn/l;jsessionid=REDACTED?q=1");
        check(
            "https://a.cn/?%74oken=1&pass_ticket=2",
            "https://a.cn/?%74oken=REDACTED&pass_ticket=REDACTED",
        );
        check("https://a.cn/?author=1&keyword=政务", "https://a.cn/?author=1&keyword=政务");
        check("not an address", "not an address");
    }

    #[test]
    fn headers_lose_cookies_and_tokens() {
        let given = [
            ("content-type", "text/html; charset=utf-8"),
            ("set-cookie", "sid=1"),
            ("x-csrf-token", "2"),
            ("www-authenticate", "Basic"),
            ("content-length", "9"),
            ("location", "https://a.cn/?token=3&p=4"),
            ("link", "</x?sid=5>; rel=\"next\", <https://a.cn/y?p=6>"),
            ("date", "Fri, 27 Nov 2026 22:10:44 GMT"),
            ("x-folded", "one\r\nset-cookie: two"),
        ];
        let given = given.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let kept = headers(&given);
        let kept: Vec<_> = kept.iter().map(|(name, value)| format!("{name}: {value}")).collect();
        assert_eq!(
            kept,
            [
                "content-type: text/html; charset=utf-8",
                "x-archive-orig-content-length: 9",
                "location: https://a.cn/?token=REDACTED&p=4",
                "link: </x?sid=REDACTED>; rel=\"next\", <https://a.cn/y?p=6>",
                "date: Fri, 27 Nov 2026 22:10:44 GMT",
                "x-folded: one  set-cookie: two",
            ]
        );
    }
}
