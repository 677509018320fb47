//! The address of a database: what `postgres://…` says of hosts, passwords, TLS and schema.

use std::fmt;
use std::net::IpAddr;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use tokio_postgres::Config;
use tokio_postgres::config::{Host, SslMode, TargetSessionAttrs};

/// How long one attempt to connect to one address of a host takes at most.
const CONNECT: Duration = Duration::from_secs(3);
/// When data that was sent is not acknowledged for so long, the connection counts as lost.
const UNACKNOWLEDGED: Duration = Duration::from_secs(6);
const KEEPALIVE: Duration = Duration::from_secs(10);

/// Where a PostgreSQL database is and how to connect to it: `postgres://user@host:5432/database`,
/// with several hosts between commas (whichever takes writes is used), and after a `?`:
///
/// | parameter | meaning |
/// | --- | --- |
/// | `sslmode` | `verify-full` (also by the names `require` and `verify-ca`): TLS, and the certificate must be of the host. `disable`: none. Without it TLS is used unless every host is this machine: a Unix socket, `localhost` or a loopback address |
/// | `sslrootcert` | a file of the authorities (PEM) in place of those that the machine trusts |
/// | `password_file` | a file that holds the password and nothing else |
/// | `passfile` | a file of lines `host:port:database:user:password`, as libpq has it; mode 0600 |
/// | `schema` | the schema that holds the tables; made if it is missing |
/// | `host`, `port`, `user`, `dbname`, `application_name`, `options` | as libpq has them; `host` may be the directory of a Unix socket |
///
/// Values have special characters as `%XX`. Files are read anew for every connection. Neither its
/// `Debug` nor any error shows a password.
#[derive(Clone, PartialEq, Eq)]
pub struct PostgresAddress {
    pub(super) config: Config,
    pub(super) password: Password,
    pub(super) transport: Transport,
    /// The schema that holds the tables; without it the server's own choice, usually `public`.
    pub(super) schema: Option<String>,
}

/// Where the password comes from.
#[derive(Clone, PartialEq, Eq)]
pub(super) enum Password {
    /// From the address, or none is needed.
    InAddress,
    /// The whole of this file, without the end of its line.
    File(PathBuf),
    /// A line of a file as libpq has it: `host:port:database:user:password`.
    PassFile(PathBuf),
}

/// What protects the connection.
#[derive(Clone, PartialEq, Eq)]
pub(super) enum Transport {
    Plain,
    /// TLS; the certificate must be of the host and of these authorities (PEM), or of those that the
    /// machine trusts.
    Verified {
        authorities: Option<PathBuf>,
    },
}

/// Why a text is no address of a database. Says nothing of the text itself: it may hold a password.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PostgresAddressError {
    #[error(
        "the address of the database cannot be read; it has the form \
         postgres://user@host:5432/database?parameter=value (special characters as %XX)"
    )]
    Malformed,
    #[error("the address of the database names no host")]
    NoHost,
    #[error(
        "sslmode is disable or verify-full (require and verify-ca mean verify-full here); allow \
         and prefer would go on without protection"
    )]
    WeakTls,
    #[error(
        "the address of the database has a parameter that is not known; known are sslmode, \
         sslrootcert, passfile, password_file, schema, host, port, user, dbname, \
         application_name and options"
    )]
    UnknownParameter,
    #[error(
        "schema must be a lower-case letter or _, and then at most 62 lower-case letters, digits or _"
    )]
    BadSchema,
    #[error("the address of the database gives a password twice: keep only the file")]
    TwoPasswords,
}

impl FromStr for PostgresAddress {
    type Err = PostgresAddressError;

    fn from_str(text: &str) -> Result<Self, PostgresAddressError> {
        let (base, query) = text.split_once('?').unwrap_or((text, ""));
        let mut config: Config = base.parse().map_err(|_| PostgresAddressError::Malformed)?;
        let mut password = Password::InAddress;
        let mut tls = None;
        let mut authorities = None;
        let mut schema = None;
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair
                .split_once('=')
                .ok_or(PostgresAddressError::Malformed)?;
            let value = decoded(value)?;
            match name {
                "sslmode" => tls = Some(wanted_tls(&value)?),
                "sslrootcert" => authorities = Some(PathBuf::from(value)),
                "passfile" => password = Password::PassFile(PathBuf::from(value)),
                "password_file" => password = Password::File(PathBuf::from(value)),
                "schema" => schema = Some(checked_schema(value)?),
                "host" => value.split(',').for_each(|host| {
                    config.host(host);
                }),
                "port" => {
                    for port in value.split(',') {
                        config.port(port.parse().map_err(|_| PostgresAddressError::Malformed)?);
                    }
                }
                "user" => drop(config.user(value)),
                "dbname" => drop(config.dbname(value)),
                "application_name" => drop(config.application_name(value)),
                "options" => drop(config.options(value)),
                _ => return Err(PostgresAddressError::UnknownParameter),
            }
        }
        if config.get_hosts().is_empty() {
            return Err(PostgresAddressError::NoHost);
        }
        if password != Password::InAddress && config.get_password().is_some() {
            return Err(PostgresAddressError::TwoPasswords);
        }
        let is_local = config.get_hosts().iter().all(is_this_machine);
        let protected = tls.unwrap_or(!is_local || authorities.is_some());
        let transport = if protected {
            Transport::Verified { authorities }
        } else {
            Transport::Plain
        };
        prepare(&mut config, protected);
        Ok(Self {
            config,
            password,
            transport,
            schema,
        })
    }
}

impl fmt::Debug for PostgresAddress {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("PostgresAddress")
            .field("hosts", &self.config.get_hosts())
            .field("database", &self.config.get_dbname())
            .field("schema", &self.schema)
            .finish_non_exhaustive()
    }
}

/// The database and where it is, for a log: never a user or a password.
impl fmt::Display for PostgresAddress {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("postgres://")?;
        for (number, host) in self.config.get_hosts().iter().enumerate() {
            if number > 0 {
                formatter.write_str(",")?;
            }
            match host {
                Host::Tcp(name) => formatter.write_str(name)?,
                Host::Unix(path) => write!(formatter, "{}", path.display())?,
            }
        }
        write!(formatter, "/{}", self.config.get_dbname().unwrap_or(""))
    }
}

/// What holds whatever the address says: every wait is limited, and only a server that takes writes
/// is connected to (after a fail-over the old one may still answer, read-only).
fn prepare(config: &mut Config, protected: bool) {
    config.ssl_mode(if protected {
        SslMode::Require
    } else {
        SslMode::Disable
    });
    config.connect_timeout(CONNECT);
    config.tcp_user_timeout(UNACKNOWLEDGED);
    config.keepalives(true);
    config.keepalives_idle(KEEPALIVE);
    config.keepalives_interval(KEEPALIVE);
    config.keepalives_retries(3);
    config.target_session_attrs(TargetSessionAttrs::ReadWrite);
    if config.get_application_name().is_none() {
        config.application_name("guestlist");
    }
}

/// Whether TLS is wanted. What libpq calls `require` takes any certificate: here none but a good
/// one is ever taken.
fn wanted_tls(mode: &str) -> Result<bool, PostgresAddressError> {
    match mode {
        "disable" => Ok(false),
        "require" | "verify-ca" | "verify-full" => Ok(true),
        _ => Err(PostgresAddressError::WeakTls),
    }
}

fn is_this_machine(host: &Host) -> bool {
    match host {
        Host::Unix(_) => true,
        Host::Tcp(name) => {
            name == "localhost" || name.parse().is_ok_and(|ip: IpAddr| ip.is_loopback())
        }
    }
}

/// A name that needs no quotes.
fn checked_schema(name: String) -> Result<String, PostgresAddressError> {
    let begins = name.starts_with(|first: char| first.is_ascii_lowercase() || first == '_');
    let rest = name
        .bytes()
        .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_');
    if begins && rest && name.len() <= 63 {
        return Ok(name);
    }
    Err(PostgresAddressError::BadSchema)
}

/// Undoes `%XX` (RFC 3986); a `+` is itself, as in libpq.
fn decoded(text: &str) -> Result<String, PostgresAddressError> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let mut digit = || {
            let digit = rest.next().map(char::from);
            digit.and_then(|digit| digit.to_digit(16))
        };
        let (Some(high), Some(low)) = (digit(), digit()) else {
            return Err(PostgresAddressError::Malformed);
        };
        bytes.push(u8::try_from(high * 16 + low).map_err(|_| PostgresAddressError::Malformed)?);
    }
    String::from_utf8(bytes).map_err(|_| PostgresAddressError::Malformed)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> PostgresAddress {
        text.parse().unwrap()
    }

    #[test]
    fn tls_is_on_unless_the_database_is_on_this_machine_or_the_address_says_otherwise() {
        let verified = |text| matches!(parsed(text).transport, Transport::Verified { .. });
        assert!(verified("postgres://u@db.example/g"));
        assert!(verified("postgresql://u@10.0.0.1/g?sslmode=require"));
        assert!(verified("postgres://u@localhost/g?sslmode=verify-full"));
        assert!(verified("postgres://u@localhost,db.example/g"));
        assert!(verified("postgres://u@127.0.0.1/g?sslrootcert=/ca.pem"));
        assert!(!verified("postgres://u@db.example/g?sslmode=disable"));
        assert!(!verified("postgres://u@127.0.0.1/g"));
        assert!(!verified("postgres://u@[::1]/g"));
        assert!(!verified("postgres:///g?host=/var/run/postgresql&user=u"));
        for mode in ["prefer", "allow", ""] {
            let text = format!("postgres://u@db/g?sslmode={mode}");
            assert_eq!(
                text.parse::<PostgresAddress>(),
                Err(PostgresAddressError::WeakTls)
            );
        }
    }

    #[test]
    fn parameters_are_read() {
        let address = parsed(
            "postgres://u@db/g?password_file=/run/a%20secret&schema=guests&application_name=node+1",
        );
        assert!(address.password == Password::File(PathBuf::from("/run/a secret")));
        assert_eq!(address.schema.as_deref(), Some("guests"));
        assert_eq!(address.config.get_application_name(), Some("node+1"));
        let error = |text: &str| text.parse::<PostgresAddress>().unwrap_err();
        assert_eq!(error("postgres:///g"), PostgresAddressError::NoHost);
        assert_eq!(
            error("postgres://u@db/g?colour=red"),
            PostgresAddressError::UnknownParameter
        );
        assert_eq!(
            error("postgres://u:p@db/g?passfile=/p"),
            PostgresAddressError::TwoPasswords
        );
        for schema in ["", "Guests", "1a", "a;b", "a\""] {
            let text = format!("postgres://u@db/g?schema={schema}");
            assert_eq!(error(&text), PostgresAddressError::BadSchema);
        }
        assert_eq!(
            error("postgres://u@db:x/g"),
            PostgresAddressError::Malformed
        );
    }

    #[test]
    fn no_password_is_shown() {
        let address = parsed("postgres://owner:hunter2@db.example/guestlist?schema=a");
        let shown = format!("{address:?} {address}");
        assert!(
            shown.contains("db.example") && shown.contains("guestlist"),
            "{shown}"
        );
        assert!(
            !shown.contains("hunter2") && !shown.contains("owner"),
            "{shown}"
        );
    }
}
