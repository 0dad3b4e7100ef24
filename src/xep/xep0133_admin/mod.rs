//! Service administration (XEP-0133): what the administrators of the configuration can do from their clients.
//!
//! Each use case is a command of XEP-0050 at any of our domains, for nobody but administrators. What is about users
//! as a whole is about those of the domain that was asked. Messages of the day and welcomes are stored in table
//! `announcements`, one of each for a domain.
//!
//! Left out: black and white lists, active and idle users (nobody tells them apart here), and the list of
//! administrators, which is the configuration's.

mod accounts;
mod announcements;
mod figures;
mod stop;

use crate::core::command::Command;
use crate::core::module::{Module, Spec};

macro_rules! command {
    ($name:literal, $title:literal, $form:expr, $run:expr) => {
        Command {
            node: concat!("http://jabber.org/protocol/admin#", $name),
            name: $title,
            allowed: |core, asker, _| core.is_admin(asker),
            form: $form,
            run: $run,
        }
    };
}

pub const MODULE: Module = Module {
    name: "admin",
    specs: &[Spec::Xep(133, "1.3.1")],
    commands: &[
        // §4.1 to §4.5
        command!("add-user", "Add a user", Some(accounts::form_to_add), accounts::add),
        command!("delete-user", "Delete users", Some(accounts::form_to_delete), accounts::delete),
        command!("disable-user", "Disable users", Some(accounts::form_to_disable), accounts::disable),
        command!("reenable-user", "Re-enable users", Some(accounts::form_to_reenable), accounts::reenable),
        command!(
            "end-user-session",
            "End sessions",
            Some(accounts::form_to_end_sessions),
            accounts::end_sessions
        ),
        // §4.7 to §4.10
        command!(
            "change-user-password",
            "Change a password",
            Some(accounts::form_to_change),
            accounts::change
        ),
        command!("get-user-roster", "Show rosters", Some(figures::form_for_rosters), figures::rosters),
        command!(
            "get-user-lastlogin",
            "Show last logins",
            Some(figures::form_for_logins),
            figures::last_logins
        ),
        command!("user-stats", "Show a user's figures", Some(figures::form_for_user), figures::user),
        // §4.13 to §4.20
        command!("get-registered-users-num", "Count registered users", None, figures::count_registered),
        command!("get-disabled-users-num", "Count disabled users", None, figures::count_disabled),
        command!("get-online-users-num", "Count online users", None, figures::count_online),
        command!(
            "get-registered-users-list",
            "List users",
            Some(figures::form_for_list),
            figures::list_registered
        ),
        command!(
            "get-disabled-users-list",
            "List disabled users",
            Some(figures::form_for_list),
            figures::list_disabled
        ),
        command!(
            "get-online-users-list",
            "List online users",
            Some(figures::form_for_list),
            figures::list_online
        ),
        // §4.23 to §4.28
        command!("announce", "Announce to online users", Some(announcements::form), announcements::announce),
        command!(
            "set-motd",
            "Set the message of the day",
            Some(announcements::form_for_motd),
            announcements::set_motd
        ),
        command!(
            "edit-motd",
            "Edit the message of the day",
            Some(announcements::form_with_motd),
            announcements::edit_motd
        ),
        command!("delete-motd", "Delete the message of the day", None, announcements::delete_motd),
        command!(
            "set-welcome",
            "Set the welcome",
            Some(announcements::form_with_welcome),
            announcements::set_welcome
        ),
        command!("delete-welcome", "Delete the welcome", None, announcements::delete_welcome),
        // §4.30, §4.31
        command!("restart", "Restart the server", Some(stop::form_to_restart), stop::restart),
        command!("shutdown", "Shut the server down", Some(stop::form_to_shut_down), stop::shut_down),
    ],
    available: Some(announcements::greet),
    ..Module::NONE
};
