//! XEP-0191: blocking.

use crate::client::Client;
use crate::world::{World, condition_of, show};
use stube::config::Limit;

fn change(name: &str, items: &[&str]) -> String {
    let items: String = items.iter().map(|jid| format!("<item jid='{jid}'/>")).collect();
    format!("<iq type='set' id='{name}'><{name} xmlns='urn:xmpp:blocking'>{items}</{name}></iq>")
}

#[track_caller]
fn block(world: &mut World, client: Client, items: &[&str]) {
    world.expect_result(client, &change("block", items));
}

#[track_caller]
fn unblock(world: &mut World, client: Client, items: &[&str]) {
    world.expect_result(client, &change("unblock", items));
}

const LIST: &str = "<iq type='get' id='list'><blocklist xmlns='urn:xmpp:blocking'/></iq>";

/// The addresses on the block list.
#[track_caller]
fn list(world: &mut World, client: Client) -> Vec<String> {
    let answer = world.expect_result(client, LIST);
    let list = answer.find("blocklist", "urn:xmpp:blocking").expect("a list");
    list.children().map(|item| item.get_attr("jid").expect("a JID").to_owned()).collect()
}

/// Two friends who are online.
fn friends() -> (World, Client, Client) {
    let mut world = World::new();
    world.friends("juliet", "romeo");
    let (juliet, romeo) = (world.online("juliet", "chamber"), world.online("romeo", "orchard"));
    world.clear(juliet);
    world.clear(romeo);
    (world, juliet, romeo)
}

// §3.1
#[test]
fn the_server_says_that_it_blocks() {
    let mut world = World::new();
    let juliet = world.login("juliet", "chamber");
    let info =
        "<iq type='get' id='i' to='example.org'><query xmlns='http://jabber.org/protocol/disco#info'/></iq>";
    assert!(show(&world.expect_result(juliet, info)).contains("<feature var='urn:xmpp:blocking'/>"));
}

// §3.2, §3.3
#[test]
fn what_is_blocked_is_listed_and_stays_so() {
    let mut world = World::new();
    let juliet = world.login("juliet", "chamber");
    world.send(juliet, LIST);
    world.expect(
        juliet,
        "<iq type='result' id='list' from='juliet@example.org' to='juliet@example.org/chamber'>\
         <blocklist xmlns='urn:xmpp:blocking'/></iq>",
    );
    block(&mut world, juliet, &["Romeo@montague.net", "iago@example.org", "iago@example.org"]);
    block(&mut world, juliet, &["romeo@montague.net"]);
    world.clear(juliet);
    assert_eq!(list(&mut world, juliet), ["iago@example.org", "romeo@montague.net"]);
    world.restart();
    let juliet = world.login("juliet", "chamber");
    assert_eq!(list(&mut world, juliet), ["iago@example.org", "romeo@montague.net"]);
    unblock(&mut world, juliet, &["iago@example.org"]);
    world.restart();
    let juliet = world.login("juliet", "chamber");
    assert_eq!(list(&mut world, juliet), ["romeo@montague.net"]);
}

#[test]
fn the_result_promises_that_it_is_kept_but_blocking_holds_at_once() {
    let (mut world, juliet, romeo) = friends();
    world.hold_commits();
    world.send(juliet, &change("block", &["romeo@example.org"]));
    assert!(world.answer(juliet, "block").is_none());
    world.send(romeo, "<message to='juliet@example.org'><body>But soft!</body></message>");
    world.expect_nothing(juliet);
    world.commit();
    assert!(world.answer(juliet, "block").is_some());
}

// §3.3, §3.4, §3.5: a push "to all of the user's resources that have requested the blocklist"
#[test]
fn changes_are_pushed_to_the_resources_that_have_asked() {
    let mut world = World::new();
    let (one, other) = (world.login("juliet", "chamber"), world.login("juliet", "balcony"));
    let deaf = world.login("juliet", "window");
    list(&mut world, one);
    list(&mut world, other);
    for (name, items) in
        [("block", &["romeo@montague.net"][..]), ("unblock", &["romeo@montague.net"]), ("unblock", &[])]
    {
        world.expect_result(one, &change(name, items));
        let pushed = change(name, items).replace(&format!("id='{name}'"), "id='*'");
        for (client, resource) in [(one, "chamber"), (other, "balcony")] {
            world.expect(client, &pushed.replace("<iq", &format!("<iq to='juliet@example.org/{resource}'")));
        }
        world.expect_nothing(deaf);
    }
}

// §3.3: "If the <block/> element does not contain at least one <item/> child element, the server MUST return a
// <bad-request/> error."
#[test]
fn to_block_takes_somebody_to_block() {
    let mut world = World::new();
    let juliet = world.login("juliet", "chamber");
    world.expect_error(juliet, &change("block", &[]), "bad-request");
    let wrong = change("block", &["romeo@montague.net"]);
    world.expect_error(juliet, &wrong.replace(" jid='romeo@montague.net'", ""), "bad-request");
    world.expect_error(juliet, &wrong.replace("<item", "<thing"), "bad-request");
    world.expect_error(juliet, &wrong.replace("'set'", "'get'"), "bad-request");
    world.expect_error(juliet, &change("unblock", &[]).replace("'set'", "'get'"), "bad-request");
    world.expect_error(juliet, &LIST.replace("'get'", "'set'"), "bad-request");
    world.expect_error(juliet, &change("block", &["@montague.net"]), "jid-malformed");
    // All or nothing.
    world.expect_error(juliet, &change("block", &["iago@example.org", "@montague.net"]), "jid-malformed");
    assert!(list(&mut world, juliet).is_empty());
}

#[test]
fn a_list_has_so_much_room() {
    let mut world = World::with(|config| config.limits.blocklist_items = Limit::of(2));
    let juliet = world.login("juliet", "chamber");
    block(&mut world, juliet, &["a@example.net", "b@example.net"]);
    block(&mut world, juliet, &["a@example.net"]);
    world.expect_error(juliet, &change("block", &["c@example.net"]), "resource-constraint");
    unblock(&mut world, juliet, &["a@example.net"]);
    block(&mut world, juliet, &["c@example.net"]);
    assert_eq!(list(&mut world, juliet), ["b@example.net", "c@example.net"]);
}

#[test]
fn nobody_sees_or_changes_somebody_elses_list() {
    let mut world = World::new();
    let juliet = world.login("juliet", "chamber");
    let romeo = world.login("romeo", "orchard");
    for request in [LIST.to_owned(), change("block", &["x@example.net"]), change("unblock", &[])] {
        world.expect_error(romeo, &request.replace("<iq", "<iq to='juliet@example.org'"), "forbidden");
    }
    assert!(list(&mut world, juliet).is_empty());
}

// §3.3: "the user's server MUST send unavailable presence information to the JID"
#[test]
fn whoever_is_blocked_sees_the_user_go() {
    let (mut world, juliet, romeo) = friends();
    block(&mut world, juliet, &["romeo@example.org"]);
    world.expect(
        romeo,
        "<presence type='unavailable' from='juliet@example.org/chamber' to='romeo@example.org'/>",
    );
    world.send(juliet, "<presence><show>away</show></presence>");
    world.expect_nothing(romeo);
    world.close(juliet);
    world.expect_nothing(romeo);
}

// "(but only if the JID is allowed to receive presence notifications from the user)"
#[test]
fn whoever_does_not_see_the_user_hears_nothing_of_the_block() {
    let mut world = World::new();
    let (juliet, iago) = (world.online("juliet", "chamber"), world.online("iago", "venice"));
    block(&mut world, juliet, &["iago@example.org"]);
    world.expect_nothing(iago);
    unblock(&mut world, juliet, &["iago@example.org"]);
    world.expect_nothing(iago);
}

#[test]
fn directed_presence_ends_with_the_block_from_the_session_that_sent_it_only() {
    let mut world = World::new();
    let (chamber, _) = (world.online("juliet", "chamber"), world.online("juliet", "balcony"));
    let iago = world.online("iago", "venice");
    world.send(chamber, "<presence to='iago@example.org/venice'/>");
    world.clear(iago);
    block(&mut world, chamber, &["iago@example.org"]);
    world.expect(
        iago,
        "<presence type='unavailable' from='juliet@example.org/chamber' to='iago@example.org/venice'/>",
    );
    world.expect_nothing(iago);
    unblock(&mut world, chamber, &["iago@example.org"]);
    world.expect_nothing(iago);
}

// §3.3: "For presence stanzas (including notifications, subscriptions, and probes), the server MUST NOT respond and MUST
// NOT return an error."
#[test]
fn presence_of_somebody_blocked_disappears() {
    let (mut world, juliet, romeo) = friends();
    block(&mut world, juliet, &["romeo@example.org"]);
    world.clear(romeo);
    for kind in
        ["", "unavailable", "subscribe", "subscribed", "unsubscribe", "unsubscribed", "probe", "error"]
    {
        let kind = if kind.is_empty() { String::new() } else { format!(" type='{kind}'") };
        world.send(romeo, &format!("<presence to='juliet@example.org'{kind}/>"));
        world.send(romeo, &format!("<presence to='juliet@example.org/chamber'{kind}/>"));
    }
    let heard: String = world.drain(romeo).iter().map(show).collect();
    assert!(!heard.contains("from='juliet"), "{heard}");
    world.expect_nothing(juliet);
}

// "For message stanzas, the server SHOULD return an error, which SHOULD be <service-unavailable/>."
#[test]
fn messages_of_somebody_blocked_come_back() {
    let (mut world, juliet, romeo) = friends();
    block(&mut world, juliet, &["romeo@example.org"]);
    world.clear(romeo);
    for to in ["juliet@example.org", "juliet@example.org/chamber"] {
        for kind in ["chat", "normal"] {
            world.send(
                romeo,
                &format!("<message to='{to}' type='{kind}' id='m'><body>But soft!</body></message>"),
            );
            world.expect_bounce(romeo, "service-unavailable");
        }
        // To an error nothing is answered, and a headline to somebody offline isn't either.
        for kind in ["error", "headline"] {
            world.send(romeo, &format!("<message to='{to}' type='{kind}'><body>But soft!</body></message>"));
        }
    }
    world.expect_nothing(romeo);
    world.expect_nothing(juliet);
}

// "For IQ stanzas of type "get" or "set", the server MUST return an error, which SHOULD be <service-unavailable/>. IQ
// stanzas of other types MUST be silently dropped by the server."
#[test]
fn requests_of_somebody_blocked_come_back_and_answers_disappear() {
    let (mut world, juliet, romeo) = friends();
    block(&mut world, juliet, &["romeo@example.org"]);
    world.clear(romeo);
    for to in ["juliet@example.org", "juliet@example.org/chamber"] {
        for kind in ["get", "set"] {
            let request = format!("<iq to='{to}' type='{kind}' id='q'><vCard xmlns='vcard-temp'/></iq>");
            world.expect_error(romeo, &request, "service-unavailable");
        }
        for kind in ["result", "error"] {
            world.send(romeo, &format!("<iq to='{to}' type='{kind}' id='q'/>"));
        }
    }
    world.expect_nothing(romeo);
    world.expect_nothing(juliet);
}

/// Juliet in a room, where she has blocked one occupant.
fn in_a_room() -> (World, Client) {
    let mut world = World::federated();
    let juliet = world.online("juliet", "chamber");
    world.send(juliet, "<presence to='ball@rooms.example.net/Juliet'/>");
    block(&mut world, juliet, &["ball@rooms.example.net/Tybalt"]);
    world.to_remote();
    (world, juliet)
}

// A room that gets an error takes the user for gone (XEP-0045 §9.3.1, "ghost users").
#[test]
fn whoever_blocks_an_occupant_stays_in_the_room() {
    let (mut world, juliet) = in_a_room();
    let from = |nick: &str, kind: &str, payload: &str| {
        format!(
            "<message type='{kind}' from='ball@rooms.example.net/{nick}' to='juliet@example.org/chamber'>\
             <body>hi</body>{payload}</message>"
        )
    };
    world.from_remote(&from("Tybalt", "groupchat", ""));
    let private = "<x xmlns='http://jabber.org/protocol/muc#user'/>";
    world.from_remote(&from("Tybalt", "chat", private));
    world.expect_nothing(juliet);
    assert!(world.to_remote().is_empty(), "nothing goes back to the room");
    world.from_remote(&from("Romeo", "groupchat", ""));
    assert_eq!(world.receive(juliet).name, "message");
}

#[test]
fn a_blocked_message_makes_no_carbon() {
    let (mut world, juliet, romeo) = friends();
    let balcony = world.online("juliet", "balcony");
    let enable = "<iq type='set' id='c'><enable xmlns='urn:xmpp:carbons:2'/></iq>";
    world.expect_result(juliet, enable);
    world.expect_result(balcony, enable);
    block(&mut world, juliet, &["romeo@example.org"]);
    world.clear(balcony);
    world.clear(juliet);
    let message = "<message to='juliet@example.org/chamber' type='chat'><body>But soft!</body></message>";
    world.send(romeo, message);
    world.expect_nothing(balcony);
    world.send(juliet, "<message to='romeo@example.org' type='chat'><body>Ay me!</body></message>");
    world.expect_bounce(juliet, "not-acceptable");
    world.expect_nothing(balcony);
}

#[test]
fn a_blocked_message_is_in_no_archive_of_whoever_blocks() {
    let (mut world, juliet, romeo) = friends();
    world.send(romeo, "<message to='juliet@example.org' type='chat'><body>before</body></message>");
    block(&mut world, juliet, &["romeo@example.org"]);
    world.send(romeo, "<message to='juliet@example.org' type='chat'><body>after</body></message>");
    world.send(juliet, "<message to='romeo@example.org' type='chat'><body>answer</body></message>");
    world.clear(juliet);
    world.send(juliet, "<iq type='set' id='a'><query xmlns='urn:xmpp:mam:2'/></iq>");
    let archived: String = world.drain(juliet).iter().map(show).collect();
    assert!(archived.contains("before"), "{archived}");
    assert!(!archived.contains("after") && !archived.contains("answer"), "{archived}");
}

#[test]
fn whoever_is_blocked_hears_nothing_of_what_is_published_and_is_not_heard() {
    const TUNE: &str = "http://jabber.org/protocol/tune";
    let mut world = World::new();
    world.friends("juliet", "romeo");
    let juliet = world.interested("juliet", "chamber", &[TUNE]);
    let romeo = world.interested("romeo", "orchard", &[TUNE]);
    let tune = format!("<tune xmlns='{TUNE}'/>");
    world.publish(juliet, TUNE, "1", &tune, &[]);
    assert_eq!(world.events(romeo, TUNE), ["1"]);
    block(&mut world, juliet, &["romeo@example.org"]);
    world.clear(romeo);
    world.clear(juliet);
    world.publish(juliet, TUNE, "2", &tune, &[]);
    world.publish(romeo, TUNE, "3", &tune, &[]);
    assert!(world.events(juliet, TUNE).iter().all(|id| id == "2"));
    assert!(world.events(romeo, TUNE).iter().all(|id| id == "3"));
    assert!(world.items_of(romeo, "juliet@example.org", TUNE).is_none());
    unblock(&mut world, juliet, &["romeo@example.org"]);
    world.publish(juliet, TUNE, "4", &tune, &[]);
    assert_eq!(world.events(romeo, TUNE), ["4"]);
}

// §3.3, with RFC 6121 §4.3.2: a probe is not answered, whoever comes and goes.
#[test]
fn whoever_is_blocked_learns_nothing_at_login() {
    let mut world = World::new();
    world.friends("juliet", "romeo");
    let juliet = world.online("juliet", "chamber");
    block(&mut world, juliet, &["romeo@example.org"]);
    let seen: String = world.online_with_everything("romeo", "orchard").iter().map(show).collect();
    assert!(!seen.contains("from='juliet"), "{seen}");
    world.expect_nothing(juliet);
    let balcony = world.online("juliet", "balcony");
    world.send(balcony, "<presence type='unavailable'/>");
    let romeo = world.online("romeo", "home");
    world.close(balcony);
    world.close(juliet);
    world.expect_nothing(romeo);
}

#[test]
fn a_blocked_message_does_not_wait_for_a_resumption() {
    let (mut world, juliet, romeo) = friends();
    let phone = world.online("juliet", "phone");
    world.send(phone, "<enable xmlns='urn:xmpp:sm:3' resume='true'/>");
    world.cut(phone);
    world.clear(juliet);
    world.send(romeo, "<message to='juliet@example.org/phone' type='chat'><body>But soft!</body></message>");
    block(&mut world, juliet, &["romeo@example.org"]);
    world.clear(romeo);
    world
        .send(romeo, "<message to='juliet@example.org/phone' type='chat'><body>Speak again</body></message>");
    world.expect_bounce(romeo, "service-unavailable");
    // What the session had is not passed on to another when it ends.
    world.clear(juliet);
    world.advance(601_000);
    assert!(world.drain(juliet).iter().all(|stanza| stanza.name != "message"));
}

#[test]
fn a_blocked_message_does_not_wait_for_later() {
    let (mut world, juliet, romeo) = friends();
    block(&mut world, juliet, &["romeo@example.org"]);
    world.close(juliet);
    world.clear(romeo);
    world.send(romeo, "<message to='juliet@example.org' type='chat'><body>But soft!</body></message>");
    world.expect_bounce(romeo, "service-unavailable");
    let juliet = world.login("juliet", "chamber");
    world.send(juliet, "<presence/>");
    assert!(!world.drain(juliet).iter().any(|stanza| stanza.name == "message"));
}

// §3.3: "Once the user has blocked communications with a JID, the user's server MUST NOT deliver any XML stanzas from the
// JID to the user."
#[test]
fn what_waited_from_before_the_block_is_not_delivered_either() {
    let mut world = World::new();
    world.account("juliet");
    let (iago, nurse) = (world.online("iago", "venice"), world.online("nurse", "street"));
    world.send(iago, "<message to='juliet@example.org' type='chat'><body>I hate</body></message>");
    world.send(iago, "<presence to='juliet@example.org' type='subscribe'/>");
    world.send(nurse, "<message to='juliet@example.org' type='chat'><body>Madam!</body></message>");
    let juliet = world.login("juliet", "chamber");
    block(&mut world, juliet, &["iago@example.org"]);
    world.send(juliet, "<presence/>");
    let heard: String = world.drain(juliet).iter().map(show).collect();
    assert!(heard.contains("Madam!") && !heard.contains("iago"), "{heard}");
    // The request is still there for whoever changes her mind.
    world.close(juliet);
    let juliet = world.login("juliet", "chamber");
    unblock(&mut world, juliet, &[]);
    world.send(juliet, "<presence/>");
    let heard: String = world.drain(juliet).iter().map(show).collect();
    assert!(heard.contains("type='subscribe'") && !heard.contains("I hate"), "{heard}");
}

// "If the user attempts to send an outbound stanza to the JID, the user's server MUST NOT route the stanza to the JID but
// instead MUST return a <not-acceptable/> error containing an application-specific error condition of <blocked/>"
#[test]
fn nothing_is_sent_to_somebody_blocked() {
    let (mut world, juliet, romeo) = friends();
    block(&mut world, juliet, &["romeo@example.org"]);
    world.clear(juliet);
    world.clear(romeo);
    for stanza in [
        "<message to='romeo@example.org' id='x'><body>Can you hear me now?</body></message>",
        "<message to='romeo@example.org/orchard' type='chat' id='x'><body>Can you hear me now?</body></message>",
        "<presence to='romeo@example.org' id='x'/>",
        "<presence to='romeo@example.org' type='subscribe' id='x'/>",
        "<iq to='romeo@example.org/orchard' type='get' id='x'><ping xmlns='urn:xmpp:ping'/></iq>",
    ] {
        world.send(juliet, stanza);
        let error = world.receive(juliet);
        assert_eq!(condition_of(&error).as_deref(), Some("not-acceptable"), "{}", show(&error));
        let detail = error.find("error", "jabber:client").expect("an error");
        assert_eq!(detail.get_attr("type"), Some("cancel"));
        assert!(detail.find("blocked", "urn:xmpp:blocking:errors").is_some(), "{}", show(&error));
    }
    // Answers end without a word (RFC 6120 §8.3.1).
    world.send(juliet, "<iq to='romeo@example.org/orchard' type='result' id='x'/>");
    world.send(juliet, "<message to='romeo@example.org' type='error'/>");
    world.expect_nothing(juliet);
    world.expect_nothing(romeo);
}

// §3.4: "When the user unblocks communications with a JID, the user's server MUST send the user's current presence
// information to the JID"
#[test]
fn whoever_is_unblocked_sees_the_user_and_is_heard_again() {
    let (mut world, juliet, romeo) = friends();
    block(&mut world, juliet, &["romeo@example.org"]);
    world.send(juliet, "<presence><show>dnd</show></presence>");
    world.clear(juliet);
    world.clear(romeo);
    unblock(&mut world, juliet, &["romeo@example.org"]);
    world.expect(
        romeo,
        "<presence from='juliet@example.org/chamber' to='romeo@example.org'><show>dnd</show></presence>",
    );
    world.send(romeo, "<message to='juliet@example.org' type='chat'><body>But soft!</body></message>");
    assert_eq!(world.receive(juliet).name, "message");
    world.send(juliet, "<message to='romeo@example.org' type='chat'><body>Ay me!</body></message>");
    assert_eq!(world.receive(romeo).name, "message");
}

// §3.5
#[test]
fn an_empty_unblock_unblocks_everyone() {
    let (mut world, juliet, romeo) = friends();
    block(&mut world, juliet, &["romeo@example.org", "iago@example.org", "example.net"]);
    world.clear(romeo);
    unblock(&mut world, juliet, &[]);
    assert!(list(&mut world, juliet).is_empty());
    assert_eq!(world.receive(romeo).get_attr("type"), None, "presence");
}

// §5: the four forms
#[test]
fn an_item_means_a_resource_an_account_a_domains_resource_or_a_domain() {
    let matching = |item: &str| {
        let mut world = World::federated();
        let juliet = world.online("juliet", "chamber");
        block(&mut world, juliet, &[item]);
        let senders = [
            "romeo@montague.net/orchard",
            "romeo@montague.net/home",
            "tybalt@montague.net/home",
            "montague.net/home",
            "montague.net",
            "romeo@sub.montague.net/home",
        ];
        senders.map(|from| {
            world.clear(juliet);
            world.from_remote(&format!(
                "<message type='chat' from='{from}' to='juliet@example.org'><body>hi</body></message>"
            ));
            world.drain(juliet).is_empty()
        })
    };
    assert_eq!(matching("romeo@montague.net/home"), [false, true, false, false, false, false]);
    assert_eq!(matching("romeo@montague.net"), [true, true, false, false, false, false]);
    assert_eq!(matching("montague.net/home"), [false, true, true, true, false, false]);
    assert_eq!(matching("montague.net"), [true, true, true, true, true, false]);
}

#[test]
fn the_resource_that_is_blocked_sees_the_user_go() {
    let mut world = World::new();
    world.friends("juliet", "romeo");
    let juliet = world.online("juliet", "chamber");
    let (orchard, home) = (world.online("romeo", "orchard"), world.online("romeo", "home"));
    world.clear(orchard);
    world.clear(home);
    block(&mut world, juliet, &["romeo@example.org/orchard"]);
    world.expect(
        orchard,
        "<presence type='unavailable' from='juliet@example.org/chamber' to='romeo@example.org/orchard'/>",
    );
    world.expect_nothing(home);
    world.send(home, "<message to='juliet@example.org' type='chat'><body>But soft!</body></message>");
    world.expect_nothing(home);
}

// §4, note: "An implementation MUST NOT block communications from one of a user's resources to another"
#[test]
fn users_do_not_block_themselves_nor_their_server() {
    let mut world = World::new();
    let (chamber, balcony) = (world.online("juliet", "chamber"), world.online("juliet", "balcony"));
    block(&mut world, chamber, &["juliet@example.org", "juliet@example.org/balcony", "example.org"]);
    world.clear(chamber);
    world.clear(balcony);
    world.send(balcony, "<message to='juliet@example.org/chamber' type='chat'><body>me</body></message>");
    assert_eq!(world.receive(chamber).name, "message");
    let ping = "<iq type='get' id='p' to='example.org'><ping xmlns='urn:xmpp:ping'/></iq>";
    world.expect_result(chamber, ping);
    // But everyone else at the domain is blocked.
    let iago = world.login("iago", "venice");
    world.send(iago, "<message to='juliet@example.org' type='chat'><body>hi</body></message>");
    world.expect_bounce(iago, "service-unavailable");
}

#[test]
fn somebody_elsewhere_is_blocked_like_somebody_here() {
    let mut world = World::federated();
    let juliet = world.online("juliet", "chamber");
    world.send(juliet, "<presence to='romeo@montague.net' type='subscribed'/>");
    world.from_remote("<presence type='subscribe' from='romeo@montague.net' to='juliet@example.org'/>");
    world.to_remote();
    block(&mut world, juliet, &["romeo@montague.net"]);
    world.expect_remote(
        "<presence type='unavailable' from='juliet@example.org/chamber' to='romeo@montague.net'/>",
    );
    world.send(juliet, "<presence><show>away</show></presence>");
    world.from_remote("<presence type='probe' from='romeo@montague.net' to='juliet@example.org'/>");
    assert!(world.to_remote().is_empty());
    world.from_remote("<message from='romeo@montague.net/x' to='juliet@example.org' type='chat' id='m'><body>hi</body></message>");
    let bounce = world.to_remote().remove(0);
    assert_eq!(condition_of(&bounce).as_deref(), Some("service-unavailable"));
    unblock(&mut world, juliet, &["romeo@montague.net"]);
    world.expect_remote(
        "<presence from='juliet@example.org/chamber' to='romeo@montague.net'><show>away</show></presence>",
    );
}

// §4: "polite blocking"
#[test]
fn blocking_leaves_subscriptions_alone() {
    let (mut world, juliet, _) = friends();
    block(&mut world, juliet, &["romeo@example.org"]);
    let roster = world.expect_result(juliet, "<iq type='get' id='r'><query xmlns='jabber:iq:roster'/></iq>");
    assert!(show(&roster).contains("subscription='both'"));
}
