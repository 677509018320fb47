//! The small program that the tests kill and feed with errors while it restores a backup
//! or imports an export.
//!
//! It is a binary of this crate, behind the feature `suite`, because those tests need a process of
//! their own, and only a binary is built for every integration test without asking for it.
//!
//! `store-restore FILE DIRECTORY [naive]` replaces what is in the directory. `naive` copies the file
//! over the database, for the control. `store-restore FILE DIRECTORY import` does the same with
//! an export.

use std::io::Write;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use guestlist_store::{BackupFile, Existing, ExportFile};

fn import_file(file: &Path, directory: &Path) -> Result<(), String> {
    let file = std::fs::File::open(file).map_err(|error| error.to_string())?;
    ExportFile::check(file, &mut |_| ControlFlow::Continue(()))
        .and_then(|export| {
            export.import(directory, Existing::Replace, &[], &mut |_| {
                ControlFlow::Continue(())
            })
        })
        .map(drop)
        .map_err(|error| error.to_string())
}

fn main() -> ExitCode {
    let arguments: Vec<PathBuf> = std::env::args_os().skip(1).map(PathBuf::from).collect();
    let outcome = match arguments.as_slice() {
        [file, directory] => BackupFile::check(file, &mut |_| ControlFlow::Continue(()))
            .and_then(|backup| {
                backup.restore(directory, Existing::Replace, &[], &mut |_| {
                    ControlFlow::Continue(())
                })
            })
            .map(drop)
            .map_err(|error| error.to_string()),
        [file, directory, import] if import.as_os_str() == "import" => import_file(file, directory),
        [file, directory, _naive] => std::fs::copy(file, directory.join("guestlist.db"))
            .map(drop)
            .map_err(|error| error.to_string()),
        _ => Err("the arguments are not understood".to_owned()),
    };
    let (line, code) = match outcome {
        Ok(()) => ("restored".to_owned(), ExitCode::SUCCESS),
        Err(error) => (error, ExitCode::FAILURE),
    };
    // Whoever listened is gone: then no one needs to know.
    drop(writeln!(std::io::stdout().lock(), "{line}"));
    code
}
