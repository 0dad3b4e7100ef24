//! XEP-0386: a session along with the login.

use stube::config::Limit;
use stube::core::Event;
use stube::xml::Element;

use crate::client::Client;
use crate::sasl2::{LAPTOP, NS, PHONE, failure, identity, log_in, plain, stream, tls};
use crate::world::{World, show};

const BIND: &str = "<bind xmlns='urn:xmpp:bind:0'/>";
const ENABLE: &str = "<enable xmlns='urn:xmpp:sm:3' resume='true'/>";
const PING: &str = "<iq type='get' id='ping'><ping xmlns='urn:xmpp:ping'/></iq>";

fn bind(content: &str) -> String {
    format!("<bind xmlns='urn:xmpp:bind:0'>{content}</bind>")
}

fn bound(success: &Element) -> &Element {
    success.find("bound", "urn:xmpp:bind:0").unwrap_or_else(|| panic!("{}", show(success)))
}

fn resource(success: &Element) -> String {
    identity(success).strip_prefix("romeo@example.org/").expect("a full address").to_owned()
}

/// A session of romeo's that counts, and its id.
fn managed(world: &mut World, agent: &str) -> (Client, String) {
    let (client, success) = log_in(world, "romeo", &format!("{agent}{}", bind(ENABLE)));
    let enabled = bound(&success).find("enabled", "urn:xmpp:sm:3").expect("<enabled/>");
    let id = enabled.get_attr("id").expect("an id").to_owned();
    world.clear(client);
    (client, id)
}

fn message(body: &str) -> String {
    format!("<message to='romeo@example.org' type='chat'><body>{body}</body></message>")
}

fn resume(id: &str, h: u32) -> String {
    format!("<resume xmlns='urn:xmpp:sm:3' previd='{id}' h='{h}'/>")
}

// §3.1
#[test]
fn it_is_offered_with_what_a_session_can_begin_with() {
    let mut world = World::new();
    let (_, features) = stream(&mut world, "romeo", tls());
    let inline = features.find("authentication", NS).and_then(|offer| offer.find("inline", NS));
    let offer = inline.and_then(|inline| inline.find("bind", "urn:xmpp:bind:0")).expect("an offer");
    let offer = offer.find("inline", "urn:xmpp:bind:0").expect("inline features");
    let features: Vec<&str> = offer.children().filter_map(|feature| feature.get_attr("var")).collect();
    assert_eq!(features, ["urn:xmpp:carbons:2", "urn:xmpp:csi:0", "urn:xmpp:sm:3"]);
}

// §3.2
#[test]
fn a_session_is_there_with_the_success() {
    let mut world = World::new();
    let (romeo, success) = log_in(&mut world, "romeo", BIND);
    bound(&success);
    let features = world.receive(romeo);
    assert!(features.find("bind", "urn:ietf:params:xml:ns:xmpp-bind").is_none(), "{}", show(&features));
    assert!(features.find("sm", "urn:xmpp:sm:3").is_some(), "{}", show(&features));
    world.expect_result(romeo, PING);
    let juliet = world.online("juliet", "balcony");
    world.send(juliet, &format!("<message to='{}'><body>Romeo?</body></message>", identity(&success)));
    assert_eq!(world.receive(romeo).name, "message");
}

// §3.2.1
#[test]
fn the_tag_stands_before_what_the_server_makes() {
    let mut world = World::new();
    let (_, success) = log_in(&mut world, "romeo", &bind("<tag>Swift</tag>"));
    let resource = resource(&success);
    assert!(resource.starts_with("Swift/") && resource.len() >= "Swift/".len() + 12, "{resource}");
}

#[test]
fn a_tag_that_no_resource_can_have_is_left_out() {
    let mut world = World::new();
    for tag in ["\u{fff9}", &"a".repeat(1020)] {
        let (_, success) = log_in(&mut world, "romeo", &bind(&format!("<tag>{tag}</tag>")));
        assert!(resource(&success).len() < 30, "{}", show(&success));
    }
}

#[test]
fn a_client_gets_the_same_resource_each_time_even_after_a_restart() {
    let mut world = World::new();
    let tagged = |agent: &str| format!("{agent}{}", bind("<tag>Swift</tag>"));
    let phone = resource(&log_in(&mut world, "romeo", &tagged(PHONE)).1);
    assert_eq!(phone, resource(&log_in(&mut world, "romeo", &tagged(PHONE)).1));
    world.restart();
    assert_eq!(phone, resource(&log_in(&mut world, "romeo", &tagged(PHONE)).1));
    assert_ne!(phone, resource(&log_in(&mut world, "romeo", &tagged(LAPTOP)).1));
    assert_ne!(
        phone,
        format!("Swift/{}", resource(&log_in(&mut world, "romeo", &format!("{PHONE}{BIND}")).1))
    );
    let juliet = identity(&log_in(&mut world, "juliet", &tagged(PHONE)).1);
    assert!(!juliet.ends_with(&phone), "{juliet}: nobody can tell that it is the same phone");
    assert!(!phone.contains("d4565fa7"), "{phone}");
}

#[test]
fn who_does_not_say_which_client_it_is_gets_a_new_resource() {
    let mut world = World::new();
    let first = resource(&log_in(&mut world, "romeo", BIND).1);
    assert_ne!(first, resource(&log_in(&mut world, "romeo", BIND).1));
    assert_eq!(world.core.all_sessions().count(), 2);
}

// §3.2
#[test]
fn a_client_that_comes_back_ends_its_own_old_session_and_no_other() {
    let mut world = World::new();
    let (laptop, _) = log_in(&mut world, "romeo", &format!("{LAPTOP}{BIND}"));
    let (juliet, _) = log_in(&mut world, "juliet", &format!("{PHONE}{BIND}"));
    let (old, _) = log_in(&mut world, "romeo", &format!("{PHONE}{BIND}"));
    let (new, _) = log_in(&mut world, "romeo", &format!("{PHONE}{BIND}"));
    world.expect_stream_error(old, "conflict");
    // By another tag it has another address, and still is the same client.
    let (newest, _) = log_in(&mut world, "romeo", &format!("{PHONE}{}", bind("<tag>Swift</tag>")));
    world.expect_stream_error(new, "conflict");
    for there in [laptop, juliet, newest] {
        world.clear(there);
        world.expect_result(there, PING);
    }
}

#[test]
fn a_client_that_binds_in_the_old_way_is_known_too() {
    let mut world = World::new();
    let (old, _) = log_in(&mut world, "romeo", PHONE);
    world.clear(old);
    world.expect_result(
        old,
        "<iq type='set' id='bind'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'><resource>a</resource></bind></iq>",
    );
    log_in(&mut world, "romeo", &format!("{PHONE}{BIND}"));
    world.expect_stream_error(old, "conflict");
}

#[test]
fn what_is_asked_for_twice_is_malformed() {
    for content in ["<tag>a</tag><tag>b</tag>", &format!("{ENABLE}{ENABLE}")] {
        let mut world = World::new();
        world.account("romeo");
        let (client, _) = stream(&mut world, "romeo", tls());
        world.send(client, &plain("romeo", "romeo's password", &bind(content)));
        world.expect(client, &failure("malformed-request"));
        assert_eq!(world.core.all_sessions().count(), 0);
    }
}

#[test]
fn features_that_we_do_not_know_are_passed_over() {
    let mut world = World::new();
    let (_, success) = log_in(&mut world, "romeo", &bind("<enable xmlns='urn:example:x'/><nonsense/>"));
    assert!(bound(&success).find("enabled", "urn:xmpp:sm:3").is_none());
}

// RFC 6120 §7.7.2.3
#[test]
fn without_room_for_a_session_the_login_fails_and_can_be_made_without_one() {
    let mut world = World::with(|config| config.limits.sessions_per_account = Limit::of(1));
    let (first, _) = log_in(&mut world, "romeo", &format!("{PHONE}{BIND}"));
    let (client, _) = stream(&mut world, "romeo", tls());
    world.send(client, &plain("romeo", "romeo's password", &format!("{LAPTOP}{BIND}")));
    world.expect(client, &failure("temporary-auth-failure"));
    world.send(client, &plain("romeo", "romeo's password", LAPTOP));
    assert_eq!(world.receive(client).name, "success");
    world.clear(first);
    world.expect_result(first, PING);
    // The client that has it needs no more room.
    log_in(&mut world, "romeo", &format!("{PHONE}{}", bind("<tag>Swift</tag>")));
}

// --- what a session begins with ---

// XEP-0280 §4
#[test]
fn carbons_are_on_from_the_first_moment() {
    let mut world = World::new();
    let other = world.online("romeo", "orchard");
    let (romeo, _) = log_in(&mut world, "romeo", &bind("<enable xmlns='urn:xmpp:carbons:2'/>"));
    world.clear(romeo);
    world.account("juliet");
    world.send(other, "<message to='juliet@example.org' type='chat'><body>Ay me!</body></message>");
    let copy = world.receive(romeo);
    assert!(copy.find("sent", "urn:xmpp:carbons:2").is_some(), "{}", show(&copy));
}

// XEP-0352
#[test]
fn a_session_begins_as_active_as_it_says() {
    for (state, waits) in [
        ("", false),
        ("<active xmlns='urn:xmpp:csi:0'/>", false),
        ("<inactive xmlns='urn:xmpp:csi:0'/>", true),
    ] {
        let mut world = World::new();
        let (romeo, success) = log_in(&mut world, "romeo", &bind(state));
        let juliet = world.online("juliet", "balcony");
        world.clear(romeo);
        let typing = "<composing xmlns='http://jabber.org/protocol/chatstates'/>";
        world.send(juliet, &format!("<message type='chat' to='{}'>{typing}</message>", identity(&success)));
        assert_eq!(world.try_receive(romeo).is_none(), waits, "{state}");
        world.send(romeo, "<active xmlns='urn:xmpp:csi:0'/>");
        assert_eq!(world.try_receive(romeo).is_some(), waits, "{state}");
    }
}

// XEP-0313 §5: "describing the state of the user's message archive at the precise time of resource binding"
#[test]
fn a_client_is_told_where_its_archive_begins_and_ends() {
    let mut world = World::new();
    let (_, success) = log_in(&mut world, "romeo", BIND);
    let metadata = bound(&success).find("metadata", "urn:xmpp:mam:2").expect("<metadata/>");
    assert_eq!(metadata.children().count(), 0, "it is empty");
    let juliet = world.online("juliet", "balcony");
    world.send(juliet, &message("Romeo?"));
    let (romeo, success) = log_in(&mut world, "romeo", BIND);
    world.clear(romeo);
    let told = bound(&success).find("metadata", "urn:xmpp:mam:2").expect("<metadata/>").clone();
    let asked = world.expect_result(romeo, "<iq type='get' id='a'><metadata xmlns='urn:xmpp:mam:2'/></iq>");
    assert_eq!(asked.find("metadata", "urn:xmpp:mam:2"), Some(&told));
    assert_eq!(told.children().count(), 2);
}

// §3.2: "Clear the offline messages for this user, if any, without sending them (as they will be provided by MAM)"
#[test]
fn what_waited_is_in_the_archive_and_is_not_sent() {
    let mut world = World::new();
    world.account("romeo");
    let juliet = world.online("juliet", "balcony");
    world.send(juliet, &message("Romeo?"));
    let (romeo, _) = log_in(&mut world, "romeo", BIND);
    world.send(romeo, "<presence/>");
    assert!(world.drain(romeo).iter().all(|stanza| stanza.name != "message"));
    let later = world.online_with_everything("romeo", "orchard");
    assert!(later.iter().all(|stanza| stanza.name != "message"), "it waits no longer");
}

#[test]
fn without_an_archive_what_waited_is_sent_as_ever() {
    let mut world = World::with(|config| config.archive.enabled = false);
    world.account("romeo");
    let juliet = world.online("juliet", "balcony");
    world.send(juliet, &message("Romeo?"));
    let (romeo, success) = log_in(&mut world, "romeo", BIND);
    assert!(bound(&success).find("metadata", "urn:xmpp:mam:2").is_none());
    world.send(romeo, "<presence/>");
    assert!(world.drain(romeo).iter().any(|stanza| stanza.name == "message"));
}

// XEP-0198 §9.1
#[test]
fn stanzas_are_counted_from_the_first_one_on() {
    let mut world = World::new();
    let (romeo, success) = log_in(&mut world, "romeo", &bind(ENABLE));
    assert!(bound(&success).find("enabled", "urn:xmpp:sm:3").is_some());
    let features = world.receive(romeo);
    assert!(features.find("sm", "urn:xmpp:sm:3").is_none(), "{}", show(&features));
    world.send(romeo, PING);
    world.clear(romeo);
    world.send(romeo, "<r xmlns='urn:xmpp:sm:3'/>");
    world.expect(romeo, "<a xmlns='urn:xmpp:sm:3' h='1'/>");
}

// XEP-0198 §9.2
#[test]
fn a_session_is_resumed_with_the_login_and_nothing_is_bound() {
    let mut world = World::new();
    let (old, id) = managed(&mut world, PHONE);
    world.send(old, "<presence/>");
    world.clear(old);
    world.cut(old);
    let juliet = world.online("juliet", "balcony");
    world.send(juliet, "<message to='romeo@example.org' type='chat'><body>Romeo?</body></message>");
    let wishes = format!("{PHONE}{}{}", resume(&id, 1), bind("<tag>Swift</tag>"));
    let (new, success) = log_in(&mut world, "romeo", &wishes);
    let resumed = success.find("resumed", "urn:xmpp:sm:3").expect("<resumed/>");
    assert_eq!((resumed.get_attr("previd"), resumed.get_attr("h")), (Some(id.as_str()), Some("1")));
    assert!(success.find("bound", "urn:xmpp:bind:0").is_none(), "{}", show(&success));
    assert!(!resource(&success).contains("Swift"), "it is the session's address");
    // No features: the next thing is what waited.
    let message = world.receive(new);
    assert_eq!(message.name, "message", "{}", show(&message));
    assert_eq!(world.core.sessions_of(&"romeo@example.org".parse().expect("an address")).count(), 1);
}

#[test]
fn what_cannot_be_resumed_is_told_and_a_session_is_bound() {
    let mut world = World::new();
    let (_, success) = log_in(&mut world, "romeo", &format!("{}{}", resume("nonsense", 0), bind(ENABLE)));
    let failed = success.find("failed", "urn:xmpp:sm:3").expect("<failed/>");
    assert!(failed.find("item-not-found", "urn:ietf:params:xml:ns:xmpp-stanzas").is_some());
    assert!(bound(&success).find("enabled", "urn:xmpp:sm:3").is_some());
}

#[test]
fn what_cannot_be_resumed_leaves_a_login_without_a_session() {
    let mut world = World::new();
    let (client, success) = log_in(&mut world, "romeo", &resume("nonsense", 0));
    assert!(success.find("failed", "urn:xmpp:sm:3").is_some());
    assert_eq!(identity(&success), "romeo@example.org");
    let features = world.receive(client);
    assert!(features.find("bind", "urn:ietf:params:xml:ns:xmpp-bind").is_some());
}

#[test]
fn nobody_resumes_the_session_of_somebody_else() {
    let mut world = World::new();
    let (romeo, id) = managed(&mut world, PHONE);
    let (_, success) = log_in(&mut world, "juliet", &resume(&id, 0));
    assert!(success.find("failed", "urn:xmpp:sm:3").is_some(), "{}", show(&success));
    world.expect_result(romeo, PING);
}

#[test]
fn a_resumption_waits_for_the_disk() {
    let mut world = World::new();
    let (old, id) = managed(&mut world, PHONE);
    world.hold_commits();
    let item = "<item jid='nurse@example.org'/>";
    world.send(old, &format!("<iq type='set' id='add'><query xmlns='jabber:iq:roster'>{item}</query></iq>"));
    world.cut(old);
    let (new, _) = stream(&mut world, "romeo", tls());
    world.send(new, &plain("romeo", "romeo's password", &resume(&id, 0)));
    world.expect_nothing(new);
    world.commit();
    let success = world.receive(new);
    assert_eq!(success.find("resumed", "urn:xmpp:sm:3").and_then(|resumed| resumed.get_attr("h")), Some("1"));
}

#[test]
fn a_disk_that_refuses_keeps_nobody_out() {
    let mut world = World::new();
    world.account("romeo");
    world.handle(Event::StoreStalled("full".into()));
    let (_, success) = log_in(&mut world, "romeo", &format!("{PHONE}{BIND}"));
    bound(&success);
}
