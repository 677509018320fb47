//! `guestlist profile`: which servers this machine knows.

use std::path::Path;

use clap::Subcommand;
use serde::Serialize;

use crate::exits::Failure;
use crate::login::report;
use crate::output::Output;
use crate::profile_files;
use crate::profiles::{ConnectionArguments, Profile, Profiles};

const LIST_HELP: &str = "\
Example:
  guestlist profile list";
const USE_HELP: &str = "\
Example:
  guestlist profile use prod";
const REMOVE_HELP: &str = "\
Example:
  guestlist profile remove prod";

/// The commands on profiles.
#[derive(Debug, Subcommand)]
pub(crate) enum ProfileCommand {
    /// Lists the profiles
    #[command(after_help = LIST_HELP)]
    List,
    /// Uses a profile from now on when none is named
    #[command(after_help = USE_HELP)]
    Use {
        /// Which one
        #[arg(value_name = "NAME")]
        name: String,
    },
    /// Removes a profile and its secrets
    #[command(after_help = REMOVE_HELP)]
    Remove {
        /// Which one
        #[arg(value_name = "NAME")]
        name: String,
    },
}

/// A profile without its secrets.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Listed<'a> {
    profile: &'a str,
    url: &'a str,
    default: bool,
    signs_in_with: &'static str,
}

pub(crate) async fn run(
    command: ProfileCommand,
    connection: &ConnectionArguments,
    output: &Output,
) -> Result<(), Failure> {
    let path = connection.profiles_path()?;
    match command {
        ProfileCommand::List => list(&Profiles::read(&path)?, output),
        ProfileCommand::Use { name } => {
            Profiles::change(&path, |all| {
                all.choose(Some(&name))?;
                all.default = Some(name.clone());
                Ok(())
            })
            .await?;
            output.notice(&format!("{name} is used when no other profile is named."));
            Ok(())
        }
        ProfileCommand::Remove { name } => remove(&name, &path, output).await,
    }
}

fn list(all: &Profiles, output: &Output) -> Result<(), Failure> {
    let listed: Vec<Listed<'_>> = all
        .profile
        .iter()
        .map(|(name, profile)| Listed {
            profile: name,
            url: &profile.url,
            default: all.default.as_ref() == Some(name),
            signs_in_with: signs_in_with(profile),
        })
        .collect();
    let headings = ["PROFILE", "SERVER", "SIGNS IN WITH", "DEFAULT"];
    output.show_all(&listed, &headings, |profile| {
        vec![
            profile.profile.to_owned(),
            profile.url.to_owned(),
            profile.signs_in_with.to_owned(),
            if profile.default { "yes" } else { "" }.to_owned(),
        ]
    })
}

/// In the order in which they are looked for.
fn signs_in_with(profile: &Profile) -> &'static str {
    if profile.key_file.is_some() {
        "access key"
    } else if profile.token_file.is_some() {
        "token"
    } else if profile.sign_in_file.is_some() {
        "OpenID provider"
    } else {
        "nothing"
    }
}

async fn remove(name: &str, path: &Path, output: &Output) -> Result<(), Failure> {
    let Some(mut profile) = Profiles::read(path)?.choose(Some(name))? else {
        return Err(Failure::invalid(format!("there is no profile {name}")));
    };
    let directory = path.parent().unwrap_or(Path::new("."));
    let removed = profile_files::remove(name, &mut profile, directory).await?;
    Profiles::change(path, |all| {
        all.profile.remove(name);
        if all.default.as_deref() == Some(name) {
            all.default = None;
        }
        Ok(())
    })
    .await?;
    report(name, &removed, output);
    output.notice(&format!("The profile {name} is gone."));
    Ok(())
}
