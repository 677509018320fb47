//! One token against one key: what is refused because of its form, its header or its claims.

use aws_lc_rs::hmac;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use guestlist_api::times::Timestamp;
use guestlist_server::jwks::Keys;
use guestlist_server::tokens::{Policy, TokenRefused, Unverified};
use serde_json::{Value, json};

use crate::fake_issuer::SigningKey;
use crate::setup::{AUDIENCE, NOW, claims};

pub(crate) const ISSUER: &str = "https://issuer.example";
pub(crate) const HOUR: i64 = 3_600_000;

/// What the wrapper says of a token, given the key set of an issuer.
pub(crate) fn check_with(
    key_set: &Value,
    token: &str,
    seconds: i64,
) -> Result<String, TokenRefused> {
    let keys = Keys::read(key_set.to_string().as_bytes(), &mut |_| ()).unwrap();
    let policy = Policy {
        issuer: ISSUER,
        audiences: Some(&[AUDIENCE]),
        longest_life: 48 * HOUR,
    };
    let token = Unverified::read(token)?;
    let key = keys.get(token.key_id()).ok_or(TokenRefused::WrongKey)?;
    let now = Timestamp::from_milliseconds(seconds * 1000);
    let verified = token.verify(key, &policy, now)?;
    Ok(verified.subject().to_owned())
}

fn check(key: &SigningKey, token: &str) -> Result<String, TokenRefused> {
    check_with(&json!({ "keys": [key.jwk()] }), token, NOW)
}

fn good_claims() -> Value {
    claims(ISSUER, "u1")
}

fn key() -> SigningKey {
    SigningKey::ed25519("k", 1)
}

fn with_header(key: &SigningKey, header: &Value) -> Result<String, TokenRefused> {
    check(
        key,
        &key.token_of(&header.to_string(), &good_claims().to_string()),
    )
}

fn with_claims(change: impl FnOnce(&mut Value)) -> Result<String, TokenRefused> {
    let mut claims = good_claims();
    change(&mut claims);
    check(&key(), &key().token(&claims))
}

fn all_keys() -> Vec<SigningKey> {
    let rsa = ["RS256", "RS384", "RS512", "PS256"];
    let rsa = rsa.map(|algorithm| SigningKey::rsa(algorithm, algorithm));
    [key(), SigningKey::p256("p")]
        .into_iter()
        .chain(rsa)
        .collect()
}

#[test]
fn good_tokens_of_every_algorithm_are_valid() {
    for key in all_keys() {
        let token = key.token(&good_claims());
        assert_eq!(
            check(&key, &token),
            Ok("u1".to_owned()),
            "{}",
            key.algorithm
        );
    }
}

#[test]
fn a_token_with_any_bit_changed_is_refused() {
    for key in [key(), SigningKey::p256("p"), SigningKey::rsa("r", "RS256")] {
        let token = key.token(&good_claims());
        for at in (0..token.len()).step_by(7) {
            let mut bytes = token.clone().into_bytes();
            bytes[at] = if bytes[at] == b'A' { b'B' } else { b'A' };
            let changed = String::from_utf8(bytes).unwrap();
            if changed != token {
                assert!(check(&key, &changed).is_err(), "{at} {changed}");
            }
        }
    }
}

#[test]
fn t02_no_algorithm_and_no_signature_are_refused() {
    let key = key();
    let payload = good_claims().to_string();
    for algorithm in [
        "none", "None", "nOnE", "NONE", "", "eddsa", "Ed25519", "EdDSA ",
    ] {
        let header = json!({"alg": algorithm, "kid": "k"}).to_string();
        let signed = key.token_of(&header, &payload);
        assert_eq!(check(&key, &signed), Err(TokenRefused::Algorithm));
        let (rest, _) = signed.rsplit_once('.').unwrap();
        assert!(check(&key, &format!("{rest}.")).is_err());
    }
    assert_eq!(
        with_header(&key, &json!({"kid": "k"})),
        Err(TokenRefused::Algorithm)
    );
    for other in [json!(null), json!(1), json!(["EdDSA"])] {
        assert_eq!(
            with_header(&key, &json!({"alg": other, "kid": "k"})),
            Err(TokenRefused::Algorithm)
        );
    }
    let good = key.token(&good_claims());
    let (rest, _) = good.rsplit_once('.').unwrap();
    assert_eq!(
        check(&key, &format!("{rest}.")),
        Err(TokenRefused::NotThreeParts)
    );
}

#[test]
fn t03_a_public_key_is_never_a_shared_secret() {
    let key = key();
    let jwk = key.jwk();
    let x = jwk["x"].as_str().unwrap();
    let raw = base64::engine::general_purpose::URL_SAFE_NO_PAD
        .decode(x)
        .unwrap();
    let der = [
        [
            0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00,
        ]
        .as_slice(),
        &raw,
    ]
    .concat();
    let pem = format!(
        "-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----\n",
        STANDARD.encode(&der)
    );
    let secrets = [
        pem.clone().into_bytes(),
        format!("{pem} ").into_bytes(),
        der,
        jwk.to_string().into_bytes(),
        x.as_bytes().to_vec(),
        raw,
        Vec::new(),
    ];
    for (name, algorithm) in [
        ("HS256", hmac::HMAC_SHA256),
        ("HS384", hmac::HMAC_SHA384),
        ("HS512", hmac::HMAC_SHA512),
    ] {
        for secret in &secrets {
            let header = json!({"alg": name, "kid": "k"}).to_string();
            let unsigned = key.token_of(&header, &good_claims().to_string());
            let (signed, _) = unsigned.rsplit_once('.').unwrap();
            let tag = hmac::sign(&hmac::Key::new(algorithm, secret), signed.as_bytes());
            let encoded = base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(tag);
            assert_eq!(
                check(&key, &format!("{signed}.{encoded}")),
                Err(TokenRefused::Algorithm)
            );
        }
    }
}

#[test]
fn t04_a_key_verifies_its_own_algorithm_and_no_other() {
    let rsa = SigningKey::rsa("r", "RS512");
    let mut jwk = rsa.jwk();
    let token = rsa.token(&good_claims());
    let check = |jwk: &Value| check_with(&json!({ "keys": [jwk] }), &token, NOW);
    assert!(check(&jwk).is_ok());
    for other in ["RS256", "PS256", "RS384"] {
        jwk["alg"] = json!(other);
        assert_eq!(check(&jwk), Err(TokenRefused::WrongKey), "{other}");
    }
    // Without `alg` an RSA key is one for RS256, whatever the token names.
    jwk.as_object_mut().unwrap().remove("alg");
    assert_eq!(check(&jwk), Err(TokenRefused::WrongKey));
    let ed25519 = key();
    for other in ["ES256", "RS256"] {
        assert_eq!(
            with_header(&ed25519, &json!({"alg": other, "kid": "k"})),
            Err(TokenRefused::WrongKey)
        );
    }
}

#[test]
fn t06_key_ids_are_short_texts_and_are_only_compared() {
    let key = key();
    for odd in [
        "../../dev/null",
        "' OR 1=1--",
        "\0",
        "k\n",
        " k",
        "K",
        "k\0",
    ] {
        assert_eq!(
            with_header(&key, &json!({"alg": "EdDSA", "kid": odd})),
            Err(TokenRefused::WrongKey)
        );
    }
    for wrong in [
        json!(""),
        json!("k".repeat(4096)),
        json!(1),
        json!(null),
        json!(["k"]),
    ] {
        assert_eq!(
            with_header(&key, &json!({"alg": "EdDSA", "kid": wrong})),
            Err(TokenRefused::KeyId)
        );
    }
    assert_eq!(
        with_header(&key, &json!({"alg": "EdDSA"})),
        Err(TokenRefused::KeyId)
    );
}

#[test]
fn t07_claims_that_are_missing_or_of_the_wrong_type_are_refused() {
    let wrong = |texts_too: bool| {
        let mut wrong = vec![
            json!(null),
            json!(1.5),
            json!(1_800_000_100.5),
            json!(-1),
            json!(true),
            json!([]),
            json!({}),
            json!([1]),
            json!([[AUDIENCE]]),
            json!({"a": 1}),
            json!(1e30),
            json!(u64::MAX),
        ];
        if texts_too {
            wrong.push(json!((NOW + 100).to_string()));
            wrong.push(json!(""));
        } else {
            wrong.push(json!(NOW + 100));
            wrong.push(json!(""));
            wrong.push(json!(["", AUDIENCE]));
        }
        wrong
    };
    for name in ["exp", "iss", "aud", "sub"] {
        let refused = with_claims(|claims| {
            claims.as_object_mut().unwrap().remove(name);
        });
        assert_eq!(refused, Err(TokenRefused::Claim(name)));
    }
    for name in ["exp", "iat", "nbf", "iss", "aud", "sub"] {
        let is_time = ["exp", "iat", "nbf"].contains(&name);
        for value in wrong(is_time) {
            let refused = with_claims(|claims| claims[name] = value.clone());
            assert_eq!(refused, Err(TokenRefused::Claim(name)), "{name}: {value}");
        }
        // 2^64 and a number beyond all floats, which JSON libraries write in no way of their own.
        for text in [
            "18446744073709551616",
            "1e400",
            "253402300800",
            "1e3",
            "-0.0",
        ] {
            let payload = good_claims().to_string();
            let old = good_claims()[name].to_string();
            let mut changed =
                payload.replace(&format!("\"{name}\":{old}"), &format!("\"{name}\":{text}"));
            if name == "nbf" {
                changed = payload.replacen('{', &format!("{{\"nbf\":{text},"), 1);
            }
            assert_ne!(changed, payload);
            let header = json!({"alg": "EdDSA", "kid": "k"}).to_string();
            let refused = check(&key(), &key().token_of(&header, &changed));
            let expected = match text {
                "1e400" => TokenRefused::Payload,
                _ => TokenRefused::Claim(name),
            };
            assert_eq!(refused, Err(expected), "{name}: {text}");
        }
    }
    // `iss` must be one text, even if it is the only one of a list.
    let refused = with_claims(|claims| claims["iss"] = json!([ISSUER]));
    assert_eq!(refused, Err(TokenRefused::Claim("iss")));
}

#[test]
fn t08_times_hold_with_a_minute_of_leeway_and_not_a_second_more() {
    let token = key().token(&json!({
        "iss": ISSUER, "sub": "u1", "aud": AUDIENCE, "iat": NOW, "nbf": NOW, "exp": NOW + 1000,
    }));
    let at = |seconds| check_with(&json!({ "keys": [key().jwk()] }), &token, seconds);
    assert!(at(NOW + 1000).is_ok());
    assert!(at(NOW + 1059).is_ok());
    assert_eq!(at(NOW + 1060), Err(TokenRefused::Expired));
    assert_eq!(at(NOW + 100_000), Err(TokenRefused::Expired));
    assert!(at(NOW - 60).is_ok());
    assert!(at(NOW - 61).is_err());
    let nbf = |nbf| with_claims(|claims| claims["nbf"] = json!(nbf));
    assert!(nbf(NOW + 60).is_ok());
    assert_eq!(nbf(NOW + 61), Err(TokenRefused::NotYetValid));
    let iat = |iat| with_claims(|claims| claims["iat"] = json!(iat));
    assert!(iat(NOW + 60).is_ok());
    assert_eq!(iat(NOW + 61), Err(TokenRefused::IssuedInTheFuture));
    let exp = |exp| with_claims(|claims| claims["exp"] = json!(exp));
    assert!(exp(NOW + 48 * 3600).is_ok());
    assert_eq!(exp(NOW + 48 * 3600 + 1), Err(TokenRefused::TooLongLived));
    let undated = |exp| {
        with_claims(|claims| {
            claims.as_object_mut().unwrap().remove("iat");
            claims["exp"] = json!(exp);
        })
    };
    assert!(undated(NOW + 48 * 3600).is_ok());
    assert_eq!(
        undated(NOW + 48 * 3600 + 61),
        Err(TokenRefused::TooLongLived)
    );
    assert_eq!(exp(0), Err(TokenRefused::Expired));
}

#[test]
fn t09_audiences_are_compared_exactly() {
    let aud = |aud: Value| with_claims(|claims| claims["aud"] = aud);
    assert!(aud(json!(["x", AUDIENCE])).is_ok());
    for other in [
        json!("x"),
        json!(["x", "y"]),
        json!(AUDIENCE.to_uppercase()),
        json!(AUDIENCE.strip_suffix('e')),
        json!(format!("{AUDIENCE}/")),
        json!(format!(" {AUDIENCE}")),
        json!("*"),
    ] {
        assert_eq!(aud(other.clone()), Err(TokenRefused::Audience), "{other}");
    }
    assert!(aud(json!(vec![AUDIENCE; 100])).is_ok());
    assert!(aud(json!(vec![AUDIENCE; 101])).is_err());
}

#[test]
fn t10_issuers_are_compared_exactly() {
    for other in [
        "https://issuer.example/",
        "https://ISSUER.example",
        "HTTPS://issuer.example",
        "https://issuer.example:443",
        "https://іssuer.example",
        "http://issuer.example",
        "https://issuer.example\0",
        "https://issuer.example ",
    ] {
        let refused = with_claims(|claims| claims["iss"] = json!(other));
        assert_eq!(refused, Err(TokenRefused::Issuer), "{other}");
    }
    let refused = with_claims(|claims| claims["iss"] = json!(["https://evil.example", ISSUER]));
    assert_eq!(refused, Err(TokenRefused::Claim("iss")));
}

#[test]
fn t11_duplicate_members_are_refused() {
    let key = key();
    let header = json!({"alg": "EdDSA", "kid": "k"}).to_string();
    let payload = good_claims().to_string();
    for twice in [
        "\"sub\":\"admin\",",
        "\"aud\":\"https://app.example\",",
        "\"exp\":1,",
        "\"s\\u0075b\":\"admin\",",
        "\"email\":\"a\",\"email\":\"b\",",
        "\"a\":{\"b\":1,\"b\":2},",
    ] {
        let changed = payload.replacen('{', &format!("{{{twice}"), 1);
        let token = key.token_of(&header, &changed);
        assert_eq!(check(&key, &token), Err(TokenRefused::Payload), "{twice}");
    }
    for twice in ["\"alg\":\"none\",", "\"kid\":\"k\",", "\"x\":1,\"x\":1,"] {
        let changed = header.replacen('{', &format!("{{{twice}"), 1);
        let token = key.token_of(&changed, &payload);
        assert_eq!(check(&key, &token), Err(TokenRefused::Header), "{twice}");
    }
}

#[test]
fn t05_t12_t13_headers_that_ask_for_more_are_refused() {
    let key = key();
    let with = |name: &str, value: Value| {
        let mut header = json!({"alg": "EdDSA", "kid": "k"});
        header[name] = value;
        with_header(&key, &header)
    };
    for (name, value) in [
        ("jwk", key.jwk()),
        ("jwk", json!(null)),
        ("x5c", json!(["MIIB"])),
        ("jku", json!("http://127.0.0.1:1/keys")),
        ("x5u", json!("http://127.0.0.1:1/keys")),
    ] {
        assert_eq!(with(name, value), Err(TokenRefused::BringsItsKey), "{name}");
    }
    for critical in [
        json!(["x"]),
        json!([]),
        json!(["b64"]),
        json!(null),
        json!("exp"),
    ] {
        assert_eq!(with("crit", critical), Err(TokenRefused::Critical));
    }
    for kind in [
        "secevent+jwt",
        "logout+jwt",
        "dpop+jwt",
        "oauth-authz-req+jwt",
        "JWE",
        "",
        "at+jwt ",
    ] {
        assert_eq!(with("typ", json!(kind)), Err(TokenRefused::Type), "{kind}");
    }
    for wrong in [json!(null), json!(1), json!(["JWT"])] {
        assert_eq!(with("typ", wrong), Err(TokenRefused::Type));
    }
    for kind in ["JWT", "at+jwt", "jwt", "AT+JWT"] {
        assert!(with("typ", json!(kind)).is_ok(), "{kind}");
    }
    assert!(with("x-unknown", json!({"a": 1})).is_ok());
    for name in ["b64", "enc", "zip"] {
        assert_eq!(with(name, json!(false)), Err(TokenRefused::Type));
    }
}

#[test]
fn t14_only_three_parts_are_a_token() {
    let key = key();
    let token = key.token(&good_claims());
    let parts: Vec<&str> = token.split('.').collect();
    let (header, payload, signature) = (parts[0], parts[1], parts[2]);
    for bad in [
        String::new(),
        ".".to_owned(),
        "..".to_owned(),
        format!("{header}.{payload}"),
        format!("{token}."),
        format!("{token}.{signature}"),
        format!("{header}.{payload}.{signature}.{payload}.{signature}"),
        format!(".{payload}.{signature}"),
        format!("{header}..{signature}"),
    ] {
        assert_eq!(check(&key, &bad), Err(TokenRefused::NotThreeParts), "{bad}");
    }
    let json = json!({"payload": payload, "protected": header, "signature": signature});
    assert!(check(&key, &json.to_string()).is_err());
    let nested = json!({"alg": "EdDSA", "kid": "k", "cty": "JWT"}).to_string();
    assert_eq!(
        check(&key, &key.token_of(&nested, &token)),
        Err(TokenRefused::Payload)
    );
}

#[test]
fn t15_base64_is_read_strictly() {
    let key = key();
    let token = key.token(&good_claims());
    let (signed, signature) = token.rsplit_once('.').unwrap();
    let (header, payload) = signed.split_once('.').unwrap();
    // 64 bytes are 86 characters, of which the last has four spare bits: `A`, `Q`, `g` or `w`.
    let spare = match signature.chars().last().unwrap() {
        'A' => 'B',
        'Q' => 'R',
        'g' => 'h',
        _ => 'x',
    };
    let mut with_spare_bits = signature.to_owned();
    with_spare_bits.pop();
    with_spare_bits.push(spare);
    for bad in [
        format!("{signed}.{signature}=="),
        format!("{header}=.{payload}.{signature}"),
        format!("{header}.{payload}=.{signature}"),
        format!("{signed}.{with_spare_bits}"),
        format!("{signed}.+{}", signature.get(1..).unwrap()),
        format!("{signed}./{}", signature.get(1..).unwrap()),
        format!(
            "{signed}.{}\n{}",
            signature.get(..40).unwrap(),
            signature.get(40..).unwrap()
        ),
        format!(" {token}"),
        format!("{token} "),
        format!("{header} .{payload}.{signature}"),
        format!("{token}\n"),
        format!("{signed}.{}", signature.get(..85).unwrap()),
    ] {
        assert_eq!(check(&key, &bad), Err(TokenRefused::Encoding), "{bad}");
    }
    // A header with spare bits cannot be re-signed by accident: the signature covers its text.
    assert!(check(&key, &token).is_ok());
}

#[test]
fn t16_size_is_checked_before_anything_is_decoded() {
    let key = key();
    let sized = |length: usize| {
        let mut claims = good_claims();
        claims["x"] = json!("");
        let empty = key.token(&claims).len();
        // Three bytes of padding are four characters.
        claims["x"] = json!("x".repeat((length - empty) / 4 * 3));
        key.token(&claims)
    };
    let fits = sized(8 * 1024 - 8);
    assert!(fits.len() <= 8 * 1024 && fits.len() > 8 * 1024 - 16);
    assert!(check(&key, &fits).is_ok());
    assert_eq!(
        check(&key, &sized(8 * 1024 + 16)),
        Err(TokenRefused::TooLong)
    );
    assert_eq!(
        check(&key, &"!".repeat(8 * 1024 + 1)),
        Err(TokenRefused::TooLong)
    );
    assert_eq!(
        check(&key, &"!".repeat(8 * 1024)),
        Err(TokenRefused::NotThreeParts)
    );
    let header = json!({"alg": "EdDSA", "kid": "k"}).to_string();
    let deep = format!("{{\"a\":{}{}}}", "[".repeat(2500), "]".repeat(2500));
    assert_eq!(
        check(&key, &key.token_of(&header, &deep)),
        Err(TokenRefused::Payload)
    );
}

#[test]
fn t17_signatures_that_are_no_proof_are_refused() {
    let p256 = SigningKey::p256("p");
    let token = p256.token(&good_claims());
    let (signed, _) = token.rsplit_once('.').unwrap();
    let zero = base64::engine::general_purpose::URL_SAFE_NO_PAD.encode([0; 64]);
    assert_eq!(
        check(&p256, &format!("{signed}.{zero}")),
        Err(TokenRefused::Signature)
    );
    // Ed25519: S + L is the same signature in another form, which RFC 8032 §5.1.7 forbids.
    let ed25519 = key();
    let token = ed25519.token(&good_claims());
    let (signed, signature) = token.rsplit_once('.').unwrap();
    let url_safe = base64::engine::general_purpose::URL_SAFE_NO_PAD;
    let mut bytes = url_safe.decode(signature).unwrap();
    let order = [
        0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde,
        0x14, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10_u8,
    ];
    let mut carry = 0_u16;
    for (byte, add) in bytes[32..].iter_mut().zip(order) {
        carry += u16::from(*byte) + u16::from(add);
        *byte = carry.to_le_bytes()[0];
        carry >>= 8;
    }
    assert_eq!(
        check(&ed25519, &format!("{signed}.{}", url_safe.encode(&bytes))),
        Err(TokenRefused::Signature)
    );
    for length in [0, 63, 65] {
        let short = url_safe.encode(vec![1; length]);
        assert!(check(&ed25519, &format!("{signed}.{short}")).is_err());
    }
}

#[test]
fn s05_nothing_of_a_token_is_printed() {
    let token = key().token(&good_claims());
    let read = Unverified::read(&token).unwrap();
    assert_eq!(format!("{read:?}"), "Unverified(…)");
}
