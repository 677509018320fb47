//! Who is calling: from the `Authorization` header to a [`Caller`].

use std::fmt;
use std::sync::Arc;

use guestlist_api::emails::EmailAddress;
use guestlist_api::identities::{IssuerText, Piece, UserIdExpression};
use guestlist_api::ids::{AccountId, ClientId, TenantId, UserId};
use guestlist_api::text::Malformed;
use guestlist_api::times::Timestamp;
use guestlist_api::user_tokens::TokenClaims;
pub use guestlist_rules::caller::{Caller, CallerKind};
use guestlist_rules::changes::Kind;
use guestlist_rules::user_tokens::StoredUserToken;
use guestlist_store::Store;
use http::HeaderMap;
use http::header::AUTHORIZATION;

use crate::access_keys::RawKey;
use crate::clock::Clock;
use crate::entropy::{Entropy, NoEntropy};
use crate::issuers::{Issuers, NoKey};
use crate::known_callers::{KnownCallers, KnownClient, KnownIssuer, Standing};
use crate::outgoing::NotAllowed;
use crate::token_cache::{Proof, TokenCache};
use crate::tokens::{self, Policy, TokenRefused, Unverified, Verified};
use crate::user_token_key::{self, Audience, CannotSign, Claims, UserTokenKey};

/// What stands before the client id in the `iss` of a service client's token.
const CLIENTS: &str = "/v1/clients/";

/// Milliseconds that a token that is made here may live.
const LONGEST_LIFE: i64 = 24 * 60 * 60 * 1000;

/// How callers are told apart.
#[derive(Debug, Clone)]
pub struct CallerSettings {
    pub account_id: AccountId,
    /// The URL under which clients know the server, without a slash at its end: the `iss` of the
    /// server's own tokens.
    pub public_url: IssuerText,
    /// Whether an access key is accepted as a bearer itself, as several SDKs send it.
    pub raw_keys: bool,
    /// Whether the server's own user tokens are accepted and made.
    pub development: bool,
    /// Milliseconds that tokens of service clients may live. SDKs make them for 24 hours, and one
    /// dates them back by ten minutes.
    pub client_token_life: i64,
    /// Milliseconds that tokens of linked issuers may live.
    pub issuer_token_life: i64,
    /// Bytes of verified tokens that are kept.
    pub token_cache_bytes: usize,
}

impl CallerSettings {
    /// The defaults of an account.
    pub const fn new(account_id: AccountId, public_url: IssuerText) -> Self {
        const HOUR: i64 = 60 * 60 * 1000;
        Self {
            account_id,
            public_url,
            raw_keys: true,
            development: false,
            client_token_life: 25 * HOUR,
            issuer_token_life: 48 * HOUR,
            token_cache_bytes: 64 * 1024 * 1024,
        }
    }
}

/// Why nobody was identified: for the log. The caller learns 401 and nothing else.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotIdentified {
    #[error("no Authorization header")]
    NoAuthorization,
    #[error("the Authorization header is not a bearer token")]
    NotBearer,
    #[error(transparent)]
    Token(#[from] TokenRefused),
    #[error("neither a token nor an access key")]
    NotACredential,
    #[error("access keys are not accepted as bearers")]
    RawKeysOff,
    #[error("the access key is of another account")]
    OtherAccount,
    #[error("no such service client")]
    UnknownClient,
    #[error("the service client has no such access key")]
    UnknownKey,
    #[error("a key that was handed in is not accepted as a bearer")]
    KeptByClient,
    #[error("the secret of the access key is wrong")]
    WrongSecret,
    #[error("the subject is not the client that the issuer names")]
    OtherSubject,
    #[error("tokens for trying things out are accepted only in development")]
    NotInDevelopment,
    #[error("there is no such token of this user, or it was disabled")]
    UnknownToken,
    #[error("the service client that made the token may not make tokens any more")]
    MakerMayNot,
    #[error("the store that knows the tokens of users cannot be read")]
    StoreUnavailable,
    #[error("the issuer is not linked")]
    UnknownIssuer,
    #[error(transparent)]
    NoKey(#[from] NoKey),
    #[error("the claims do not make a user id")]
    NoUserId,
    #[error("the user id is one that only this server may give")]
    ReservedUserId,
    #[error("the audiences make different user ids")]
    AmbiguousUserId,
}

impl NotIdentified {
    /// Whether a credential was tried. Requests without one cost nothing and are not counted against
    /// others at the same address.
    pub const fn is_guess(&self) -> bool {
        !matches!(
            self,
            Self::NoAuthorization | Self::NotBearer | Self::StoreUnavailable
        )
    }
}

/// Why a sample token is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SampleRefused {
    #[error(transparent)]
    Token(#[from] TokenRefused),
    #[error("its issuer {0}")]
    Issuer(#[from] NotAllowed),
    #[error(transparent)]
    NoKey(#[from] NoKey),
    #[error("its issuer or audience is too long")]
    TooLong,
}

/// What a sample token says, after its signature was checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sample {
    pub issuer: IssuerText,
    pub audiences: Vec<IssuerText>,
}

/// A user token of the server itself.
pub struct DevelopmentToken {
    pub access_token: String,
    /// Seconds.
    pub expires_in: i64,
}

/// A token that was made for the secret of a service client.
pub struct ClientToken {
    pub access_token: String,
    /// Seconds.
    pub expires_in: i64,
}

/// Why there is none.
#[derive(Debug, thiserror::Error)]
pub enum NoClientToken {
    #[error(transparent)]
    NotIdentified(#[from] NotIdentified),
    #[error(transparent)]
    CannotSign(#[from] CannotSign),
}

/// Why no development token was made.
#[derive(Debug, thiserror::Error)]
pub enum NoDevelopmentToken {
    #[error("only in development")]
    NotInDevelopment,
    #[error(transparent)]
    UserId(#[from] Malformed),
    #[error(transparent)]
    CannotSign(#[from] CannotSign),
}

/// Everything needed to tell who is calling.
pub struct Callers {
    settings: CallerSettings,
    known: Arc<KnownCallers>,
    issuers: Issuers,
    user_token_key: Arc<UserTokenKey>,
    /// Where the tokens of users are looked up, once each.
    store: Arc<dyn Store>,
    cache: TokenCache,
    clock: Clock,
    /// `aud` of the account, as SDKs write it.
    account_audience: String,
    /// Everything that may stand in the `aud` of a service client's token.
    client_audiences: [String; 4],
    /// The standing of the server's own tokens: they end by time alone.
    own: Standing,
}

impl fmt::Debug for Callers {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Callers(…)")
    }
}

impl Callers {
    pub fn new(
        settings: CallerSettings,
        known: Arc<KnownCallers>,
        issuers: Issuers,
        user_token_key: Arc<UserTokenKey>,
        store: Arc<dyn Store>,
        clock: Clock,
        entropy: &Entropy,
    ) -> Result<Self, NoEntropy> {
        let account = &settings.account_id;
        let account_audience = format!("{account}.accounts.authress.io");
        let client_audiences = [
            account_audience.clone(),
            format!("{account}.api.authress.io"),
            format!("https://{account}.api.authress.io"),
            settings.public_url.as_str().to_owned(),
        ];
        Ok(Self {
            cache: TokenCache::new(settings.token_cache_bytes, entropy)?,
            settings,
            known,
            issuers,
            user_token_key,
            store,
            clock,
            account_audience,
            client_audiences,
            own: Standing::new(),
        })
    }

    /// The directory the answers come from.
    pub const fn known(&self) -> &Arc<KnownCallers> {
        &self.known
    }

    /// The key pair of the server's own tokens, for its JWKS.
    pub const fn user_token_key(&self) -> &Arc<UserTokenKey> {
        &self.user_token_key
    }

    pub const fn token_cache(&self) -> &TokenCache {
        &self.cache
    }

    /// Whether an issuer may be linked, as far as its name tells.
    pub fn check_issuer(&self, issuer: &IssuerText) -> Result<(), NotAllowed> {
        self.issuers.check(issuer.as_str())
    }

    /// The caller, if the same bearer was verified before and is still good. Never waits.
    pub fn identify_known(&self, headers: &HeaderMap) -> Option<Arc<Caller>> {
        self.cache.get(bearer(headers).ok()?, self.clock.now())
    }

    /// The caller. Waits only if keys of a linked issuer must be fetched.
    pub async fn identify(&self, headers: &HeaderMap) -> Result<Arc<Caller>, NotIdentified> {
        let bearer = bearer(headers)?;
        if let Some(caller) = self.cache.get(bearer, self.clock.now()) {
            return Ok(caller);
        }
        let bearer = str::from_utf8(bearer).map_err(|_| NotIdentified::NotBearer)?;
        let proof = self.prove(bearer).await?;
        let caller = proof.caller.clone();
        self.cache.insert(bearer, proof, self.clock.now());
        Ok(caller)
    }

    async fn prove(&self, bearer: &str) -> Result<Proof, NotIdentified> {
        let dots = bearer.bytes().filter(|byte| *byte == b'.').count();
        match dots {
            2 => {}
            3 => return self.prove_raw_key(bearer),
            _ => return Err(NotIdentified::NotACredential),
        }
        let token = Unverified::read(bearer)?;
        if let Some((_, client_id)) = token.issuer().rsplit_once(CLIENTS) {
            return self.prove_client(&token, client_id);
        }
        if token.issuer() == self.settings.public_url.as_str() {
            return self.prove_own(&token).await;
        }
        self.prove_linked(&token).await
    }

    fn prove_raw_key(&self, bearer: &str) -> Result<Proof, NotIdentified> {
        if !self.settings.raw_keys {
            return Err(NotIdentified::RawKeysOff);
        }
        let raw = RawKey::parse(bearer).ok_or(NotIdentified::NotACredential)?;
        let client = self.client_of(&raw)?;
        Ok(Proof {
            caller: client.caller().clone(),
            begins: Timestamp::from_milliseconds(i64::MIN),
            ends: Timestamp::from_milliseconds(i64::MAX),
            standing: client.standing().clone(),
        })
    }

    /// The client that an access key is of.
    fn client_of(&self, raw: &RawKey) -> Result<Arc<KnownClient>, NotIdentified> {
        if raw.account_id != self.settings.account_id {
            return Err(NotIdentified::OtherAccount);
        }
        let client = self.client(raw.client_id.as_str())?;
        let key = client.key(raw.key_id.as_str());
        let key = key.ok_or(NotIdentified::UnknownKey)?;
        if key.handed_in {
            return Err(NotIdentified::KeptByClient);
        }
        if !raw.belongs_to(&key.public) {
            return Err(NotIdentified::WrongSecret);
        }
        Ok(client)
    }

    /// A token of a service client for its access key: what the client could have signed itself.
    pub fn client_token(
        &self,
        client_id: &str,
        secret: &str,
    ) -> Result<(Arc<Caller>, ClientToken), NoClientToken> {
        if !self.settings.raw_keys {
            return Err(NotIdentified::RawKeysOff.into());
        }
        let raw = RawKey::parse(secret).ok_or(NotIdentified::NotACredential)?;
        if raw.client_id.as_str() != client_id {
            return Err(NotIdentified::OtherSubject.into());
        }
        let client = self.client_of(&raw)?;
        let life = self.settings.client_token_life.min(LONGEST_LIFE) / 1000;
        let now = self.clock.now().milliseconds().div_euclid(1000);
        let issuer = format!("{}{CLIENTS}{client_id}", self.settings.public_url.as_str());
        let access_token = raw.sign(&Claims {
            iss: &issuer,
            sub: client_id,
            aud: Audience::One(&self.account_audience),
            iat: now,
            exp: now + life,
            jti: None,
            client_id: Some(client_id),
            scope: "openid",
            statements: None,
            further: None,
        })?;
        let token = ClientToken {
            access_token,
            expires_in: life,
        };
        Ok((client.caller().clone(), token))
    }

    /// The origin in the `iss` is whatever URL the client was configured with (contract §3.2): the
    /// key is found by the client and its id, and the audience names this account.
    fn prove_client(
        &self,
        token: &Unverified<'_>,
        client_id: &str,
    ) -> Result<Proof, NotIdentified> {
        if token.subject() != client_id || client_id.parse::<ClientId>().is_err() {
            return Err(NotIdentified::OtherSubject);
        }
        let client = self.client(client_id)?;
        let key = client.key(token.key_id());
        let key = key.ok_or(NotIdentified::UnknownKey)?;
        let audiences = self.client_audiences.each_ref().map(String::as_str);
        let policy = Policy {
            issuer: token.issuer(),
            audiences: Some(&audiences),
            longest_life: self.settings.client_token_life,
        };
        let verified = token.verify(key.verifying(), &policy, self.clock.now())?;
        Ok(Proof {
            caller: client.caller().clone(),
            begins: verified.begins(),
            ends: verified.ends(),
            standing: client.standing().clone(),
        })
    }

    fn client(&self, client_id: &str) -> Result<Arc<KnownClient>, NotIdentified> {
        let client = self.known.client(client_id);
        client.ok_or(NotIdentified::UnknownClient)
    }

    /// A token of the server itself: one that a service client had made for a user, or, in
    /// development, one of any user.
    async fn prove_own(&self, token: &Unverified<'_>) -> Result<Proof, NotIdentified> {
        let policy = Policy {
            issuer: self.settings.public_url.as_str(),
            audiences: Some(&[
                self.account_audience.as_str(),
                self.settings.public_url.as_str(),
            ]),
            longest_life: LONGEST_LIFE,
        };
        let key = self.user_token_key.verifying();
        let verified = token.verify(key, &policy, self.clock.now())?;
        let user_id = external_user_id(verified.subject())?;
        let (begins, ends) = (verified.begins(), verified.ends());
        if let Some(token_id) = verified.text("jti") {
            let maker = verified.text("client_id").unwrap_or_default();
            let (kind, standing) = self.look_up(token_id, maker, &user_id).await?;
            return Ok(Proof {
                caller: Arc::new(Caller { user_id, kind }),
                begins,
                ends,
                standing,
            });
        }
        if !self.settings.development {
            return Err(NotIdentified::NotInDevelopment);
        }
        Ok(Proof {
            caller: user(
                user_id,
                self.settings.public_url.clone(),
                verified_email(&verified),
            ),
            begins,
            ends,
            standing: self.own.clone(),
        })
    }

    /// What a token of a user that is there and not disabled lets its bearer be. It ends with the
    /// service client that had it made, and when that client may make tokens no more.
    async fn look_up(
        &self,
        token_id: &str,
        maker: &str,
        user_id: &UserId,
    ) -> Result<(CallerKind, Standing), NotIdentified> {
        let client = self.client(maker)?;
        if !client.may_make_tokens() {
            return Err(NotIdentified::MakerMayNot);
        }
        // Taken before the token is read: if it is disabled meanwhile, this ends.
        let standing = client.standing_of_tokens();
        let seen = self.store.get(Kind::UserToken, token_id).await;
        let seen = seen.map_err(|_| NotIdentified::StoreUnavailable)?;
        let document = seen.ok_or(NotIdentified::UnknownToken)?.value;
        let stored: StoredUserToken = document
            .read()
            .map_err(|_| NotIdentified::StoreUnavailable)?;
        let same = stored.user_id == *user_id && stored.client_id.as_str() == maker;
        if !same || stored.disabled.is_some() || !client.vouches_for(stored.created_time) {
            return Err(NotIdentified::UnknownToken);
        }
        let kind = if stored.is_unlimited() {
            CallerKind::User {
                issuer: self.settings.public_url.clone(),
                // What such a token says further is the account's own, and nobody verified it.
                verified_email: None,
            }
        } else {
            CallerKind::Limited {
                statements: stored.statements.into(),
            }
        };
        Ok((kind, standing))
    }

    async fn prove_linked(&self, token: &Unverified<'_>) -> Result<Proof, NotIdentified> {
        // Keys are never fetched from an issuer only because a token names it.
        let linked = self.known.issuer(token.issuer());
        let linked = linked.ok_or(NotIdentified::UnknownIssuer)?;
        let audiences: Vec<&str> = linked
            .identities
            .iter()
            .map(|identity| identity.audience.as_str())
            .collect();
        let policy = Policy {
            issuer: linked.issuer.as_str(),
            audiences: (!audiences.contains(&"*")).then_some(audiences.as_slice()),
            longest_life: self.settings.issuer_token_life,
        };
        token.check_claims(&policy, self.clock.now())?;
        let found = self.issuers.key(token.issuer(), token.key_id()).await?;
        let verified = token.verify(&found.key, &policy, self.clock.now())?;
        Ok(Proof {
            caller: user(
                linked_user_id(&linked, &verified)?,
                linked.issuer.clone(),
                verified_email(&verified),
            ),
            begins: verified.begins(),
            ends: verified.ends().min(found.recheck),
            standing: linked.standing().clone(),
        })
    }

    /// Verifies a token of an issuer that is not linked yet, with the keys that its discovery
    /// document names. Only for callers who may link issuers: it makes requests to what the token
    /// names.
    pub async fn verify_sample(&self, token: &str) -> Result<Sample, SampleRefused> {
        let token = Unverified::read(token)?;
        self.issuers.check(token.issuer())?;
        let policy = Policy {
            issuer: token.issuer(),
            audiences: None,
            longest_life: self.settings.issuer_token_life,
        };
        token.check_claims(&policy, self.clock.now())?;
        let found = self.issuers.key(token.issuer(), token.key_id()).await?;
        let verified = token.verify(&found.key, &policy, self.clock.now())?;
        let text = |text: &str| IssuerText::parse(text).map_err(|_| SampleRefused::TooLong);
        let audiences = verified.audiences().iter().map(|audience| text(audience));
        Ok(Sample {
            issuer: text(verified.issuer())?,
            audiences: audiences.collect::<Result<_, _>>()?,
        })
    }

    /// The text of a token that was just made for a user. One that is limited is for this server
    /// alone, so that an application that looks at the audience takes it for nobody's.
    pub fn user_token(
        &self,
        token: &StoredUserToken,
        tenant: Option<&TenantId>,
        claims: Option<&TokenClaims>,
    ) -> Result<String, CannotSign> {
        let seconds = |time: Timestamp| time.milliseconds().div_euclid(1000);
        let account = self.account_audience.as_str();
        let audience = if token.is_unlimited() {
            tenant.map_or(Audience::One(account), |tenant| {
                Audience::Several([account, tenant.as_str()])
            })
        } else {
            Audience::One(self.settings.public_url.as_str())
        };
        self.user_token_key.sign_claims(&Claims {
            iss: self.settings.public_url.as_str(),
            sub: token.user_id.as_str(),
            aud: audience,
            iat: seconds(token.created_time),
            exp: seconds(token.expires),
            jti: Some(token.token_id.as_str()),
            client_id: Some(token.client_id.as_str()),
            scope: "openid",
            statements: Some(&token.statements),
            further: claims,
        })
    }

    /// The issuer of the server's own tokens.
    pub const fn own_issuer(&self) -> &IssuerText {
        &self.settings.public_url
    }

    /// Makes a token of any user, in development.
    pub fn development_token(&self, user: &UserId) -> Result<DevelopmentToken, NoDevelopmentToken> {
        self.development_token_with(user, None)
    }

    /// The same with a verified e-mail address.
    pub fn development_token_with(
        &self,
        user: &UserId,
        email: Option<&EmailAddress>,
    ) -> Result<DevelopmentToken, NoDevelopmentToken> {
        if !self.settings.development {
            return Err(NoDevelopmentToken::NotInDevelopment);
        }
        external_user_id(user.as_str()).map_err(|_| {
            Malformed::new("must not read like a service client (sc_…) or begin with Authress:")
        })?;
        let issuer = self.settings.public_url.as_str();
        let now = self.clock.now();
        let token = self
            .user_token_key
            .sign(issuer, &self.account_audience, user, email, now)?;
        Ok(DevelopmentToken {
            access_token: token,
            expires_in: user_token_key::LIFETIME,
        })
    }
}

/// The bearer of the first `Authorization` line. Further lines do not count, even if the first is
/// refused: some SDKs send two, and a fallback would let a caller be somebody else by accident.
fn bearer(headers: &HeaderMap) -> Result<&[u8], NotIdentified> {
    const SCHEME: &[u8] = b"bearer ";
    let line = headers
        .get(AUTHORIZATION)
        .ok_or(NotIdentified::NoAuthorization)?
        .as_bytes();
    let (scheme, bearer) = line
        .split_at_checked(SCHEME.len())
        .ok_or(NotIdentified::NotBearer)?;
    if !scheme.eq_ignore_ascii_case(SCHEME) || bearer.is_empty() {
        return Err(NotIdentified::NotBearer);
    }
    if bearer.len() > tokens::LONGEST {
        return Err(TokenRefused::TooLong.into());
    }
    Ok(bearer)
}

fn user(user_id: UserId, issuer: IssuerText, verified_email: Option<EmailAddress>) -> Arc<Caller> {
    Arc::new(Caller {
        user_id,
        kind: CallerKind::User {
            issuer,
            verified_email,
        },
    })
}

/// The e-mail address of a token, if its issuer says that it verified it (OpenID Connect Core §5.1).
fn verified_email(verified: &Verified<'_>) -> Option<EmailAddress> {
    let address = verified
        .text("email")
        .filter(|_| verified.is_true("email_verified"))?;
    address.parse().ok()
}

/// The user id that the linked identities make of a token. An identity for one of the token's
/// audiences goes before one for any audience (`*`).
fn linked_user_id(linked: &KnownIssuer, verified: &Verified<'_>) -> Result<UserId, NotIdentified> {
    let exact = linked.identities.iter().filter(|identity| {
        let audiences = verified.audiences();
        audiences
            .iter()
            .any(|audience| audience == identity.audience.as_str())
    });
    let mut user_ids = exact.map(|identity| evaluate(&identity.user_id_expression, verified));
    let Some(first) = user_ids.next() else {
        let any = linked
            .identities
            .iter()
            .find(|identity| identity.audience.as_str() == "*");
        let any = any.ok_or(TokenRefused::Audience)?;
        return evaluate(&any.user_id_expression, verified);
    };
    let first = first?;
    for other in user_ids {
        if other? != first {
            return Err(NotIdentified::AmbiguousUserId);
        }
    }
    Ok(first)
}

fn evaluate(
    expression: &UserIdExpression,
    verified: &Verified<'_>,
) -> Result<UserId, NotIdentified> {
    let mut text = String::new();
    for piece in expression.pieces() {
        match piece {
            Piece::Literal(literal) => text.push_str(literal),
            Piece::Claim(name) => {
                text.push_str(verified.text(name).ok_or(NotIdentified::NoUserId)?);
            }
        }
    }
    external_user_id(&text)
}

/// A user id that comes from outside: never one that reads like a service client or like anything
/// of the server's own, whatever its case (semantics §8).
fn external_user_id(text: &str) -> Result<UserId, NotIdentified> {
    let user_id: UserId = text.parse().map_err(|_| NotIdentified::NoUserId)?;
    if !user_id.is_person() {
        return Err(NotIdentified::ReservedUserId);
    }
    Ok(user_id)
}
