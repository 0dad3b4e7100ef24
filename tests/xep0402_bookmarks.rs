//! XEP-0402, with XEP-0048, XEP-0049 and XEP-0411: bookmarks of rooms, in three ways.

use crate::client::Client;
use crate::pep::{options, publication};
use crate::world::{World, show};
use stube::xml::Element;

const NODE: &str = "urn:xmpp:bookmarks:1";
const OLDER: &str = "storage:bookmarks";
/// As clients publish (§3.3).
const OPTIONS: &[(&str, &str)] = &[
    ("persist_items", "true"),
    ("max_items", "max"),
    ("send_last_published_item", "never"),
    ("access_model", "whitelist"),
];
const OLDER_OPTIONS: &[(&str, &str)] = &[("persist_items", "true"), ("access_model", "whitelist")];

fn scene() -> (World, Client) {
    let mut world = World::new();
    let juliet = world.interested("juliet", "balcony", &[NODE, OLDER]);
    (world, juliet)
}

fn conference(attrs: &str, content: &str) -> String {
    format!("<conference xmlns='{NODE}' {attrs}>{content}</conference>")
}

fn bookmark(world: &mut World, client: Client, room: &str, attrs: &str, content: &str) {
    world.publish(client, NODE, room, &conference(attrs, content), OPTIONS);
}

fn storage(content: &str) -> String {
    format!("<storage xmlns='storage:bookmarks'>{content}</storage>")
}

fn set_private(world: &mut World, client: Client, content: &str) {
    let storage = storage(content);
    world.expect_result(
        client,
        &format!("<iq type='set' id='p'><query xmlns='jabber:iq:private'>{storage}</query></iq>"),
    );
}

/// The content of private storage.
fn private(world: &mut World, client: Client) -> Vec<String> {
    let get = format!("<iq type='get' id='p'><query xmlns='jabber:iq:private'>{}</query></iq>", storage(""));
    let answer = world.expect_result(client, &get);
    let query = answer.find("query", "jabber:iq:private").expect("a query");
    content(query.find("storage", OLDER).expect("a storage"))
}

/// The content of the older node.
fn older(world: &mut World, client: Client) -> Vec<String> {
    let items = world.items(client, OLDER);
    items
        .iter()
        .flat_map(|(id, storage)| {
            assert_eq!(id, "current");
            content(storage)
        })
        .collect()
}

fn content(storage: &Element) -> Vec<String> {
    let mut all: Vec<String> =
        storage.children().map(|child| show(child).replace(" xmlns='storage:bookmarks'", "")).collect();
    all.sort();
    all
}

fn newer(world: &mut World, client: Client) -> Vec<(String, String)> {
    let items = world.items(client, NODE);
    let mut all: Vec<(String, String)> = items
        .iter()
        .map(|(id, it)| (id.clone(), show(it).replace(&format!(" xmlns='{NODE}'"), "")))
        .collect();
    all.sort();
    all
}

const PLAY: &str = "play@rooms.example.org";
const BALL: &str = "ball@rooms.example.org";

// §5.3
#[test]
fn the_account_says_that_bookmarks_are_one() {
    let (mut world, juliet) = scene();
    let info = "<iq type='get' id='i' to='juliet@example.org'><query xmlns='http://jabber.org/protocol/disco#info'/></iq>";
    let info = show(&world.expect_result(juliet, info));
    for feature in
        ["urn:xmpp:bookmarks:1#compat", "urn:xmpp:bookmarks:1#compat-pep", "urn:xmpp:bookmarks-conversion:0"]
    {
        assert!(info.contains(&format!("<feature var='{feature}'/>")), "{info}");
    }
}

// §5.3.1
#[test]
fn a_new_bookmark_shows_in_the_older_ways() {
    let (mut world, juliet) = scene();
    bookmark(
        &mut world,
        juliet,
        PLAY,
        "name='The Play' autojoin='1'",
        "<nick>JC</nick><password>secret</password>",
    );
    bookmark(&mut world, juliet, BALL, "", "");
    let play = format!(
        "<conference jid='{PLAY}' name='The Play' autojoin='true'><nick>JC</nick><password>secret</password></conference>"
    );
    let both = [format!("<conference jid='{BALL}'/>"), play.clone()];
    assert_eq!(private(&mut world, juliet), both);
    assert_eq!(older(&mut world, juliet), both);
    world.retract(juliet, NODE, BALL);
    assert_eq!(private(&mut world, juliet), std::slice::from_ref(&play));
    assert_eq!(older(&mut world, juliet), [play]);
    world.restart();
    let juliet = world.login("juliet", "balcony");
    assert_eq!(private(&mut world, juliet).len(), 1);
    world.delete_node(juliet, NODE);
    assert!(private(&mut world, juliet).is_empty());
    assert!(older(&mut world, juliet).is_empty());
}

// §5.3.2, for both of the older ways
#[test]
fn an_older_list_shows_as_bookmarks() {
    for by_private in [true, false] {
        let (mut world, juliet) = scene();
        let set = |world: &mut World, content: &str| match by_private {
            true => set_private(world, juliet, content),
            false => world.publish(juliet, OLDER, "current", &storage(content), OLDER_OPTIONS),
        };
        let play =
            format!("<conference jid='{PLAY}' name='The Play' autojoin='true'><nick>JC</nick></conference>");
        let ball = format!("<conference jid='{BALL}' autojoin='false'/>");
        set(&mut world, &format!("{play}{ball}"));
        let play_item = (
            PLAY.to_owned(),
            "<conference name='The Play' autojoin='true'><nick>JC</nick></conference>".to_owned(),
        );
        let ball_item = (BALL.to_owned(), "<conference/>".to_owned());
        assert_eq!(newer(&mut world, juliet), [ball_item, play_item.clone()]);
        let mut events = world.events(juliet, NODE);
        events.sort();
        assert_eq!(events, [BALL, PLAY]);
        // "Servers electing to perform this OPTIONAL behaviour SHOULD NOT send notifications for unchanged items."
        set(&mut world, &play);
        assert_eq!(world.events(juliet, NODE), [format!("-{BALL}")]);
        assert_eq!(newer(&mut world, juliet), [play_item]);
        set(&mut world, &play.replace("JC", "Jules"));
        assert_eq!(world.events(juliet, NODE), [PLAY]);
        let all = [play.replace("JC", "Jules")];
        assert_eq!(private(&mut world, juliet), all);
        assert_eq!(older(&mut world, juliet), all);
        set(&mut world, "");
        assert!(newer(&mut world, juliet).is_empty());
    }
}

// XEP-0411 §3: "When a legacy client modifies bookmarks over Private XML the service MUST send out notification messages
// to all subscribers of the 'storage:bookmarks' node."
#[test]
fn whoever_watches_the_older_node_hears_of_each_change() {
    let (mut world, juliet) = scene();
    set_private(&mut world, juliet, &format!("<conference jid='{PLAY}'/>"));
    assert_eq!(world.events(juliet, OLDER), ["current"]);
    bookmark(&mut world, juliet, BALL, "", "");
    assert_eq!(world.events(juliet, OLDER), ["current"]);
    set_private(&mut world, juliet, &format!("<conference jid='{PLAY}'/><conference jid='{BALL}'/>"));
    world.clear(juliet);
    set_private(&mut world, juliet, &format!("<conference jid='{PLAY}'/><conference jid='{BALL}'/>"));
    assert!(world.events(juliet, OLDER).is_empty(), "nothing is new");
}

// §3.4: "clients MUST preserve any XML elements they do not understand"; those who don't must not harm others.
#[test]
fn extensions_survive_a_client_that_does_not_know_them() {
    let (mut world, juliet) = scene();
    let extensions = "<extensions><state xmlns='urn:example:state' minimized='true'/></extensions>";
    bookmark(&mut world, juliet, PLAY, "name='Play'", extensions);
    let shown = format!("<conference jid='{PLAY}' name='Play'>{extensions}</conference>");
    assert_eq!(private(&mut world, juliet), [shown]);
    set_private(&mut world, juliet, &format!("<conference jid='{PLAY}' name='The Play'/>"));
    let kept = format!("<conference name='The Play'>{extensions}</conference>");
    assert_eq!(newer(&mut world, juliet), [(PLAY.into(), kept)]);
    // What older clients have put there is one.
    let old = "<minimize xmlns='xmpp:gajim.org/bookmarks'>true</minimize>";
    set_private(&mut world, juliet, &format!("<conference jid='{BALL}'>{old}</conference>"));
    let new = format!("<conference><extensions>{old}</extensions></conference>");
    assert_eq!(newer(&mut world, juliet), [(BALL.into(), new)]);
}

#[test]
fn pages_stay_with_the_older_ways() {
    let (mut world, juliet) = scene();
    let page = "<url name='Works' url='https://example.org/works'/>";
    set_private(&mut world, juliet, &format!("<conference jid='{PLAY}'/>{page}"));
    bookmark(&mut world, juliet, BALL, "", "");
    let all = [format!("<conference jid='{BALL}'/>"), format!("<conference jid='{PLAY}'/>"), page.to_owned()];
    assert_eq!(private(&mut world, juliet), all);
    assert_eq!(older(&mut world, juliet), all);
    assert_eq!(newer(&mut world, juliet).len(), 2);
}

// XEP-0411 §5: "the service MUST make that the user is the only one who has access to that node"
#[test]
fn bookmarks_are_not_carried_to_a_node_that_others_may_read() {
    let (mut world, juliet) = scene();
    let open = &[("access_model", "open"), ("max_items", "max")];
    world.publish(juliet, NODE, "x", &conference("", ""), open);
    world.retract(juliet, NODE, "x");
    world.delete_node(juliet, OLDER);
    world.publish(juliet, OLDER, "current", &storage(""), &[("access_model", "presence")]);
    set_private(
        &mut world,
        juliet,
        &format!("<conference jid='{PLAY}'><password>secret</password></conference>"),
    );
    assert!(newer(&mut world, juliet).is_empty());
    assert!(older(&mut world, juliet).is_empty());
    assert_eq!(private(&mut world, juliet).len(), 1);
}

#[test]
fn nobody_else_reads_what_the_server_has_carried_over() {
    let (mut world, juliet) = scene();
    world.friends("juliet", "romeo");
    let romeo = world.online("romeo", "orchard");
    set_private(&mut world, juliet, &format!("<conference jid='{PLAY}'/>"));
    for node in [NODE, OLDER] {
        assert!(world.items_of(romeo, "juliet@example.org", node).is_none(), "{node}");
    }
    // And the nodes are as clients want them: publishing with options goes on.
    bookmark(&mut world, juliet, BALL, "", "");
    world.publish(juliet, OLDER, "current", &storage(""), OLDER_OPTIONS);
}

#[test]
fn a_client_that_empties_the_older_node_takes_nothing_away() {
    for delete in [true, false] {
        let (mut world, juliet) = scene();
        bookmark(&mut world, juliet, PLAY, "", "");
        match delete {
            true => world.delete_node(juliet, OLDER),
            false => world.retract(juliet, OLDER, "current"),
        }
        assert_eq!(newer(&mut world, juliet).len(), 1);
        assert_eq!(private(&mut world, juliet).len(), 1);
    }
}

#[test]
fn what_is_no_bookmark_is_not_carried_over() {
    let (mut world, juliet) = scene();
    set_private(
        &mut world,
        juliet,
        &format!(
            "<conference name='nowhere'/><conference jid='@'/><conference jid='{PLAY}/nick'/><conference jid='{PLAY}'/>"
        ),
    );
    assert_eq!(newer(&mut world, juliet), [(PLAY.into(), "<conference/>".into())]);
    world.publish(juliet, NODE, "@", &conference("", ""), OPTIONS);
    world.publish(juliet, NODE, BALL, "<something xmlns='urn:else'/>", OPTIONS);
    assert_eq!(private(&mut world, juliet), [format!("<conference jid='{PLAY}'/>")]);
    // Nor does it disturb what others have put on the node.
    set_private(&mut world, juliet, "");
    assert_eq!(newer(&mut world, juliet).len(), 1);
}

#[test]
fn a_list_that_is_too_long_for_the_node_is_not_cut() {
    let mut world = World::with(|config| config.limits.pubsub_items = stube::config::Limit::of(2));
    let juliet = world.login("juliet", "balcony");
    let rooms: String =
        (0..3).map(|room| format!("<conference jid='room{room}@rooms.example.org'/>")).collect();
    set_private(&mut world, juliet, &rooms);
    assert!(newer(&mut world, juliet).is_empty());
    assert_eq!(private(&mut world, juliet).len(), 3);
}

#[test]
fn all_three_are_kept_or_none() {
    let (mut world, juliet) = scene();
    world.hold_commits();
    world.send(juliet, &publication(NODE, PLAY, &conference("", ""), &options(OPTIONS)));
    assert!(world.answer(juliet, "publish").is_none());
    world.restart();
    let juliet = world.login("juliet", "balcony");
    assert!(newer(&mut world, juliet).is_empty() && private(&mut world, juliet).is_empty());
    bookmark(&mut world, juliet, PLAY, "", "");
    world.restart();
    let juliet = world.login("juliet", "balcony");
    assert_eq!((newer(&mut world, juliet).len(), private(&mut world, juliet).len()), (1, 1));
    assert_eq!(older(&mut world, juliet).len(), 1);
}
