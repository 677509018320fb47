//! Request paths: taken apart on their raw bytes, each segment decoded once, nothing repaired.
//!
//! The SDKs send one path in six encodings (contract §5), some with raw slashes inside a user id or
//! a resource. So slashes are split before anything is decoded, a decoded slash stays inside its
//! segment, and keywords are recognised by their raw text. What would mean different things to
//! different programs on the way (empty and dot segments, control characters, broken escapes) is
//! refused rather than normalised.

use std::borrow::Cow;
use std::fmt;

use smallvec::SmallVec;

use crate::edge_error::EdgeError;
use crate::limits::PATH_SEGMENTS;
use crate::percent::{self, NotText};

/// One segment of a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Segment<'a> {
    raw: &'a str,
    text: Cow<'a, str>,
}

impl<'a> Segment<'a> {
    /// As it was sent: what keywords are compared with.
    pub const fn raw(&self) -> &'a str {
        self.raw
    }

    /// Decoded, once.
    pub fn text(&self) -> &str {
        &self.text
    }
}

/// A path whose segments are all well formed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Path<'a> {
    segments: SmallVec<[Segment<'a>; 10]>,
    trailing_slash: bool,
}

/// Where and why a path is malformed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MalformedPath {
    /// The position of the segment, from 1.
    pub position: usize,
    pub reason: PathFault,
}

/// What is wrong with a segment, or with the path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PathFault {
    /// The path does not begin with a slash.
    NotAbsolute,
    /// Two slashes in a row.
    EmptySegment,
    /// `.` or `..`, as a segment or between encoded slashes.
    DotSegment,
    /// Escapes or characters that are not text.
    NotText(NotText),
    /// More segments than any operation has.
    TooManySegments,
}

impl fmt::Display for MalformedPath {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let position = self.position;
        match self.reason {
            PathFault::NotAbsolute => formatter.write_str("the path does not begin with a slash"),
            PathFault::EmptySegment => {
                write!(formatter, "segment {position} of the path is empty")
            }
            PathFault::DotSegment => write!(
                formatter,
                "segment {position} of the path is or contains a dot segment (. or ..)"
            ),
            PathFault::NotText(reason) => {
                write!(formatter, "segment {position} of the path {reason}")
            }
            PathFault::TooManySegments => {
                write!(formatter, "the path has more than {PATH_SEGMENTS} segments")
            }
        }
    }
}

impl std::error::Error for MalformedPath {}

impl<'a> Path<'a> {
    /// Takes the raw path of a request target apart, without its query.
    ///
    /// A single slash at the end is remembered, not counted as an empty segment.
    pub fn split(path: &'a str) -> Result<Self, MalformedPath> {
        let Some(relative) = path.strip_prefix('/') else {
            return Err(MalformedPath {
                position: 1,
                reason: PathFault::NotAbsolute,
            });
        };
        let (relative, trailing_slash) = match relative.strip_suffix('/') {
            Some(relative) => (relative, true),
            None => (relative, false),
        };
        let mut segments = SmallVec::new();
        if relative.is_empty() && !trailing_slash {
            return Ok(Self {
                segments,
                trailing_slash,
            });
        }
        for (index, raw) in relative.split('/').enumerate() {
            let at = |reason| MalformedPath {
                position: index + 1,
                reason,
            };
            if index >= PATH_SEGMENTS {
                return Err(at(PathFault::TooManySegments));
            }
            segments.push(segment(raw).map_err(at)?);
        }
        Ok(Self {
            segments,
            trailing_slash,
        })
    }

    pub fn segments(&self) -> &[Segment<'a>] {
        &self.segments
    }

    /// The segments as they were sent, to be matched against keywords.
    pub fn raw(&self) -> SmallVec<[&'a str; 10]> {
        self.segments.iter().map(Segment::raw).collect()
    }

    /// Whether the path ends with a slash (other than the path `/`). Collections tolerate it.
    pub const fn trailing_slash(&self) -> bool {
        self.trailing_slash
    }
}

fn segment(raw: &str) -> Result<Segment<'_>, PathFault> {
    if raw.is_empty() {
        return Err(PathFault::EmptySegment);
    }
    let text = percent::decode(raw).map_err(PathFault::NotText)?;
    // A proxy or a client library that decodes first would fold these, wherever the slash is encoded.
    if text.starts_with('.') || text.contains("/.") {
        let is_dots = |part: &str| matches!(part, "." | "..");
        if text.split('/').any(is_dots) {
            return Err(PathFault::DotSegment);
        }
    }
    Ok(Segment { raw, text })
}

/// What follows `/v1/users/`, where it speaks of a user's resources.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SubjectAndResource<'a> {
    pub user: Cow<'a, str>,
    pub asks: UserResource<'a>,
}

/// What is asked about a user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum UserResource<'a> {
    /// `/resources`: the resources the user has access to.
    Resources,
    /// `/resources/{resource}/permissions`
    Permissions { resource: Cow<'a, str> },
    /// `/resources/{resource}/permissions/{permission}`
    Permission {
        resource: Cow<'a, str>,
        permission: &'a str,
    },
    /// `/resources/{resource}/roles`
    Roles { resource: Cow<'a, str> },
}

/// The end of a path below `/v1/users/{user}/resources`.
#[derive(Clone, Copy)]
enum Tail {
    Resources,
    Permissions,
    Permission,
    Roles,
}

/// Reads the segments after `/v1/users/` as a user and a resource (contract §5 rule 3).
///
/// The user and the resource may each be several segments: the Rust SDK does not encode the slashes
/// of a user id, the Ruby SDK does not encode those of a resource. All readings that fit an
/// operation are weighed: `None` if there is none, and a refusal if there are several or if the user
/// id itself contains a raw `resources`, for then a check of one thing could answer for another.
pub fn subject_and_resource<'a>(
    segments: &'a [Segment<'_>],
) -> Result<Option<SubjectAndResource<'a>>, EdgeError> {
    let mut readings = readings(segments);
    let Some((keyword, tail)) = readings.next() else {
        return Ok(None);
    };
    if readings.next().is_some() {
        return Err(EdgeError::AmbiguousPath);
    }
    let (Some(user), Some(rest)) = (segments.get(..keyword), segments.get(keyword + 1..)) else {
        return Ok(None);
    };
    if user.iter().any(|segment| segment.raw == RESOURCES) {
        return Err(EdgeError::AmbiguousPath);
    }
    let asks = match (tail, rest) {
        (Tail::Resources, []) => UserResource::Resources,
        (Tail::Permissions, [resource @ .., _]) => UserResource::Permissions {
            resource: joined(resource),
        },
        (Tail::Roles, [resource @ .., _]) => UserResource::Roles {
            resource: joined(resource),
        },
        (Tail::Permission, [resource @ .., _, permission]) => UserResource::Permission {
            resource: joined(resource),
            permission: permission.text(),
        },
        (Tail::Resources | Tail::Permissions | Tail::Roles | Tail::Permission, _) => {
            return Ok(None);
        }
    };
    Ok(Some(SubjectAndResource {
        user: joined(user),
        asks,
    }))
}

const RESOURCES: &str = "resources";
const PERMISSIONS: &str = "permissions";
const ROLES: &str = "roles";
const USERS: &str = "users";
const TOKENS: &str = "tokens";
const INVITES: &str = "invites";
const TOKEN_CONFIGURATION: &str = "token-configuration";

/// Every way to read the segments: where the keyword `resources` is, and what is asked.
fn readings(segments: &[Segment<'_>]) -> impl Iterator<Item = (usize, Tail)> {
    let mut from_end = segments.iter().rev().map(Segment::raw);
    let last = from_end.next();
    let last_but_one = from_end.next();
    let keywords = segments
        .iter()
        .enumerate()
        .skip(1)
        .filter(|(_, segment)| segment.raw == RESOURCES);
    keywords.flat_map(move |(index, _)| {
        let after = segments.len() - index - 1;
        let fits = [
            (after == 0, Tail::Resources),
            (after >= 2 && last == Some(PERMISSIONS), Tail::Permissions),
            (after >= 2 && last == Some(ROLES), Tail::Roles),
            (
                after >= 3 && last_but_one == Some(PERMISSIONS),
                Tail::Permission,
            ),
        ];
        fits.into_iter()
            .filter_map(move |(fits, tail)| fits.then_some((index, tail)))
    })
}

/// What follows `/v1/resources/`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ResourcePath<'a> {
    /// `/{resource}`
    Itself(Cow<'a, str>),
    /// `/{resource}/users`
    Users(Cow<'a, str>),
}

/// Reads the segments after `/v1/resources/`. `None` if there is no resource.
///
/// A resource whose own last segment is `users` can be named by encoding its slashes.
pub fn resource_path<'a>(segments: &'a [Segment<'_>]) -> Option<ResourcePath<'a>> {
    match segments {
        [] => None,
        [resource @ .., last] if last.raw == USERS && !resource.is_empty() => {
            Some(ResourcePath::Users(joined(resource)))
        }
        resource => Some(ResourcePath::Itself(joined(resource))),
    }
}

/// The texts of a path whose user id stands in several raw segments, with that user id as one text.
///
/// The Rust SDK does not encode the slashes of user ids (contract §5), so a user id is everything up
/// to the keyword that ends it, or to the end. `None` for every other path: then one segment is one
/// text. A user id that ends in such a keyword can be named by encoding its slashes.
///
/// # Errors
///
/// [`EdgeError::AmbiguousPath`] if it can be read in two ways, and for a user id with a raw
/// `resources` in it: what asks about a user's resources must never be taken for the user.
pub fn with_whole_user<'a>(
    segments: &'a [Segment<'_>],
) -> Result<Option<SmallVec<[Cow<'a, str>; 10]>>, EdgeError> {
    let raw: SmallVec<[&str; 10]> = segments.iter().map(Segment::raw).collect();
    let (start, end) = match raw.as_slice() {
        ["v1", USERS, .., TOKENS, TOKENS] if raw.len() > 4 => return Err(EdgeError::AmbiguousPath),
        ["v1", USERS, .., TOKENS | TOKEN_CONFIGURATION | INVITES] => (2, raw.len() - 1),
        ["v1", USERS, .., TOKENS, _] => (2, raw.len() - 2),
        ["v1", USERS, ..] => (2, raw.len()),
        ["v1", "connections", _, USERS, .., "credentials"]
        | ["v1", "applications", _, USERS, .., "delegation"] => (4, raw.len() - 1),
        _ => return Ok(None),
    };
    let (Some(before), Some(user), Some(after)) = (
        segments.get(..start),
        segments.get(start..end),
        segments.get(end..),
    ) else {
        return Ok(None);
    };
    if user.len() < 2 {
        return Ok(None);
    }
    if user.iter().any(|segment| segment.raw == RESOURCES) {
        return Err(EdgeError::AmbiguousPath);
    }
    let one = |segment: &'a Segment<'_>| Cow::Borrowed(segment.text());
    let before = before.iter().map(one);
    let after = after.iter().map(one);
    Ok(Some(before.chain([joined(user)]).chain(after).collect()))
}

/// The decoded segments with slashes between them; borrowed if there is one.
fn joined<'a>(segments: &'a [Segment<'_>]) -> Cow<'a, str> {
    match segments {
        [segment] => Cow::Borrowed(segment.text()),
        several => {
            let texts: SmallVec<[&str; 10]> = several.iter().map(Segment::text).collect();
            Cow::Owned(texts.join("/"))
        }
    }
}
