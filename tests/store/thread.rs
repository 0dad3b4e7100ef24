//! The store thread: order, stalls, the queue's bound, its end.

use super::faulty::{Ending, Faults, Faulty};
use super::{numbered, numbered_there, open_on};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;
use stube::store::schema::vcard;
use stube::store::{Batch, FULL, Pace, Reader, Store, StoreEvent};

const QUICK: Pace = Pace { longest: Duration::from_millis(20), retry: Duration::from_millis(5) };

fn start(storage: &Faulty) -> (Store, Reader, Receiver<StoreEvent>) {
    let opened = open_on(storage);
    let (sender, events) = channel();
    let notify = move |event| drop(sender.send(event));
    (Store::start(opened.committer, QUICK, notify).expect("a thread"), opened.reader, events)
}

fn next(events: &Receiver<StoreEvent>) -> StoreEvent {
    events.recv_timeout(Duration::from_secs(20)).expect("an event")
}

/// Waits for the commit of `seq`; commits are reported in order and each is already readable.
fn committed(events: &Receiver<StoreEvent>, reader: &Reader, seq: u64) {
    let mut last = 0;
    while last < seq {
        let StoreEvent::Committed(done) = next(events) else { panic!("no commit") };
        assert!(done > last);
        assert!(numbered_there(reader) >= done);
        last = done;
    }
    assert_eq!(last, seq);
}

#[test]
fn batches_are_committed_in_their_order() {
    let (store, reader, events) = start(&Faulty::new());
    (1..=500).for_each(|seq| store.send(numbered(seq)));
    committed(&events, &reader, 500);
    assert_eq!(store.queued_bytes(), 0);
    store.close().expect("no panic");
}

#[test]
fn closing_commits_what_is_queued() {
    let storage = Faulty::new();
    let (store, _, events) = start(&storage);
    (1..=300).for_each(|seq| store.send(numbered(seq)));
    store.close().expect("no panic");
    assert_eq!(events.iter().last(), Some(StoreEvent::Committed(300)));
    assert_eq!(numbered_there(&open_on(&storage).reader), 300);
}

#[test]
fn a_closed_store_needs_no_repair_whoever_still_has_a_reader() {
    // redb's header says at its ninth byte whether the file was left open.
    let left_open = |storage: &Faulty| storage.after(Ending::Kill)[9] & 2 != 0;
    let storage = Faulty::new();
    let (store, reader, _events) = start(&storage);
    store.send(numbered(1));
    assert!(left_open(&storage));
    store.close().expect("no panic");
    assert!(!left_open(&storage));
    reader.secret().expect_err("the store is closed");
}

#[test]
fn a_full_disk_stalls_and_resumes_and_only_then_acknowledges() {
    let storage = Faulty::new();
    let (store, reader, events) = start(&storage);
    store.send(numbered(1));
    committed(&events, &reader, 1);
    storage.set(Faults { full: true, ..Faults::default() });
    store.send(numbered(2));
    assert!(matches!(next(&events), StoreEvent::Stalled(reason) if reason.contains("storage")));
    (3..=10).for_each(|seq| store.send(numbered(seq)));
    assert!(store.queued_bytes() > 0);
    assert_eq!(
        events.recv_timeout(QUICK.retry * 5).ok(),
        None,
        "said something on a disk that is still full"
    );
    storage.set(Faults::default());
    assert_eq!(next(&events), StoreEvent::Resumed);
    committed(&events, &reader, 10);
    store.close().expect("no panic");
    assert_eq!(numbered_there(&open_on(&storage).reader), 10);
}

#[test]
fn a_broken_database_is_opened_anew_without_anything_to_commit() {
    let storage = Faulty::new();
    let opened = Store::open_backend(storage.clone(), stube::store::Options { cache: 0, ..super::options() });
    let opened = opened.expect("opens");
    let (sender, events) = channel();
    let store =
        Store::start(opened.committer, QUICK, move |event| drop(sender.send(event))).expect("a thread");
    storage.set(Faults { no_read: true, ..Faults::default() });
    opened.reader.secret().expect_err("the sector is bad");
    assert!(matches!(next(&events), StoreEvent::Stalled(_)));
    storage.set(Faults::default());
    assert_eq!(next(&events), StoreEvent::Resumed);
    assert_eq!(opened.reader.secret().expect("readable"), super::SECRET);
    store.close().expect("no panic");
}

#[test]
fn the_queue_is_full_from_its_bound_on_and_not_after_the_commit() {
    let storage = Faulty::new();
    let (store, _, events) = start(&storage);
    storage.set(Faults { full: true, ..Faults::default() });
    let mut seq = 0;
    while !store.is_full() {
        seq += 1;
        assert!(store.queued_bytes() < FULL);
        store.send(Batch { seq, ops: vec![vcard::put(1, &[0; 1 << 20])] });
    }
    assert!(seq >= 15, "full after {seq} MiB");
    storage.set(Faults::default());
    while next(&events) != StoreEvent::Committed(seq) {}
    assert!(!store.is_full());
    store.close().expect("no panic");
}

#[test]
fn a_panic_is_reported_and_comes_out_of_close() {
    let storage = Faulty::new();
    let (store, _, events) = start(&storage);
    storage.set(Faults { panic: true, ..Faults::default() });
    store.send(numbered(1));
    assert_eq!(next(&events), StoreEvent::Panicked("the disk caught fire".into()));
    assert!(store.close().is_err());
}
