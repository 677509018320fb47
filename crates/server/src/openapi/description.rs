//! How one operation is described, and what follows from it: the operation of the document.

use std::collections::BTreeMap;

use http::Method;
use serde_json::json;
use utoipa::openapi::extensions::{Extensions, ExtensionsBuilder};
use utoipa::openapi::path::{Operation as Described, OperationBuilder, Parameter};
use utoipa::openapi::request_body::RequestBodyBuilder;
use utoipa::openapi::response::ResponseBuilder;
use utoipa::openapi::schema::{AllOfBuilder, Schema, Type};
use utoipa::openapi::security::SecurityRequirement;
use utoipa::openapi::{
    Content, ContentBuilder, Deprecated, HeaderBuilder, ObjectBuilder, Ref, RefOr, Required,
    Response,
};

use super::codes::{self, Code};
use super::shapes::{integer, object, of, string};
use crate::operations::Operation;

/// The scheme of credentials.
pub(super) const BEARER: &str = "bearerAuth";
const LINKS_JSON: &str = "application/links+json";
const PROBLEM_JSON: &str = "application/problem+json";

/// What belongs together on the reference page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tag {
    Invites,
    Records,
    Requests,
    Groups,
    Roles,
    Clients,
    Permissions,
    Resources,
    Users,
    Events,
    Webhooks,
    Account,
    UserTokens,
    Applications,
    Extensions,
    Connections,
    Tenants,
    Keys,
    Server,
}

impl Tag {
    pub(super) const ALL: [Self; 19] = [
        Self::Invites,
        Self::Records,
        Self::Requests,
        Self::Groups,
        Self::Roles,
        Self::Clients,
        Self::Permissions,
        Self::Resources,
        Self::Users,
        Self::Events,
        Self::Webhooks,
        Self::Account,
        Self::UserTokens,
        Self::Applications,
        Self::Extensions,
        Self::Connections,
        Self::Tenants,
        Self::Keys,
        Self::Server,
    ];

    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Invites => "Invites",
            Self::Records => "Access records",
            Self::Requests => "Access requests",
            Self::Groups => "Groups",
            Self::Roles => "Roles",
            Self::Clients => "Service clients",
            Self::Permissions => "User permissions",
            Self::Resources => "Resources",
            Self::Users => "Users",
            Self::Events => "Events",
            Self::Webhooks => "Webhooks",
            Self::Account => "Account",
            Self::UserTokens => "Tokens of users",
            Self::Applications => "Applications",
            Self::Extensions => "Extensions",
            Self::Connections => "Connections",
            Self::Tenants => "Tenants",
            Self::Keys => "Keys and discovery",
            Self::Server => "The server itself",
        }
    }

    pub(super) const fn meaning(self) -> &'static str {
        match self {
            Self::Invites => "Access for somebody who has no account yet.",
            Self::Records => "Who has which roles on which resources.",
            Self::Requests => "Access that somebody asks for, and somebody else gives or not.",
            Self::Groups => "Users who are given access together.",
            Self::Roles => "Named lists of permissions.",
            Self::Clients => "Programs that call in their own name, and their access keys.",
            Self::Permissions => "What a user may do.",
            Self::Resources => "What everybody may do with a resource.",
            Self::Users => "Whom records and groups name.",
            Self::Events => "What changed, when and by whom.",
            Self::Webhooks => "URLs to which events are sent, signed.",
            Self::Account => "The account and the token issuers it trusts.",
            Self::UserTokens => "Tokens that service clients make for users.",
            Self::Applications => "What users sign in to.",
            Self::Extensions => "Applications of third parties, each with a service client.",
            Self::Connections => "Identity providers by which users sign in.",
            Self::Tenants => "Partitions of users, usually one for each business customer.",
            Self::Keys => "What verifiers of tokens fetch. Public.",
            Self::Server => "Health, metrics and this description. Public.",
        }
    }
}

/// Whether the published API has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Origin {
    Published,
    Extension,
    DevelopmentOnly,
}

/// One way to an operation.
pub(super) struct Description {
    pub(super) method: Method,
    /// The path with `{names}` in its variable places.
    pub(super) path: &'static str,
    tag: Tag,
    summary: &'static str,
    about: Option<String>,
    /// What is put behind the operation's name to name this way to it.
    suffix: &'static str,
    discouraged: bool,
    parameters: Vec<Parameter>,
    body: Option<(&'static str, Required)>,
    /// Other media types in which the body may be written.
    texts: &'static [&'static str],
    answers: Vec<(u16, Response)>,
    refusals: Vec<Code>,
    origin: Origin,
}

impl Description {
    pub(super) fn new(method: Method, path: &'static str, tag: Tag, summary: &'static str) -> Self {
        Self {
            method,
            path,
            tag,
            summary,
            about: None,
            suffix: "",
            discouraged: false,
            parameters: Vec::new(),
            body: None,
            texts: &[],
            answers: Vec::new(),
            refusals: Vec::new(),
            origin: Origin::Published,
        }
    }

    /// More than the summary says.
    pub(super) fn about(mut self, about: &str) -> Self {
        self.about = Some(about.to_owned());
        self
    }

    pub(super) fn with(mut self, parameters: impl IntoIterator<Item = Parameter>) -> Self {
        self.parameters.extend(parameters);
        self
    }

    /// A body that must be there, described by a component.
    pub(super) fn takes(mut self, component: &'static str) -> Self {
        self.body = Some((component, Required::True));
        self
    }

    /// The body may also be text of these media types.
    pub(super) fn or_text(mut self, media: &'static [&'static str]) -> Self {
        self.texts = media;
        self
    }

    /// A body that may be left out.
    pub(super) fn may_take(mut self, component: &'static str) -> Self {
        self.body = Some((component, Required::False));
        self
    }

    /// A typed body, described by a component.
    pub(super) fn answers(self, status: u16, what: &str, component: &str) -> Self {
        self.answers_with(status, what, of(component))
    }

    /// A typed body.
    pub(super) fn answers_with(
        self,
        status: u16,
        what: &str,
        schema: impl Into<RefOr<Schema>>,
    ) -> Self {
        self.answers_as(status, what, LINKS_JSON, Content::new(Some(schema)))
    }

    /// A body of another media type.
    pub(super) fn answers_as(
        mut self,
        status: u16,
        what: &str,
        media: &str,
        content: Content,
    ) -> Self {
        let response = ResponseBuilder::new()
            .description(what)
            .content(media, content)
            .build();
        self.answers.push((status, response));
        self
    }

    /// A file of one of some media types.
    pub(super) fn answers_files(mut self, what: &str, media: &[&str]) -> Self {
        let response = ResponseBuilder::new().description(what);
        let with_all = media.iter().fold(response, |response, media| {
            response.content(*media, ContentBuilder::new().build())
        });
        self.answers.push((200, with_all.build()));
        self
    }

    /// No body.
    pub(super) fn answers_nothing(mut self, status: u16, what: &str) -> Self {
        self.answers.push((status, Response::new(what)));
        self
    }

    /// Refusals besides those that every operation of its kind shares.
    pub(super) fn refuses(mut self, codes: impl IntoIterator<Item = Code>) -> Self {
        self.refusals.extend(codes);
        self
    }

    /// It is a further way to its operation, named by this suffix.
    pub(super) fn further(mut self, suffix: &'static str) -> Self {
        self.suffix = suffix;
        self
    }

    /// It is a way that one client library takes. Use another one.
    pub(super) fn discouraged(mut self) -> Self {
        self.discouraged = true;
        self
    }

    /// It is PUT under another method, which one client library sends instead.
    pub(super) fn by_post(mut self) -> Self {
        let about = self
            .about
            .take()
            .map_or_else(String::new, |about| format!("{about}\n\n"));
        self.about = Some(format!(
            "{about}The same as PUT, for a client library that sends POST. Use PUT."
        ));
        self.method = Method::POST;
        self.discouraged = true;
        self.further("ByPost")
    }

    /// The published API does not have it.
    pub(super) fn extension(mut self) -> Self {
        self.origin = Origin::Extension;
        self
    }

    /// It is there in development only.
    pub(super) fn development_only(mut self) -> Self {
        self.origin = Origin::DevelopmentOnly;
        self
    }

    /// Every refusal it can be answered with, by status.
    fn all_refusals(&self, operation: Operation) -> BTreeMap<u16, Vec<Code>> {
        let mut all = codes::OF_EVERY_REQUEST.to_vec();
        if !operation.is_public() {
            all.extend(codes::OF_A_CALLER);
            if self.method != Method::GET {
                all.extend(codes::OF_A_CHANGE);
            }
        }
        all.extend(&self.refusals);
        let mut by_status: BTreeMap<u16, Vec<Code>> = BTreeMap::new();
        for code in codes::ALL.iter().filter(|code| all.contains(code)) {
            by_status.entry(code.status).or_default().push(*code);
        }
        by_status
    }

    /// The operation as the document has it.
    pub(super) fn described(&self, operation: Operation) -> Described {
        let mut builder = OperationBuilder::new()
            .tag(self.tag.name())
            .summary(Some(self.summary))
            .description(self.about.clone())
            .operation_id(Some(format!("{}{}", operation.name(), self.suffix)))
            .deprecated(self.discouraged.then_some(Deprecated::True))
            .extensions(self.marks());
        for parameter in &self.parameters {
            builder = builder.parameter(parameter.clone());
        }
        if let Some((component, required)) = &self.body {
            let json = RequestBodyBuilder::new()
                .content("application/json", Content::new(Some(of(component))));
            let text = || Content::new(Some(string()));
            let body = self
                .texts
                .iter()
                .fold(json, |body, media| body.content(*media, text()));
            let body = body.required(Some(required.clone()));
            builder = builder.request_body(Some(body.build()));
        }
        for (status, response) in &self.answers {
            builder = builder.response(status.to_string(), response.clone());
        }
        for (status, codes) in self.all_refusals(operation) {
            builder = builder.response(status.to_string(), refusal(&codes));
        }
        let security = if operation.is_public() {
            // None, whatever the document says of all operations.
            builder.securities(Some([]))
        } else {
            builder.security(bearer())
        };
        security.build()
    }

    fn marks(&self) -> Option<Extensions> {
        match self.origin {
            Origin::Published => None,
            Origin::Extension => Some(extension()),
            Origin::DevelopmentOnly => Some(
                ExtensionsBuilder::from(extension())
                    .add("x-development-only", true)
                    .build(),
            ),
        }
    }
}

/// Says that the published API does not have this.
pub(super) fn extension() -> Extensions {
    ExtensionsBuilder::new().add("x-extension", true).build()
}

pub(super) fn bearer() -> SecurityRequirement {
    SecurityRequirement::new(BEARER, Vec::<String>::new())
}

/// The answer to a refused request: a shared component if there is one for exactly these codes.
fn refusal(codes: &[Code]) -> RefOr<Response> {
    match codes::SHARED.iter().find(|(_, shared)| *shared == codes) {
        Some((name, _)) => Ref::from_response_name(*name).into(),
        None => problem(codes).into(),
    }
}

/// The answer to a refused request.
pub(super) fn problem(codes: &[Code]) -> Response {
    let status = codes.first().map_or(0, |code| code.status);
    let names = codes.iter().map(|code| json!(code.name));
    let specific = object()
        .property("status", integer().enum_values(Some([json!(status)])))
        .property("errorCode", string().enum_values(Some(names)));
    let schema = AllOfBuilder::new().item(of("Problem")).item(specific);
    let lines: Vec<String> = codes
        .iter()
        .map(|code| format!("`{}`: {}", code.name, code.meaning))
        .collect();
    let response = ResponseBuilder::new()
        .description(lines.join("\n\n"))
        .content(
            PROBLEM_JSON,
            ContentBuilder::new().schema(Some(schema)).build(),
        );
    match status {
        401 => response.header("WWW-Authenticate", header("`Bearer`.")),
        429 => response.header(
            "Retry-After",
            header("Seconds until trying again makes sense."),
        ),
        _ => response,
    }
    .build()
}

fn header(what: &str) -> utoipa::openapi::Header {
    let schema = ObjectBuilder::new().schema_type(Type::String);
    HeaderBuilder::new()
        .schema(Some(schema))
        .description(Some(what))
        .build()
}
