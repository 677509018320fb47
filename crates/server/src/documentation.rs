//! The reference page at `/docs`: Swagger UI out of the binary, without any request to elsewhere.

use std::sync::Arc;

use bytes::Bytes;
use http::header::{
    CONTENT_ENCODING, CONTENT_SECURITY_POLICY, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS,
};
use http::{HeaderName, HeaderValue};
use utoipa_swagger_ui::Config;

use crate::answer::Answer;
use crate::refusal::Refusal;

/// Only what this server serves is loaded, and only this server is called. The images of the style
/// sheet are written in it (`data:`).
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; \
                      img-src 'self' data:; connect-src 'self'; base-uri 'none'; \
                      form-action 'none'; frame-ancestors 'none'";

const CROSS_ORIGIN_RESOURCE_POLICY: HeaderName =
    HeaderName::from_static("cross-origin-resource-policy");

/// Paths are absolute, so that it is the same page with and without a slash at its end.
const PAGE: &str = r#"<!DOCTYPE html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <title>Guestlist: API reference</title>
    <link rel="stylesheet" href="/docs/swagger-ui.css">
    <link rel="icon" type="image/png" href="/docs/favicon-32x32.png">
  </head>
  <body>
    <div id="reference"></div>
    <noscript><p>This page needs JavaScript. The description itself is at
      <a href="/openapi.json">/openapi.json</a>.</p></noscript>
    <script src="/docs/swagger-ui-bundle.js"></script>
    <script src="/docs/start.js"></script>
  </body>
</html>
"#;

/// Without the validator of the makers of Swagger UI, which would be asked about the description.
const START: &str = r##"SwaggerUIBundle({
  url: "/openapi.json",
  dom_id: "#reference",
  deepLinking: true,
  defaultModelsExpandDepth: 0,
  displayOperationId: true,
  displayRequestDuration: true,
  filter: true,
  validatorUrl: null,
});
"##;

/// The files that are taken out of the bundle; it has more, which nothing here refers to.
const BUNDLED: [&str; 3] = [
    "favicon-32x32.png",
    "swagger-ui-bundle.js",
    "swagger-ui.css",
];

/// A file of the reference page.
#[derive(Debug, Clone)]
pub struct File {
    pub content_type: HeaderValue,
    pub body: Bytes,
    /// Whether the body is compressed with gzip.
    pub compressed: bool,
}

/// A file by its name; the page itself has none.
pub fn file(name: &str) -> Option<File> {
    let own = |content_type, text: &'static str| {
        let content_type = HeaderValue::from_static(content_type);
        Some(File {
            content_type,
            body: Bytes::from_static(text.as_bytes()),
            compressed: false,
        })
    };
    match name {
        "" | "index.html" => own("text/html; charset=utf-8", PAGE),
        "start.js" => own("text/javascript; charset=utf-8", START),
        name if BUNDLED.contains(&name) => bundled(name),
        _ => None,
    }
}

fn bundled(name: &str) -> Option<File> {
    let found = utoipa_swagger_ui::serve(name, Arc::new(Config::default())).ok()??;
    let body = match found.bytes {
        std::borrow::Cow::Borrowed(bytes) => Bytes::from_static(bytes),
        std::borrow::Cow::Owned(bytes) => Bytes::from(bytes),
    };
    let content_type = HeaderValue::from_str(&found.content_type).ok()?;
    Some(File {
        content_type,
        body,
        compressed: found.gzpipped,
    })
}

/// GET `/docs` and `/docs/{file}`.
///
/// # Errors
///
/// [`Refusal::NoSuchPath`] if the page has no such file.
pub fn page(name: &str) -> Result<Answer, Refusal> {
    let file = file(name).ok_or(Refusal::NoSuchPath)?;
    let answer = Answer::file(file.content_type, file.body)
        .with(CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY))
        .with(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"))
        .with(REFERRER_POLICY, HeaderValue::from_static("no-referrer"))
        .with(
            CROSS_ORIGIN_RESOURCE_POLICY,
            HeaderValue::from_static("same-origin"),
        );
    Ok(if file.compressed {
        // In the binary it is a quarter of the size, and every browser takes it.
        answer.with(CONTENT_ENCODING, HeaderValue::from_static("gzip"))
    } else {
        answer
    })
}
