//! Query strings: form-decoded, each known parameter once, unknown ones ignored.

use std::borrow::Cow;
use std::fmt;

use crate::edge_error::shortened;
use crate::limits::QUERY_PARAMETERS;
use crate::percent::{self, NotText};

/// The query of a request target. Nothing is decoded until it is asked for.
#[derive(Debug, Clone, Copy)]
pub struct Query<'a>(&'a str);

/// What is wrong with a query string.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MalformedQuery {
    /// The parameter's name, cut short; empty for the query as a whole.
    pub parameter: String,
    pub reason: QueryFault,
}

/// Why a parameter is malformed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum QueryFault {
    /// Two programs may take different ones of two values, so neither is taken.
    GivenTwice,
    NotText(NotText),
    TooManyParameters,
    /// The value is text, but not what the parameter takes. Said by whoever parses it.
    NotAccepted(String),
}

impl MalformedQuery {
    /// A value that was decoded well but is not what the parameter takes.
    pub fn not_accepted(parameter: &str, reason: impl fmt::Display) -> Self {
        Self {
            parameter: shortened(parameter),
            reason: QueryFault::NotAccepted(reason.to_string()),
        }
    }
}

impl fmt::Display for MalformedQuery {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parameter = &self.parameter;
        match &self.reason {
            QueryFault::GivenTwice => {
                write!(
                    formatter,
                    "the query parameter {parameter} is given more than once"
                )
            }
            QueryFault::NotText(reason) => {
                write!(formatter, "the query parameter {parameter} {reason}")
            }
            QueryFault::TooManyParameters => write!(
                formatter,
                "the query has more than {QUERY_PARAMETERS} parameters"
            ),
            QueryFault::NotAccepted(reason) => {
                write!(formatter, "the query parameter {parameter} {reason}")
            }
        }
    }
}

impl std::error::Error for MalformedQuery {}

impl<'a> Query<'a> {
    /// The part of the request target after `?`, if there is one.
    pub fn new(query: Option<&'a str>) -> Result<Self, MalformedQuery> {
        let query = query.unwrap_or_default();
        if query.split('&').nth(QUERY_PARAMETERS).is_some() {
            return Err(MalformedQuery {
                parameter: String::new(),
                reason: QueryFault::TooManyParameters,
            });
        }
        Ok(Self(query))
    }

    /// The decoded value of a parameter.
    ///
    /// `None` if it is absent; `""` for `name=` and `name`. The texts `undefined` and `null`, which
    /// some SDKs send for an absent value, are returned as they are. A parameter that nobody asks
    /// for may be malformed without consequence.
    pub fn get(&self, name: &str) -> Result<Option<Cow<'a, str>>, MalformedQuery> {
        let malformed = |reason| MalformedQuery {
            parameter: shortened(name),
            reason,
        };
        let mut values = self.0.split('&').filter_map(|pair| {
            let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
            let key = percent::decode_form(key).ok()?;
            (key == name).then_some(value)
        });
        let Some(value) = values.next() else {
            return Ok(None);
        };
        if values.next().is_some() {
            return Err(malformed(QueryFault::GivenTwice));
        }
        percent::decode_form(value)
            .map(Some)
            .map_err(|reason| malformed(QueryFault::NotText(reason)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn get(query: &str, name: &str) -> Result<Option<String>, QueryFault> {
        Query::new(Some(query))
            .and_then(|query| Ok(query.get(name)?.map(Cow::into_owned)))
            .map_err(|error| error.reason)
    }

    #[test]
    fn values_are_form_decoded() {
        let query = "filter=x+y&cursor=a%2Fb%2Bc%3D&resourceUri=/a/%2A&empty=&bare&a=b=c";
        assert_eq!(get(query, "filter"), Ok(Some("x y".to_owned())));
        assert_eq!(get(query, "cursor"), Ok(Some("a/b+c=".to_owned())));
        assert_eq!(get(query, "resourceUri"), Ok(Some("/a/*".to_owned())));
        assert_eq!(get(query, "empty"), Ok(Some(String::new())));
        assert_eq!(get(query, "bare"), Ok(Some(String::new())));
        assert_eq!(get(query, "a"), Ok(Some("b=c".to_owned())));
        assert_eq!(get(query, "limit"), Ok(None));
        assert!(Query::new(None).unwrap().get("limit").unwrap().is_none());
    }

    #[test]
    fn absent_values_as_some_sdks_write_them_are_left_to_the_caller() {
        let query = "resourceUri=undefined&cursor=null";
        assert_eq!(get(query, "resourceUri"), Ok(Some("undefined".to_owned())));
        assert_eq!(get(query, "cursor"), Ok(Some("null".to_owned())));
    }

    #[test]
    fn a_known_parameter_given_twice_is_refused_however_its_name_is_encoded() {
        assert_eq!(get("limit=1&limit=1", "limit"), Err(QueryFault::GivenTwice));
        assert_eq!(
            get("limit=1&%6cimit=2", "limit"),
            Err(QueryFault::GivenTwice)
        );
        assert_eq!(get("x=1&x=2&limit=3", "limit"), Ok(Some("3".to_owned())));
    }

    #[test]
    fn names_are_compared_exactly() {
        assert_eq!(get("Limit=1&limits=2&limit%00=3", "limit"), Ok(None));
    }

    #[test]
    fn broken_values_are_refused_only_where_they_are_asked_for() {
        for broken in ["%", "%2", "%zz", "%FF", "%00", "a%0ab"] {
            let query = format!("limit=1&filter={broken}&{broken}={broken}");
            assert!(
                matches!(get(&query, "filter"), Err(QueryFault::NotText(_))),
                "{broken}"
            );
            assert_eq!(get(&query, "limit"), Ok(Some("1".to_owned())), "{broken}");
        }
    }

    #[test]
    fn the_number_of_parameters_is_bounded() {
        let query = |count: usize| vec!["a=1"; count].join("&");
        assert!(Query::new(Some(&query(QUERY_PARAMETERS))).is_ok());
        let error = Query::new(Some(&query(QUERY_PARAMETERS + 1))).unwrap_err();
        assert_eq!(error.reason, QueryFault::TooManyParameters);
    }
}
