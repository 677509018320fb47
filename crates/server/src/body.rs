//! Request bodies: read within a size and a time, then parsed as JSON without a doubt left.
//!
//! Bodies are told by what they hold, not by `Content-Type`: SDKs send JSON without a type, and a
//! JSON type without a body (contract §1.0).

use bytes::{Bytes, BytesMut};
use http::HeaderMap;
use http::header::CONTENT_ENCODING;
use http_body_util::BodyExt;
use hyper::body::Body;
use serde::de::DeserializeOwned;

use crate::edge_error::{EdgeError, MalformedJson, shortened_path, shortened_sentence};
use crate::limits::Limits;
use crate::objects::Strict;
use crate::strict_json;

/// Reads a body to its end, or says why not as early as that is known.
///
/// A body that is announced as too long is refused before a byte of it is read.
pub async fn read<B>(headers: &HeaderMap, body: B, limits: &Limits) -> Result<Bytes, EdgeError>
where
    B: Body<Data = Bytes> + Unpin,
{
    if body.is_end_stream() {
        return Ok(Bytes::new());
    }
    let encodings = headers.get_all(CONTENT_ENCODING);
    if encodings
        .iter()
        .any(|encoding| !encoding.as_bytes().eq_ignore_ascii_case(b"identity"))
    {
        return Err(EdgeError::UnsupportedEncoding);
    }
    if body.size_hint().lower() > u64::try_from(limits.body).unwrap_or(u64::MAX) {
        return Err(EdgeError::BodyTooLarge {
            allowed: limits.body,
        });
    }
    tokio::time::timeout(limits.body_time, collect(body, limits.body))
        .await
        .unwrap_or_else(|_| {
            Err(EdgeError::BodyTimeout {
                seconds: limits.body_time.as_secs(),
            })
        })
}

async fn collect<B>(mut body: B, allowed: usize) -> Result<Bytes, EdgeError>
where
    B: Body<Data = Bytes> + Unpin,
{
    // Nearly every body arrives as one piece, which is then not copied.
    let mut first = Bytes::new();
    let mut rest = BytesMut::new();
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|_| EdgeError::BodyIncomplete)?;
        let Ok(data) = frame.into_data() else {
            continue;
        };
        if first.len() + rest.len() + data.len() > allowed {
            return Err(EdgeError::BodyTooLarge { allowed });
        }
        if first.is_empty() {
            first = data;
        } else {
            rest.extend_from_slice(&data);
        }
    }
    if rest.is_empty() {
        return Ok(first);
    }
    let mut whole = BytesMut::with_capacity(first.len() + rest.len());
    whole.extend_from_slice(&first);
    whole.extend_from_slice(&rest);
    Ok(whole.freeze())
}

/// Parses a body. `None` if it is empty, blank or `null`.
///
/// Members that the type does not know are ignored, but they must be JSON all the same: a member
/// given twice, a number out of range or an unpaired surrogate is refused wherever it is. An array
/// is never taken for an object.
pub fn parse<T: DeserializeOwned>(body: &[u8]) -> Result<Option<T>, EdgeError> {
    if body.iter().all(u8::is_ascii_whitespace) {
        return Ok(None);
    }
    if body.starts_with(b"\xEF\xBB\xBF") {
        return Err(EdgeError::MalformedJson(MalformedJson {
            path: String::new(),
            reason: "it begins with a byte order mark".to_owned(),
        }));
    }
    strict_json::check(body).map_err(malformed)?;
    let mut deserializer = serde_json::Deserializer::from_slice(body);
    serde_path_to_error::deserialize(Strict(&mut deserializer)).map_err(malformed)
}

fn malformed(error: serde_path_to_error::Error<serde_json::Error>) -> EdgeError {
    let path = match error.path().to_string() {
        root if root == "." => String::new(),
        path => shortened_path(&path),
    };
    let error = error.into_inner();
    let message = error.to_string();
    let malformed = match error.classify() {
        serde_json::error::Category::Data => {
            let message = message
                .rsplit_once(" at line ")
                .map_or(&*message, |parts| parts.0);
            about_member(path, message)
        }
        // The rest has no offending member, but a place in the text.
        serde_json::error::Category::Syntax
        | serde_json::error::Category::Eof
        | serde_json::error::Category::Io => MalformedJson {
            path: String::new(),
            reason: message,
        },
    };
    EdgeError::MalformedJson(malformed)
}

/// Turns a message of serde into a sentence for a client, leaving out the value that was sent: a
/// token or a key in the wrong place must not end up in a log.
fn about_member(path: String, message: &str) -> MalformedJson {
    let reason = if let Some(name) = quoted_after(message, "missing field `") {
        let path = if path.is_empty() {
            name.to_owned()
        } else {
            format!("{path}.{name}")
        };
        let reason = "it is missing".to_owned();
        return MalformedJson { path, reason };
    } else if let Some(mismatch) = message
        .strip_prefix("invalid type: ")
        .or_else(|| message.strip_prefix("invalid value: "))
    {
        let found = mismatch.split([' ', ',']).next().unwrap_or_default();
        match mismatch.rsplit_once(", expected ") {
            Some((_, expected)) => format!("expected {}, not {}", named(expected), named(found)),
            None => "it has the wrong type".to_owned(),
        }
    } else if message.starts_with("unknown variant `") {
        match message.rsplit_once(", expected ") {
            Some((_, expected)) => format!("expected {expected}"),
            None => "it is none of the accepted values".to_owned(),
        }
    } else {
        shortened_sentence(message)
    };
    MalformedJson { path, reason }
}

fn quoted_after<'a>(message: &'a str, prefix: &str) -> Option<&'a str> {
    let (name, _) = message.strip_prefix(prefix)?.split_once('`')?;
    Some(name)
}

/// serde's names of types, in the words of JSON.
fn named(serde_name: &str) -> &str {
    match serde_name {
        "string" => "a string",
        "boolean" => "a boolean",
        "integer" | "floating" => "a number",
        "map" | "a map" => "an object",
        "sequence" | "a sequence" => "an array",
        "i64" | "u64" | "u32" | "i32" | "u16" | "usize" => "a whole number",
        name if name.starts_with("struct ") => "an object",
        name => name,
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;
    use std::fmt::Write;
    use std::time::Duration;

    use http_body_util::{Full, StreamBody};
    use hyper::body::Frame;
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, PartialEq, Deserialize)]
    struct Record {
        name: String,
        #[serde(default)]
        statements: Vec<Statement>,
    }

    #[derive(Debug, PartialEq, Deserialize)]
    struct Statement {
        roles: Vec<String>,
        #[serde(default)]
        effect: Effect,
    }

    #[derive(Debug, PartialEq, Default, Deserialize)]
    enum Effect {
        #[default]
        Allow,
        Deny,
    }

    fn fault(body: impl AsRef<[u8]>) -> (String, String) {
        match parse::<Record>(body.as_ref()) {
            Err(EdgeError::MalformedJson(MalformedJson { path, reason })) => (path, reason),
            other => panic!("{other:?}"),
        }
    }

    fn fault_text(body: &str) -> String {
        let (path, reason) = fault(body);
        format!("{path}: {reason}")
    }

    #[test]
    fn a_body_without_content_is_none() {
        for body in ["", "  \r\n", "null", " null\n"] {
            assert_eq!(parse::<Record>(body.as_bytes()), Ok(None), "{body:?}");
        }
    }

    #[test]
    fn unknown_members_are_ignored() {
        let record = parse::<Record>(br#"{"name":"n","x":{"y":[1,2.5,null,true]}}"#);
        assert_eq!(record.unwrap().unwrap().name, "n");
    }

    #[test]
    fn the_offending_member_is_named_without_its_value() {
        let cases = [
            (r#"{"name":5}"#, "name: expected a string, not a number"),
            ("{}", "name: it is missing"),
            ("\"secret\"", ": expected an object, not a string"),
            (
                r#"{"name":"n","statements":{}}"#,
                "statements: expected an array, not an object",
            ),
            (
                r#"{"name":"n","statements":[{"roles":["a",{"b":1}]}]}"#,
                "statements[0].roles[1]: expected a string, not an object",
            ),
            (
                r#"{"name":"n","statements":[{"roles":[]},{}]}"#,
                "statements[1].roles: it is missing",
            ),
            (
                r#"{"name":"n","statements":"se, expected cret"}"#,
                "statements: expected an array, not a string",
            ),
            (
                r#"{"name":"n","statements":[{"roles":[],"effect":"secret"}]}"#,
                "statements[0].effect: expected `Allow` or `Deny`",
            ),
        ];
        for (body, expected) in cases {
            assert_eq!(fault_text(body), expected, "{body}");
        }
    }

    #[test]
    fn an_array_is_no_object_and_an_object_no_word() {
        let cases = [
            (r#"["n",[]]"#, ": expected an object, not an array"),
            ("[]", ": expected an object, not an array"),
            (
                r#"{"name":"n","statements":[[["a"],"Allow"]]}"#,
                "statements[0]: expected an object, not an array",
            ),
            (
                r#"{"name":"n","statements":[{"roles":[],"effect":{"Allow":null}}]}"#,
                "statements[0].effect: expected a string, not an object",
            ),
        ];
        for (body, expected) in cases {
            assert_eq!(fault_text(body), expected, "{body}");
        }
        // The control: serde alone takes the values in the order of the members.
        let taken = |body| serde_json::from_str::<Record>(body).is_ok();
        assert_eq!(
            cases.map(|(body, _)| taken(body)),
            [true, false, true, true]
        );
    }

    #[test]
    fn d06_members_given_twice_are_refused_wherever_they_are() {
        assert_eq!(
            fault_text(r#"{"name":"a","name":"b"}"#),
            ": the member name is given twice"
        );
        assert_eq!(
            fault_text(r#"{"name":"a","unknown":[{"k":1,"\u006b":2}]}"#),
            "unknown[0]: the member k is given twice"
        );
        let (_, reason) = fault(format!(r#"{{"{0}":1,"{0}":2}}"#, "x".repeat(10_000)));
        assert!(reason.len() < 200, "{reason}");
    }

    #[test]
    fn d06_what_is_not_json_is_refused_also_in_ignored_members() {
        let deep = |open: &str, depth: usize| format!(r#"{{"name":"n","x":{}"#, open.repeat(depth));
        let bodies = [
            r#"{"name":"n","x":1e400}"#.as_bytes().to_vec(),
            r#"{"name":"n","x":-1e400}"#.as_bytes().to_vec(),
            r#"{"name":"n","x":"\ud800"}"#.as_bytes().to_vec(),
            r#"{"name":"n","x":"\udc00"}"#.as_bytes().to_vec(),
            r#"{"name":"n","\ud800":1}"#.as_bytes().to_vec(),
            b"{\"name\":\"n\",\"x\":\"\xFF\"}".to_vec(),
            b"{\"name\":\"n\",\"x\":\"\xED\xA0\x80\"}".to_vec(),
            b"\xEF\xBB\xBF{\"name\":\"n\"}".to_vec(),
            b"{\"name\":\"n\"}x".to_vec(),
            b"{\"name\":\"n\"}{}".to_vec(),
            b"null null".to_vec(),
            b"{\"name\":\"n\",}".to_vec(),
            b"{'name':'n'}".to_vec(),
            b"{\"name\":\"a\nb\"}".to_vec(),
            b"{\"name\":NaN}".to_vec(),
            b"{\"name\":01}".to_vec(),
            b"{\"name\"".to_vec(),
            deep("[", 10_000).into_bytes(),
            deep("{\"a\":", 10_000).into_bytes(),
        ];
        for body in bodies {
            let (path, reason) = fault(&body);
            let shown = String::from_utf8_lossy(&body);
            assert_eq!(path, "", "{shown:.60}");
            assert!(reason.len() < 200, "{shown:.60}: {reason}");
        }
    }

    #[test]
    fn d06_a_million_keys_are_refused_by_their_number() {
        let mut keys = String::from("{\"name\":\"n\"");
        for key in 0..1_000_000 {
            write!(keys, ",\"{key}\":1").unwrap();
        }
        assert!(fault_text(&keys).contains("members"));
        let values = format!("{{\"name\":\"n\",\"x\":[{}1]}}", "1,".repeat(1_000_000));
        assert!(fault_text(&values).contains("values"));
    }

    fn limits() -> Limits {
        Limits {
            body: 8,
            body_time: Duration::from_millis(50),
            ..Limits::default()
        }
    }

    fn pieces(
        pieces: &'static [&'static str],
    ) -> impl Body<Data = Bytes, Error = Infallible> + Unpin {
        let frames = pieces
            .iter()
            .map(|piece| Ok(Frame::data(Bytes::from_static(piece.as_bytes()))));
        StreamBody::new(futures_util::stream::iter(frames))
    }

    async fn read_with<B>(encoding: Option<&'static str>, body: B) -> Result<Bytes, EdgeError>
    where
        B: Body<Data = Bytes> + Unpin,
    {
        let mut headers = HeaderMap::new();
        if let Some(encoding) = encoding {
            headers.insert(CONTENT_ENCODING, http::HeaderValue::from_static(encoding));
        }
        read(&headers, body, &limits()).await
    }

    #[tokio::test]
    async fn d02_bodies_are_read_up_to_their_limit() {
        let too_large = Err(EdgeError::BodyTooLarge { allowed: 8 });
        assert_eq!(
            read_with(None, Full::from("12345678")).await,
            Ok(Bytes::from("12345678"))
        );
        assert_eq!(read_with(None, Full::from("123456789")).await, too_large);
        let whole = Ok(Bytes::from("12345678"));
        assert_eq!(
            read_with(None, pieces(&["1", "", "234", "5678"])).await,
            whole
        );
        assert_eq!(read_with(None, pieces(&["1234", "56789"])).await, too_large);
        assert_eq!(read_with(None, Full::from("")).await, Ok(Bytes::new()));
    }

    #[tokio::test]
    async fn d02_encoded_bodies_are_refused() {
        for encoding in ["gzip", "br", "identity, gzip"] {
            let answer = read_with(Some(encoding), Full::from("1")).await;
            assert_eq!(answer, Err(EdgeError::UnsupportedEncoding), "{encoding}");
        }
        assert!(read_with(Some("Identity"), Full::from("1")).await.is_ok());
    }

    #[tokio::test]
    async fn d01_a_body_that_does_not_come_is_given_up() {
        let silent = StreamBody::new(futures_util::stream::pending::<
            Result<Frame<Bytes>, Infallible>,
        >());
        let answer = read_with(None, silent).await;
        assert_eq!(answer, Err(EdgeError::BodyTimeout { seconds: 0 }));
    }
}
