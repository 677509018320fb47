//! What a caller is told of an object that is not there, or is there already: one text for each noun.

use guestlist_rules::refusals::Noun;
use http::StatusCode;

use super::ForCaller;

pub(super) fn not_found(noun: Noun) -> ForCaller {
    let title = match noun {
        // The same for one that never was, is over, or was used by somebody else.
        Noun::Invite => {
            "There is no such invite, or it cannot be used any more. Ask whoever invited you for \
             a new one."
        }
        Noun::AccessKey => "There is no such access key, or the caller may not know of it.",
        Noun::AccessRecord => "There is no such access record, or the caller may not know of it.",
        Noun::AccessRequest => "There is no such access request, or the caller may not know of it.",
        Noun::Account => "There is no such account, or the caller may not know of it.",
        Noun::Client => "There is no such service client, or the caller may not know of it.",
        Noun::Connection => "There is no such connection, or the caller may not know of it.",
        Noun::Application => "There is no such application, or the caller may not know of it.",
        Noun::Extension => "There is no such extension, or the caller may not know of it.",
        Noun::Group => "There is no such group, or the caller may not know of it.",
        Noun::Resource => "The user has no access to this resource.",
        Noun::ResourceConfiguration => {
            "Nothing is configured on this resource, or the caller may not know of it."
        }
        Noun::Role => "There is no such role, or the caller may not know of it.",
        Noun::Tenant => "There is no such tenant, or the caller may not know of it.",
        Noun::UserToken => "There is no such token, or the caller may not know of it.",
        Noun::Webhook => "There is no such webhook, or the caller may not know of it.",
        Noun::User => "There is no such user, or the caller may not know of them.",
    };
    ForCaller::new(StatusCode::NOT_FOUND, "NotFound", title)
}

pub(super) fn taken(noun: Noun) -> ForCaller {
    let (code, what) = match noun {
        Noun::AccessRecord => ("AccessRecordAlreadyExists", "an access record"),
        Noun::AccessRequest => ("AccessRequestAlreadyExists", "an access request"),
        Noun::Role => ("RoleAlreadyExists", "a role"),
        Noun::Group => ("GroupAlreadyExists", "a group"),
        Noun::AccessKey => ("AccessKeyAlreadyExists", "an access key"),
        Noun::Client => ("ClientAlreadyExists", "a service client"),
        Noun::Account => ("AccountAlreadyExists", "an account"),
        Noun::Invite => ("InviteAlreadyExists", "an invite"),
        Noun::Resource => ("ResourceAlreadyExists", "a resource"),
        Noun::ResourceConfiguration => (
            "ResourceConfigurationAlreadyExists",
            "a configuration of a resource",
        ),
        Noun::Connection => ("ConnectionAlreadyExists", "a connection"),
        Noun::Application => ("ApplicationAlreadyExists", "an application"),
        Noun::Extension => ("ExtensionAlreadyExists", "an extension"),
        Noun::Tenant => ("TenantAlreadyExists", "a tenant"),
        Noun::UserToken => ("TokenAlreadyExists", "a token"),
        Noun::Webhook => ("WebhookAlreadyExists", "a webhook"),
        Noun::User => ("UserAlreadyExists", "a user"),
    };
    let title = format!("There is {what} with this id. Choose another id, or update that one.");
    ForCaller::new(StatusCode::CONFLICT, code, title)
}
