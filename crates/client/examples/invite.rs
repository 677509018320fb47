//! Invites somebody to a project, accepts for them, and asks what they may do:
//! `cargo run --example invite -- URL OWNER_KEY_FILE TOKEN_FILE`.

use std::error::Error;

// The front page shows this part as it stands here.
use guestlist_client::api::invites::{InviteRequest, InviteStatement};
use guestlist_client::{Client, Credentials};

/// Gives whoever has the second credentials the role of an editor. Returns whether they are one.
pub(crate) async fn invite_an_editor(
    url: &str,
    access_key: &str,
    token_of_bob: &str,
) -> Result<bool, Box<dyn Error>> {
    // The back end: makes the invite, and sends its id to the person.
    let back_end = Client::new(url, Credentials::access_key(access_key)?)?;
    let editor = InviteStatement::new(["ro_editor"], ["projects/42"])?;
    let invite = back_end
        .invites()
        .create_invite(&InviteRequest::new().statement(editor))
        .await?;

    // The person: accepts with a token of their own.
    let bob = back_end.with_credentials(Credentials::token(token_of_bob));
    bob.invites().respond_to_invite(&invite.invite_id).await?;

    let allowed = back_end
        .user_permissions()
        .is_allowed(
            &"bob".parse()?,
            &"projects/42/readme".parse()?,
            &"documents:write".parse()?,
        )
        .await?;
    Ok(allowed)
}
// To here.

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [url, key_file, token_file] = arguments.as_slice() else {
        return Err("give a URL, a file with an access key and a file with bob's token".into());
    };
    let key = std::fs::read_to_string(key_file)?;
    let token = std::fs::read_to_string(token_file)?;
    let allowed = invite_an_editor(url, &key, &token).await?;
    #[expect(clippy::print_stdout, reason = "the answer is for whoever started it")]
    {
        println!("bob may write documents: {allowed}");
    }
    Ok(())
}
