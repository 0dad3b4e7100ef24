//! XEP-0133: service administration.

use crate::client::Client;
use crate::world::{World, condition_of, show};
use stube::jid::Jid;
use stube::xml::Element;

const ADMIN: &str = "http://jabber.org/protocol/admin";
const COMMANDS: &str = "http://jabber.org/protocol/commands";

/// A server with an administrator, and her session.
fn world() -> (World, Client) {
    let mut world = World::with(|config| config.admins = vec!["bard@example.org".into()]);
    let bard = world.online("bard", "globe");
    (world, bard)
}

fn request(name: &str, session: &str, payload: &str) -> String {
    format!(
        "<iq type='set' to='example.org' id='{name}'>\
         <command xmlns='{COMMANDS}' node='{ADMIN}#{name}'{session}>{payload}</command></iq>"
    )
}

/// The form that a command begins with.
#[track_caller]
fn form(world: &mut World, admin: Client, name: &str) -> (String, Element) {
    let answer = world.expect_result(admin, &request(name, "", ""));
    let command = answer.find("command", COMMANDS).expect("a command");
    assert_eq!(command.get_attr("status"), Some("executing"), "{}", show(&answer));
    let form = command.find("x", "jabber:x:data").expect("a form").clone();
    assert_eq!(form.get_attr("type"), Some("form"));
    assert_eq!(values(&form, "FORM_TYPE"), [ADMIN]);
    (command.get_attr("sessionid").expect("a session").to_owned(), form)
}

/// Executes a command with these answers and gives what comes of it.
#[track_caller]
fn submit(world: &mut World, admin: Client, name: &str, fields: &[(&str, &[&str])]) -> Element {
    let session = form(world, admin, name).0;
    let written = fields.iter().map(|(var, values)| {
        let values: String = values.iter().map(|value| format!("<value>{value}</value>")).collect();
        format!("<field var='{var}'>{values}</field>")
    });
    let fields: String = written.collect();
    let payload = format!(
        "<x xmlns='jabber:x:data' type='submit'><field var='FORM_TYPE'><value>{ADMIN}</value></field>{fields}</x>"
    );
    world.ask(admin, &request(name, &format!(" sessionid='{session}'"), &payload))
}

/// The command must succeed; its form, if it tells something.
#[track_caller]
fn completed(answer: &Element) -> Option<Element> {
    let command = answer.find("command", COMMANDS).unwrap_or_else(|| panic!("{}", show(answer)));
    assert_eq!(command.get_attr("status"), Some("completed"), "{}", show(answer));
    command.find("x", "jabber:x:data").cloned()
}

#[track_caller]
fn succeed(world: &mut World, admin: Client, name: &str, fields: &[(&str, &[&str])]) -> Option<Element> {
    completed(&submit(world, admin, name, fields))
}

#[track_caller]
fn fail(world: &mut World, admin: Client, name: &str, fields: &[(&str, &[&str])], condition: &str) {
    let answer = submit(world, admin, name, fields);
    assert_eq!(condition_of(&answer).as_deref(), Some(condition), "{}", show(&answer));
}

/// A command without form.
#[track_caller]
fn at_once(world: &mut World, admin: Client, name: &str) -> Option<Element> {
    completed(&world.expect_result(admin, &request(name, "", "")))
}

fn field<'a>(form: &'a Element, var: &str) -> &'a Element {
    let found = form.children().find(|field| field.get_attr("var") == Some(var));
    found.unwrap_or_else(|| panic!("no {var} in {}", show(form)))
}

fn values(form: &Element, var: &str) -> Vec<String> {
    field(form, var).children().filter(|child| child.name == "value").map(Element::text_content).collect()
}

fn exists(world: &mut World, address: &str) -> bool {
    world.core.account_exists(&Jid::parse(address).expect("an address"))
}

/// The condition that a login with this password fails with; `None`: it doesn't.
fn login_failure(world: &mut World, name: &str, password: &str) -> Option<String> {
    let client = world.connect_tls();
    world.open_stream(client);
    world.plain(client, name, password);
    let answer = world.receive(client);
    world.cut(client);
    answer.children().next().map(|condition| condition.name.clone())
}

/// The bodies of the messages that have come.
fn bodies(world: &mut World, client: Client) -> Vec<String> {
    let messages = world.drain(client).into_iter().filter(|stanza| stanza.name == "message");
    messages.filter_map(|message| Some(message.find("body", "jabber:client")?.text_content())).collect()
}

const JULIET: &[(&str, &[&str])] = &[("accountjids", &["juliet@example.org"])];

// §3 "A server or component MUST advertise any administrative commands it supports via Service Discovery"
#[test]
fn every_command_is_listed_to_administrators() {
    let (mut world, bard) = world();
    let list = world.expect_result(
        bard,
        &format!(
            "<iq type='get' id='i' to='example.org'>\
             <query xmlns='http://jabber.org/protocol/disco#items' node='{COMMANDS}'/></iq>"
        ),
    );
    let query = list.find("query", "http://jabber.org/protocol/disco#items").expect("a query");
    let nodes: Vec<&str> = query.children().filter_map(|item| item.get_attr("node")).collect();
    for name in [
        "add-user",
        "delete-user",
        "disable-user",
        "reenable-user",
        "end-user-session",
        "change-user-password",
        "get-user-roster",
        "get-user-lastlogin",
        "user-stats",
        "get-registered-users-num",
        "get-disabled-users-num",
        "get-online-users-num",
        "get-registered-users-list",
        "get-disabled-users-list",
        "get-online-users-list",
        "announce",
        "set-motd",
        "edit-motd",
        "delete-motd",
        "set-welcome",
        "delete-welcome",
        "restart",
        "shutdown",
    ] {
        assert!(nodes.contains(&format!("{ADMIN}#{name}").as_str()), "{name} is not in {nodes:?}");
    }
    assert_eq!(nodes.len(), 23, "a command that no test knows: {nodes:?}");
}

// §6 "The ability to complete the administrative tasks specified herein MUST NOT be granted to users who lack
// service-level administrative privileges."
#[test]
fn nobody_else_executes_any_of_them() {
    let (mut world, _) = world();
    let romeo = world.login("romeo", "orchard");
    let nodes: Vec<_> = stube::xep::ALL.iter().flat_map(|module| module.commands).map(|c| c.node).collect();
    for name in nodes.iter().filter_map(|node| node.strip_prefix("http://jabber.org/protocol/admin#")) {
        world.expect_error(romeo, &request(name, "", ""), "forbidden");
    }
}

// §4.1 "Adding a user MUST result in the creation of an account"
#[test]
fn an_account_is_added() {
    let (mut world, bard) = world();
    let (_, asked) = form(&mut world, bard, "add-user");
    assert_eq!(field(&asked, "accountjid").get_attr("type"), Some("jid-single"));
    assert_eq!(field(&asked, "password").get_attr("type"), Some("text-private"));
    assert_eq!(field(&asked, "password-verify").get_attr("type"), Some("text-private"));
    let fields: &[(&str, &[&str])] = &[
        ("accountjid", &["juliet@example.org"]),
        ("password", &["R0m30"]),
        ("password-verify", &["R0m30"]),
        ("email", &["juliet@capulet.com"]),
    ];
    world.hold_commits();
    let session = form(&mut world, bard, "add-user").0;
    let payload: String = fields
        .iter()
        .map(|(var, values)| format!("<field var='{var}'><value>{}</value></field>", values[0]))
        .collect();
    let payload = format!("<x xmlns='jabber:x:data' type='submit'>{payload}</x>");
    world.send(bard, &request("add-user", &format!(" sessionid='{session}'"), &payload));
    world.expect_nothing(bard);
    world.commit();
    completed(&world.answer(bard, "add-user").expect("an answer"));
    assert_eq!(login_failure(&mut world, "juliet", "R0m30"), None);
    fail(&mut world, bard, "add-user", fields, "conflict");
}

#[test]
fn an_account_needs_an_address_of_ours_and_a_password_typed_twice() {
    let (mut world, bard) = world();
    let add = |jid: &'static str, password: &'static str, again: &'static str| {
        vec![("accountjid", vec![jid]), ("password", vec![password]), ("password-verify", vec![again])]
    };
    for (fields, condition) in [
        (add("juliet@example.org", "one", "two"), "not-acceptable"),
        (add("juliet@example.net", "one", "one"), "not-acceptable"),
        (add("example.org", "one", "one"), "not-acceptable"),
        (add("juliet@example.org/balcony", "one", "one"), "not-acceptable"),
        (add("juliet@example.org", "&#x7f;", "&#x7f;"), "not-acceptable"),
        (add("@example.org", "one", "one"), "bad-request"),
        (add("juliet@example.org", "", ""), "bad-request"),
    ] {
        let fields: Vec<(&str, &[&str])> = fields.iter().map(|(var, values)| (*var, &values[..])).collect();
        fail(&mut world, bard, "add-user", &fields, condition);
    }
    assert!(!exists(&mut world, "juliet@example.org"));
}

// §4.2 "An administrator may need to permanently delete a user account."
#[test]
fn accounts_are_deleted_with_their_sessions() {
    let (mut world, bard) = world();
    let juliet = world.online("juliet", "balcony");
    world.account("romeo");
    let both: &[(&str, &[&str])] = &[("accountjids", &["juliet@example.org", "romeo@example.org"])];
    succeed(&mut world, bard, "delete-user", both);
    world.expect_stream_error(juliet, "not-authorized");
    assert!(!exists(&mut world, "juliet@example.org") && !exists(&mut world, "romeo@example.org"));
}

#[test]
fn several_accounts_are_treated_all_or_none() {
    let (mut world, bard) = world();
    world.account("juliet");
    let with_nobody: &[(&str, &[&str])] = &[("accountjids", &["juliet@example.org", "nobody@example.org"])];
    for name in ["delete-user", "disable-user", "reenable-user", "get-user-roster", "get-user-lastlogin"] {
        fail(&mut world, bard, name, with_nobody, "item-not-found");
    }
    fail(&mut world, bard, "end-user-session", with_nobody, "item-not-found");
    let elsewhere: &[(&str, &[&str])] = &[("accountjids", &["juliet@example.net"])];
    fail(&mut world, bard, "delete-user", elsewhere, "not-acceptable");
    assert!(exists(&mut world, "juliet@example.org"));
    assert_eq!(login_failure(&mut world, "juliet", "juliet's password"), None);
}

#[test]
fn an_administrator_deletes_and_disables_others_only() {
    let (mut world, bard) = world();
    let own: &[(&str, &[&str])] = &[("accountjids", &["bard@example.org"])];
    fail(&mut world, bard, "delete-user", own, "not-allowed");
    fail(&mut world, bard, "disable-user", own, "not-allowed");
    assert!(exists(&mut world, "bard@example.org"));
}

// §4.3 "Disabling a user MUST result in the termination of any active sessions for the user and in the prevention of
// further user logins until the account is re-enabled", "MUST NOT result in the destruction of any
// implementation-specific data for the account"
// §4.4 "Re-enabling a user MUST result in granting the user the ability to access the service again."
#[test]
fn a_disabled_account_cannot_log_in_and_keeps_what_it_has() {
    let (mut world, bard) = world();
    world.friends("juliet", "romeo");
    let juliet = world.online("juliet", "balcony");
    succeed(&mut world, bard, "disable-user", JULIET);
    world.expect_stream_error(juliet, "not-authorized");
    let refused = login_failure(&mut world, "juliet", "juliet's password");
    assert_eq!(refused.as_deref(), Some("account-disabled"));
    world.restart();
    let bard = world.login("bard", "globe");
    assert!(login_failure(&mut world, "juliet", "juliet's password").is_some());
    succeed(&mut world, bard, "reenable-user", JULIET);
    let juliet = world.login("juliet", "balcony");
    let roster = world.expect_result(juliet, "<iq type='get' id='r'><query xmlns='jabber:iq:roster'/></iq>");
    assert!(show(&roster).contains("romeo@example.org"));
}

// §4.5 "If the JID is of the form <user@host>, the service MUST end all of the user's sessions"
#[test]
fn all_sessions_of_a_user_are_ended_and_new_ones_may_begin() {
    let (mut world, bard) = world();
    let (balcony, chamber) = (world.login("juliet", "balcony"), world.login("juliet", "chamber"));
    succeed(&mut world, bard, "end-user-session", JULIET);
    world.expect_stream_error(balcony, "policy-violation");
    world.expect_stream_error(chamber, "policy-violation");
    assert_eq!(login_failure(&mut world, "juliet", "juliet's password"), None);
}

// §4.5 "if the JID is of the form <user@host/resource>, the service MUST end only the session associated with that
// resource"
#[test]
fn one_session_of_a_user_is_ended() {
    let (mut world, bard) = world();
    let (balcony, chamber) = (world.login("juliet", "balcony"), world.login("juliet", "chamber"));
    succeed(&mut world, bard, "end-user-session", &[("accountjids", &["juliet@example.org/balcony"])]);
    world.expect_stream_error(balcony, "policy-violation");
    assert!(!world.is_closed(chamber));
}

#[test]
fn an_administrator_who_ends_the_own_session_still_gets_the_answer() {
    let (mut world, bard) = world();
    let answer = submit(&mut world, bard, "end-user-session", &[("accountjids", &["bard@example.org"])]);
    completed(&answer);
    world.expect_stream_error(bard, "policy-violation");
}

// §4.7
#[test]
fn a_users_password_is_changed_and_the_old_sessions_end() {
    let (mut world, bard) = world();
    let juliet = world.login("juliet", "balcony");
    let fields: &[(&str, &[&str])] = &[("accountjid", &["juliet@example.org"]), ("password", &["V3r0n4"])];
    succeed(&mut world, bard, "change-user-password", fields);
    world.expect_stream_error(juliet, "not-authorized");
    assert_eq!(login_failure(&mut world, "juliet", "V3r0n4"), None);
    assert!(login_failure(&mut world, "juliet", "juliet's password").is_some());
    let nobody: &[(&str, &[&str])] = &[("accountjid", &["nobody@example.org"]), ("password", &["V3r0n4"])];
    fail(&mut world, bard, "change-user-password", nobody, "item-not-found");
    let own: &[(&str, &[&str])] = &[("accountjid", &["bard@example.org"]), ("password", &["V3r0n4"])];
    succeed(&mut world, bard, "change-user-password", own);
    assert!(!world.is_closed(bard));
}

// §4.8
#[test]
fn a_users_roster_is_shown_as_rosters_are() {
    let (mut world, bard) = world();
    world.friends("juliet", "romeo");
    let form = succeed(&mut world, bard, "get-user-roster", JULIET).expect("a form");
    assert_eq!(values(&form, "accountjids"), ["juliet@example.org"]);
    let roster = form.find("query", "jabber:iq:roster").expect("a roster");
    let item = roster.children().next().expect("a contact");
    assert_eq!(
        (item.get_attr("jid"), item.get_attr("subscription")),
        (Some("romeo@example.org"), Some("both"))
    );
}

// §4.9
#[test]
fn a_users_last_login_is_a_time_or_never() {
    let (mut world, bard) = world();
    world.account("nurse");
    let juliet = world.login("juliet", "balcony");
    world.advance(5_000);
    let last = |world: &mut World, jid: &str| {
        let fields: &[(&str, &[&str])] = &[("accountjids", &[jid])];
        let form = succeed(world, bard, "get-user-lastlogin", fields).expect("a form");
        assert_eq!(values(&form, "accountjids"), [jid]);
        values(&form, "lastlogin")
    };
    assert_eq!(last(&mut world, "juliet@example.org"), ["2026-11-22T13:11:11.000Z"]);
    world.cut(juliet);
    assert_eq!(last(&mut world, "juliet@example.org"), ["2026-11-22T13:11:11.000Z"]);
    assert_eq!(last(&mut world, "nurse@example.org"), ["never"]);
}

// §4.10
#[test]
fn a_users_figures_are_contacts_and_resources() {
    let (mut world, bard) = world();
    world.friends("juliet", "romeo");
    world.login("juliet", "balcony");
    let form =
        succeed(&mut world, bard, "user-stats", &[("accountjid", &["juliet@example.org"])]).expect("a form");
    assert_eq!(values(&form, "rostersize"), ["1"]);
    assert_eq!(values(&form, "onlineresources"), ["balcony"]);
    fail(&mut world, bard, "user-stats", &[("accountjid", &["nobody@example.org"])], "item-not-found");
}

// §4.13, §4.14, §4.15 "any user or account that currently has at least one connected or available resource"
#[test]
fn users_are_counted() {
    let (mut world, bard) = world();
    world.account("nurse");
    world.login("juliet", "balcony");
    world.login("juliet", "chamber");
    world.account("romeo");
    world.disable("romeo", true);
    for (name, var, number) in [
        ("get-registered-users-num", "registeredusersnum", "4"),
        ("get-disabled-users-num", "disabledusersnum", "1"),
        ("get-online-users-num", "onlineusersnum", "2"),
    ] {
        let form = at_once(&mut world, bard, name).expect("a form");
        assert_eq!(values(&form, var), [number]);
    }
}

#[test]
fn a_domain_counts_its_own_users() {
    let mut world = World::with(|config| {
        config.admins = vec!["bard@example.org".into()];
        config.domains.push("example.net".into());
    });
    let bard = world.login("bard", "globe");
    let count = request("get-registered-users-num", "", "").replace("to='example.org'", "to='example.net'");
    let form = completed(&world.expect_result(bard, &count)).expect("a form");
    assert_eq!(values(&form, "registeredusersnum"), ["0"]);
}

// §4.18, §4.19, §4.20
#[test]
fn users_are_listed_as_many_as_are_wanted() {
    let (mut world, bard) = world();
    for n in 10..40 {
        world.account(&format!("user{n}"));
    }
    world.disable("user15", true);
    let all = succeed(&mut world, bard, "get-registered-users-list", &[("max_items", &["none"])]);
    let all = values(&all.expect("a form"), "registereduserjids");
    assert_eq!(
        (all.len(), all[0].as_str(), all[30].as_str()),
        (31, "bard@example.org", "user39@example.org")
    );
    let some = succeed(&mut world, bard, "get-registered-users-list", &[("max_items", &["25"])]);
    assert_eq!(values(&some.expect("a form"), "registereduserjids"), all[..25]);
    let disabled = succeed(&mut world, bard, "get-disabled-users-list", &[]);
    assert_eq!(values(&disabled.expect("a form"), "disableduserjids"), ["user15@example.org"]);
    let online = succeed(&mut world, bard, "get-online-users-list", &[]);
    assert_eq!(values(&online.expect("a form"), "onlineuserjids"), ["bard@example.org"]);
    fail(&mut world, bard, "get-online-users-list", &[("max_items", &["26"])], "bad-request");
}

// §4.23 "The message shall be sent only to users who currently have a "session" with the service."
#[test]
fn an_announcement_reaches_those_who_are_there() {
    let (mut world, bard) = world();
    world.account("nurse");
    let (available, connected) = (world.online("juliet", "balcony"), world.login("romeo", "orchard"));
    succeed(&mut world, bard, "announce", &[("announcement", &["Attention!", "Log off now."])]);
    for client in [available, connected] {
        assert_eq!(bodies(&mut world, client), ["Attention!\nLog off now."]);
    }
    let nurse = world.online("nurse", "chamber");
    assert!(bodies(&mut world, nurse).is_empty());
}

#[test]
fn an_announcement_is_from_the_domain_that_was_asked() {
    let (mut world, bard) = world();
    succeed(&mut world, bard, "announce", &[("announcement", &["Attention!"])]);
    world.expect(
        bard,
        "<message from='example.org' to='bard@example.org/globe'><subject>Announcement</subject>\
         <body>Attention!</body></message>",
    );
}

/// Logs in and becomes available; what is said then.
fn heard_at_login(world: &mut World, name: &str) -> Vec<String> {
    let client = world.login(name, "phone");
    world.send(client, "<presence/>");
    let heard = bodies(world, client);
    world.close(client);
    heard
}

const MOTD: &[(&str, &[&str])] = &[("motd", &["Don't forget:", "tomorrow night!"])];

// §4.24 "a "message of the day" that is delivered to any user who logs in to the server that day"; "sent immediately
// to users who are online when the message is set, or after the next session initiation for other users"; "sent once"
#[test]
fn a_message_of_the_day_reaches_everyone_once() {
    let (mut world, bard) = world();
    world.account("nurse");
    let juliet = world.online("juliet", "balcony");
    world.advance(10_000);
    succeed(&mut world, bard, "set-motd", MOTD);
    let motd = ["Don't forget:\ntomorrow night!"];
    assert_eq!(bodies(&mut world, juliet), motd);
    // Not for another resource, nor later.
    assert!(heard_at_login(&mut world, "juliet").is_empty());
    world.advance(10_000);
    world.send(juliet, "<presence type='unavailable'/><presence/>");
    assert!(bodies(&mut world, juliet).is_empty());
    world.close(juliet);
    assert!(heard_at_login(&mut world, "juliet").is_empty());
    assert_eq!(heard_at_login(&mut world, "nurse"), motd);
    world.advance(10_000);
    assert!(heard_at_login(&mut world, "nurse").is_empty());
    world.restart();
    world.account("romeo");
    assert_eq!(heard_at_login(&mut world, "romeo"), motd);
    assert!(heard_at_login(&mut world, "nurse").is_empty());
}

// §4.25 "SHOULD include the current message of the day if one has already been set"
#[test]
fn an_edited_message_of_the_day_is_shown_to_those_who_have_not_had_it() {
    let (mut world, bard) = world();
    world.account("nurse");
    succeed(&mut world, bard, "set-motd", MOTD);
    world.clear(bard);
    let (_, asked) = form(&mut world, bard, "edit-motd");
    assert_eq!(values(&asked, "motd"), ["Don't forget:", "tomorrow night!"]);
    succeed(&mut world, bard, "edit-motd", &[("motd", &["tonight!"])]);
    assert!(bodies(&mut world, bard).is_empty());
    assert_eq!(heard_at_login(&mut world, "nurse"), ["tonight!"]);
}

#[test]
fn to_edit_a_message_of_the_day_that_is_not_there_is_to_set_it() {
    let (mut world, bard) = world();
    assert!(values(&form(&mut world, bard, "edit-motd").1, "motd").is_empty());
    succeed(&mut world, bard, "edit-motd", MOTD);
    assert_eq!(bodies(&mut world, bard), ["Don't forget:\ntomorrow night!"]);
}

// §4.26
#[test]
fn a_deleted_message_of_the_day_reaches_nobody() {
    let (mut world, bard) = world();
    world.account("nurse");
    succeed(&mut world, bard, "set-motd", MOTD);
    at_once(&mut world, bard, "delete-motd");
    assert!(heard_at_login(&mut world, "nurse").is_empty());
    at_once(&mut world, bard, "delete-motd");
}

// §4.27 "Some existing Jabber servers send an informative "welcome message" to newly registered users of the server
// when they first log in."
#[test]
fn whoever_comes_for_the_first_time_is_welcome() {
    let (mut world, bard) = world();
    let welcome: &[(&str, &[&str])] = &[("welcome", &["Welcome to the Globe!"])];
    succeed(&mut world, bard, "set-welcome", welcome);
    assert_eq!(values(&form(&mut world, bard, "set-welcome").1, "welcome"), ["Welcome to the Globe!"]);
    world.close(bard);
    world.restart();
    world.account("juliet");
    assert_eq!(heard_at_login(&mut world, "juliet"), ["Welcome to the Globe!"]);
    assert!(heard_at_login(&mut world, "juliet").is_empty());
    assert!(heard_at_login(&mut world, "bard").is_empty());
}

// §4.28
#[test]
fn a_deleted_welcome_welcomes_nobody() {
    let (mut world, bard) = world();
    succeed(&mut world, bard, "set-welcome", &[("welcome", &["Welcome!"])]);
    at_once(&mut world, bard, "delete-welcome");
    world.account("juliet");
    assert!(heard_at_login(&mut world, "juliet").is_empty());
}

#[test]
fn each_domain_has_its_own_message_of_the_day() {
    let mut world = World::with(|config| {
        config.admins = vec!["bard@example.org".into()];
        config.domains.push("example.net".into());
    });
    let bard = world.login("bard", "globe");
    let set = |session: &str, payload: &str| {
        request("set-motd", session, payload).replace("to='example.org'", "to='example.net'")
    };
    let stage = world.expect_result(bard, &set("", ""));
    let id =
        stage.find("command", COMMANDS).and_then(|command| command.get_attr("sessionid")).expect("a session");
    let payload = "<x xmlns='jabber:x:data' type='submit'><field var='motd'><value>Hear!</value></field></x>";
    completed(&world.expect_result(bard, &set(&format!(" sessionid='{id}'"), payload)));
    world.account("juliet");
    assert!(heard_at_login(&mut world, "juliet").is_empty());
}

// §4.30, §4.31
#[test]
fn the_server_restarts_or_stops_after_the_delay_and_says_so() {
    for (name, restart) in [("restart", true), ("shutdown", false)] {
        let (mut world, bard) = world();
        let (_, asked) = form(&mut world, bard, name);
        let options = field(&asked, "delay").children().filter(|child| child.name == "option").count();
        assert_eq!(options, 7);
        let fields: &[(&str, &[&str])] = &[("delay", &["120"]), ("announcement", &["In 2 minutes!"])];
        succeed(&mut world, bard, name, fields);
        assert_eq!(bodies(&mut world, bard), ["In 2 minutes!"]);
        assert_eq!(world.core.next_tick(), world.now + 30_000, "the sweep comes first");
        world.advance(119_999);
        assert!(world.stops.is_empty());
        world.advance(1);
        assert_eq!(world.stops, [restart]);
        world.advance(600_000);
        assert_eq!(world.stops, [restart], "once");
    }
}

#[test]
fn without_a_delay_the_server_stops_at_once() {
    let (mut world, bard) = world();
    succeed(&mut world, bard, "shutdown", &[]);
    assert_eq!(world.stops, [false]);
}

#[test]
fn a_second_order_to_stop_replaces_the_first() {
    let (mut world, bard) = world();
    succeed(&mut world, bard, "shutdown", &[("delay", &["30"])]);
    succeed(&mut world, bard, "restart", &[("delay", &["60"])]);
    world.advance(59_999);
    assert!(world.stops.is_empty());
    world.advance(1);
    assert_eq!(world.stops, [true]);
}

#[test]
fn a_delay_must_be_one_of_those_that_are_offered() {
    let (mut world, bard) = world();
    fail(&mut world, bard, "shutdown", &[("delay", &["31"])], "bad-request");
    assert!(world.stops.is_empty());
}

#[test]
fn a_change_that_cannot_be_kept_is_not_made() {
    let (mut world, bard) = world();
    let juliet = world.online("juliet", "balcony");
    world.handle(stube::core::Event::StoreStalled("the disk is full".into()));
    for (name, fields) in [("delete-user", JULIET), ("disable-user", JULIET), ("set-motd", MOTD)] {
        fail(&mut world, bard, name, fields, "resource-constraint");
    }
    assert!(!world.is_closed(juliet));
}

#[test]
fn an_administrator_elsewhere_is_answered_when_it_is_kept() {
    let mut world = World::with(|config| config.admins = vec!["bard@example.net".into()]);
    world.core.federated = true;
    let ask = |world: &mut World, session: &str, payload: &str| {
        let request = request("add-user", session, payload);
        world.from_remote(&request.replace("<iq ", "<iq from='bard@example.net/globe' "));
    };
    ask(&mut world, "", "");
    let stage = world.to_remote().remove(0);
    let command = stage.find("command", COMMANDS).expect("a command");
    let session = format!(" sessionid='{}'", command.get_attr("sessionid").expect("a session"));
    let payload = "<x xmlns='jabber:x:data' type='submit'>\
                   <field var='accountjid'><value>juliet@example.org</value></field>\
                   <field var='password'><value>R0m30</value></field>\
                   <field var='password-verify'><value>R0m30</value></field></x>";
    world.hold_commits();
    ask(&mut world, &session, payload);
    assert!(world.to_remote().is_empty());
    world.commit();
    completed(&world.to_remote().remove(0));
    assert_eq!(login_failure(&mut world, "juliet", "R0m30"), None);
}
