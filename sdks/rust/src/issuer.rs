//! An OpenID Connect issuer of another company: discovery, a rotating key set, and signed tokens.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::{SystemTime, UNIX_EPOCH};

use openssl::hash::MessageDigest;
use openssl::pkey::{PKey, Private};
use openssl::rsa::Rsa;
use openssl::sign::Signer;
use serde_json::{Value, json};

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Algorithm {
    EdDsa,
    Rs256,
}

#[derive(Clone)]
pub struct Key {
    kid: String,
    algorithm: Algorithm,
    private: PKey<Private>,
}

impl Key {
    fn new(kid: &str, algorithm: Algorithm) -> Self {
        let private = match algorithm {
            Algorithm::EdDsa => PKey::generate_ed25519(),
            Algorithm::Rs256 => Rsa::generate(2048).and_then(PKey::from_rsa),
        };
        let private = private.expect("OpenSSL generates keys");
        Self {
            kid: kid.to_owned(),
            algorithm,
            private,
        }
    }

    fn public(&self) -> Value {
        match self.algorithm {
            Algorithm::EdDsa => {
                let x = self
                    .private
                    .raw_public_key()
                    .expect("an Ed25519 key has a raw form");
                json!({"kty": "OKP", "crv": "Ed25519", "alg": "EdDSA", "use": "sig",
                    "kid": self.kid, "x": encode(&x)})
            }
            Algorithm::Rs256 => {
                let key = self.private.rsa().expect("an RSA key");
                json!({"kty": "RSA", "alg": "RS256", "use": "sig", "kid": self.kid,
                    "n": encode(&key.n().to_vec()), "e": encode(&key.e().to_vec())})
            }
        }
    }

    fn sign(&self, text: &str) -> Vec<u8> {
        let signer = match self.algorithm {
            Algorithm::EdDsa => Signer::new_without_digest(&self.private),
            Algorithm::Rs256 => Signer::new(MessageDigest::sha256(), &self.private),
        };
        signer
            .and_then(|mut signer| signer.sign_oneshot_to_vec(text.as_bytes()))
            .expect("signs")
    }
}

/// Listens on a free loopback port as long as the program runs; keys can be added meanwhile.
pub struct Issuer {
    pub url: String,
    pub audience: String,
    keys: Arc<Mutex<Vec<Key>>>,
}

impl Issuer {
    pub fn start(audience: &str) -> std::io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let url = format!("http://{}", listener.local_addr()?);
        let keys: Arc<Mutex<Vec<Key>>> = Arc::default();
        let (own_url, own_keys) = (url.clone(), Arc::clone(&keys));
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let _closed = answer(stream, &own_url, &own_keys);
            }
        });
        Ok(Self {
            url,
            audience: audience.to_owned(),
            keys,
        })
    }

    pub fn add_key(&self, kid: &str, algorithm: Algorithm) -> Key {
        let key = Key::new(kid, algorithm);
        self.keys.lock().expect("not poisoned").push(key.clone());
        key
    }

    pub fn remove_key(&self, kid: &str) {
        self.keys
            .lock()
            .expect("not poisoned")
            .retain(|key| key.kid != kid);
    }

    /// A token for a person by the newest key, valid for ten minutes.
    pub fn token(&self, subject: &str) -> String {
        self.token_with(subject, None, json!({}))
    }

    /// The same by a given key, with claims in place of the usual ones.
    pub fn token_with(&self, subject: &str, key: Option<&Key>, claims: Value) -> String {
        let newest = self.keys.lock().expect("not poisoned").last().cloned();
        let key = key.cloned().or(newest).expect("a key was added");
        let now = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .expect("after 1970")
            .as_secs();
        let mut payload = json!({"iss": self.url, "aud": self.audience, "sub": subject,
            "iat": now, "exp": now + 600});
        if let (Some(all), Some(more)) = (payload.as_object_mut(), claims.as_object()) {
            all.extend(more.clone());
        }
        let alg = if key.algorithm == Algorithm::EdDsa {
            "EdDSA"
        } else {
            "RS256"
        };
        let head = json!({"alg": alg, "kid": key.kid, "typ": "JWT"});
        let text = format!(
            "{}.{}",
            encode(head.to_string().as_bytes()),
            encode(payload.to_string().as_bytes())
        );
        let signature = key.sign(&text);
        format!("{text}.{}", encode(&signature))
    }
}

fn answer(mut stream: TcpStream, url: &str, keys: &Mutex<Vec<Key>>) -> std::io::Result<()> {
    let mut lines = BufReader::new(stream.try_clone()?).lines();
    let first = lines.next().transpose()?.unwrap_or_default();
    while lines
        .next()
        .transpose()?
        .is_some_and(|line| !line.is_empty())
    {}
    let path = first
        .split(' ')
        .nth(1)
        .unwrap_or_default()
        .split('?')
        .next()
        .unwrap_or_default();
    let body = match path {
        "/.well-known/openid-configuration" => Some(json!({
            "issuer": url, "jwks_uri": format!("{url}/keys"),
            "authorization_endpoint": format!("{url}/authorize"),
            "token_endpoint": format!("{url}/token"),
            "response_types_supported": ["code"], "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["EdDSA", "RS256"],
        })),
        "/keys" => {
            let keys = keys.lock().expect("not poisoned");
            Some(json!({"keys": keys.iter().map(Key::public).collect::<Vec<_>>()}))
        }
        _ => None,
    };
    let status = if body.is_some() {
        "200 OK"
    } else {
        "404 Not Found"
    };
    let body = body.unwrap_or_default().to_string();
    let length = body.len();
    write!(
        stream,
        "HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}"
    )
}

/// base64url without padding, as JOSE wants it.
fn encode(bytes: &[u8]) -> String {
    openssl::base64::encode_block(bytes)
        .replace('+', "-")
        .replace('/', "_")
        .replace('=', "")
}
