//! An async client for Guestlist and other servers that speak the Authress HTTP API.
