//! Which files of a folder are manifests.

use std::fs;
use std::path::{Path, PathBuf};

use crate::documents;
use crate::exits::Failure;

/// Files at most, so that a wrong folder is noticed before it is read.
const FILES: usize = 10_000;
/// Folders inside each other at most.
const DEPTH: usize = 32;

/// The manifests of a folder and the folders in it, in the order of their names; or the one file that
/// is named. Each with its name below the folder.
///
/// Names that begin with a dot (`.git`) and links to folders are passed over: links can go in circles.
pub(super) fn of(path: &Path) -> Result<Vec<(String, PathBuf)>, Failure> {
    let is_folder = path != Path::new("-") && path.is_dir();
    if !is_folder {
        return Ok(vec![(documents::name(path), path.to_owned())]);
    }
    let mut found = Vec::new();
    look(path, 0, &mut found)?;
    found.sort();
    Ok(found
        .into_iter()
        .map(|file| {
            let below = file.strip_prefix(path).unwrap_or(&file);
            (below.display().to_string(), file)
        })
        .collect())
}

fn look(folder: &Path, depth: usize, found: &mut Vec<PathBuf>) -> Result<(), Failure> {
    let failed = |error: std::io::Error| {
        Failure::local(format!(
            "cannot read the folder {}: {error}",
            folder.display()
        ))
    };
    if depth > DEPTH {
        return Err(Failure::invalid(format!(
            "{} is deeper than {DEPTH} folders",
            folder.display()
        )));
    }
    for entry in fs::read_dir(folder).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        let path = entry.path();
        if entry.file_name().as_encoded_bytes().starts_with(b".") {
            continue;
        }
        if entry.file_type().map_err(failed)?.is_dir() {
            look(&path, depth + 1, found)?;
        } else if is_manifest(&path) && path.is_file() {
            found.push(path);
        }
        if found.len() > FILES {
            return Err(Failure::invalid(format!(
                "there are more than {FILES} files in {}",
                folder.display()
            )));
        }
    }
    Ok(())
}

/// Whether a file reads like a manifest.
pub(super) fn is_manifest(path: &Path) -> bool {
    path.extension()
        .and_then(|extension| extension.to_str())
        .is_some_and(|extension| matches!(extension, "yaml" | "yml" | "json"))
}
