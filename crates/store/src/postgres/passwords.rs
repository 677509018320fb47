//! Passwords from files, read anew for every connection, so that a changed one is taken.

use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use tokio_postgres::Config;
use tokio_postgres::config::Host;

use super::address::Password;

/// The most bytes a file of passwords has.
const LARGEST: u64 = 1 << 20;

/// The password of this moment; `None` when the address has it, or when the file has none for it.
pub(super) fn current(password: &Password, config: &Config) -> io::Result<Option<String>> {
    match password {
        Password::InAddress => Ok(None),
        Password::File(path) => {
            let text = read(path)?;
            let line = text.strip_suffix('\n').unwrap_or(&text);
            Ok(Some(line.strip_suffix('\r').unwrap_or(line).to_owned()))
        }
        Password::PassFile(path) => {
            refuse_public(path)?;
            Ok(find(&read(path)?, config))
        }
    }
}

fn read(path: &Path) -> io::Result<String> {
    let named = |error: io::Error| {
        let text = format!("the password file {}: {error}", path.display());
        io::Error::new(error.kind(), text)
    };
    if fs::metadata(path).map_err(named)?.len() > LARGEST {
        return Err(named(io::Error::other("it is too large")));
    }
    fs::read_to_string(path).map_err(named)
}

/// As libpq does: a file that others may read is not used.
fn refuse_public(path: &Path) -> io::Result<()> {
    let mode = fs::metadata(path).map_or(0, |file| file.permissions().mode());
    let of_others = mode & 0o077;
    if of_others == 0 {
        return Ok(());
    }
    Err(io::Error::other(format!(
        "others may read the password file {}; give it the mode 0600",
        path.display()
    )))
}

/// The password of the first line whose other four fields fit (`*` fits everything). Several hosts
/// share one password: that of the first of them.
fn find(text: &str, config: &Config) -> Option<String> {
    let host = match config.get_hosts().first() {
        Some(Host::Tcp(name)) => name.clone(),
        Some(Host::Unix(_)) | None => "localhost".to_owned(),
    };
    let port = config.get_ports().first().copied().unwrap_or(5432);
    let user = config.get_user().unwrap_or_default();
    let database = config.get_dbname().unwrap_or(user);
    let wanted = [host.as_str(), &port.to_string(), database, user];
    text.lines()
        .filter(|line| !line.starts_with('#'))
        .find_map(|line| {
            let mut fields = fields(line).into_iter();
            let fits = wanted
                .iter()
                .all(|wanted| fields.next().is_some_and(|it| it == "*" || it == *wanted));
            fields.next().filter(|_| fits)
        })
}

/// Fields between colons; a backslash takes the next character as it is.
fn fields(line: &str) -> Vec<String> {
    let mut fields = vec![String::new()];
    let mut characters = line.chars();
    while let Some(character) = characters.next() {
        match character {
            ':' if fields.len() < 5 => fields.push(String::new()),
            other => {
                let taken = if other == '\\' {
                    characters.next()
                } else {
                    Some(other)
                };
                if let Some(field) = fields.last_mut() {
                    field.extend(taken);
                }
            }
        }
    }
    fields
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;
    use crate::postgres::address::PostgresAddress;

    #[test]
    fn a_line_is_found_by_its_fields() {
        let file = "# all\ndb:5432:other:u:no\ndb:5432:g:u:a\\:b\\\\c\n*:*:*:*:rest\n";
        let of = |text: &str| find(file, &text.parse::<PostgresAddress>().unwrap().config);
        assert_eq!(of("postgres://u@db/g").as_deref(), Some("a:b\\c"));
        assert_eq!(of("postgres://u@db:5433/g").as_deref(), Some("rest"));
        let config = "postgres://u@db/g".parse::<PostgresAddress>().unwrap();
        assert_eq!(find("db:5432:g:v:x", &config.config), None);
    }

    #[test]
    fn a_public_file_is_refused_and_a_missing_one_named() {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(b"secret\n").unwrap();
        let config = Config::new();
        let whole = Password::File(file.path().to_owned());
        assert_eq!(current(&whole, &config).unwrap().as_deref(), Some("secret"));
        let mode = fs::Permissions::from_mode(0o644);
        fs::set_permissions(file.path(), mode).unwrap();
        let lines = Password::PassFile(file.path().to_owned());
        let error = current(&lines, &config).unwrap_err().to_string();
        assert!(
            error.contains("0600") && !error.contains("secret"),
            "{error}"
        );
        let missing = Password::File("/does/not/exist".into());
        let error = current(&missing, &config).unwrap_err().to_string();
        assert!(error.contains("/does/not/exist"), "{error}");
    }
}
