//! XEP-0050: ad-hoc commands, by the example of the administrators'.

use crate::client::Client;
use crate::world::{World, show};
use stube::xml::Element;

const COMMANDS: &str = "http://jabber.org/protocol/commands";
const ANNOUNCE: &str = "http://jabber.org/protocol/admin#announce";
const COUNT: &str = "http://jabber.org/protocol/admin#get-registered-users-num";

fn world() -> World {
    World::with(|config| config.admins = vec!["bard@example.org".into()])
}

fn command(node: &str, attributes: &str, payload: &str) -> String {
    format!(
        "<iq type='set' to='example.org' id='exec'>\
         <command xmlns='{COMMANDS}' node='{node}' {attributes}>{payload}</command></iq>"
    )
}

fn submit(text: &str) -> String {
    format!(
        "<x xmlns='jabber:x:data' type='submit'><field var='announcement'><value>{text}</value></field></x>"
    )
}

/// Begins a command and gives the name of its session.
#[track_caller]
fn begin(world: &mut World, client: Client, node: &str) -> String {
    let stage = executed(&world.expect_result(client, &command(node, "action='execute'", "")));
    assert_eq!(stage.get_attr("status"), Some("executing"));
    stage.get_attr("sessionid").expect("a session").to_owned()
}

fn executed(answer: &Element) -> Element {
    answer.find("command", COMMANDS).expect("a command").clone()
}

/// The request is refused with this condition, and this one of §4.4.
#[track_caller]
fn expect_refused(world: &mut World, client: Client, request: &str, condition: &str, specific: &str) {
    world.expect_error(client, request, condition);
    let answer = world.ask(client, request);
    let error = answer.find("error", "jabber:client").expect("an error");
    assert!(error.find(specific, COMMANDS).is_some(), "{}", show(&answer));
}

fn items(node: &str) -> String {
    format!(
        "<iq type='get' id='items' to='example.org'>\
         <query xmlns='http://jabber.org/protocol/disco#items' node='{node}'/></iq>"
    )
}

fn info(node: &str) -> String {
    items(node).replace("disco#items", "disco#info")
}

// §2.1
#[test]
fn the_server_says_that_it_knows_commands() {
    let mut world = world();
    let romeo = world.login("romeo", "orchard");
    let about = world.expect_result(romeo, &info("").replace(" node=''", ""));
    assert!(show(&about).contains(&format!("<feature var='{COMMANDS}'/>")));
}

// §2.2
#[test]
fn commands_are_listed_to_those_who_may_execute_them() {
    let mut world = world();
    let (bard, romeo) = (world.login("bard", "globe"), world.login("romeo", "orchard"));
    let listed = world.expect_result(bard, &items(COMMANDS));
    let query = listed.find("query", "http://jabber.org/protocol/disco#items").expect("a query");
    assert!(query.children().any(|item| item.get_attr("node") == Some(ANNOUNCE)));
    assert!(query.children().all(|item| item.get_attr("jid") == Some("example.org")));
    assert!(query.children().all(|item| item.get_attr("name").is_some()));
    world.send(romeo, &items(COMMANDS));
    world.expect(
        romeo,
        &format!(
            "<iq type='result' id='items' from='example.org' to='romeo@example.org/orchard'>\
             <query xmlns='http://jabber.org/protocol/disco#items' node='{COMMANDS}'/></iq>"
        ),
    );
    let list = show(&world.expect_result(romeo, &info(COMMANDS)));
    assert!(list.contains("category='automation' type='command-list'"), "{list}");
}

// §2.2: "If the command is not available to the requester, the responder SHOULD respond with a 403 "Forbidden" error."
#[test]
fn a_command_says_what_it_is_to_those_who_may_execute_it() {
    let mut world = world();
    let (bard, romeo) = (world.login("bard", "globe"), world.login("romeo", "orchard"));
    world.send(bard, &info(ANNOUNCE));
    world.expect(
        bard,
        &format!(
            "<iq type='result' id='items' from='example.org' to='bard@example.org/globe'>\
             <query xmlns='http://jabber.org/protocol/disco#info' node='{ANNOUNCE}'>\
             <identity category='automation' type='command-node' name='*'/>\
             <feature var='{COMMANDS}'/><feature var='jabber:x:data'/></query></iq>"
        ),
    );
    world.expect_result(bard, &items(ANNOUNCE));
    world.expect_error(romeo, &info(ANNOUNCE), "forbidden");
    world.expect_error(romeo, &items(ANNOUNCE), "forbidden");
    world.expect_error(bard, &info("http://jabber.org/protocol/admin#sing"), "item-not-found");
}

// §2.4.1
#[test]
fn a_command_without_form_is_done_at_once() {
    let mut world = world();
    let bard = world.login("bard", "globe");
    for action in ["", "action='execute'"] {
        let done = executed(&world.expect_result(bard, &command(COUNT, action, "")));
        assert_eq!(done.get_attr("status"), Some("completed"));
        assert_eq!(done.get_attr("node"), Some(COUNT));
        assert!(done.get_attr("sessionid").is_some_and(|id| !id.is_empty()));
        assert_eq!(done.get_attr("xml:lang"), Some("en"), "§3.7");
    }
}

// §2.4.2, §3.4: the only action is to complete it, which "execute" means here.
#[test]
fn a_command_with_form_has_one_stage() {
    let mut world = world();
    let bard = world.login("bard", "globe");
    for action in ["", "action='execute'", "action='complete'"] {
        world.send(bard, &command(ANNOUNCE, "", ""));
        let stage = executed(&world.receive(bard));
        let actions = stage.find("actions", COMMANDS).expect("actions");
        assert_eq!(actions.get_attr("execute"), Some("complete"));
        let allowed: Vec<_> = actions.children().map(|action| action.name.as_str()).collect();
        assert_eq!(allowed, ["complete"]);
        let id = stage.get_attr("sessionid").expect("a session");
        let request = command(ANNOUNCE, &format!("sessionid='{id}' {action}"), &submit("Hear!"));
        let done = executed(&world.expect_result(bard, &request));
        assert_eq!((done.get_attr("status"), done.get_attr("sessionid")), (Some("completed"), Some(id)));
        world.clear(bard);
    }
}

// §2.4.3
#[test]
fn a_command_can_be_canceled_and_is_over_then() {
    let mut world = world();
    let bard = world.login("bard", "globe");
    let id = begin(&mut world, bard, ANNOUNCE);
    let cancel = command(ANNOUNCE, &format!("sessionid='{id}' action='cancel'"), "");
    let canceled = executed(&world.expect_result(bard, &cancel));
    assert_eq!(canceled.get_attr("status"), Some("canceled"));
    let late = command(ANNOUNCE, &format!("sessionid='{id}'"), &submit("Hear!"));
    expect_refused(&mut world, bard, &late, "not-allowed", "session-expired");
}

#[test]
fn what_is_done_is_not_done_again() {
    let mut world = world();
    let bard = world.login("bard", "globe");
    let id = begin(&mut world, bard, ANNOUNCE);
    let request = command(ANNOUNCE, &format!("sessionid='{id}'"), &submit("Hear!"));
    world.expect_result(bard, &request);
    expect_refused(&mut world, bard, &request, "not-allowed", "session-expired");
}

#[test]
fn a_form_can_be_filled_in_for_half_an_hour() {
    let mut world = world();
    let bard = world.login("bard", "globe");
    let id = begin(&mut world, bard, ANNOUNCE);
    let request = command(ANNOUNCE, &format!("sessionid='{id}'"), &submit("Hear!"));
    for _ in 0..29 {
        world.advance(60_000);
        world.send(bard, " ");
    }
    let other = begin(&mut world, bard, ANNOUNCE);
    world.advance(60_000);
    expect_refused(&mut world, bard, &request, "not-allowed", "session-expired");
    world.expect_result(bard, &request.replace(&id, &other));
}

// §4.4
#[test]
fn actions_that_are_unknown_or_lead_nowhere_are_refused() {
    let mut world = world();
    let bard = world.login("bard", "globe");
    let sing = command(ANNOUNCE, "action='sing'", "");
    expect_refused(&mut world, bard, &sing, "bad-request", "malformed-action");
    let id = begin(&mut world, bard, ANNOUNCE);
    for action in ["prev", "next"] {
        let request = command(ANNOUNCE, &format!("sessionid='{id}' action='{action}'"), &submit("Hear!"));
        expect_refused(&mut world, bard, &request, "bad-request", "bad-action");
    }
    for action in ["prev", "next", "complete", "cancel"] {
        let request = command(ANNOUNCE, &format!("action='{action}'"), "");
        expect_refused(&mut world, bard, &request, "bad-request", "bad-action");
    }
    // None of this has ended it.
    world.expect_result(bard, &command(ANNOUNCE, &format!("sessionid='{id}'"), &submit("Hear!")));
}

#[test]
fn a_form_that_is_missing_or_wrong_can_be_sent_again() {
    let mut world = world();
    let bard = world.login("bard", "globe");
    let id = begin(&mut world, bard, ANNOUNCE);
    let session = format!("sessionid='{id}'");
    for payload in ["", "<x xmlns='jabber:x:data' type='submit'/>", &submit("")] {
        let request = command(ANNOUNCE, &session, payload);
        expect_refused(&mut world, bard, &request, "bad-request", "bad-payload");
    }
    let other_type = submit("Hear!")
        .replace("<field", "<field var='FORM_TYPE'><value>jabber:iq:register</value></field><field");
    let request = command(ANNOUNCE, &session, &other_type);
    expect_refused(&mut world, bard, &request, "bad-request", "bad-payload");
    // §3.5.1: "Responders SHOULD consider any <x type='cancel'/> to be <x type='submit'/>."
    let submitted = submit("Hear!").replace("type='submit'", "type='cancel'");
    world.expect_result(bard, &command(ANNOUNCE, &session, &submitted));
}

// §3.3: a session is "valid only between one requester/responder pair", and for one command.
#[test]
fn nobody_else_goes_on_with_a_command() {
    let mut world = World::with(|config| {
        config.admins = vec!["bard@example.org".into(), "will@example.org".into()];
        config.domains.push("example.net".into());
    });
    let (bard, will) = (world.login("bard", "globe"), world.login("will", "home"));
    let second = world.login("bard", "second");
    let id = begin(&mut world, bard, ANNOUNCE);
    let request = command(ANNOUNCE, &format!("sessionid='{id}'"), &submit("Hear!"));
    for other in [will, second] {
        expect_refused(&mut world, other, &request, "bad-request", "bad-sessionid");
    }
    for wrong in [
        request.replace(&id, "made up"),
        request.replace(&id, ""),
        request.replace(ANNOUNCE, "http://jabber.org/protocol/admin#set-motd"),
        request.replace("example.org", "example.net"),
    ] {
        expect_refused(&mut world, bard, &wrong, "bad-request", "bad-sessionid");
    }
    world.expect_result(bard, &request);
}

#[test]
fn one_user_keeps_so_many_forms_open_and_the_oldest_gives_way() {
    let mut world = World::with(|config| {
        config.admins = vec!["bard@example.org".into(), "will@example.org".into()];
    });
    let (bard, will) = (world.login("bard", "globe"), world.login("will", "home"));
    let wills = begin(&mut world, will, ANNOUNCE);
    let ids: Vec<String> = (0..21).map(|_| begin(&mut world, bard, ANNOUNCE)).collect();
    let go_on = |id: &str| command(ANNOUNCE, &format!("sessionid='{id}'"), &submit("Hear!"));
    expect_refused(&mut world, bard, &go_on(&ids[0]), "bad-request", "bad-sessionid");
    world.expect_result(bard, &go_on(&ids[1]));
    world.expect_result(will, &go_on(&wills));
}

#[test]
fn the_names_of_sessions_are_unguessable() {
    let mut world = world();
    let bard = world.login("bard", "globe");
    let (one, other) = (begin(&mut world, bard, ANNOUNCE), begin(&mut world, bard, ANNOUNCE));
    assert!(one.len() >= 22 && other.len() >= 22, "128 bits and more");
    assert_ne!(one[..8], other[..8]);
}

// §4.4, and XEP-0133 §5
#[test]
fn what_may_not_be_executed_is_forbidden_and_what_is_not_there_not_found() {
    let mut world = world();
    let (bard, romeo) = (world.login("bard", "globe"), world.login("romeo", "orchard"));
    world.expect_error(romeo, &command(ANNOUNCE, "", ""), "forbidden");
    world.expect_error(romeo, &command(COUNT, "", ""), "forbidden");
    world.expect_error(bard, &command("http://jabber.org/protocol/admin#sing", "", ""), "item-not-found");
    world.expect_error(bard, &command(COUNT, "", "").replace("'set'", "'get'"), "bad-request");
    world.expect_error(bard, &command(COUNT, "", "").replace(&format!("node='{COUNT}'"), ""), "bad-request");
    // Accounts have no commands.
    let to_account = command(COUNT, "", "").replace("'example.org'", "'bard@example.org'");
    world.expect_error(bard, &to_account, "service-unavailable");
}

#[test]
fn whoever_is_no_administrator_any_more_cannot_go_on() {
    let mut world = world();
    let bard = world.login("bard", "globe");
    let id = begin(&mut world, bard, ANNOUNCE);
    let mut config = (*world.core.config).clone();
    config.admins.clear();
    world.handle(stube::core::Event::Reload(Box::new(config)));
    let request = command(ANNOUNCE, &format!("sessionid='{id}'"), &submit("Hear!"));
    world.expect_error(bard, &request, "forbidden");
}

// §3.7: English is better than nothing.
#[test]
fn another_language_is_no_reason_to_refuse() {
    let mut world = world();
    let bard = world.login("bard", "globe");
    let french = command(COUNT, "", "").replace("<iq ", "<iq xml:lang='fr-ca' ");
    let done = executed(&world.expect_result(bard, &french));
    assert_eq!(done.get_attr("xml:lang"), Some("en"));
}
