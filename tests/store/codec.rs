//! Every record survives its bytes, and no bytes make a decoder panic or guess.

use super::Chance;
use std::fmt::Debug;
use stube::password::{Credentials, Keys};
use stube::store::codec::Malformed;
use stube::store::record::{
    AccessModel, Account, Activity, Affiliation, ArchiveClients, ArchiveDefault, ArchiveIndex, ArchiveOwners,
    ArchivePreferences, Archived, Blob, Client, Clients, ConfiguredRoom, GivenBookmarks, Hat, NodeConfig,
    Offline, PubsubItem, PubsubNode, PubsubPeople, PushRegistration, Record, Report, Room, RoomAffiliation,
    RoomConfig, RoomPerson, RosterItem, Subject, Subscriber, Subscription, Token,
};
use stube::token::{Binding, Verifier};

fn account() -> Account {
    let keys = |byte, length| Keys {
        salt: vec![byte; 16],
        iterations: 10_000,
        stored_key: vec![byte + 1; length],
        server_key: vec![byte + 2; length],
    };
    let credentials = Credentials { sha1: keys(1, 20), sha256: keys(7, 32) };
    Account { id: u32::MAX, created: 1_800_000_000, disabled: true, credentials }
}

fn item() -> RosterItem {
    RosterItem {
        name: Some("Juliet ❤".into()),
        groups: vec!["Friends".into(), String::new()],
        subscription: Subscription::Both,
        ask: true,
        approved: false,
        version: u64::MAX,
        removed: true,
    }
}

fn waiting() -> Offline {
    Offline::Archived { id: u64::MAX, bytes: 365 }
}

fn preferences() -> ArchivePreferences {
    let jids = |jid: &str| vec![jid.to_owned()];
    ArchivePreferences {
        default: ArchiveDefault::Roster,
        always: jids("romeo@example.net"),
        never: jids("tybalt@example.net/x"),
    }
}

/// One of each kind of token.
fn clients() -> Clients {
    let token = |verifier, count| Some(Token { verifier, issued: 1_800_000_000, expires: u64::MAX, count });
    let bound = |binding| Verifier::of(&[3; 32], Some(binding));
    let client = |id, current, new| Client {
        id: [id; 16],
        software: "Gajim".into(),
        device: String::new(),
        seen: 1_800_000_000,
        current,
        new,
    };
    Clients(vec![
        client(1, token(bound(Binding::Exporter), Some(u32::MAX)), token(bound(Binding::EndPoint), None)),
        client(2, None, token(Verifier::of(&[3; 32], None), Some(0))),
    ])
}

fn push() -> PushRegistration {
    PushRegistration {
        service: "push.example.net".into(),
        node: Some("abc".into()),
        resource: "phone".into(),
        options: b"<x xmlns='jabber:x:data'/>".to_vec(),
    }
}

fn report() -> Report {
    Report {
        stamp: 1_800_000_000,
        reporter: "juliet@example.org".into(),
        reported: "tybalt@example.net".into(),
        reason: "urn:xmpp:reporting:spam".into(),
        text: "Every day".into(),
        stanzas: vec!["juliet@example.org 1".into()],
        to_origin: true,
        to_third_parties: false,
    }
}

fn node() -> PubsubNode {
    let config = NodeConfig {
        access_model: AccessModel::Roster,
        title: Some("Tunes".into()),
        contacts: vec!["romeo@example.org".into()],
        roster_groups: vec!["Friends".into(), "Family".into()],
        ..NodeConfig::default()
    };
    let creator = "romeo@example.org".into();
    PubsubNode { number: 7, created: 1_800_000_000, creator, config, last: 9, items: 2, bytes: u64::MAX }
}

fn people() -> PubsubPeople {
    let subscriber = |jid: &str, pending| Subscriber { jid: jid.into(), pending, deliver: !pending };
    PubsubPeople {
        affiliations: vec![
            ("a@example.org".into(), Affiliation::Owner),
            ("b@example.org".into(), Affiliation::Outcast),
        ],
        subscriptions: vec![subscriber("a@example.org/x", false), subscriber("b@example.org", true)],
    }
}

fn room() -> Room {
    Room {
        id: 7,
        created: 1_800_000_000,
        creator: "romeo@example.org".into(),
        locked: true,
        subject: Subject {
            nick: "Romeo".into(),
            occupant_id: "f00d".into(),
            changed: 1_800_000_000_123,
            elements: b"<subject>Dinner</subject>".to_vec(),
        },
        config: RoomConfig { title: "Family".into(), slow_mode: 5, ..RoomConfig::default() },
        hats: vec![Hat {
            uri: "http://example.org/nurse".into(),
            title: "Nurse".into(),
            hue: "327.255249".into(),
        }],
        configured: Some(ConfiguredRoom {
            title: "Family".into(),
            description: "All of us".into(),
            members: vec!["example.org".into()],
            owners: vec!["romeo@example.org".into(), "juliet@example.org".into()],
            autojoin: true,
        }),
    }
}

fn person() -> RoomPerson {
    RoomPerson {
        affiliation: RoomAffiliation::Admin,
        nick: "Nurse".into(),
        reason: "helps".into(),
        hats: vec!["http://example.org/nurse".into()],
    }
}

fn survives<R: Record + PartialEq + Debug>(record: R) {
    let bytes = record.encode();
    assert_eq!(R::decode(&bytes), Ok(record));
}

#[test]
fn every_record_survives_its_bytes() {
    survives(account());
    survives(Activity { last_login: 1, last_logout: 2, status: "gone fishing".into() });
    survives(Activity::default());
    survives(item());
    survives(clients());
    survives(Clients::default());
    for subscription in [Subscription::None, Subscription::To, Subscription::From, Subscription::Both] {
        survives(RosterItem { subscription, ..RosterItem::default() });
    }
    survives(Offline::Copy { stamp: 1_800_000_000_123, stanza: b"<message/>".to_vec() });
    survives(Offline::Copy { stamp: 0, stanza: Vec::new() });
    survives(waiting());
    for (sender, receiver) in [(Some(1), Some(u32::MAX)), (Some(1), None), (None, Some(0)), (None, None)] {
        let owners = ArchiveOwners::Accounts { sender, receiver };
        survives(Archived { owners, stanza: b"<message/>".to_vec() });
    }
    survives(Archived { owners: ArchiveOwners::Room(u32::MAX), stanza: b"<message/>".to_vec() });
    survives(room());
    survives(Room::default());
    survives(Room { configured: None, ..room() });
    survives(person());
    survives(RoomPerson::default());
    survives(GivenBookmarks { rooms: vec!["family@conference.example.org".into()] });
    survives(GivenBookmarks::default());
    survives(ArchiveIndex { with: "juliet@example.org/balcony".into() });
    for default in [ArchiveDefault::Always, ArchiveDefault::Never, ArchiveDefault::Roster] {
        survives(ArchivePreferences { default, ..preferences() });
    }
    survives(ArchiveClients { resources: vec!["orchard".into()] });
    survives(push());
    survives(PushRegistration { node: None, options: Vec::new(), ..push() });
    survives(report());
    survives(Blob(b"<query xmlns='urn:x'/>".to_vec()));
    survives(Blob(Vec::new()));
    survives(node());
    survives(PubsubNode::default());
    for &access_model in AccessModel::ALL {
        let config = NodeConfig { access_model, ..NodeConfig::default() };
        survives(PubsubNode { config, ..PubsubNode::default() });
    }
    survives(people());
    survives(PubsubPeople::default());
    survives(PubsubItem { id: "1".into(), publisher: "a@example.org".into(), payload: b"<a/>".to_vec() });
}

#[test]
fn bytes_of_a_record_cut_short_or_prolonged_are_refused() {
    fn strict<R: Record + PartialEq + Debug>(record: R) {
        let mut bytes = record.encode();
        for length in 0..bytes.len() {
            assert_eq!(R::decode(&bytes[..length]), Err(Malformed::Truncated));
        }
        bytes.push(0);
        assert_eq!(R::decode(&bytes), Err(Malformed::Trailing(1)));
    }
    strict(account());
    strict(Activity { last_login: 1, last_logout: 2, status: "gone fishing".into() });
    strict(item());
    strict(waiting());
    strict(preferences());
    strict(ArchiveClients { resources: vec!["orchard".into()] });
    strict(clients());
    strict(report());
    strict(node());
    strict(people());
}

#[test]
fn an_unknown_version_is_refused() {
    fn refuses<R: Record + PartialEq + Debug>(record: R) {
        let mut bytes = record.encode();
        bytes[0] = 2;
        assert_eq!(R::decode(&bytes), Err(Malformed::Version(2)));
    }
    refuses(account());
    refuses(Activity::default());
    refuses(item());
    refuses(clients());
    refuses(node());
    refuses(people());
    refuses(PubsubItem { id: String::new(), publisher: String::new(), payload: Vec::new() });
    refuses(ArchiveIndex { with: String::new() });
    refuses(preferences());
    refuses(ArchiveClients::default());
    refuses(push());
    refuses(report());
    refuses(Blob(Vec::new()));
    assert_eq!(Offline::decode(&[3]), Err(Malformed::Version(3)));
    assert_eq!(Archived::decode(&[3]), Err(Malformed::Version(3)));
}

#[test]
fn a_length_larger_than_the_value_costs_no_memory() {
    let mut bytes = RosterItem::default().encode();
    let count = bytes.len() - 4;
    bytes[count..].fill(0xff);
    assert_eq!(RosterItem::decode(&bytes), Err(Malformed::Truncated));
}

#[test]
fn arbitrary_bytes_are_decoded_to_their_own_encoding_or_refused() {
    fn agrees<R: Record>(bytes: &[u8]) {
        if let Ok(record) = R::decode(bytes) {
            assert_eq!(record.encode(), bytes);
        }
    }
    let seeds = [
        account().encode(),
        item().encode(),
        clients().encode(),
        Activity::default().encode(),
        waiting().encode(),
        preferences().encode(),
        Archived {
            owners: ArchiveOwners::Accounts { sender: Some(1), receiver: Some(2) },
            stanza: b"<message/>".to_vec(),
        }
        .encode(),
        Archived { owners: ArchiveOwners::Room(7), stanza: b"<message/>".to_vec() }.encode(),
        push().encode(),
        report().encode(),
        node().encode(),
        people().encode(),
        room().encode(),
        person().encode(),
    ];
    for seed in 0..20_000 {
        let mut chance = Chance::new(seed);
        let mut bytes = seeds[chance.below(seeds.len())].clone();
        for _ in 0..1 + chance.below(4) {
            let at = chance.below(bytes.len());
            bytes[at] = [chance.next() as u8, 0, 1, 0xff][chance.below(4)];
        }
        agrees::<Account>(&bytes);
        agrees::<Activity>(&bytes);
        agrees::<RosterItem>(&bytes);
        agrees::<Clients>(&bytes);
        agrees::<Room>(&bytes);
        agrees::<RoomPerson>(&bytes);
        agrees::<GivenBookmarks>(&bytes);
        agrees::<Offline>(&bytes);
        agrees::<Archived>(&bytes);
        agrees::<ArchiveIndex>(&bytes);
        agrees::<ArchivePreferences>(&bytes);
        agrees::<ArchiveClients>(&bytes);
        agrees::<PushRegistration>(&bytes);
        agrees::<Report>(&bytes);
        agrees::<Blob>(&bytes);
        agrees::<PubsubNode>(&bytes);
        agrees::<PubsubPeople>(&bytes);
        agrees::<PubsubItem>(&bytes);
    }
}
