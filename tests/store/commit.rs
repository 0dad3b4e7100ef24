//! What a batch does, and that keys keep accounts apart.

use super::{Chance, apply, dump, in_memory};
use std::collections::{BTreeMap, HashSet};
use stube::password::{Credentials, Keys};
use stube::store::schema::{
    self, Owner, RETIRED, account, archive, blocklist, offline, private, roster, vcard,
};
use stube::store::{Account, Batch, Offline, Op, RosterItem, Table};

fn some_account(id: u32) -> Account {
    let keys = |byte| Keys {
        salt: vec![byte; 16],
        iterations: 1,
        stored_key: vec![byte; 20],
        server_key: vec![byte],
    };
    let credentials = Credentials { sha1: keys(1), sha256: keys(2) };
    Account { id, created: 3, disabled: false, credentials }
}

#[test]
fn tables_have_names_of_their_own_and_never_a_retired_one() {
    let names: HashSet<_> = Table::ALL.iter().map(|table| table.name()).collect();
    assert_eq!(names.len(), Table::ALL.len());
    assert!(RETIRED.iter().all(|name| !names.contains(name)));
}

#[test]
fn the_last_change_of_a_key_wins_within_a_commit() {
    let (mut committer, reader) = in_memory();
    apply(&mut committer, vec![vcard::put(1, b"<a/>"), vcard::delete(1), vcard::put(1, b"<b/>")]);
    assert_eq!(reader.vcard(1), Ok(Some(b"<b/>".to_vec())));
    apply(&mut committer, vec![vcard::put(1, b"<c/>"), vcard::delete(1)]);
    assert_eq!(reader.vcard(1), Ok(None));
}

#[test]
fn emptying_a_prefix_spares_what_comes_after_it_and_its_neighbours() {
    let (mut committer, reader) = in_memory();
    apply(&mut committer, [1, 255, 256, u32::MAX].map(|id| blocklist::put(id, "before@example.org")).into());
    let both = |id| {
        vec![
            blocklist::put(id, "early@example.org"),
            blocklist::clear(id),
            blocklist::put(id, "late@example.org"),
        ]
    };
    apply(&mut committer, [both(255), both(u32::MAX)].concat());
    assert_eq!(reader.blocklist(255), Ok(vec!["late@example.org".into()]));
    assert_eq!(reader.blocklist(u32::MAX), Ok(vec!["late@example.org".into()]));
    assert_eq!(reader.blocklist(1), Ok(vec!["before@example.org".into()]));
    assert_eq!(reader.blocklist(256), Ok(vec!["before@example.org".into()]));
}

#[test]
fn any_changes_in_any_commits_end_as_one_after_the_other() {
    for seed in 0..40 {
        let mut chance = Chance::new(seed);
        let (mut committer, reader) = in_memory();
        let before = dump(&reader);
        let mut model = BTreeMap::new();
        for _ in 0..20 {
            let mut batches = Vec::new();
            for seq in 0..chance.below(5) as u64 {
                let ops = (0..chance.below(12)).map(|_| some_op(&mut chance)).collect();
                batches.push(Batch { seq, ops });
            }
            for op in batches.iter().flat_map(|batch| &batch.ops) {
                run(&mut model, op.clone());
            }
            committer.apply(&batches).expect("commits");
        }
        let rows = dump(&reader).into_iter().filter(|row| !before.contains(row));
        let rows: BTreeMap<_, _> = rows.map(|(table, key, value)| ((table, key), value)).collect();
        assert_eq!(rows, model, "seed {seed}");
    }
}

/// Keys of few bytes, so that prefixes meet.
fn some_op(chance: &mut Chance) -> Op {
    const BYTES: [u8; 3] = [0, 1, 0xff];
    let table = chance.pick(&[Table::Offline, Table::Roster]);
    let key: Vec<u8> = (0..1 + chance.below(3)).map(|_| chance.pick(&BYTES)).collect();
    match chance.below(6) {
        0 => Op::DeletePrefix { table, prefix: key },
        1 => Op::Delete { table, key },
        _ => Op::Put { table, key, value: chance.next().to_be_bytes().to_vec() },
    }
}

fn run(model: &mut BTreeMap<(Table, Vec<u8>), Vec<u8>>, op: Op) {
    match op {
        Op::Put { table, key, value } => drop(model.insert((table, key), value)),
        Op::Delete { table, key } => drop(model.remove(&(table, key))),
        Op::DeletePrefix { table, prefix } => {
            model.retain(|(t, key), _| *t != table || !key.starts_with(&prefix))
        }
    }
}

#[test]
fn a_new_account_uses_up_its_id() {
    let (mut committer, reader) = in_memory();
    assert_eq!(reader.next_account(), Ok(1));
    apply(&mut committer, account::created("example.org", "romeo", &some_account(1)));
    assert_eq!(reader.next_account(), Ok(2));
    assert_eq!(reader.account("example.org", "romeo"), Ok(Some(some_account(1))));
}

#[test]
fn accounts_of_one_domain_are_not_listed_under_another() {
    let (mut committer, reader) = in_memory();
    let put = |domain, localpart, id| account::put(domain, localpart, &some_account(id));
    apply(
        &mut committer,
        vec![
            put("example.org", "romeo", 1),
            put("example.org", "juliet", 2),
            put("example.organic", "tybalt", 3),
            put("example.or", "nurse", 4),
        ],
    );
    let listed = reader.accounts("example.org").expect("readable");
    assert_eq!(listed, [("juliet".into(), some_account(2)), ("romeo".into(), some_account(1))]);
    assert_eq!(reader.count_accounts("example.org"), Ok(2));
    assert_eq!(reader.count_accounts("example"), Ok(0));
}

/// Something in each table that accounts own, so that a table without a removal would be noticed.
fn everything_of(id: u32) -> Vec<Op> {
    let owned = Table::ALL.iter().filter(|table| table.owner() == Owner::Account);
    owned
        .map(|&table| Op::Put { table, key: [&schema::owned(id)[..], b"x"].concat(), value: vec![1] })
        .collect()
}

#[test]
fn a_removed_account_leaves_nothing_and_takes_nothing_of_others() {
    let (mut committer, reader) = in_memory();
    let others = [vec![account::put("example.org", "juliet", &some_account(2))], everything_of(2)].concat();
    apply(&mut committer, others);
    let before = dump(&reader);
    let romeo = [vec![account::put("example.org", "romeo", &some_account(1))], everything_of(1)].concat();
    apply(&mut committer, romeo);
    assert_ne!(dump(&reader), before);
    apply(&mut committer, account::removed("example.org", "romeo", 1));
    // But for the note that its archive is still to be removed.
    assert_eq!(reader.archive_remains(), Ok(vec![1]));
    apply(&mut committer, vec![archive::delete_remains(1)]);
    assert_eq!(dump(&reader), before);
}

#[test]
fn waiting_stanzas_come_in_order_from_where_the_last_page_ended() {
    let (mut committer, reader) = in_memory();
    let put = |id, order: u64| {
        offline::put(id, order, &Offline::Copy { stamp: order / 2, stanza: b"<message/>".to_vec() })
    };
    apply(&mut committer, vec![put(1, 256), put(1, 2), put(1, u64::MAX), put(2, 7)]);
    let keys = |after, enough| -> Vec<u64> {
        reader.offline(1, after, enough).expect("readable").into_iter().map(|(key, _)| key).collect()
    };
    let size = b"<message/>".len();
    assert_eq!(keys(None, usize::MAX), [2, 256, u64::MAX]);
    assert_eq!(keys(None, size), [2]);
    assert_eq!(keys(None, size + 1), [2, 256]);
    assert_eq!(keys(Some(2), 1), [256]);
    assert_eq!(keys(Some(256), usize::MAX), [u64::MAX]);
    assert_eq!(keys(Some(u64::MAX), usize::MAX), []);
    let usage = reader.offline_usage(1).expect("readable");
    assert_eq!((usage.count, usage.last_key), (3, Some(u64::MAX)));
    assert_eq!(reader.offline_usage(3).expect("readable").last_key, None);
}

#[test]
fn private_elements_are_told_apart_by_namespace_and_name() {
    let (mut committer, reader) = in_memory();
    apply(
        &mut committer,
        vec![private::put(1, "urn:a", "bc", b"<bc/>"), private::put(1, "urn:ab", "c", b"<c/>")],
    );
    assert_eq!(reader.private(1, "urn:a", "bc"), Ok(Some(b"<bc/>".to_vec())));
    assert_eq!(reader.private(1, "urn:ab", "c"), Ok(Some(b"<c/>".to_vec())));
    assert_eq!(reader.private(1, "urn:a", "c"), Ok(None));
}

#[test]
fn a_damaged_value_is_an_error_that_names_its_table_and_key() {
    let (mut committer, reader) = in_memory();
    let future =
        Op::Put { table: Table::Roster, key: roster::key(1, "juliet@example.org"), value: vec![9, 9] };
    apply(&mut committer, vec![roster::put(1, "benvolio@example.org", &RosterItem::default()), future]);
    let error = reader.roster(1).expect_err("version 9").to_string();
    assert!(
        error.contains("juliet@example.org") && error.contains("roster") && error.contains("version 9"),
        "{error}"
    );
    let error = reader.roster_item(1, "juliet@example.org").expect_err("version 9").to_string();
    assert!(error.contains("juliet@example.org") && error.contains("version 9"), "{error}");
}
