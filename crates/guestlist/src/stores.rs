//! `guestlist store` and `guestlist migrate`: what is stored, on its way to a database and in one.

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use guestlist_store::{
    Address, AddressError, ExportFile, HeldWrites, Migrate, PostgresAddress, PostgresOpenError,
    PostgresStore, TransferError, export,
};
use serde::Serialize;

use crate::backup::DataArgument;
use crate::exits::Failure;
use crate::export::{PRODUCT, Summary, refused, store_refused};
use crate::output::{Output, details};
use crate::progress::{Watcher, watched};

/// What is stored, on its way to a database.
#[derive(Subcommand)]
pub(crate) enum StoreCommand {
    /// Carries everything in a data directory into an empty PostgreSQL database
    ///
    /// Documents, the event log and its revisions come over as they are, in one transaction: all of it
    /// or nothing. Before it is committed, what is in the database is read again and must give the same
    /// export, byte for byte. A server of the directory may run meanwhile: it goes on answering reads
    /// and checks, and refuses writes (503) until the end.
    #[command(after_help = "\
With --retire the directory takes no more writes afterwards, not even from a server that runs on it: so
nothing can be written there that the database does not have. `guestlist store revive` takes that
back.

The pepper and the keys are no part of it. Every node needs the same ones: copy the secret files of the
data directory (`guestlist backup --secrets`) to the --data of each.

Examples:
  guestlist store copy --from /var/lib/guestlist --to 'postgres://guestlist@db.example.com/guestlist?password_file=/etc/guestlist/db-password' --retire")]
    Copy(CopyArguments),

    /// Lets a data directory that was retired take writes again
    #[command(after_help = "\
What was written to the database since is not in the directory.

Example:
  guestlist store revive --data /var/lib/guestlist")]
    Revive(DataArgument),
}

/// From where to where.
#[derive(Args)]
pub(crate) struct CopyArguments {
    /// The data directory: embedded:DIRECTORY, or the directory alone
    #[arg(long, value_name = "DIRECTORY")]
    from: String,

    /// The database, which must be empty: postgres://…
    #[arg(
        long,
        env = "GUESTLIST_STORE",
        hide_env_values = true,
        value_name = "ADDRESS"
    )]
    to: String,

    /// Let the directory take no more writes afterwards
    #[arg(long)]
    retire: bool,
}

/// Brings the tables of a PostgreSQL database up to date
///
/// Every start does that too, unless it has --migrate check. Nodes of this version and of the one before
/// it can go on meanwhile: a migration only adds. An empty database gets its tables.
#[derive(Args)]
#[command(after_help = "\
The exit code with --check is 1 if the tables are older than this version.

Examples:
  guestlist migrate --store postgres://guestlist@db.example.com/guestlist
  GUESTLIST_STORE=postgres://… guestlist migrate --check")]
pub(crate) struct MigrateArguments {
    /// The database: postgres://…
    #[arg(
        long,
        env = "GUESTLIST_STORE",
        hide_env_values = true,
        value_name = "ADDRESS"
    )]
    store: String,

    /// Only look, and change nothing
    #[arg(long)]
    check: bool,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Copied {
    from: PathBuf,
    /// Without its password.
    to: String,
    retired: bool,
    #[serde(flatten)]
    summary: Summary,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Schema {
    store: String,
    /// 0 for an empty database.
    from: i64,
    to: i64,
}

pub(crate) fn run(command: StoreCommand, output: &Output) -> Result<(), Failure> {
    match command {
        StoreCommand::Copy(arguments) => copy(&arguments, output),
        StoreCommand::Revive(data) => revive(data, output),
    }
}

fn copy(arguments: &CopyArguments, output: &Output) -> Result<(), Failure> {
    let from = match address(&arguments.from)? {
        Address::Embedded(directory) => directory,
        Address::Memory | Address::Postgres(_) => {
            return Err(Failure::invalid("--from must be a data directory"));
        }
    };
    let to = database(&arguments.to)?;
    let retire = arguments.retire;
    let (source, target) = (from.clone(), to.clone());
    let carried = watched(output, move |watcher| {
        carry(&source, &target, retire, watcher)
    })?;
    let summary = carried.map_err(|error| refused(&error))?;
    let copied = Copied {
        from,
        to: to.to_string(),
        retired: retire,
        summary,
    };
    output.show(&copied, |copied| {
        let mut lines = vec![
            ("From", copied.from.display().to_string()),
            ("To", copied.to.clone()),
        ];
        lines.extend(copied.summary.lines());
        details(lines)
    })?;
    output.notice(if retire {
        "The directory takes no more writes. Start nodes on the database with the same secrets."
    } else {
        "The directory takes writes again: what is written there from now on is not in the database."
    });
    Ok(())
}

/// The writes of a running server are held from the first line that is read until all of them are in
/// the database.
fn carry(
    from: &Path,
    to: &PostgresAddress,
    retire: bool,
    watcher: &mut Watcher,
) -> Result<Summary, TransferError> {
    let held = HeldWrites::hold(from)?;
    // On the disk that has room for the original, and readable by its owner alone.
    let mut file = tempfile::tempfile_in(from).map_err(TransferError::Unwritable)?;
    let (header, end) = export(from, PRODUCT, &mut file, &mut |progress| {
        watcher.report(progress)
    })?;
    let mut checked = ExportFile::check(file, &mut |progress| watcher.report(progress))?;
    if (checked.header(), checked.end()) != (&header, &end) || held.revision()?.0 != header.revision
    {
        return Err(TransferError::Differs);
    }
    PostgresStore::import(to, &mut checked, &mut |progress| watcher.report(progress))?;
    if retire {
        held.retire()?;
    }
    Ok(Summary::new(&header, &end))
}

fn revive(data: DataArgument, output: &Output) -> Result<(), Failure> {
    let directory = data.directory()?;
    let revived = HeldWrites::hold(&directory).and_then(HeldWrites::revive);
    let was_retired = revived.map_err(|error| store_refused(&error))?;
    output.notice(if was_retired {
        "The directory takes writes again."
    } else {
        "The directory was not retired; nothing was changed."
    });
    Ok(())
}

pub(crate) fn migrate(arguments: &MigrateArguments, output: &Output) -> Result<(), Failure> {
    let store = database(&arguments.store)?;
    let how = if arguments.check {
        Migrate::Check
    } else {
        Migrate::Auto
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::local(error.to_string()))?;
    let migrated = runtime.block_on(PostgresStore::migrate(&store, how));
    let migrated = migrated.map_err(|error| {
        let message = error.to_string();
        match error {
            PostgresOpenError::Older { .. } => Failure::answered_no(message),
            PostgresOpenError::Newer { .. } => Failure::conflict(message),
            PostgresOpenError::Database { .. } => Failure::local(message),
        }
    })?;
    let schema = Schema {
        store: store.to_string(),
        from: migrated.from,
        to: migrated.to,
    };
    output.show(&schema, |schema| {
        details([
            ("Database", schema.store.clone()),
            (
                "Schema",
                if schema.from == schema.to {
                    format!("{}, up to date", schema.to)
                } else {
                    format!("{}, was {}", schema.to, schema.from)
                },
            ),
        ])
    })
}

fn address(text: &str) -> Result<Address, Failure> {
    // A directory without a slash in its name is one here.
    let plain = |_: AddressError| format!("embedded:{text}").parse();
    let parsed: Result<Address, AddressError> = text.parse().or_else(plain);
    parsed.map_err(|error| Failure::invalid(error.to_string()))
}

fn database(text: &str) -> Result<PostgresAddress, Failure> {
    let parsed: Result<Address, _> = text.parse();
    match parsed.map_err(|error| Failure::invalid(error.to_string()))? {
        Address::Postgres(address) => Ok(*address),
        Address::Memory | Address::Embedded(_) => Err(Failure::invalid(
            "the address must be that of a database: postgres://user@host/database",
        )),
    }
}
