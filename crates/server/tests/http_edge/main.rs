//! The edge of the server against hostile clients, over real sockets.
//!
//! `cfg(test)` tells clippy that helper functions may unwrap too.

#[cfg(test)]
mod bodies;
#[cfg(test)]
mod connections;
#[cfg(test)]
mod draining;
#[cfg(test)]
mod heads;
#[cfg(test)]
mod paths;
#[cfg(test)]
mod support;
