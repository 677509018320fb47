//! What `guestlist serve` prints when it is ready.

use std::fmt::Write as _;

use guestlist_server::samples;

use crate::serve::{Started, Trial};

/// The text of a start.
pub(crate) fn text(started: &Started) -> String {
    let Started {
        address,
        url,
        account_id,
        data,
        owner_key,
        trial,
    } = started;
    let mut text = format!(
        "\nGuestlist {} listens on http://{address}\n  public URL {url}\n  account    {account_id}\n  data       {}\n",
        env!("CARGO_PKG_VERSION"),
        data.display(),
    );
    if let Some((path, key)) = owner_key {
        let path = path.display();
        let _ = write!(
            text,
            "  owner key  {key}\n             shown this once; also in {path}\n"
        );
    }
    let _ = writeln!(text, "  reference  {url}/docs");
    match trial {
        Trial::None => {}
        Trial::Samples => text.push_str(&commands(url)),
        Trial::NoSamples => {
            let _ = write!(text, "\n{WARNING}\n\n{NO_SAMPLES}\n");
        }
    }
    text
}

const WARNING: &str = "DEVELOPMENT: whoever reaches this address gets a token for any user. Never \
                       use it for real data.";
const NO_SAMPLES: &str = "This data was made without --dev, so it has no samples to try. Choose a \
                          new directory with --data to have them.";

/// Commands to paste: an invite is made, accepted, and checked.
fn commands(url: &str) -> String {
    let (alice, bob) = (samples::MANAGER, samples::INVITED);
    let (project, editor) = (samples::PROJECT, samples::EDITOR);
    let encoded = project.replace('/', "%2F");
    format!(
        r#"
{WARNING}

Try it. {alice} invites {bob} to {project}; paste this into another terminal:

  G={url}
  token() {{ curl -s $G/v1/dev/tokens -d "{{\"userId\":\"$1\"}}" | sed 's/.*"accessToken":"\([^"]*\)".*/\1/'; }}
  ALICE=$(token {alice}); BOB=$(token {bob})
  may_bob_write() {{ curl -s -o /dev/null -w '%{{http_code}}\n' -H "Authorization: Bearer $BOB" $G/v1/users/{bob}/resources/{encoded}/permissions/documents:write; }}

  may_bob_write     # 404: not yet
  INVITE=$(curl -s $G/v1/invites -H "Authorization: Bearer $ALICE" -d '{{"statements":[{{"roles":["{editor}"],"resources":[{{"resourceUri":"{project}"}}]}}]}}' | sed 's/.*"inviteId":"\([^"]*\)".*/\1/')
  echo $INVITE
  curl -s -X PATCH $G/v1/invites/$INVITE -H "Authorization: Bearer $BOB"; echo
  may_bob_write     # 200: the invite gave it
"#
    )
}
