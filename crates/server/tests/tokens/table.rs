//! Crafted tokens against the wrapper, and against `jsonwebtoken` with its own checks as the control.

use std::collections::HashSet;

use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use serde_json::{Value, json};

use crate::fake_issuer::SigningKey;
use crate::forms::{ISSUER, check_with};
use crate::setup::{AUDIENCE, NOW, claims};

struct Case {
    name: &'static str,
    token: String,
    valid: bool,
}

struct Table {
    key: SigningKey,
    cases: Vec<Case>,
}

impl Table {
    fn token(&mut self, name: &'static str, valid: bool, token: String) {
        self.cases.push(Case { name, token, valid });
    }

    fn header(&mut self, name: &'static str, valid: bool, header: &Value) {
        let payload = claims(ISSUER, "u1").to_string();
        let token = self.key.token_of(&header.to_string(), &payload);
        self.token(name, valid, token);
    }

    fn claims(&mut self, name: &'static str, valid: bool, change: impl FnOnce(&mut Value)) {
        let mut claims = claims(ISSUER, "u1");
        change(&mut claims);
        let token = self.key.token(&claims);
        self.token(name, valid, token);
    }

    fn payload(&mut self, name: &'static str, valid: bool, start: &str) {
        let header = json!({"alg": "RS256", "kid": "r"}).to_string();
        let payload = claims(ISSUER, "u1")
            .to_string()
            .replacen('{', &format!("{{{start},"), 1);
        let token = self.key.token_of(&header, &payload);
        self.token(name, valid, token);
    }
}

fn without(name: &'static str) -> impl FnOnce(&mut Value) {
    move |claims| {
        claims.as_object_mut().unwrap().remove(name);
    }
}

fn with(name: &'static str, value: Value) -> impl FnOnce(&mut Value) {
    move |claims| claims[name] = value
}

fn header_cases(table: &mut Table) {
    for (name, valid, header) in [
        ("typ at+jwt", true, json!({"typ": "at+jwt"})),
        ("typ JWT", true, json!({"typ": "JWT"})),
        ("no typ", true, json!({})),
        ("alg none", false, json!({"alg": "none"})),
        ("alg NoNe", false, json!({"alg": "NoNe"})),
        ("alg HS256", false, json!({"alg": "HS256"})),
        ("alg RS512", false, json!({"alg": "RS512"})),
        ("alg PS256", false, json!({"alg": "PS256"})),
        ("unknown kid", false, json!({"kid": "x"})),
        ("crit", false, json!({"crit": ["x"]})),
        ("crit empty", false, json!({"crit": []})),
        ("crit b64", false, json!({"crit": ["b64"], "b64": false})),
        ("b64 alone", false, json!({"b64": false})),
        ("typ secevent", false, json!({"typ": "secevent+jwt"})),
        ("jku", false, json!({"jku": "https://evil.example"})),
        ("x5u", false, json!({"x5u": "https://evil.example"})),
        ("x5c", false, json!({"x5c": ["MIIB"]})),
    ] {
        let mut all = json!({"alg": "RS256", "kid": "r"});
        for (member, value) in header.as_object().unwrap() {
            all[member] = value.clone();
        }
        table.header(name, valid, &all);
    }
    table.header("no kid", false, &json!({"alg": "RS256"}));
}

fn claim_cases(table: &mut Table) {
    table.claims("aud in a list", true, with("aud", json!(["x", AUDIENCE])));
    table.claims("aud missing", false, without("aud"));
    table.claims("aud null", false, with("aud", json!(null)));
    table.claims("aud number", false, with("aud", json!(1)));
    table.claims("aud object", false, with("aud", json!({"a": AUDIENCE})));
    table.claims("aud other", false, with("aud", json!("x")));
    table.claims("aud empty list", false, with("aud", json!([])));
    table.claims("iss missing", false, without("iss"));
    table.claims("iss number", false, with("iss", json!(1)));
    table.claims("iss list", false, with("iss", json!([ISSUER])));
    table.claims(
        "iss other",
        false,
        with("iss", json!("https://evil.example")),
    );
    table.claims("sub missing", false, without("sub"));
    table.claims("sub number", false, with("sub", json!(1)));
    table.claims("exp missing", false, without("exp"));
    table.claims("exp text", false, with("exp", json!("1800003600")));
    table.claims("exp now, within leeway", true, with("exp", json!(NOW)));
    table.claims("exp a minute ago", false, with("exp", json!(NOW - 60)));
    table.claims("nbf in half an hour", false, with("nbf", json!(NOW + 1800)));
    table.claims("nbf text", false, with("nbf", json!("0")));
    table.claims(
        "iat in the future",
        false,
        with("iat", json!(NOW + 100_000)),
    );
    table.claims("iat text", false, with("iat", json!("0")));
    table.claims("no iat", true, without("iat"));
    table.claims("a century", false, with("exp", json!(NOW + 3_155_760_000)));
    table.payload("duplicate exp", false, r#""exp":1"#);
    table.payload("duplicate sub", false, r#""sub":"x""#);
    table.payload("duplicate of its own", false, r#""email":"a","email":"b""#);
    let deep = format!("\"x\":{}{}", "[".repeat(200), "]".repeat(200));
    table.payload("nested 200 deep", false, &deep);
}

fn whole_cases(table: &mut Table) {
    let good = table.key.token(&claims(ISSUER, "u1"));
    let (signed, signature) = good.rsplit_once('.').unwrap();
    table.token("good", true, good.clone());
    table.token("empty", false, String::new());
    table.token("no signature", false, format!("{signed}."));
    table.token(
        "cut off",
        false,
        good.get(..good.len() - 4).unwrap().to_owned(),
    );
    table.token("padded", false, format!("{good}=="));
    table.token("four parts", false, format!("{good}.{signature}"));
    table.token("a space before", false, format!(" {good}"));
    table.token("a space after", false, format!("{good} "));
    table.token("other key", false, {
        SigningKey::rsa("r", "RS256").token(&claims(ISSUER, "u1"))
    });
    let mut large = claims(ISSUER, "u1");
    large["x"] = json!("x".repeat(5_000_000));
    let large = table.key.token(&large);
    table.token("five megabytes", false, large);
}

#[test]
fn crafted_tokens_are_told_apart_where_the_library_alone_does_not() {
    let mut table = Table {
        key: SigningKey::rsa("r", "RS256"),
        cases: Vec::new(),
    };
    header_cases(&mut table);
    claim_cases(&mut table);
    whole_cases(&mut table);
    let names: HashSet<&str> = table.cases.iter().map(|case| case.name).collect();
    assert_eq!(names.len(), table.cases.len());
    assert!(table.cases.len() >= 44);

    let jwk = table.key.jwk();
    let set = json!({ "keys": [jwk] });
    let text = |name: &str| jwk[name].as_str().unwrap();
    let key = DecodingKey::from_rsa_components(text("n"), text("e")).unwrap();
    let mut validation = Validation::new(Algorithm::RS256);
    validation.set_issuer(&[ISSUER]);
    validation.set_audience(&[AUDIENCE]);
    // The library reads the clock of the machine, and these tokens are of another time.
    validation.validate_exp = false;
    let mut accepted_by_the_library = 0;
    for case in &table.cases {
        let result = check_with(&set, &case.token, NOW);
        assert_eq!(result.is_ok(), case.valid, "{}: {result:?}", case.name);
        let alone = jsonwebtoken::decode::<Value>(&case.token, &key, &validation).is_ok();
        if alone && !case.valid {
            accepted_by_the_library += 1;
        }
        assert!(alone || !case.valid, "{} is no good control", case.name);
    }
    assert!(accepted_by_the_library >= 15, "{accepted_by_the_library}");
}
