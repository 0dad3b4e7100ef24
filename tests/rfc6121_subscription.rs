//! RFC 6121 §3 and Appendix A: presence subscriptions, each state against each stanza, in both directions, with a
//! contact elsewhere and with one of ours.

use stube::xml::Element;

use crate::client::Client;
use crate::world::{World, show};

const GET: &str = "<iq type='get' id='get'><query xmlns='jabber:iq:roster'/></iq>";

/// The nine states of Appendix A.1, as romeo's account has them for juliet.
#[derive(Clone, Copy, Debug, PartialEq)]
struct State {
    to: bool,
    from: bool,
    /// romeo has asked.
    pending_out: bool,
    /// juliet has asked.
    pending_in: bool,
    /// §3.4
    approved: bool,
}

/// `N`one, `T`o, `F`rom, `B`oth; with Pending `O`ut and `I`n; `A`: pre-approved.
fn state(name: &str) -> State {
    State {
        to: name.contains(['T', 'B']),
        from: name.contains(['F', 'B']),
        pending_out: name.contains('O'),
        pending_in: name.contains('I'),
        approved: name.contains('A'),
    }
}

impl State {
    /// The same relation as juliet's account has it.
    fn mirrored(self) -> State {
        State {
            to: self.from,
            from: self.to,
            pending_out: self.pending_in,
            pending_in: self.pending_out,
            approved: false,
        }
    }

    /// What the roster shows of it, Pending In aside.
    fn shown(self) -> State {
        State { pending_in: false, ..self }
    }
}

/// A row of one of the tables: a state, whether the stanza goes on (out to the contact, or in to the user's resources),
/// and the state after it.
type Row = (&'static str, bool, &'static str);

// A.2.1
const OUT_SUBSCRIBE: [Row; 9] = [
    ("N", true, "NO"),
    ("NO", true, "NO"),
    ("NI", true, "NOI"),
    ("NOI", true, "NOI"),
    ("T", true, "T"),
    ("TI", true, "TI"),
    ("F", true, "FO"),
    ("FO", true, "FO"),
    ("B", true, "B"),
];

// A.2.2
const OUT_UNSUBSCRIBE: [Row; 9] = [
    ("N", true, "N"),
    ("NO", true, "N"),
    ("NI", true, "NI"),
    ("NOI", true, "NI"),
    ("T", true, "N"),
    ("TI", true, "NI"),
    ("F", true, "F"),
    ("FO", true, "F"),
    ("B", true, "F"),
];

// A.2.3, with the pre-approval of §3.4.2
const OUT_SUBSCRIBED: [Row; 9] = [
    ("N", false, "NA"),
    ("NO", false, "NOA"),
    ("NI", true, "F"),
    ("NOI", true, "FO"),
    ("T", false, "TA"),
    ("TI", true, "B"),
    ("F", false, "F"),
    ("FO", false, "FO"),
    ("B", false, "B"),
];

// A.2.4
const OUT_UNSUBSCRIBED: [Row; 9] = [
    ("N", false, "N"),
    ("NO", false, "NO"),
    ("NI", true, "N"),
    ("NOI", true, "NO"),
    ("T", false, "T"),
    ("TI", true, "T"),
    ("F", true, "N"),
    ("FO", true, "NO"),
    ("B", true, "T"),
];

// A.3.1
const IN_SUBSCRIBE: [Row; 9] = [
    ("N", true, "NI"),
    ("NO", true, "NOI"),
    ("NI", false, "NI"),
    ("NOI", false, "NOI"),
    ("T", true, "TI"),
    ("TI", false, "TI"),
    ("F", false, "F"),
    ("FO", false, "FO"),
    ("B", false, "B"),
];

// A.3.2
const IN_UNSUBSCRIBE: [Row; 9] = [
    ("N", false, "N"),
    ("NO", false, "NO"),
    ("NI", true, "N"),
    ("NOI", true, "NO"),
    ("T", false, "T"),
    ("TI", true, "T"),
    ("F", true, "N"),
    ("FO", true, "NO"),
    ("B", true, "T"),
];

// A.3.3
const IN_SUBSCRIBED: [Row; 9] = [
    ("N", false, "N"),
    ("NO", true, "T"),
    ("NI", false, "NI"),
    ("NOI", true, "TI"),
    ("T", false, "T"),
    ("TI", false, "TI"),
    ("F", false, "F"),
    ("FO", true, "B"),
    ("B", false, "B"),
];

// A.3.4
const IN_UNSUBSCRIBED: [Row; 9] = [
    ("N", false, "N"),
    ("NO", true, "N"),
    ("NI", false, "NI"),
    ("NOI", true, "NI"),
    ("T", true, "N"),
    ("TI", true, "NI"),
    ("F", false, "F"),
    ("FO", true, "F"),
    ("B", true, "F"),
];

/// Where juliet is: her account lives here or elsewhere.
#[derive(Clone, Copy)]
enum Juliet {
    Ours(Client),
    Elsewhere,
}

struct Stage {
    world: World,
    romeo: Client,
    juliet: Juliet,
}

impl Stage {
    /// romeo in the orchard, available and with his roster; juliet at home; and this state between them.
    fn new(at_home: bool, wanted: State) -> Stage {
        let mut world = World::federated();
        let romeo = world.online("romeo", "orchard");
        let juliet = match at_home {
            true => Juliet::Ours(world.online("juliet", "balcony")),
            false => Juliet::Elsewhere,
        };
        let mut stage = Stage { world, romeo, juliet };
        if wanted.to || wanted.pending_out {
            stage.romeo_sends("subscribe");
        }
        if wanted.to {
            stage.juliet_sends("subscribed");
        }
        if wanted.from || wanted.pending_in {
            stage.juliet_sends("subscribe");
        }
        if wanted.from {
            stage.romeo_sends("subscribed");
        }
        assert_eq!(stage.state(), wanted, "the way there");
        stage.clear();
        stage
    }

    fn address(&self) -> &'static str {
        match self.juliet {
            Juliet::Ours(_) => "juliet@example.org",
            Juliet::Elsewhere => "juliet@example.net",
        }
    }

    fn romeo_sends(&mut self, kind: &str) {
        let to = self.address();
        self.world.send(self.romeo, &format!("<presence type='{kind}' to='{to}/any'/>"));
    }

    fn juliet_sends(&mut self, kind: &str) {
        match self.juliet {
            Juliet::Ours(juliet) => {
                self.world.send(juliet, &format!("<presence type='{kind}' to='romeo@example.org'/>"));
            }
            Juliet::Elsewhere => self.world.from_remote(&format!(
                "<presence type='{kind}' from='juliet@example.net' to='romeo@example.org'/>"
            )),
        }
    }

    fn clear(&mut self) {
        self.world.clear(self.romeo);
        if let Juliet::Ours(juliet) = self.juliet {
            self.world.clear(juliet);
        }
        self.world.to_remote();
    }

    /// romeo's state, as his roster and a resource that has just come see it.
    fn state(&mut self) -> State {
        let juliet = self.address();
        state_of(&mut self.world, "romeo", juliet)
    }

    /// What romeo's resource in the orchard has got: the kinds of presence, and whether there was one push.
    fn got(&mut self) -> (Vec<String>, Option<State>) {
        let got = self.world.drain(self.romeo);
        let pushes: Vec<State> = (got.iter())
            .filter_map(|element| element.find("query", "jabber:iq:roster"))
            .map(|query| item_state(query.children().next().expect("an item")))
            .collect();
        assert!(pushes.len() <= 1, "{}", got.iter().map(show).collect::<String>());
        (kinds(got), pushes.first().copied())
    }
}

/// The types of subscription stanzas among these, and who they are from and to must be bare.
fn kinds(stanzas: Vec<Element>) -> Vec<String> {
    let presence = stanzas.into_iter().filter(|element| element.name == "presence");
    let mut kinds = Vec::new();
    for stanza in presence {
        let kind = stanza.get_attr("type").unwrap_or("available").to_owned();
        if kind.contains("subscribe") {
            assert!(!stanza.get_attr("from").expect("a sender").contains('/'), "{}", show(&stanza));
            assert!(!stanza.get_attr("to").expect("a receiver").contains('/'), "{}", show(&stanza));
        }
        kinds.push(kind);
    }
    kinds
}

fn item_state(item: &Element) -> State {
    let subscription = item.get_attr("subscription").unwrap_or_default();
    State {
        to: matches!(subscription, "to" | "both"),
        from: matches!(subscription, "from" | "both"),
        pending_out: item.get_attr("ask") == Some("subscribe"),
        pending_in: false,
        approved: item.get_attr("approved") == Some("true"),
    }
}

fn state_of(world: &mut World, name: &str, contact: &str) -> State {
    let client = world.login(name, "looking");
    let roster = world.expect_result(client, GET);
    let query = roster.find("query", "jabber:iq:roster").expect("a roster");
    let item = query.children().find(|item| item.get_attr("jid") == Some(contact));
    let shown = item.map_or(state("N"), item_state);
    world.send(client, "<presence><priority>-1</priority></presence>");
    let request = |stanza: &Element| {
        stanza.get_attr("type") == Some("subscribe") && stanza.get_attr("from") == Some(contact)
    };
    let pending_in = world.drain(client).iter().any(request);
    world.close(client);
    State { pending_in, ..shown }
}

// --- Appendix A.2: what romeo sends ---

#[test]
fn what_a_user_sends_to_a_contact_elsewhere() {
    for (kind, table) in [
        ("subscribe", OUT_SUBSCRIBE),
        ("unsubscribe", OUT_UNSUBSCRIBE),
        ("subscribed", OUT_SUBSCRIBED),
        ("unsubscribed", OUT_UNSUBSCRIBED),
    ] {
        for (before, routed, after) in table {
            let mut stage = Stage::new(false, state(before));
            stage.romeo_sends(kind);
            let (before, after) = (state(before), state(after));
            let mut sent = Vec::new();
            if before.from && !after.from {
                sent.push("unavailable"); // §3.2.2: while the contact still sees it
            }
            if routed {
                sent.push(kind);
            }
            if !before.from && after.from {
                sent.push("available"); // §3.1.5
            }
            assert_eq!(kinds(stage.world.to_remote()), sent, "{kind} in {before:?}");
            let pushed = (before.shown() != after.shown()).then_some(after.shown());
            assert_eq!(stage.got(), (vec![], pushed), "{kind} in {before:?}");
            assert_eq!(stage.state(), after, "{kind} in {before:?}");
        }
    }
}

#[test]
fn what_a_user_sends_to_a_contact_of_ours() {
    for (kind, there, table) in [
        ("subscribe", IN_SUBSCRIBE, OUT_SUBSCRIBE),
        ("unsubscribe", IN_UNSUBSCRIBE, OUT_UNSUBSCRIBE),
        ("subscribed", IN_SUBSCRIBED, OUT_SUBSCRIBED),
        ("unsubscribed", IN_UNSUBSCRIBED, OUT_UNSUBSCRIBED),
    ] {
        for (before, routed, after) in table {
            let mut stage = Stage::new(true, state(before));
            let (before, after) = (state(before), state(after));
            let Juliet::Ours(juliet) = stage.juliet else { unreachable!("she is at home") };
            stage.romeo_sends(kind);
            // Her account's state is the mirror of his, and so is what it does.
            let (_, delivered, _) =
                there.iter().find(|(name, ..)| state(name) == before.mirrored()).expect("a row");
            let mut got = kinds(stage.world.drain(juliet));
            got.retain(|kind| kind.contains("subscribe"));
            assert_eq!(got.contains(&kind.to_owned()), routed && *delivered, "{kind} in {before:?}: {got:?}");
            assert_eq!(stage.state(), after, "{kind} in {before:?}");
            let hers = state_of(&mut stage.world, "juliet", "romeo@example.org");
            assert_eq!(hers, after.mirrored(), "{kind} in {before:?}");
        }
    }
}

// --- Appendix A.3: what romeo gets ---

#[test]
fn what_a_user_gets_from_a_contact_elsewhere() {
    for (kind, table) in [
        ("subscribe", IN_SUBSCRIBE),
        ("unsubscribe", IN_UNSUBSCRIBE),
        ("subscribed", IN_SUBSCRIBED),
        ("unsubscribed", IN_UNSUBSCRIBED),
    ] {
        for (before, delivered, after) in table {
            let mut stage = Stage::new(false, state(before));
            stage.juliet_sends(kind);
            let (before, after) = (state(before), state(after));
            let mut answers = Vec::new();
            if kind == "subscribe" && before.from {
                answers.push("subscribed"); // A.3.1: the server answers for the user
            }
            if before.from && !after.from {
                answers.push("unavailable"); // §3.3.3
            }
            assert_eq!(kinds(stage.world.to_remote()), answers, "{kind} in {before:?}");
            let pushed = (before.shown() != after.shown()).then_some(after.shown());
            let got = if delivered { vec![kind.to_owned()] } else { vec![] };
            assert_eq!(stage.got(), (got, pushed), "{kind} in {before:?}");
            assert_eq!(stage.state(), after, "{kind} in {before:?}");
        }
    }
}

// --- §3.1.2: asking ---

#[test]
fn a_subscription_stanza_is_from_the_account_and_to_the_account() {
    let mut stage = Stage::new(false, state("N"));
    stage.world.send(
        stage.romeo,
        "<presence type='subscribe' id='s1' to='juliet@example.net/balcony'><status>me!</status></presence>",
    );
    stage.world.expect_remote(
        "<presence type='subscribe' id='s1' from='romeo@example.org' to='juliet@example.net'><status>me!</status></presence>",
    );
}

#[test]
fn nobody_subscribes_to_themselves() {
    let mut world = World::new();
    let romeo = world.online("romeo", "orchard");
    for kind in ["subscribe", "subscribed", "unsubscribe", "unsubscribed"] {
        world.send(romeo, &format!("<presence type='{kind}' to='romeo@example.org'/>"));
        world.expect_nothing(romeo);
    }
    assert_eq!(state_of(&mut world, "romeo", "romeo@example.org"), state("N"));
}

#[test]
fn a_subscription_stanza_is_to_someone() {
    let mut world = World::new();
    let romeo = world.online("romeo", "orchard");
    for kind in ["subscribe", "subscribed", "unsubscribe", "unsubscribed"] {
        world.send(romeo, &format!("<presence type='{kind}'/>"));
        world.expect_bounce(romeo, "bad-request");
    }
}

#[test]
fn who_asks_someone_that_cannot_be_reached_is_told() {
    let mut world = World::new();
    let romeo = world.online("romeo", "orchard");
    world.send(romeo, "<presence type='subscribe' id='s1' to='juliet@example.net'/>");
    assert_eq!(world.receive(romeo).name, "iq", "the push");
    world.expect(
        romeo,
        "<presence type='error' id='s1' from='juliet@example.net' to='romeo@example.org'>\
         <error code='404' type='cancel'><remote-server-not-found xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></presence>",
    );
}

// --- §3.1.3: being asked ---

// "if there is at least one available resource associated with the contact when the subscription request is received
// by the contact's server, then the contact's server MUST send that subscription request to all available resources"
#[test]
fn a_request_is_shown_to_every_available_resource() {
    let mut world = World::federated();
    let (one, two) = (world.online("romeo", "one"), world.online("romeo", "two"));
    let hidden = world.login("romeo", "hidden");
    world.clear(one);
    world
        .from_remote("<presence type='subscribe' from='juliet@example.net/balcony' to='romeo@example.org'/>");
    for client in [one, two] {
        world.expect(client, "<presence type='subscribe' from='juliet@example.net' to='romeo@example.org'/>");
    }
    world.expect_nothing(hidden);
    // Not again while it waits.
    world.from_remote("<presence type='subscribe' from='juliet@example.net' to='romeo@example.org'/>");
    world.expect_nothing(one);
}

// "if the contact has no available resources when the subscription request is received by the contact's server, then
// the contact's server MUST keep a record of the complete presence stanza comprising the subscription request,
// including any extended content contained therein"
#[test]
fn a_request_is_kept_as_it_came_and_shown_at_every_login_until_it_is_answered() {
    let mut world = World::federated();
    world.account("romeo");
    let request = "<presence type='subscribe' id='s1' xml:lang='it' from='juliet@example.net' to='romeo@example.org'>\
         <status>It's me</status><nick xmlns='http://jabber.org/protocol/nick'>Giulietta</nick></presence>";
    world.from_remote(request);
    for _ in 0..2 {
        world.restart();
        let romeo = world.login("romeo", "orchard");
        world.expect_nothing(romeo);
        world.send(romeo, "<presence/>");
        world.expect_all(
            romeo,
            &["<presence from='romeo@example.org/orchard' to='romeo@example.org'/>", request],
        );
        // Becoming more available is no new login.
        world.send(romeo, "<presence><show>chat</show></presence>");
        assert_eq!(world.drain(romeo).len(), 1);
    }
    let romeo = world.online("romeo", "orchard");
    world.send(romeo, "<presence type='unsubscribed' to='juliet@example.net'/>");
    world.restart();
    let romeo = world.login("romeo", "orchard");
    world.send(romeo, "<presence/>");
    world.expect(romeo, "<presence from='romeo@example.org/orchard' to='romeo@example.org'/>");
    world.expect_nothing(romeo);
}

#[test]
fn a_request_that_is_taken_back_is_shown_no_more() {
    let mut world = World::federated();
    world.account("romeo");
    world.from_remote("<presence type='subscribe' from='juliet@example.net' to='romeo@example.org'/>");
    world.from_remote("<presence type='unsubscribe' from='juliet@example.net' to='romeo@example.org'/>");
    assert_eq!(state_of(&mut world, "romeo", "juliet@example.net"), state("N"));
}

#[test]
fn a_request_of_someone_who_was_blocked_since_is_not_shown() {
    let mut world = World::federated();
    let romeo = world.login("romeo", "orchard");
    world.from_remote("<presence type='subscribe' from='juliet@example.net' to='romeo@example.org'/>");
    world.expect_result(
        romeo,
        "<iq type='set' id='b'><block xmlns='urn:xmpp:blocking'><item jid='juliet@example.net'/></block></iq>",
    );
    assert_eq!(state_of(&mut world, "romeo", "juliet@example.net"), state("N"));
    world.expect_result(romeo, "<iq type='set' id='u'><unblock xmlns='urn:xmpp:blocking'/></iq>");
    assert_eq!(state_of(&mut world, "romeo", "juliet@example.net"), state("NI"));
}

#[test]
fn so_many_requests_wait_and_what_comes_with_them_is_bounded() {
    let mut world = World::federated();
    world.account("romeo");
    let long = "x".repeat(10_000);
    for n in 0..210 {
        world.from_remote(&format!(
            "<presence type='subscribe' from='u{n}@example.net' to='romeo@example.org'><status>{long}</status></presence>"
        ));
    }
    let romeo = world.online_with_everything("romeo", "orchard");
    let requests: Vec<_> =
        romeo.iter().filter(|stanza| stanza.get_attr("type") == Some("subscribe")).collect();
    assert_eq!(requests.len(), 200);
    assert!(requests.iter().all(|request| request.children.is_empty()));
}

// --- §3.1.5, §3.1.6: the answer ---

#[test]
fn who_is_let_in_sees_every_resource_at_once() {
    let mut world = World::federated();
    let one = world.online("romeo", "one");
    let two = world.online("romeo", "two");
    world.send(two, "<presence><show>away</show></presence>");
    world.login("romeo", "hidden");
    world.from_remote("<presence type='subscribe' from='juliet@example.net' to='romeo@example.org'/>");
    world.to_remote();
    world.send(one, "<presence type='subscribed' id='yes' to='juliet@example.net'/>");
    world.expect_remote(
        "<presence type='subscribed' id='yes' from='romeo@example.org' to='juliet@example.net'/>",
    );
    world.expect_remote("<presence from='romeo@example.org/one' to='juliet@example.net'/>");
    world.expect_remote(
        "<presence from='romeo@example.org/two' to='juliet@example.net'><show>away</show></presence>",
    );
    assert!(world.to_remote().is_empty());
}

// §3.1.6: "all of the user's interested resources", first the answer and then the push
#[test]
fn an_answer_goes_to_every_resource_that_has_asked_for_the_roster() {
    let mut stage = Stage::new(false, state("NO"));
    let uninterested = stage.world.login("romeo", "street");
    stage.world.send(uninterested, "<presence/>");
    stage.world.clear(uninterested);
    stage.world.clear(stage.romeo);
    stage.juliet_sends("subscribed");
    stage.world.expect(
        stage.romeo,
        "<presence type='subscribed' from='juliet@example.net' to='romeo@example.org'/>",
    );
    stage.world.expect(
        stage.romeo,
        "<iq type='set' id='*' to='romeo@example.org/orchard'><query xmlns='jabber:iq:roster' ver='*'>\
         <item jid='juliet@example.net' subscription='to'/></query></iq>",
    );
    stage.world.expect_nothing(uninterested);
}

#[test]
fn an_answer_to_someone_who_is_offline_is_in_the_roster_afterwards() {
    let mut world = World::new();
    let romeo = world.online("romeo", "orchard");
    world.account("juliet");
    world.send(romeo, "<presence type='subscribe' to='juliet@example.org'/>");
    world.close(romeo);
    let juliet = world.online("juliet", "balcony");
    world.send(juliet, "<presence type='subscribed' to='romeo@example.org'/>");
    world.restart();
    assert_eq!(state_of(&mut world, "romeo", "juliet@example.org"), state("T"));
    assert_eq!(state_of(&mut world, "juliet", "romeo@example.org"), state("F"));
}

// --- §3.4: pre-approval ---

// §3.4.1
#[test]
fn pre_approval_is_offered() {
    let mut world = World::new();
    world.account("romeo");
    let romeo = world.connect_tls();
    world.open_stream(romeo);
    world.plain(romeo, "romeo", "romeo's password");
    world.receive(romeo);
    assert!(world.open_stream(romeo).find("sub", "urn:xmpp:features:pre-approval").is_some());
}

// §3.4.2
#[test]
fn a_request_that_was_approved_before_is_answered_by_the_server() {
    for before in ["N", "NO", "T"] {
        let mut stage = Stage::new(false, state(before));
        stage.romeo_sends("subscribed");
        stage.clear();
        stage.juliet_sends("subscribe");
        let (presence, pushed) = stage.got();
        assert!(presence.is_empty(), "nobody is asked: {presence:?}");
        let after = State { from: true, ..state(before) };
        assert_eq!(pushed, Some(after));
        assert_eq!(kinds(stage.world.to_remote()), ["subscribed", "available"]);
        assert_eq!(stage.state(), after, "the approval is used up");
    }
}

// §3.4.2
#[test]
fn an_approval_can_be_taken_back_without_anyone_noticing() {
    for (before, after) in [("NA", "N"), ("NOA", "NO"), ("TA", "T")] {
        let mut stage = Stage::new(false, State { approved: false, ..state(before) });
        stage.romeo_sends("subscribed");
        assert_eq!(stage.state(), state(before));
        stage.clear();
        stage.romeo_sends("unsubscribed");
        assert!(stage.world.to_remote().is_empty());
        assert_eq!(stage.got(), (vec![], Some(state(after))));
        assert_eq!(stage.state(), state(after));
    }
}

#[test]
fn an_approval_outlives_what_the_contact_does_with_its_own_side() {
    let mut stage = Stage::new(false, state("T"));
    stage.romeo_sends("subscribed");
    stage.juliet_sends("unsubscribed");
    assert_eq!(stage.state(), state("NA"));
    stage.juliet_sends("unsubscribe");
    assert_eq!(stage.state(), state("NA"));
}

// --- remote contacts' presence ---

#[test]
fn presence_from_outside_reaches_every_available_resource_as_it_was_addressed() {
    let mut world = World::federated();
    let (one, two) = (world.online("romeo", "one"), world.online("romeo", "two"));
    world.clear(one);
    let presence =
        "<presence from='juliet@example.net/balcony' to='romeo@example.org'><show>chat</show></presence>";
    world.from_remote(presence);
    world.expect(one, presence);
    world.expect(two, presence);
    let directed = "<presence from='juliet@example.net/balcony' to='romeo@example.org/two'/>";
    world.from_remote(directed);
    world.expect_nothing(one);
    world.expect(two, directed);
}
