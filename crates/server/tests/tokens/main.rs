//! Tokens and callers against the attacks of the security plan, row by row (T01–T24).

#[cfg(test)]
#[path = "../fake_issuer/mod.rs"]
mod fake_issuer;

#[cfg(test)]
mod clients;
#[cfg(test)]
mod forms;
#[cfg(test)]
mod hostile;
#[cfg(test)]
mod issuers;
#[cfg(test)]
mod setup;
#[cfg(test)]
mod table;
#[cfg(test)]
mod users;
