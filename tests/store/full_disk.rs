//! A disk that refuses: nothing is lost, nothing is acknowledged, reads go on, and then it all comes true.

use super::faulty::{Faults, Faulty};
use super::{apply, numbered, numbered_there, open_on, options};
use stube::store::schema::{offline, vcard};
use stube::store::{Batch, Offline, Store};

const FULL: Faults = Faults { full: true, no_sync: false, no_read: false, panic: false, flaky: 0 };
const NO_SYNC: Faults = Faults { full: false, no_sync: true, ..FULL };
const NO_READ: Faults = Faults { full: false, no_read: true, ..FULL };

#[test]
fn a_batch_that_met_a_full_disk_is_committed_when_there_is_space() {
    let storage = Faulty::new();
    let mut committer = open_on(&storage).committer;
    committer.apply(&[numbered(1)]).expect("commits");
    for faults in [FULL, NO_SYNC] {
        storage.set(faults);
        for _ in 0..3 {
            committer.apply(&[numbered(2)]).expect_err("the disk refuses");
        }
        storage.set(Faults::default());
        committer.apply(&[numbered(2)]).expect("there is space again");
        assert_eq!(numbered_there(&committer.reader()), 2);
    }
    drop(committer);
    assert_eq!(numbered_there(&open_on(&storage).reader), 2);
}

#[test]
fn readers_see_everything_while_the_disk_is_full() {
    let storage = Faulty::new();
    let opened = open_on(&storage);
    let mut committer = opened.committer;
    // More than the cache holds, so that the file itself is read.
    for key in 0..200 {
        apply(
            &mut committer,
            vec![offline::put(2, key, &Offline::Copy { stamp: key, stanza: vec![key as u8; 60_000] })],
        );
    }
    committer.apply(&[numbered(1)]).expect("commits");
    storage.set(FULL);
    let large = Batch { seq: 2, ops: (0..50).map(|id| vcard::put(id, &[id as u8; 60_000])).collect() };
    committer.apply(&[large]).expect_err("the disk is full");
    assert_eq!(numbered_there(&opened.reader), 1);
    for (key, message) in opened.reader.offline(2, None, usize::MAX).expect("readable") {
        assert_eq!(message, Offline::Copy { stamp: key, stanza: vec![key as u8; 60_000] });
    }
    for id in 0..50 {
        // What could not be written yet may be seen already, but only whole.
        let vcard = opened.reader.vcard(id).expect("readable");
        assert_eq!(vcard.expect("there"), [id as u8; 60_000]);
    }
}

#[test]
fn what_a_full_disk_refused_is_not_there_after_a_restart_without_space() {
    let storage = Faulty::new();
    let mut committer = open_on(&storage).committer;
    committer.apply(&[numbered(1)]).expect("commits");
    storage.set(FULL);
    committer.apply(&[numbered(2)]).expect_err("the disk is full");
    drop(committer);
    storage.set(Faults::default());
    assert_eq!(numbered_there(&open_on(&storage).reader), 1);
}

#[test]
fn a_database_that_met_a_bad_sector_is_opened_anew_and_old_readers_go_on() {
    let storage = Faulty::new();
    let opened =
        Store::open_backend(storage.clone(), stube::store::Options { cache: 0, ..options() }).expect("opens");
    let mut committer = opened.committer;
    committer.apply(&[numbered(1)]).expect("commits");
    storage.set(NO_READ);
    opened.reader.announcement("last").expect_err("the sector is bad");
    storage.set(Faults::default());
    opened.reader.announcement("last").expect_err("redb has given up");
    committer.mend().expect("opens anew");
    assert_eq!(numbered_there(&opened.reader), 1);
    committer.apply(&[numbered(2)]).expect("commits");
    assert_eq!(numbered_there(&opened.reader), 2);
}

#[test]
fn a_commit_that_met_a_bad_sector_succeeds_at_the_next_try() {
    let storage = Faulty::new();
    let opened =
        Store::open_backend(storage.clone(), stube::store::Options { cache: 0, ..options() }).expect("opens");
    let mut committer = opened.committer;
    committer.apply(&[numbered(1)]).expect("commits");
    storage.set(NO_READ);
    committer.apply(&[numbered(2)]).expect_err("the sector is bad");
    committer.apply(&[numbered(2)]).expect_err("and can't be opened anew");
    storage.set(Faults::default());
    committer.apply(&[numbered(2)]).expect("commits");
    assert_eq!(numbered_there(&opened.reader), 2);
}
