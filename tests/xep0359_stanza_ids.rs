//! XEP-0359: ids of messages that nobody can forge.

use crate::client::Client;
use crate::world::{World, show};
use stube::xml::Element;

fn world() -> (World, Client, Client) {
    let mut world = World::new();
    let juliet = world.online("juliet", "balcony");
    let romeo = world.online("romeo", "orchard");
    world.clear(juliet);
    (world, romeo, juliet)
}

fn message(content: &str) -> String {
    format!("<message to='juliet@example.org' type='chat'>{content}</message>")
}

fn id(by: &str, id: &str) -> String {
    format!("<stanza-id xmlns='urn:xmpp:sid:0' by='{by}' id='{id}'/>")
}

/// Who says to have given an id, and the ids.
fn ids(message: &Element) -> Vec<(String, String)> {
    let ids = message.children().filter(|child| child.is("stanza-id", "urn:xmpp:sid:0"));
    let attr = |id: &Element, name: &str| id.get_attr(name).unwrap_or_default().to_owned();
    ids.map(|id| (attr(id, "by"), attr(id, "id"))).collect()
}

/// The archived messages of a session's account.
fn archived(world: &mut World, client: Client) -> Vec<Element> {
    world.clear(client);
    world.send(client, "<iq type='set' id='q'><query xmlns='urn:xmpp:mam:2'/></iq>");
    let results = world.drain(client).into_iter().filter_map(|stanza| {
        let forwarded = stanza.find("result", "urn:xmpp:mam:2")?.find("forwarded", "urn:xmpp:forward:0")?;
        forwarded.find("message", "jabber:client").cloned()
    });
    results.collect()
}

// §5
#[test]
fn server_and_accounts_say_that_they_keep_the_rules() {
    let (mut world, romeo, _) = world();
    for to in ["example.org", "romeo@example.org"] {
        let info = format!(
            "<iq type='get' id='i' to='{to}'><query xmlns='http://jabber.org/protocol/disco#info'/></iq>"
        );
        let answer = show(&world.expect_result(romeo, &info));
        assert!(answer.contains("<feature var='urn:xmpp:sid:0'/>"), "{answer}");
    }
}

#[test]
fn the_receiver_learns_the_id_that_its_archive_knows_and_the_sender_is_told_nothing() {
    let (mut world, romeo, juliet) = world();
    world.send(romeo, &message("<body>hi</body>"));
    world.expect_nothing(romeo);
    let got = ids(&world.receive(juliet));
    let [(by, id)] = got.as_slice() else { panic!("{got:?}") };
    assert_eq!(by, "juliet@example.org");
    world.send(juliet, "<iq type='set' id='q'><query xmlns='urn:xmpp:mam:2'/></iq>");
    let result = world.receive(juliet);
    let result = result.find("result", "urn:xmpp:mam:2").expect("a result");
    assert_eq!(result.get_attr("id"), Some(id.as_str()));
}

#[test]
fn ids_are_unique_and_do_not_count() {
    let (mut world, romeo, juliet) = world();
    for _ in 0..100 {
        world.send(romeo, &message("<body>hi</body>"));
    }
    let mut all: Vec<String> = world.drain(juliet).iter().flat_map(ids).map(|(_, id)| id).collect();
    let in_order = all.windows(2).filter(|pair| pair[0] < pair[1]).count();
    assert!((20..80).contains(&in_order), "{in_order} of 99 rise");
    all.sort();
    all.dedup();
    assert_eq!(all.len(), 100);
    assert!(all.iter().all(|id| id.len() == 16));
}

// §3, rule 2
#[test]
fn an_id_that_claims_to_be_given_by_the_receiver_is_removed() {
    let (mut world, romeo, juliet) = world();
    for forger in ["juliet@example.org", "JULIET@Example.org"] {
        world.send(romeo, &message(&format!("<body>hi</body>{}", id(forger, "forged"))));
        let got = ids(&world.receive(juliet));
        assert_eq!(got.len(), 1, "{got:?}");
        assert_ne!(got[0].1, "forged");
    }
    for client in [romeo, juliet] {
        assert!(archived(&mut world, client).iter().all(|message| ids(message).is_empty()));
    }
}

// "even if they are not adding their own stanza ID"
#[test]
fn it_is_removed_from_what_is_not_archived_too() {
    let (mut world, romeo, juliet) = world();
    let composing = "<composing xmlns='http://jabber.org/protocol/chatstates'/>";
    world.send(romeo, &message(&format!("{composing}{}", id("juliet@example.org", "forged"))));
    world.expect(
        juliet,
        &format!(
            "<message from='romeo@example.org/orchard' to='juliet@example.org' type='chat'>{composing}</message>"
        ),
    );
    world.send(romeo, &message(&id("juliet@example.org", "forged")).replace("chat", "headline"));
    assert_eq!(ids(&world.receive(juliet)), []);
    let mut world = World::with(|config| config.archive.enabled = false);
    let (juliet, romeo) = (world.online("juliet", "balcony"), world.online("romeo", "orchard"));
    world.send(romeo, &message(&format!("<body>hi</body>{}", id("juliet@example.org", "forged"))));
    assert_eq!(ids(&world.receive(juliet)), []);
}

#[test]
fn an_id_that_claims_to_be_given_by_the_sender_is_removed() {
    let (mut world, romeo, juliet) = world();
    world.send(romeo, &message(&format!("<body>hi</body>{}", id("romeo@example.org", "forged"))));
    let got = ids(&world.receive(juliet));
    assert!(got.iter().all(|(by, _)| by == "juliet@example.org"), "{got:?}");
    assert_eq!(ids(&archived(&mut world, romeo)[0]), []);
}

#[test]
fn no_forged_id_comes_from_elsewhere() {
    let (mut world, _, juliet) = world();
    world.core.federated = true;
    let forged = id("juliet@example.org", "forged");
    world.from_remote(&format!(
        "<message from='nurse@verona.it/x' to='juliet@example.org' type='chat'><body>Madam!</body>{forged}</message>"
    ));
    let got = ids(&world.receive(juliet));
    assert!(got.len() == 1 && got[0].1 != "forged", "{got:?}");
}

// §3, rule 3; §2.2
#[test]
fn ids_that_others_have_given_stay() {
    let (mut world, romeo, juliet) = world();
    let origin = "<origin-id xmlns='urn:xmpp:sid:0' id='o'/>";
    let others = [("room@chat.example.org", "a"), ("example.org", "b"), ("juliet@example.org/balcony", "c")];
    let given: String = others.iter().map(|(by, id)| self::id(by, id)).collect();
    world.send(romeo, &message(&format!("<body>hi</body>{given}{origin}")));
    let got = world.receive(juliet);
    assert!(got.find("origin-id", "urn:xmpp:sid:0").is_some());
    let got = ids(&got);
    assert_eq!(got.len(), 4, "{got:?}");
    assert!(got.iter().zip(others).all(|(got, (by, id))| got == &(by.to_owned(), id.to_owned())), "{got:?}");
}

#[test]
fn ids_stay_the_same_after_a_restart() {
    let (mut world, romeo, juliet) = world();
    world.send(romeo, &message("<body>hi</body>"));
    let [(_, before)] = ids(&world.receive(juliet)).try_into().expect("one id");
    world.restart();
    let juliet = world.login("juliet", "balcony");
    world.send(juliet, "<iq type='set' id='q'><query xmlns='urn:xmpp:mam:2'/></iq>");
    let result = world.receive(juliet);
    let after = result.find("result", "urn:xmpp:mam:2").and_then(|result| result.get_attr("id"));
    assert_eq!(after, Some(before.as_str()));
}
