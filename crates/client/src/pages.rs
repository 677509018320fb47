//! Lists: one page as it is answered, and streams over all pages.

use std::collections::VecDeque;
use std::fmt;
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use futures_core::Stream;
use guestlist_api::paging::Pagination;
use serde::de::DeserializeOwned;

use crate::client::Client;
use crate::error::{DecodingError, Error};
use crate::paths::Path;
use crate::transport::{Answer, Request};

/// Parameters of a list.
pub(crate) type Parameters = Vec<(&'static str, String)>;

/// Which page of a list to get.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[must_use]
pub struct PageQuery {
    limit: Option<u16>,
    cursor: Option<String>,
    filter: Option<String>,
}

impl PageQuery {
    /// The first page, as long as the server makes it.
    pub fn new() -> Self {
        Self::default()
    }

    /// Items of the page at most: 1 to 20, of roles 1 to 100.
    pub fn limit(mut self, limit: u16) -> Self {
        self.limit = Some(limit);
        self
    }

    /// The page after the one that answered this cursor. It is good for the same list only.
    pub fn cursor(mut self, cursor: impl Into<String>) -> Self {
        self.cursor = Some(cursor.into());
        self
    }

    /// Only items with this text in their id, name or other text, in any case.
    pub fn filter(mut self, filter: impl Into<String>) -> Self {
        self.filter = Some(filter.into());
        self
    }

    pub(crate) fn parameters(&self) -> Parameters {
        let mut parameters = Parameters::new();
        if let Some(limit) = self.limit {
            parameters.push(("limit", limit.to_string()));
        }
        if let Some(cursor) = &self.cursor {
            parameters.push(("cursor", cursor.clone()));
        }
        if let Some(filter) = &self.filter {
            parameters.push(("filter", filter.clone()));
        }
        parameters
    }
}

/// An answer that is one page of a list.
pub(crate) trait Page: DeserializeOwned {
    type Item;
    /// What it is: "a list of roles".
    const NAME: &'static str;

    fn into_parts(self) -> (Vec<Self::Item>, Option<Pagination>);
}

pub(crate) type Turned<T> = Result<(Vec<T>, Option<Pagination>), Error>;
/// How a page is read.
type Read<T> = Arc<dyn Fn(&Answer) -> Turned<T> + Send + Sync>;

/// All items of a list, page by page as they are needed.
///
/// A [`Stream`], which also can be read without one: [`try_next`](Self::try_next). Nothing is asked
/// before the first item is. After an error there is nothing more.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # use guestlist_client::{Client, Credentials};
/// # let server = guestlist_server::testing::TestServer::start().await?;
/// # let client = Client::new(server.url(), Credentials::access_key(server.owner_key())?)?;
/// let mut roles = client.roles().list().page_size(5);
/// while let Some(role) = roles.try_next().await? {
///     println!("{}", role.role_id);
/// }
///
/// // The same as a stream, with the methods of `futures`.
/// use futures_util::StreamExt as _;
///
/// let mut names = client.roles().list().map(|role| role.map(|role| role.name));
/// while let Some(name) = names.next().await {
///     println!("{}", name?);
/// }
/// # Ok(())
/// # }
/// ```
#[must_use = "pages are not asked for until they are read"]
pub struct Pages<T> {
    client: Client,
    path: Path,
    parameters: Parameters,
    cursor: Option<String>,
    /// An earlier cursor, to find out a list that goes round in a circle; and how many pages there
    /// were. It is replaced ever more rarely, so that a circle of any length comes back to it.
    earlier: Option<String>,
    turned: u64,
    /// Pages at most.
    most: Option<u64>,
    read: Read<T>,
    items: VecDeque<T>,
    turning: Option<Pin<Box<dyn Future<Output = Turned<T>> + Send>>>,
    ended: bool,
}

impl<T: 'static> Pages<T> {
    pub(crate) fn new<P: Page<Item = T>>(
        client: &Client,
        path: Path,
        parameters: Parameters,
    ) -> Self {
        Self::read_by(client, path, parameters, |answer| {
            answer.decode::<P>(P::NAME).map(P::into_parts)
        })
    }

    /// Pages that are read by this function.
    pub(crate) fn read_by(
        client: &Client,
        path: Path,
        parameters: Parameters,
        read: impl Fn(&Answer) -> Turned<T> + Send + Sync + 'static,
    ) -> Self {
        Self {
            client: client.clone(),
            path,
            parameters,
            cursor: None,
            earlier: None,
            turned: 0,
            most: None,
            read: Arc::new(read),
            items: VecDeque::new(),
            turning: None,
            ended: false,
        }
    }

    /// Items of a page at most: 1 to 20, of roles 1 to 100. The server's most unless set.
    pub fn page_size(self, size: u16) -> Self {
        self.parameter("limit", size.to_string())
    }

    /// Pages at most: more are an error. Without it a server that keeps answering empty pages with ever
    /// new cursors is asked for ever.
    pub fn page_limit(mut self, pages: u64) -> Self {
        self.most = Some(pages);
        self
    }

    /// In place of one that was set before.
    pub(crate) fn parameter(mut self, name: &'static str, value: String) -> Self {
        self.parameters.retain(|(other, _)| *other != name);
        self.parameters.push((name, value));
        self
    }

    fn poll(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<T, Error>>> {
        loop {
            if let Some(item) = self.items.pop_front() {
                return Poll::Ready(Some(Ok(item)));
            }
            if self.ended {
                return Poll::Ready(None);
            }
            let turning = match &mut self.turning {
                Some(turning) => turning,
                none => none.insert(turn(
                    self.client.clone(),
                    self.path.clone(),
                    self.parameters.clone(),
                    self.cursor.clone(),
                    Arc::clone(&self.read),
                )),
            };
            let turned = ready!(turning.as_mut().poll(context));
            self.turning = None;
            match turned.and_then(|(items, next)| self.take(items, next)) {
                Ok(()) => {}
                Err(error) => {
                    self.ended = true;
                    return Poll::Ready(Some(Err(error)));
                }
            }
        }
    }

    /// A page may be empty and still have a next one.
    fn take(&mut self, items: Vec<T>, next: Option<Pagination>) -> Result<(), Error> {
        let cursor = next.map(|pagination| pagination.next.cursor);
        // Following it would never end.
        if cursor.is_some() && (cursor == self.cursor || cursor == self.earlier) {
            return Err(Error::Decoding(DecodingError {
                expected: "a list whose cursor moves on",
                member: Some("pagination.next.cursor".to_owned()),
            }));
        }
        self.turned += 1;
        if cursor.is_some() && self.most.is_some_and(|most| self.turned >= most) {
            return Err(Error::Decoding(DecodingError {
                expected: "a list with so few pages as it may have",
                member: Some("pagination.next.cursor".to_owned()),
            }));
        }
        if self.turned.is_power_of_two() {
            self.earlier.clone_from(&cursor);
        }
        self.ended = cursor.is_none();
        self.cursor = cursor;
        self.items = items.into();
        Ok(())
    }
}

fn turn<T: 'static>(
    client: Client,
    path: Path,
    mut parameters: Parameters,
    cursor: Option<String>,
    read: Read<T>,
) -> Pin<Box<dyn Future<Output = Turned<T>> + Send>> {
    if let Some(cursor) = cursor {
        parameters.push(("cursor", cursor));
    }
    Box::pin(async move {
        let answer = client.send(Request::get(path).query(&parameters)).await?;
        read(&answer)
    })
}

impl<T: 'static> Pages<T> {
    /// The next item; `None` after the last one.
    ///
    /// # Errors
    ///
    /// If a page cannot be had. There is nothing more then.
    pub async fn try_next(&mut self) -> Result<Option<T>, Error> {
        poll_fn(|context| self.poll(context)).await.transpose()
    }

    /// All items that are left.
    ///
    /// # Errors
    ///
    /// If a page cannot be had.
    pub async fn try_collect(mut self) -> Result<Vec<T>, Error> {
        let mut items = Vec::new();
        while let Some(item) = self.try_next().await? {
            items.push(item);
        }
        Ok(items)
    }
}

/// Items are only moved, never pinned.
impl<T> Unpin for Pages<T> {}

impl<T: 'static> Stream for Pages<T> {
    type Item = Result<T, Error>;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.get_mut().poll(context)
    }
}

impl<T> fmt::Debug for Pages<T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Pages")
            .field("client", &self.client)
            .finish_non_exhaustive()
    }
}
