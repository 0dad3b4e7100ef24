//! Every record survives its bytes, and no bytes make a decoder panic or guess.

use super::Chance;
use std::fmt::Debug;
use stube::password::{Credentials, Keys};
use stube::store::codec::Malformed;
use stube::store::record::{
    Account, Activity, Blob, Offline, PushRegistration, Record, Report, RosterItem, Subscription,
};

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
    for subscription in [Subscription::None, Subscription::To, Subscription::From, Subscription::Both] {
        survives(RosterItem { subscription, ..RosterItem::default() });
    }
    survives(Offline { stamp: 1_800_000_000_123, stanza: b"<message/>".to_vec() });
    survives(Offline { stamp: 0, stanza: Vec::new() });
    survives(push());
    survives(PushRegistration { node: None, options: Vec::new(), ..push() });
    survives(report());
    survives(Blob(b"<query xmlns='urn:x'/>".to_vec()));
    survives(Blob(Vec::new()));
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
    strict(report());
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
    refuses(Offline { stamp: 1, stanza: Vec::new() });
    refuses(push());
    refuses(report());
    refuses(Blob(Vec::new()));
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
        Activity::default().encode(),
        push().encode(),
        report().encode(),
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
        agrees::<Offline>(&bytes);
        agrees::<PushRegistration>(&bytes);
        agrees::<Report>(&bytes);
        agrees::<Blob>(&bytes);
    }
}
