//! `guestlist invite`: makes invites, shows, accepts and withdraws them.

use std::fs::{self, File};
use std::io::Write as _;
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use guestlist_api::access_requests::AccessRequest;
use guestlist_api::accounts::Account;
use guestlist_api::ids::{
    Domain, InviteId, InviteReference, InviteSecret, LinkedUserId, RoleId, TenantId,
};
use guestlist_api::invite_lists::InviteReason;
use guestlist_api::invites::{ConflictResolutionStrategy, Invite, InviteRequest, InviteStatement};
use guestlist_api::text::{Malformed, OpenEnum};
use guestlist_api::times::Timestamp;
use guestlist_client::{Accepted, Error};
use guestlist_server::clock::Clock;
use serde::Serialize;

use crate::connection::Session;
use crate::exits::{Exit, Failure};
use crate::invite_batches::{self, BATCH_HELP, BatchArguments};
use crate::invite_lists::{self, InviteListCommand};
use crate::invite_message::{EmailAddress, Message};
use crate::invite_rehearsal;
use crate::invite_request::{InviteArguments, length};
use crate::keys::new_file;
use crate::output::{Format, Output, details, optional};
use crate::profiles::ConnectionArguments;
use crate::secret_input;
use crate::terminal::{Terminal, ask_secretly};

/// The commands on invites.
#[derive(Debug, Subcommand)]
pub(crate) enum InviteCommand {
    /// Makes an invite and prints its id, once
    #[command(after_help = CREATE_HELP)]
    Create(Box<CreateArguments>),
    /// Makes the invites of a file, as many as can be made or all or none
    #[command(after_help = BATCH_HELP)]
    Batch(BatchArguments),
    /// Shows what an invite gives, as long as it can be used
    #[command(after_help = SHOW_HELP)]
    Show(WhichInvite),
    /// Accepts an invite as the person whose token is sent
    #[command(after_help = ACCEPT_HELP)]
    Accept(WhichInvite),
    /// Declines an invite, as the person whose token is sent or as whoever holds the id
    #[command(after_help = DECLINE_HELP)]
    Decline(DeclineArguments),
    /// Withdraws an invite; access that it gave stays
    #[command(after_help = REVOKE_HELP)]
    Revoke(WhichInvite),
    /// Shows what an invite is to whoever holds its id: no credentials, and not what it gives
    #[command(after_help = "Example:\n  guestlist invite preview --id-file ann.invite")]
    Preview(WhichInvite),
    /// Withdraws an invite whose id leaked, as whoever holds it: no credentials
    #[command(after_help = "Example:\n  pbpaste | guestlist invite report-leak -")]
    ReportLeak(WhichInvite),
    #[command(flatten)]
    Listed(InviteListCommand),
}

const DECLINE_HELP: &str = "\
With --as-holder no credentials are sent: whoever holds the id may decline.

Examples:
  guestlist invite decline --reason 'wrong project'
  guestlist invite decline --id-file mine.invite --as-holder";

/// How to decline an invite.
#[derive(Debug, Args)]
pub(crate) struct DeclineArguments {
    #[command(flatten)]
    which: WhichInvite,
    /// Why, for whoever made it
    #[arg(long, value_name = "TEXT")]
    reason: Option<InviteReason>,
    /// Without credentials, as whoever holds the id
    #[arg(long)]
    as_holder: bool,
}

const CREATE_HELP: &str = "\
The id is a secret: whoever has it can accept. It is printed on standard output and nowhere else;
what the invite gives, and its reference, are on standard error. With --json all of it is one object
on standard output.

Examples:
  guestlist invite create --role ro_editor --on projects/42
  guestlist invite create --role ro_editor --on projects/42 --expires 5d --out ann.invite
  guestlist invite create --grant 'ro_viewer on docs' --grant 'ro_editor on docs/1,docs/2'
  guestlist invite create --role ro_editor --on projects/42 --email ann@example.com \\
      --link-prefix https://app.example.com/join#
  guestlist invite create --role ro_editor --on projects/42 --qr --copy
  guestlist invite create --role ro_admin --on projects/42 --require-approval
  guestlist invite create --role ro_editor --on projects/42 --dry-run
  guestlist invite create -f invite.yaml --json | jq -r .inviteId";

const SHOW_HELP: &str = "\
Needs to have made the invite, or Invites:Read on it. The id is not shown again.

Examples:
  guestlist invite show                      asks for the id, without showing it
  guestlist invite show --id-file ann.invite
  wl-paste | guestlist invite show -";

const ACCEPT_HELP: &str = "\
A service client cannot accept: use the token of the invited person, by --token-file, GUESTLIST_TOKEN
or a profile of `guestlist login`. Accepting again changes nothing.

Examples:
  guestlist invite accept                    asks for the id, without showing it
  guestlist invite accept --id-file mine.invite --token-file my.token";

const REVOKE_HELP: &str = "\
Needs to have made the invite, or Invites:Delete on it.

Examples:
  guestlist invite revoke --id-file ann.invite
  guestlist invite revoke - < ann.invite";

/// How to make an invite.
#[derive(Debug, Args)]
pub(crate) struct CreateArguments {
    #[command(flatten)]
    invite: InviteArguments,

    /// Write the id into this new file (mode 0600) and nowhere else
    #[arg(
        long,
        value_name = "FILE",
        conflicts_with = "email",
        help_heading = "Handing it over"
    )]
    out: Option<PathBuf>,

    /// Print a message for this address, and a link that opens a mail program with it. Nothing is
    /// sent: the server has no mail
    #[arg(long, value_name = "ADDRESS", help_heading = "Handing it over")]
    email: Option<EmailAddress>,

    /// What to put in front of the id to make the link that the person opens, as in
    /// `https://app.example.com/join#`. After a # it stays out of the logs of your application
    #[arg(long, value_name = "URL", value_parser = link_prefix, help_heading = "Handing it over")]
    link_prefix: Option<String>,

    /// Draw a QR code of the id, or of the link, on the terminal
    #[arg(long, help_heading = "Handing it over")]
    qr: bool,

    /// Take the id, or the link, to the clipboard of the terminal; works over SSH, if the terminal
    /// allows it (OSC 52)
    #[arg(long, help_heading = "Handing it over")]
    copy: bool,

    /// Make nothing: show when it would end and what accepting it would do. The server judges it as if
    /// it were made
    #[arg(long, conflicts_with_all = ["email", "qr", "copy", "link_prefix", "out"])]
    dry_run: bool,
}

/// Which invite, by its whole id.
#[derive(Debug, Args)]
pub(crate) struct WhichInvite {
    /// The whole id of the invite, or `-` to read it from standard input. Without it, and without
    /// --id-file, it is asked for. The id is a secret: given here, others on this machine can see
    /// it in the list of processes, and it stays in the history of your shell
    #[arg(value_name = "ID", value_parser = given_id, conflicts_with = "id_file")]
    id: Option<GivenId>,

    /// A file with the whole id of the invite; `-` reads standard input
    #[arg(long, value_name = "FILE")]
    id_file: Option<PathBuf>,
}

/// An id as an argument.
#[derive(Debug, Clone)]
enum GivenId {
    StandardInput,
    Here(InviteId),
}

fn given_id(text: &str) -> Result<GivenId, Malformed> {
    if text == "-" {
        Ok(GivenId::StandardInput)
    } else {
        text.parse().map(GivenId::Here)
    }
}

fn link_prefix(text: &str) -> Result<String, Malformed> {
    let sound = reqwest::Url::parse(text)
        .is_ok_and(|url| matches!(url.scheme(), "http" | "https") && url.has_host());
    if sound && !text.chars().any(char::is_whitespace) {
        Ok(text.to_owned())
    } else {
        Err(Malformed::new(
            "must be the beginning of a link, as in https://app.example.com/join#",
        ))
    }
}

/// A command with everything read that it needs: from here on it can be interrupted.
#[derive(Debug)]
pub(crate) enum Prepared {
    Create(Box<CreateArguments>, Box<InviteRequest>),
    Batch(invite_batches::Prepared),
    Show(InviteId),
    Accept(InviteId),
    Revoke(InviteId),
    Decline(InviteId, Option<InviteReason>, Standing),
    Preview(InviteId),
    ReportLeak(InviteId),
    Listed(Box<InviteListCommand>),
}

/// As whom somebody declines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Standing {
    User,
    Holder,
}

/// Reads files, standard input and the terminal.
pub(crate) fn prepare(
    command: InviteCommand,
    connection: &ConnectionArguments,
    output: &Output,
) -> Result<Prepared, Failure> {
    match command {
        InviteCommand::Create(arguments) => {
            if (arguments.qr || arguments.copy) && Terminal::find().is_none() {
                return Err(Failure::invalid(
                    "--qr and --copy need a terminal, and neither standard error nor standard \
                     output is one",
                ));
            }
            let file = arguments.invite.file.as_deref();
            one_reader_of_standard_input(file == Some(Path::new("-")), connection)?;
            let now = Clock::system().now();
            let request = arguments.invite.request(now)?;
            Ok(Prepared::Create(arguments, Box::new(request)))
        }
        InviteCommand::Batch(arguments) => {
            one_reader_of_standard_input(arguments.reads_standard_input(), connection)?;
            arguments.prepare().map(Prepared::Batch)
        }
        InviteCommand::Show(which) => Ok(Prepared::Show(which.id(connection, output)?)),
        InviteCommand::Accept(which) => Ok(Prepared::Accept(which.id(connection, output)?)),
        InviteCommand::Revoke(which) => Ok(Prepared::Revoke(which.id(connection, output)?)),
        InviteCommand::Decline(arguments) => {
            let standing = if arguments.as_holder {
                Standing::Holder
            } else {
                Standing::User
            };
            let id = arguments.which.id(connection, output)?;
            Ok(Prepared::Decline(id, arguments.reason, standing))
        }
        InviteCommand::Preview(which) => Ok(Prepared::Preview(which.id(connection, output)?)),
        InviteCommand::ReportLeak(which) => Ok(Prepared::ReportLeak(which.id(connection, output)?)),
        InviteCommand::Listed(command) => Ok(Prepared::Listed(Box::new(command))),
    }
}

pub(crate) async fn run(command: Prepared, session: &Session) -> Result<(), Failure> {
    match command {
        Prepared::Create(arguments, request) if arguments.dry_run => {
            invite_rehearsal::run(&request, session).await
        }
        Prepared::Create(arguments, request) => create(&arguments, &request, session).await,
        Prepared::Batch(batch) => invite_batches::run(batch, session).await,
        Prepared::Show(id) => show(&id, session).await,
        Prepared::Accept(id) => accept(&id, session).await,
        Prepared::Revoke(id) => revoke(&id, session).await,
        Prepared::Decline(id, reason, standing) => decline(&id, reason, standing, session).await,
        Prepared::Preview(id) => preview(&id, session).await,
        Prepared::ReportLeak(id) => {
            let invites = session.client.invites();
            invites.report_invite_leak(&id, None).await?;
            session
                .output
                .notice("Withdrawn: nobody can use it any more.");
            Ok(())
        }
        Prepared::Listed(command) => invite_lists::run(*command, session).await,
    }
}

async fn decline(
    id: &InviteId,
    reason: Option<InviteReason>,
    standing: Standing,
    session: &Session,
) -> Result<(), Failure> {
    let invites = session.client.invites();
    match standing {
        Standing::User => invites.decline_invite(id, reason).await?,
        Standing::Holder => invites.decline_invite_as_holder(id, reason).await?,
    }
    session.output.notice("Declined.");
    Ok(())
}

async fn preview(id: &InviteId, session: &Session) -> Result<(), Failure> {
    let preview = session.client.invites().preview_invite(id).await?;
    session.output.show(&preview, |preview| {
        let domains: Vec<&str> = preview.email_domains.iter().map(Domain::as_str).collect();
        details([
            ("Account", preview.account.account_id.to_string()),
            ("Inviter", preview.inviter.user_id.to_string()),
            ("For", optional(preview.invitee.as_ref())),
            ("Domains", domains.join(", ")),
            ("Issuer", optional(preview.issuer.as_ref())),
            ("Not before", optional(preview.not_before.as_ref())),
            ("Expires", preview.expiry_time.to_string()),
        ])
    })
}

/// Standard input can be one thing only.
fn one_reader_of_standard_input(
    this: bool,
    connection: &ConnectionArguments,
) -> Result<(), Failure> {
    if this && connection.reads_standard_input() {
        return Err(Failure::invalid(
            "standard input cannot be the credential and this at once: put one of them into a file",
        ));
    }
    Ok(())
}

impl WhichInvite {
    fn id(self, connection: &ConnectionArguments, output: &Output) -> Result<InviteId, Failure> {
        let path = match (self.id, self.id_file) {
            // What others see of a reference helps nobody.
            (Some(GivenId::Here(id)), _) if reference_in(&id).is_some() => return Ok(id),
            (Some(GivenId::Here(id)), _) => {
                output.notice(
                    "warning: the id of an invite is a secret, and an argument can be seen by \
                     others: `-`, --id-file or no id at all keeps it from them",
                );
                return Ok(id);
            }
            (Some(GivenId::StandardInput), _) => PathBuf::from("-"),
            (None, Some(path)) => path,
            (None, None) => return asked_id(),
        };
        one_reader_of_standard_input(path == Path::new("-"), connection)?;
        if secret_input::others_may_read(&path) {
            output.notice(&format!(
                "warning: others on this machine may read {0}: chmod 600 {0}",
                path.display()
            ));
        }
        let text = secret_input::read(&path, "the id of the invite")?;
        parsed_id(text.reveal())
    }
}

fn asked_id() -> Result<InviteId, Failure> {
    match ask_secretly("Id of the invite (not shown): ")? {
        Some(text) => parsed_id(&text),
        None => Err(Failure::invalid("which invite?")
            .hint("Give its id on standard input with `-`, or in a file with --id-file FILE.")),
    }
}

/// What follows the last `#`, `/` or `=` of a link is the id, so that a link can be given as well.
fn parsed_id(text: &str) -> Result<InviteId, Failure> {
    let text = text.trim();
    let text = if text.starts_with("http://") || text.starts_with("https://") {
        text.rsplit(['#', '/', '=']).next().unwrap_or_default()
    } else {
        text
    };
    text.parse()
        .map_err(|reason: Malformed| Failure::invalid(reason.to_string()))
}

/// What `create` says to programs: the invite as it was answered, and what was made of it here.
#[derive(Serialize)]
struct Created<'a> {
    #[serde(flatten)]
    invite: &'a Invite,
    /// Of a server that does not say it.
    #[serde(skip_serializing_if = "Option::is_none")]
    reference: Option<InviteReference>,
    #[serde(skip_serializing_if = "Option::is_none")]
    link: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<&'a Message>,
}

async fn create(
    arguments: &CreateArguments,
    request: &InviteRequest,
    session: &Session,
) -> Result<(), Failure> {
    // Before the invite is made: an id that cannot be written down would be lost.
    let file = arguments.out.as_deref().map(new_file).transpose()?;
    let answer = session.client.invites().create_invite(request).await;
    let invite = match answer {
        Ok(invite) => invite,
        Err(error) => {
            if let Some(path) = &arguments.out {
                let _removed = fs::remove_file(path);
            }
            return Err(not_created(error));
        }
    };
    let id = invite.invite_id.reveal();
    let link = arguments
        .link_prefix
        .as_ref()
        .map(|prefix| format!("{prefix}{}", encoded(id)));
    let way = link.as_deref().unwrap_or(id);
    let message = arguments
        .email
        .clone()
        .map(|address| Message::new(address, &invite, way));
    let created = Created {
        invite: &invite,
        reference: invite
            .reference
            .is_none()
            .then(|| invite.invite_id.reference())
            .flatten(),
        link: link.as_deref(),
        message: message.as_ref(),
    };
    if let Some(file) = file {
        keep(&invite, file, session).await?;
        return hand_over(arguments, way, &session.output);
    }
    session.output.show(&created, |_| match &message {
        Some(message) => format!("{id}\n\n{}", message.shown()),
        None => id.to_owned(),
    })?;
    if session.output.format() == Format::People {
        let shown = Shown::new(&invite);
        session
            .output
            .notice_details(shown.lines(Clock::system().now()));
    }
    if let Some(message) = &message {
        session.output.notice(&format!(
            "Nothing was sent, since the server has no mail: send this to {} yourself.",
            message.to()
        ));
    }
    hand_over(arguments, way, &session.output)
}

/// Puts the id into its file, and tells the rest.
async fn keep(invite: &Invite, mut file: File, session: &Session) -> Result<(), Failure> {
    let id = &invite.invite_id;
    let written = writeln!(file, "{}", id.reveal()).and_then(|()| file.sync_all());
    if let Err(error) = written {
        // Nobody has the id now: such an invite must not stay.
        let failure = Failure::local(format!("cannot write the id of the invite: {error}"));
        return Err(match session.client.invites().delete_invite(id).await {
            Ok(()) => failure.hint("The invite was withdrawn again."),
            Err(_) => failure.hint("The invite is there, but nobody has its id: it will expire."),
        });
    }
    session.output.show(&Shown::new(invite), |shown| {
        details(shown.lines(Clock::system().now()))
    })
}

/// The invite is there by now, and its id was printed: what fails here is only said.
fn hand_over(arguments: &CreateArguments, way: &str, output: &Output) -> Result<(), Failure> {
    let Some(terminal) = Terminal::find() else {
        return Ok(());
    };
    if arguments.qr
        && let Err(failure) = terminal.draw(way)
    {
        output.notice(&format!("warning: {}", failure.message()));
    }
    if arguments.copy {
        terminal.copy(way)?;
        output.notice("Handed to the terminal for its clipboard.");
    }
    Ok(())
}

fn not_created(error: Error) -> Failure {
    let code = error.error_code().map(ToOwned::to_owned);
    let unknown_role = error
        .refusal()
        .and_then(|refusal| refusal.path())
        .is_some_and(|path| path.contains(".roles"));
    let failure = Failure::from(error);
    if unknown_role {
        failure.hint("`guestlist role list` shows the roles there are.")
    } else if code.as_deref() == Some("InsufficientGrantAccess") {
        failure.hint(
            "Nobody gives more than they may give: ask somebody who holds these permissions with \
             `grant` or `delegate`.",
        )
    } else {
        failure
    }
}

fn encoded(id: &str) -> String {
    form_urlencoded::byte_serialize(id.as_bytes())
        .collect::<String>()
        .replace('+', "%20")
}

/// An invite without its id, which whoever asks has already.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Shown<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    reference: Option<InviteReference>,
    statements: &'a [InviteStatement],
    conflict_resolution_strategy: &'a OpenEnum<ConflictResolutionStrategy>,
    #[serde(skip_serializing_if = "Option::is_none")]
    expiry_time: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    linked_user_id: Option<&'a LinkedUserId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    default_login_tenant_id: Option<&'a TenantId>,
}

impl<'a> Shown<'a> {
    fn new(invite: &'a Invite) -> Self {
        Self {
            reference: invite.invite_id.reference(),
            statements: &invite.statements,
            conflict_resolution_strategy: &invite.conflict_resolution_strategy,
            expiry_time: invite.expiry_time,
            linked_user_id: invite.linked_user_id.as_ref(),
            default_login_tenant_id: invite
                .default_login_tenant_id
                .as_ref()
                .or(invite.tenant_id.as_ref()),
        }
    }

    fn lines(&self, now: Timestamp) -> Vec<(&'static str, String)> {
        let gives: Vec<String> = self.statements.iter().map(given).collect();
        let mut lines = vec![
            ("Reference", optional(self.reference.as_ref())),
            (
                "Ends",
                self.expiry_time
                    .map(|time| ends(time, now))
                    .unwrap_or_default(),
            ),
            ("Gives", gives.join("\n")),
            ("In conflict", self.conflict_resolution_strategy.to_string()),
            ("User id", optional(self.linked_user_id)),
            ("Tenant", optional(self.default_login_tenant_id)),
        ];
        lines.retain(|(_, value)| !value.is_empty());
        lines
    }
}

/// Roles on resources in one line.
pub(crate) fn given(statement: &InviteStatement) -> String {
    let roles: Vec<&str> = statement.roles.iter().map(RoleId::as_str).collect();
    let resources: Vec<&str> = statement
        .resources
        .iter()
        .map(|resource| resource.resource_uri.as_str())
        .collect();
    format!("{} on {}", roles.join(", "), resources.join(", "))
}

/// A time and how far away it is.
pub(crate) fn ends(time: Timestamp, now: Timestamp) -> String {
    let left = time.milliseconds() - now.milliseconds();
    if left > 0 {
        format!("{time} (in {})", length(left))
    } else {
        format!("{time} (over)")
    }
}

/// The reference that was given in place of the whole id.
fn reference_in(id: &InviteId) -> Option<InviteReference> {
    id.reveal().parse().ok()
}

async fn show(id: &InviteId, session: &Session) -> Result<(), Failure> {
    if let Some(reference) = reference_in(id) {
        let invites = session.client.invites();
        let invite = invites.get_invite_by_reference(&reference).await?;
        return session.output.show(&invite, invite_lists::describe);
    }
    let answer = session.client.invites().get_invite(id).await;
    let invite = answer.map_err(|error| not_found(error, id))?;
    session.output.show(&Shown::new(&invite), |shown| {
        details(shown.lines(Clock::system().now()))
    })
}

/// What `accept` says to programs.
#[derive(Serialize)]
struct Acceptance {
    /// Whether what the invite holds was given.
    accepted: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    reference: Option<InviteReference>,
    #[serde(skip_serializing_if = "Option::is_none")]
    account: Option<Account>,
    /// What must be approved first.
    #[serde(skip_serializing_if = "Option::is_none")]
    request: Option<Box<AccessRequest>>,
}

async fn accept(id: &InviteId, session: &Session) -> Result<(), Failure> {
    let answer = session.client.invites().accept_invite(id).await;
    let (account, request) = match answer.map_err(|error| not_accepted(error, id))? {
        Accepted::Given(account) => (account, None),
        Accepted::AwaitsApproval(request) => (None, Some(request)),
    };
    let accepted = Acceptance {
        accepted: request.is_none(),
        reference: id.reference(),
        account,
        request,
    };
    session.output.show(&accepted, |accepted| {
        match (&accepted.request, &accepted.account) {
            (Some(request), _) => format!(
                "Nothing is given yet: it awaits approval, as {}.",
                request.request_id
            ),
            (None, Some(account)) => format!("Accepted, in the account {}.", account.account_id),
            (None, None) => "Accepted.".to_owned(),
        }
    })
}

fn not_accepted(error: Error, id: &InviteId) -> Failure {
    if error.error_code() == Some("InvalidInviteAcceptor") {
        return Failure::from(error).hint(
            "Use the invited person's own token: --token-file, GUESTLIST_TOKEN, or a profile made \
             by `guestlist login`.",
        );
    }
    not_found(error, id)
}

async fn revoke(id: &InviteId, session: &Session) -> Result<(), Failure> {
    let answer = session.client.invites().delete_invite(id).await;
    answer.map_err(|error| not_found(error, id))?;
    session
        .output
        .notice(&format!("Withdrawn: {id}. Access that it gave stays."));
    Ok(())
}

/// An id that was cut off looks to the server like one that never was.
fn not_found(error: Error, id: &InviteId) -> Failure {
    let failure = Failure::from(error);
    let text = id.reveal();
    if failure.exit() == Exit::NotFound
        && text.starts_with("inv_")
        && text.parse::<InviteSecret>().is_err()
    {
        return failure.hint(
            "The id is not whole or was mistyped: its checksum does not fit. It has 67 characters.",
        );
    }
    failure
}
