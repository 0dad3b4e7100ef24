//! A database of each released schema stays openable, and each of its tables means what it meant.
//!
//! When `VERSION` rises: add `schema-N.redb` by running the ignored test before the change, and a test that opens
//! it after.

use super::{apply, options};
use std::fs;
use std::path::{Path, PathBuf};
use stube::password::{Credentials, Keys};
use stube::store::record::{
    Affiliation, ArchiveClients, ArchiveDefault, ArchiveOwners, ArchivePreferences, Archived, Client,
    Clients, GivenBookmarks, NodeConfig, PubsubItem, PubsubNode, PubsubPeople, PushRegistration, Report,
    Room, RoomAffiliation, RoomPerson, Subscriber, Token,
};
use stube::store::schema::{
    self, account, activity, announcement, archive, blocklist, clients, given_bookmarks, meta, offline,
    private, pubsub, push_registration, report, room, roster, subscription_request, vcard,
};
use stube::store::{Account, Activity, Offline, Op, RosterItem, Store, Subscription, Table};
use stube::token::{Binding, Verifier};

fn fixture(schema: u32) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/fixtures/schema-{schema}.redb"))
}

fn romeo() -> Account {
    let keys = |length| Keys {
        salt: (1..=16).collect(),
        iterations: 10_000,
        stored_key: vec![0xaa; length],
        server_key: vec![0xbb; length],
    };
    let credentials = Credentials { sha1: keys(20), sha256: keys(32) };
    Account { id: 1, created: 1_795_000_000, disabled: false, credentials }
}

fn juliet() -> RosterItem {
    RosterItem {
        name: Some("Juliet".into()),
        groups: vec!["Friends".into(), "Verona".into()],
        subscription: Subscription::Both,
        ask: false,
        approved: true,
        version: 7,
        removed: false,
    }
}

fn waiting() -> Offline {
    Offline::Copy { stamp: 1_795_000_000_123, stanza: b"<message/>".to_vec() }
}

fn phone() -> PushRegistration {
    PushRegistration {
        service: "push.example.net".into(),
        node: Some("n".into()),
        resource: "phone".into(),
        options: Vec::new(),
    }
}

fn spam() -> Report {
    Report {
        stamp: 1_795_000_000,
        reporter: "romeo@example.org".into(),
        reported: "tybalt@example.net".into(),
        reason: "urn:xmpp:reporting:spam".into(),
        text: "Villain".into(),
        stanzas: vec!["romeo@example.org 1".into()],
        to_origin: false,
        to_third_parties: false,
    }
}

fn node() -> PubsubNode {
    let config = NodeConfig { title: Some("Tunes".into()), max_items: 10, ..NodeConfig::default() };
    let creator = "romeo@example.org".into();
    PubsubNode { number: 3, created: 1_795_000_000, creator, config, last: 77, items: 1, bytes: 23 }
}

fn people() -> PubsubPeople {
    let juliet = Subscriber { jid: "juliet@example.org/x".into(), pending: false, deliver: true };
    let affiliations = vec![("tybalt@example.org".into(), Affiliation::Outcast)];
    PubsubPeople { affiliations, subscriptions: vec![juliet] }
}

fn tune() -> PubsubItem {
    let publisher = "romeo@example.org".into();
    PubsubItem { id: "current".into(), publisher, payload: b"<tune xmlns='urn:tune'/>".to_vec() }
}

/// One phone, with a token of each kind.
fn phones() -> Clients {
    let token =
        |verifier| Some(Token { verifier, issued: 1_795_000_000, expires: 1_797_592_000, count: None });
    Clients(vec![Client {
        id: [7; 16],
        software: "Conversations".into(),
        device: "Phone".into(),
        seen: 1_795_000_000,
        current: token(Verifier::of(&[3; 32], None)),
        new: token(Verifier::of(&[3; 32], Some(Binding::Exporter))),
    }])
}

fn kitchen() -> Room {
    Room { id: 3, created: 1_795_000_000, creator: "juliet@example.org".into(), ..Room::default() }
}

fn cook() -> RoomPerson {
    RoomPerson { affiliation: RoomAffiliation::Owner, nick: "Jules".into(), ..RoomPerson::default() }
}

fn given() -> GivenBookmarks {
    GivenBookmarks { rooms: vec!["kitchen@conference.example.org".into()] }
}

/// A row in each table.
fn everything() -> Vec<Op> {
    let mut ops = account::created("example.org", "romeo", &romeo());
    ops.extend([
        activity::put(1, &Activity { last_login: 10, last_logout: 20, status: "Away".into() }),
        roster::put(1, "juliet@example.org", &juliet()),
        roster::put(
            1,
            "tybalt@example.org",
            &RosterItem { removed: true, version: 6, ..RosterItem::default() },
        ),
        subscription_request::put(1, "nurse@example.org", b"<presence type='subscribe'/>"),
        blocklist::put(1, "tybalt@example.org"),
        private::put(1, "storage:bookmarks", "storage", b"<storage xmlns='storage:bookmarks'/>"),
        vcard::put(1, b"<vCard xmlns='vcard-temp'/>"),
        offline::put(1, 5, &waiting()),
        announcement::put("motd", b"Good morrow"),
        archive::put_body(7, ArchiveOwners::Accounts { sender: Some(1), receiver: None }, |out| {
            out.extend_from_slice(b"<message/>")
        }),
        archive::put_index(1, 7, "juliet@example.org/balcony"),
        archive::put_remains(3),
        archive::put_preferences(
            1,
            &ArchivePreferences { default: ArchiveDefault::Roster, always: vec![], never: vec!["a".into()] },
        ),
        archive::put_clients(1, &ArchiveClients { resources: vec!["orchard".into()] }),
        clients::put(1, &phones()),
        push_registration::put(1, 3, &phone()),
        report::put(4, &spam()),
        pubsub::put_node(1, "urn:tune", &node()),
        pubsub::put_people(1, 3, &people()),
        pubsub::put_item(1, 3, 77, &tune()),
        room::put("conference.example.org", "kitchen", &kitchen()),
        room::put_person(3, "juliet@example.org", &cook()),
        archive::put_body(8, ArchiveOwners::Room(3), |out| out.extend_from_slice(b"<message/>")),
        archive::put_index(3, 8, "kitchen@conference.example.org/Jules\0juliet@example.org/balcony"),
    ]);
    ops.extend(meta::put_service("pubsub.example.org", 2));
    ops.push(given_bookmarks::put(1, &given()));
    ops
}

/// `UPDATE=1` makes the one of a new schema.
#[test]
fn the_current_schema_has_a_fixture() {
    let path = fixture(schema::VERSION);
    if std::env::var_os("UPDATE").is_some() && !path.exists() {
        let mut committer = Store::open(&path, options()).expect("opens").committer;
        apply(&mut committer, everything());
    }
    assert!(path.exists(), "{} is missing: make it with UPDATE=1", path.display());
}

#[test]
fn a_database_of_schema_1_is_read_in_every_table() {
    let path = std::env::temp_dir().join(format!("stube-fixture-{}.redb", std::process::id()));
    fs::copy(fixture(1), &path).expect("copied");
    let opened = Store::open(&path, stube::store::Options { secret: [0; 32], ..options() }).expect("opens");
    fs::remove_file(&path).expect("there");
    let reader = opened.reader;
    assert!(!opened.created);
    assert_eq!(reader.secret(), Ok(super::SECRET));
    assert_eq!(reader.next_account(), Ok(3));
    assert_eq!(reader.accounts("example.org"), Ok(vec![("romeo".into(), romeo())]));
    assert_eq!(
        reader.activity(1),
        Ok(Some(Activity { last_login: 10, last_logout: 20, status: "Away".into() }))
    );
    let tybalt = RosterItem { removed: true, version: 6, ..RosterItem::default() };
    let roster = vec![("juliet@example.org".into(), juliet()), ("tybalt@example.org".into(), tybalt)];
    assert_eq!(reader.roster(1), Ok(roster));
    let requests = vec![("nurse@example.org".into(), b"<presence type='subscribe'/>".to_vec())];
    assert_eq!(reader.subscription_requests(1), Ok(requests));
    assert_eq!(reader.blocklist(1), Ok(vec!["tybalt@example.org".into()]));
    let bookmarks = b"<storage xmlns='storage:bookmarks'/>".to_vec();
    assert_eq!(reader.private(1, "storage:bookmarks", "storage"), Ok(Some(bookmarks)));
    assert_eq!(reader.vcard(1), Ok(Some(b"<vCard xmlns='vcard-temp'/>".to_vec())));
    assert_eq!(reader.offline(1, None, usize::MAX), Ok(vec![(5, waiting())]));
    assert_eq!(reader.clients(1), Ok(Some(phones())));
    assert_eq!(reader.announcement("motd"), Ok(Some(b"Good morrow".to_vec())));
    assert_eq!(reader.pubsub_nodes(1), Ok(vec![("urn:tune".into(), node())]));
    assert_eq!(reader.pubsub_people(1), Ok(vec![(3, people())]));
    let mut items = Vec::new();
    assert_eq!(reader.pubsub_items(1, 3, |order, item| items.push((order, item))), Ok(()));
    assert_eq!(items, [(77, tune())]);
    assert_eq!(reader.room("conference.example.org", "kitchen"), Ok(Some(kitchen())));
    assert_eq!(reader.room_people(3), Ok(vec![("juliet@example.org".into(), cook())]));
    let owners = |archived: Archived| archived.owners;
    assert_eq!(reader.archived(8).map(|archived| archived.map(owners)), Ok(Some(ArchiveOwners::Room(3))));
}

#[test]
fn the_fixture_has_a_row_in_every_table() {
    let tables: Vec<Table> = everything().iter().map(Op::table).collect();
    assert!(Table::ALL.iter().all(|table| tables.contains(table)));
}
