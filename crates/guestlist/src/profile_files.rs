//! The files beside the profiles in which `guestlist login` keeps secrets: what they are called, and
//! how they go.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use guestlist_api::text::Malformed;

use crate::exits::Failure;
use crate::file_lock::{self, lock_path};
use crate::profiles::Profile;
use crate::sign_in::SignIn;

/// Characters of a profile's name.
const NAME_LENGTH: usize = 64;

/// The name of a profile, which is also the name of files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ProfileName(String);

impl FromStr for ProfileName {
    type Err = Malformed;

    fn from_str(text: &str) -> Result<Self, Malformed> {
        let allowed =
            |character: char| character.is_ascii_alphanumeric() || "-_.".contains(character);
        let sound = !text.is_empty()
            && text.len() <= NAME_LENGTH
            && !text.starts_with(['.', '-'])
            && text.chars().all(allowed);
        if sound {
            Ok(Self(text.to_owned()))
        } else {
            Err(Malformed::new(
                "the name of a profile has 1 to 64 of the characters A-Z a-z 0-9 - _ . and does \
                 not begin with a dot or a dash",
            ))
        }
    }
}

impl ProfileName {
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    /// Where a key is kept, beside the profiles.
    pub(crate) fn key_file(&self) -> PathBuf {
        PathBuf::from(format!("{}.key", self.0))
    }

    /// Where a token is kept.
    pub(crate) fn token_file(&self) -> PathBuf {
        PathBuf::from(format!("{}.token", self.0))
    }

    /// Where the tokens of an OpenID provider are kept.
    pub(crate) fn sign_in_file(&self) -> PathBuf {
        PathBuf::from(format!("{}.sign-in", self.0))
    }
}

/// What became of a profile's secrets.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Removed {
    pub(crate) files: Vec<PathBuf>,
    /// Files that `guestlist login` did not write, and which stay.
    pub(crate) left: Vec<PathBuf>,
    /// Whether an OpenID provider was told that it is over; `None` if there was none to tell.
    pub(crate) told_provider: Option<bool>,
}

/// Removes what a profile signs in with; `directory` is that of the profiles.
pub(crate) async fn remove(
    name: &str,
    profile: &mut Profile,
    directory: &Path,
) -> Result<Removed, Failure> {
    let mut removed = Removed::default();
    // A name that came into the file by hand may be none of ours; then no file is.
    let own = name.parse::<ProfileName>().ok();
    if let Some(path) = profile.sign_in_file.take() {
        let ours = own.as_ref().map(ProfileName::sign_in_file);
        let place = directory.join(&path);
        let _lock;
        if ours.as_ref() == Some(&path) {
            // Until it is gone: whoever is about to renew it would write it down again.
            _lock = file_lock::lock(&place).await?;
            if let Ok(sign_in) = SignIn::read(&place)
                && sign_in.can_be_renewed()
            {
                removed.told_provider = Some(sign_in.revoke().await);
            }
            discard(&lock_path(&place))?;
        }
        drop_file(ours.as_ref() == Some(&path), place, &mut removed)?;
    }
    if let Some(path) = profile.key_file.take() {
        let ours = own.as_ref().map(ProfileName::key_file);
        drop_file(
            ours.as_ref() == Some(&path),
            directory.join(&path),
            &mut removed,
        )?;
    }
    if let Some(path) = profile.token_file.take() {
        let ours = own.as_ref().map(ProfileName::token_file);
        drop_file(
            ours.as_ref() == Some(&path),
            directory.join(&path),
            &mut removed,
        )?;
    }
    Ok(removed)
}

fn drop_file(ours: bool, place: PathBuf, removed: &mut Removed) -> Result<(), Failure> {
    if !ours {
        removed.left.push(place);
    } else if discard(&place)? {
        removed.files.push(place);
    }
    Ok(())
}

/// Removes a file; false if there was none.
fn discard(path: &Path) -> Result<bool, Failure> {
    match fs::remove_file(path) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(Failure::local(format!(
            "cannot remove {}: {error}",
            path.display()
        ))),
    }
}

/// Removes those of a profile's own files that it does not use any more.
pub(crate) fn remove_unused(
    name: &ProfileName,
    profile: &Profile,
    directory: &Path,
) -> Result<(), Failure> {
    for (own, used) in [
        (name.key_file(), &profile.key_file),
        (name.token_file(), &profile.token_file),
        (name.sign_in_file(), &profile.sign_in_file),
    ] {
        if used.as_ref() != Some(&own) {
            discard(&directory.join(own))?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[tokio::test]
    async fn a_sign_in_that_is_being_renewed_does_not_outlive_its_removal() {
        let directory = tempfile::tempdir().unwrap();
        let place = directory.path().join("prod.sign-in");
        fs::write(&place, "{}").unwrap();
        let mut profile = Profile {
            sign_in_file: Some("prod.sign-in".into()),
            ..Profile::default()
        };
        let renewing = file_lock::lock(&place).await.unwrap();
        let removing = async { remove("prod", &mut profile.clone(), directory.path()).await };
        let patience = Duration::from_millis(200);
        assert!(tokio::time::timeout(patience, removing).await.is_err());
        assert!(place.exists());
        drop(renewing);
        remove("prod", &mut profile, directory.path())
            .await
            .unwrap();
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 0);
    }

    #[test]
    fn a_name_stays_within_its_directory() {
        for good in ["prod", "a.b-c_1", "local"] {
            assert!(good.parse::<ProfileName>().is_ok(), "{good}");
        }
        let long = "x".repeat(65);
        for bad in [
            "", ".", "..", "../x", "a/b", "-x", ".hidden", "ü", "a b", &long,
        ] {
            assert!(bad.parse::<ProfileName>().is_err(), "{bad}");
        }
    }
}
