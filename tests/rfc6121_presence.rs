//! RFC 6121 §4: initial, subsequent, unavailable and directed presence, and probes.

use crate::client::Client;
use crate::world::World;

const ROSTER: &str = "<iq type='get' id='roster'><query xmlns='jabber:iq:roster'/></iq>";

/// romeo and juliet, each other's contacts, she at home.
fn stage() -> (World, Client) {
    let mut world = World::new();
    world.friends("romeo", "juliet");
    let juliet = world.online("juliet", "balcony");
    (world, juliet)
}

/// A world with a contact elsewhere: what romeo's account has with juliet@example.net is `none`, `to`, `from` or `both`.
fn with_contact_elsewhere(subscription: &str) -> (World, Client) {
    let mut world = World::federated();
    let romeo = world.login("romeo", "orchard");
    if matches!(subscription, "to" | "both") {
        world.send(romeo, "<presence type='subscribe' to='juliet@example.net'/>");
        world.from_remote("<presence type='subscribed' from='juliet@example.net' to='romeo@example.org'/>");
    }
    if matches!(subscription, "from" | "both") {
        world.from_remote("<presence type='subscribe' from='juliet@example.net' to='romeo@example.org'/>");
        world.send(romeo, "<presence type='subscribed' to='juliet@example.net'/>");
    }
    world.to_remote();
    world.clear(romeo);
    (world, romeo)
}

// --- §4.2: initial presence ---

// §4.2.2: to the contacts that are subscribed, and to every available resource of the account itself
#[test]
fn initial_presence_goes_to_subscribers_and_to_the_accounts_own_resources() {
    let (mut world, juliet) = stage();
    let garden = world.online("romeo", "garden");
    let nurse = world.online("nurse", "kitchen");
    world.clear(juliet);
    let romeo = world.login("romeo", "orchard");
    world.expect_nothing(juliet);
    world.send(romeo, "<presence id='p'><show>chat</show><status>in love</status></presence>");
    let presence = |to: &str| {
        format!(
            "<presence id='p' from='romeo@example.org/orchard' to='{to}'><show>chat</show><status>in love</status></presence>"
        )
    };
    world.expect(juliet, &presence("juliet@example.org"));
    world.expect(garden, &presence("romeo@example.org"));
    world.expect_all(
        romeo,
        &[
            &presence("romeo@example.org"),
            "<presence from='romeo@example.org/garden' to='romeo@example.org/orchard'/>",
            "<presence from='juliet@example.org/balcony' to='romeo@example.org/orchard'/>",
        ],
    );
    world.expect_nothing(nurse);
    world.expect_nothing(juliet);
}

#[test]
fn a_resource_that_has_not_sent_presence_sees_nobodys() {
    let (mut world, juliet) = stage();
    let romeo = world.login("romeo", "orchard");
    world.send(juliet, "<presence><show>away</show></presence>");
    world.expect_nothing(romeo);
}

// §4.3.1: a probe to each contact elsewhere whose presence the account may see, with the resource's full address
#[test]
fn initial_presence_asks_for_the_presence_of_contacts_elsewhere() {
    for (subscription, broadcast, probe) in
        [("none", false, false), ("to", false, true), ("from", true, false), ("both", true, true)]
    {
        let (mut world, romeo) = with_contact_elsewhere(subscription);
        world.send(romeo, "<presence/>");
        if broadcast {
            world.expect_remote("<presence from='romeo@example.org/orchard' to='juliet@example.net'/>");
        }
        if probe {
            world.expect_remote(
                "<presence type='probe' from='romeo@example.org/orchard' to='juliet@example.net'/>",
            );
        }
        assert!(world.to_remote().is_empty(), "{subscription}");
        world.clear(romeo);
        // §4.4.2: only the first one asks.
        world.send(romeo, "<presence><show>away</show></presence>");
        if broadcast {
            world.expect_remote("<presence from='romeo@example.org/orchard' to='juliet@example.net'><show>away</show></presence>");
        }
        assert!(world.to_remote().is_empty(), "{subscription}");
    }
}

#[test]
fn every_available_resource_of_a_contact_is_seen() {
    let (mut world, _) = stage();
    let two = world.login("juliet", "garden");
    world.send(two, "<presence><priority>-3</priority></presence>");
    world.login("juliet", "hidden");
    let mut seen = world.online_with_everything("romeo", "orchard");
    seen.retain(|presence| presence.get_attr("from").is_some_and(|from| from.starts_with("juliet")));
    assert_eq!(seen.len(), 2);
}

// --- §4.4: subsequent presence ---

#[test]
fn a_change_goes_to_the_same_people_and_nobody_is_asked_again() {
    let (mut world, juliet) = stage();
    let garden = world.online("romeo", "garden");
    let romeo = world.online("romeo", "orchard");
    for client in [juliet, garden, romeo] {
        world.clear(client);
    }
    world.send(romeo, "<presence><show>dnd</show><priority>5</priority></presence>");
    for (client, to) in [(juliet, "juliet"), (garden, "romeo"), (romeo, "romeo")] {
        world.expect(
            client,
            &format!("<presence from='romeo@example.org/orchard' to='{to}@example.org'><show>dnd</show><priority>5</priority></presence>"),
        );
        world.expect_nothing(client);
    }
}

// §4.7.2.3
#[test]
fn a_priority_is_a_number_from_minus_128_to_127() {
    let mut world = World::new();
    let romeo = world.login("romeo", "orchard");
    for bad in ["128", "-129", "high", "", "1.5"] {
        world.send(romeo, &format!("<presence><priority>{bad}</priority></presence>"));
        world.expect_bounce(romeo, "bad-request");
        world.expect_nothing(romeo);
    }
    for good in ["-128", "-1", "0", "127"] {
        let presence = format!("<presence><priority>{good}</priority></presence>");
        world.send(romeo, &presence);
        assert_eq!(world.drain(romeo).len(), 1, "{good}");
    }
}

// --- §4.5: unavailable presence ---

// §4.5.2: to subscribers, to the account's other resources, and back to the resource that goes
#[test]
fn who_goes_is_seen_going_with_the_last_words() {
    let (mut world, juliet) = stage();
    let garden = world.online("romeo", "garden");
    let romeo = world.online("romeo", "orchard");
    for client in [juliet, garden, romeo] {
        world.clear(client);
    }
    world.send(romeo, "<presence type='unavailable'><status>farewell</status></presence>");
    for (client, to) in
        [(juliet, "juliet@example.org"), (garden, "romeo@example.org"), (romeo, "romeo@example.org/orchard")]
    {
        world.expect(
            client,
            &format!("<presence type='unavailable' from='romeo@example.org/orchard' to='{to}'><status>farewell</status></presence>"),
        );
        world.expect_nothing(client);
    }
    // It is connected, but no longer sees anybody; and its end is no news.
    world.send(juliet, "<presence><show>away</show></presence>");
    world.expect_nothing(romeo);
    world.clear(garden);
    world.close(romeo);
    world.expect(
        juliet,
        "<presence from='juliet@example.org/balcony' to='juliet@example.org'><show>away</show></presence>",
    );
    world.expect_nothing(juliet);
    world.expect_nothing(garden);
}

#[test]
fn who_was_not_there_does_not_go() {
    let (mut world, juliet) = stage();
    let romeo = world.login("romeo", "orchard");
    world.send(romeo, "<presence type='unavailable'/>");
    world.expect_nothing(juliet);
    world.expect_nothing(romeo);
}

#[test]
fn who_comes_back_is_new_again() {
    let (mut world, juliet) = stage();
    let romeo = world.online("romeo", "orchard");
    world.send(romeo, "<presence type='unavailable'/>");
    world.clear(romeo);
    world.clear(juliet);
    world.send(romeo, "<presence/>");
    world.expect_all(
        romeo,
        &[
            "<presence from='romeo@example.org/orchard' to='romeo@example.org'/>",
            "<presence from='juliet@example.org/balcony' to='romeo@example.org/orchard'/>",
        ],
    );
    world.expect(juliet, "<presence from='romeo@example.org/orchard' to='juliet@example.org'/>");
}

// §4.5.2: "if the user's server detects that the user's session ended without" a word
#[test]
fn a_session_that_dies_without_a_word_is_seen_going() {
    let (mut world, juliet) = stage();
    let garden = world.online("romeo", "garden");
    let romeo = world.online("romeo", "orchard");
    world.clear(juliet);
    world.clear(garden);
    world.cut(romeo);
    world.expect(
        juliet,
        "<presence type='unavailable' from='romeo@example.org/orchard' to='juliet@example.org'/>",
    );
    world.expect(
        garden,
        "<presence type='unavailable' from='romeo@example.org/orchard' to='romeo@example.org'/>",
    );
    let (mut world, romeo) = with_contact_elsewhere("both");
    world.send(romeo, "<presence/>");
    world.to_remote();
    world.cut(romeo);
    world.expect_remote(
        "<presence type='unavailable' from='romeo@example.org/orchard' to='juliet@example.net'/>",
    );
    assert!(world.to_remote().is_empty());
}

// --- §4.6: directed presence ---

// §4.6.3: later presence is not for them, but the end is
#[test]
fn directed_presence_is_for_one_until_the_end() {
    for end in ["<presence type='unavailable'><status>bye</status></presence>", "</stream:stream>"] {
        let mut world = World::new();
        let nurse = world.online("nurse", "kitchen");
        let romeo = world.online("romeo", "orchard");
        world.send(romeo, "<presence to='nurse@example.org'><status>psst</status></presence>");
        world.expect(nurse, "<presence from='romeo@example.org/orchard' to='nurse@example.org'><status>psst</status></presence>");
        world.send(romeo, "<presence><show>away</show></presence>");
        world.expect_nothing(nurse);
        world.send(romeo, end);
        let status = if end.starts_with("<presence") { "<status>bye</status>" } else { "" };
        world.expect(
            nurse,
            &format!("<presence type='unavailable' from='romeo@example.org/orchard' to='nurse@example.org'>{status}</presence>"),
        );
        world.cut(romeo);
        world.expect_nothing(nurse);
    }
}

#[test]
fn directed_presence_reaches_other_domains_and_so_does_its_end() {
    let mut world = World::federated();
    let romeo = world.online("romeo", "orchard");
    world.send(romeo, "<presence to='verona@rooms.example.net/romeo'/>");
    world.expect_remote("<presence from='romeo@example.org/orchard' to='verona@rooms.example.net/romeo'/>");
    world.cut(romeo);
    world.expect_remote(
        "<presence type='unavailable' from='romeo@example.org/orchard' to='verona@rooms.example.net/romeo'/>",
    );
    assert!(world.to_remote().is_empty());
}

#[test]
fn who_is_told_directly_that_one_has_gone_is_told_no_more() {
    let mut world = World::federated();
    let romeo = world.online("romeo", "orchard");
    world.send(romeo, "<presence to='verona@rooms.example.net/romeo'/>");
    world.send(romeo, "<presence type='unavailable' to='verona@rooms.example.net/romeo'/>");
    world.to_remote();
    world.cut(romeo);
    assert!(world.to_remote().is_empty());
}

#[test]
fn presence_may_be_directed_by_a_resource_that_is_not_available() {
    let mut world = World::new();
    let nurse = world.online("nurse", "kitchen");
    let romeo = world.login("romeo", "orchard");
    world.send(romeo, "<presence to='nurse@example.org'/>");
    world.expect(nurse, "<presence from='romeo@example.org/orchard' to='nurse@example.org'/>");
    world.cut(romeo);
    world.expect(
        nurse,
        "<presence type='unavailable' from='romeo@example.org/orchard' to='nurse@example.org'/>",
    );
}

#[test]
fn a_subscriber_who_was_shown_an_unavailable_resource_sees_it_go() {
    let (mut world, juliet) = stage();
    let romeo = world.login("romeo", "orchard");
    world.send(romeo, "<presence to='juliet@example.org'/>");
    world.expect(juliet, "<presence from='romeo@example.org/orchard' to='juliet@example.org'/>");
    world.cut(romeo);
    world.expect(
        juliet,
        "<presence type='unavailable' from='romeo@example.org/orchard' to='juliet@example.org'/>",
    );
    world.expect_nothing(juliet);
}

#[test]
fn a_subscriber_is_told_once_whatever_was_directed_to_them() {
    let (mut world, juliet) = stage();
    let romeo = world.online("romeo", "orchard");
    world.send(romeo, "<presence to='juliet@example.org'/>");
    world.send(romeo, "<presence to='romeo@example.org'/>");
    let garden = world.online("romeo", "garden");
    world.clear(juliet);
    world.clear(garden);
    world.cut(romeo);
    for client in [juliet, garden] {
        assert_eq!(world.drain(client).len(), 1);
    }
}

#[test]
fn one_resource_directs_its_presence_to_so_many() {
    let mut world = World::federated();
    let romeo = world.online("romeo", "orchard");
    for n in 0..1000 {
        world.send(romeo, &format!("<presence to='room{n}@example.net/romeo'/>"));
    }
    world.clear(romeo);
    assert_eq!(world.to_remote().len(), 1000);
    world.send(romeo, "<presence to='one.more@example.net/romeo'/>");
    world.expect_bounce(romeo, "resource-constraint");
    world.send(romeo, "<presence to='room7@example.net/romeo'><show>away</show></presence>");
    world.send(romeo, "<presence type='unavailable' to='room8@example.net/romeo'/>");
    world.send(romeo, "<presence to='one.more@example.net/romeo'/>");
    world.expect_nothing(romeo);
}

// --- §4.3.2: probes ---

#[test]
fn a_subscriber_elsewhere_that_asks_sees_every_available_resource() {
    for (subscription, allowed) in [("none", false), ("to", false), ("from", true), ("both", true)] {
        let (mut world, romeo) = with_contact_elsewhere(subscription);
        world.send(romeo, "<presence><show>dnd</show></presence>");
        let garden = world.login("romeo", "garden");
        world.send(garden, "<presence><priority>-1</priority></presence>");
        world.login("romeo", "hidden");
        world.to_remote();
        world
            .from_remote("<presence type='probe' from='juliet@example.net/balcony' to='romeo@example.org'/>");
        if allowed {
            world.expect_remote("<presence from='romeo@example.org/orchard' to='juliet@example.net/balcony'><show>dnd</show></presence>");
            world.expect_remote("<presence from='romeo@example.org/garden' to='juliet@example.net/balcony'><priority>-1</priority></presence>");
        } else {
            world.expect_remote(
                "<presence type='unsubscribed' from='romeo@example.org' to='juliet@example.net'/>",
            );
        }
        assert!(world.to_remote().is_empty(), "{subscription}");
    }
}

// §4.3.2: one resource is asked for
#[test]
fn a_probe_of_one_resource_is_answered_for_that_one() {
    let (mut world, romeo) = with_contact_elsewhere("from");
    world.send(romeo, "<presence/>");
    world.online("romeo", "garden");
    world.to_remote();
    world.from_remote(
        "<presence type='probe' from='juliet@example.net/balcony' to='romeo@example.org/orchard'/>",
    );
    world.expect_remote("<presence from='romeo@example.org/orchard' to='juliet@example.net/balcony'/>");
    world.from_remote(
        "<presence type='probe' from='juliet@example.net/balcony' to='romeo@example.org/street'/>",
    );
    world.expect_remote(
        "<presence type='unavailable' from='romeo@example.org/street' to='juliet@example.net/balcony'/>",
    );
    assert!(world.to_remote().is_empty());
}

// §4.3.2: nobody there
#[test]
fn a_probe_of_someone_who_is_not_there_finds_them_unavailable() {
    let (mut world, romeo) = with_contact_elsewhere("from");
    world.close(romeo);
    world.from_remote("<presence type='probe' from='juliet@example.net/balcony' to='romeo@example.org'/>");
    world.expect_remote(
        "<presence type='unavailable' from='romeo@example.org' to='juliet@example.net/balcony'/>",
    );
    assert!(world.to_remote().is_empty());
}

#[test]
fn probes_never_reach_a_client() {
    let (mut world, juliet) = stage();
    let romeo = world.online("romeo", "orchard");
    world.clear(juliet);
    world.send(romeo, "<presence type='probe' to='juliet@example.org'/>");
    world.expect(romeo, "<presence from='juliet@example.org/balcony' to='romeo@example.org/orchard'/>");
    world.send(romeo, "<presence type='probe' to='juliet@example.org/balcony'/>");
    world.expect(romeo, "<presence from='juliet@example.org/balcony' to='romeo@example.org/orchard'/>");
    world.expect_nothing(juliet);
    let nurse = world.online("nurse", "kitchen");
    world.send(nurse, "<presence type='probe' to='juliet@example.org'/>");
    world.expect_nothing(nurse);
    world.expect_nothing(juliet);
}

#[test]
fn a_probe_of_oneself_shows_the_other_resources() {
    let mut world = World::new();
    let romeo = world.online("romeo", "orchard");
    world.send(romeo, "<presence type='probe' to='romeo@example.org'/>");
    world.expect(romeo, "<presence from='romeo@example.org/orchard' to='romeo@example.org/orchard'/>");
}

// --- contacts elsewhere ---

#[test]
fn a_contact_elsewhere_gets_what_a_subscriber_of_ours_gets() {
    for (subscription, sees) in [("none", false), ("to", false), ("from", true), ("both", true)] {
        let (mut world, romeo) = with_contact_elsewhere(subscription);
        let sent = |world: &mut World, stanza: &str| {
            world.send(romeo, stanza);
            world.to_remote().iter().filter(|stanza| stanza.get_attr("type") != Some("probe")).count()
        };
        let expected = usize::from(sees);
        assert_eq!(sent(&mut world, "<presence/>"), expected, "{subscription}");
        assert_eq!(sent(&mut world, "<presence><show>away</show></presence>"), expected, "{subscription}");
        assert_eq!(sent(&mut world, "<presence type='unavailable'/>"), expected, "{subscription}");
    }
}

#[test]
fn an_answer_to_a_probe_reaches_the_resource_that_asked() {
    let (mut world, romeo) = with_contact_elsewhere("to");
    let garden = world.online("romeo", "garden");
    world.send(romeo, &format!("<presence/>{ROSTER}"));
    world.clear(romeo);
    world.clear(garden);
    let answer = "<presence from='juliet@example.net/balcony' to='romeo@example.org/orchard'><show>chat</show></presence>";
    world.from_remote(answer);
    world.expect(romeo, answer);
    world.expect_nothing(garden);
}

// §8.3.1: the error of a presence stanza ends there.
#[test]
fn a_presence_error_from_elsewhere_is_delivered_and_not_answered() {
    let (mut world, romeo) = with_contact_elsewhere("both");
    world.send(romeo, "<presence/>");
    world.to_remote();
    world.clear(romeo);
    let error = "<presence type='error' from='juliet@example.net' to='romeo@example.org/orchard'><error type='cancel'>\
         <gone xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></presence>";
    world.from_remote(error);
    world.expect(romeo, error);
    world.from_remote(&error.replace("/orchard", "/nowhere"));
    world.from_remote(&error.replace("romeo@", "nobody@"));
    assert!(world.to_remote().is_empty());
}

/// A presence is sent again to whoever comes: a large one would fill other people's outboxes.
#[test]
fn a_presence_that_is_too_large_is_refused_and_changes_nothing() {
    let mut world = World::new();
    world.friends("romeo", "juliet");
    let romeo = world.online("romeo", "orchard");
    let juliet = world.online("juliet", "balcony");
    world.clear(romeo);
    let status = "x".repeat(8 * 1024);
    world.send(romeo, &format!("<presence id='large'><status>{status}</status></presence>"));
    world.expect_bounce(romeo, "policy-violation");
    world.expect_nothing(juliet);
    world.send(romeo, "<presence><show>away</show></presence>");
    world.expect(
        juliet,
        "<presence from='romeo@example.org/orchard' to='juliet@example.org'><show>away</show></presence>",
    );
}
