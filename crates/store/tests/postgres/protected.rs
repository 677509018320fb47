//! Certificates and passwords: the node talks to the database that it means, or to none.

use std::io::Write as _;
use std::path::Path;

use guestlist_store::suite::cluster::{self, Cluster, ClusterOptions};
use guestlist_store::{PostgresAddress, PostgresOptions, PostgresStore};
use tempfile::NamedTempFile;

use crate::{creating, done, open, operator, shared};

/// Of tests alone. The certificate is of `localhost`, by `authority.pem`, and good for a century.
const KEY: &[u8] = include_bytes!("certificates/server.key");
const CERTIFICATE: &[u8] = include_bytes!("certificates/server.pem");
const ACCESS: &[u8] = b"local all all trust\n\
    hostssl all all 127.0.0.1/32 scram-sha-256\n\
    hostnossl all all 127.0.0.1/32 reject\n";
const PASSWORD: &str = "correct horse: battery\\staple";

fn certificate(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/postgres/certificates");
    path.join(name).display().to_string()
}

fn file(contents: &str) -> NamedTempFile {
    let mut file = NamedTempFile::new().unwrap();
    file.write_all(contents.as_bytes()).unwrap();
    file
}

/// A server that wants TLS and a password.
async fn server() -> Option<Cluster> {
    let options = ClusterOptions::default()
        .file("server.key", KEY)
        .file("server.pem", CERTIFICATE)
        .file("access", ACCESS)
        .setting("ssl=on")
        .setting("ssl_key_file={root}/server.key")
        .setting("ssl_cert_file={root}/server.pem")
        .setting("hba_file={root}/access");
    let cluster = cluster::own_or_skip(&options).unwrap_or_else(|why| panic!("{why}"))?;
    let client = operator(&cluster, "schema=public").await;
    let sql = format!("ALTER USER guestlist PASSWORD '{PASSWORD}'");
    client.batch_execute(&sql).await.unwrap();
    Some(cluster)
}

async fn refusal(address: &str) -> String {
    let address: PostgresAddress = address.parse().unwrap();
    let opened = PostgresStore::open(&address, PostgresOptions::default()).await;
    let error = opened.err().unwrap();
    format!("{error} {error:?}")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_database_is_taken_by_its_certificate_and_takes_a_password() {
    let Some(cluster) = server().await else {
        return;
    };
    let port = cluster.port();
    let whole = file(&format!("{PASSWORD}\n"));
    let line = PASSWORD.replace('\\', "\\\\").replace(':', "\\:");
    let lines = file(&format!(
        "other:*:*:*:wrong\nlocalhost:{port}:*:guestlist:{line}\n"
    ));
    let wrong = file("hunter2");
    let (whole, lines, wrong) = (whole.path(), lines.path(), wrong.path());
    let authority = certificate("authority.pem");
    for (number, password) in [
        format!("password_file={}", whole.display()),
        format!("passfile={}", lines.display()),
    ]
    .iter()
    .enumerate()
    {
        let address = at(
            "localhost",
            port,
            &format!("sslrootcert={authority}&{password}"),
        );
        let store = open(&address).await;
        done(&store, creating(&number.to_string(), "1")).await;
        let client = operator(&cluster, "schema=public").await;
        let plain = "SELECT count(*) FROM pg_stat_ssl s JOIN pg_stat_activity a USING (pid)
             WHERE a.application_name = 'guestlist' AND NOT s.ssl";
        let row = client.query_one(plain, &[]).await.unwrap();
        assert_eq!(row.get::<_, i64>(0), 0);
    }
    let whole = whole.display().to_string();
    for (address, words) in refused(port, &whole, &wrong.display().to_string()) {
        let text = refusal(&address).await;
        assert!(text.contains(words), "{address}: {text}");
        assert!(
            !text.contains("horse") && !text.contains("hunter2"),
            "{text}"
        );
    }
}

/// Addresses that must not work, and a word of why.
fn refused(port: u16, whole: &str, wrong: &str) -> Vec<(String, &'static str)> {
    let authority = format!("sslrootcert={}", certificate("authority.pem"));
    let other = format!("sslrootcert={}", certificate("other.pem"));
    let right = format!("password_file={whole}");
    let wrong = format!("password_file={wrong}");
    [
        ("localhost", other.as_str(), right.as_str(), "certificate"),
        ("localhost", "sslmode=verify-full", &right, "certificate"),
        ("127.0.0.1", &authority, &right, "certificate"),
        ("localhost", "sslmode=disable", &right, "pg_hba.conf"),
        (
            "localhost",
            "sslrootcert=/missing.pem",
            &right,
            "/missing.pem",
        ),
        (
            "localhost",
            &authority,
            &wrong,
            "password authentication failed",
        ),
        (
            "localhost",
            &authority,
            "password_file=/missing",
            "/missing",
        ),
    ]
    .map(|(host, tls, password, words)| (at(host, port, &format!("{tls}&{password}")), words))
    .into()
}

fn at(host: &str, port: u16, rest: &str) -> String {
    format!("postgres://guestlist@{host}:{port}/postgres?schema=guests&{rest}")
}

/// A server that offers no TLS is not talked to without it.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_database_without_tls_is_refused_where_it_is_wanted() {
    let Some(cluster) = shared() else { return };
    let port = cluster.port();
    let address = format!("postgres://guestlist@localhost:{port}/postgres?sslmode=require");
    let text = refusal(&address).await;
    assert!(text.contains("TLS"), "{text}");
}
