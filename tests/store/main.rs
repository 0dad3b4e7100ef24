//! The store, from its codec to a disk that is full, cut off, foreign or damaged.

#[path = "../world/chance.rs"]
mod chance;
mod codec;
mod commit;
mod faulty;
mod fixture;
mod full_disk;
mod open;
mod power_cut;
mod thread;

use chance::Chance;
use faulty::Faulty;
use std::ops::ControlFlow;
use stube::store::schema::{announcement, offline};
use stube::store::{Batch, Committer, Offline, Op, Opened, Options, Reader, Store, Table};

const SECRET: [u8; 32] = [7; 32];

fn options() -> Options {
    Options::new(SECRET)
}

fn open_on(storage: &Faulty) -> Opened {
    Store::open_backend(storage.clone(), options()).expect("opens")
}

fn in_memory() -> (Committer, Reader) {
    let opened = open_on(&Faulty::new());
    (opened.committer, opened.reader)
}

fn apply(committer: &mut Committer, ops: Vec<Op>) {
    committer.apply(&[Batch { seq: 1, ops }]).expect("commits");
}

/// A batch that can be told from others: a message, and its number under a fixed name.
fn numbered(seq: u64) -> Batch {
    let stanza = format!("<message id='{seq}'/>");
    let message = Offline::Copy { stamp: seq, stanza: stanza.into_bytes() };
    let number = announcement::put("last", &seq.to_be_bytes());
    Batch { seq, ops: vec![offline::put(1, seq, &message), number] }
}

/// Checks that exactly the first batches are there, each whole, and says how many.
fn numbered_there(reader: &Reader) -> u64 {
    let last = || {
        let last = reader.announcement("last").expect("readable");
        last.map_or(0, |bytes| u64::from_be_bytes(bytes.try_into().expect("eight bytes")))
    };
    // These are three transactions, and the store may go on in between.
    let before = last();
    let messages = reader.offline(1, None, usize::MAX).expect("readable");
    let (there, after) = (messages.len() as u64, last());
    assert!((before..=after).contains(&there), "a batch is there in part: {before}, {there}, {after}");
    for (seq, (key, message)) in (1..).zip(&messages) {
        assert_eq!(*key, seq);
        let stanza = format!("<message id='{seq}'/>").into_bytes();
        assert_eq!(*message, Offline::Copy { stamp: seq, stanza });
    }
    there
}

/// Everything in the database.
fn dump(reader: &Reader) -> Vec<(Table, Vec<u8>, Vec<u8>)> {
    let mut rows = Vec::new();
    for &table in Table::ALL {
        let row = |key: &[u8], value: &[u8]| {
            rows.push((table, key.to_vec(), value.to_vec()));
            ControlFlow::Continue(())
        };
        reader.scan(table, &[], &[], row).expect("readable");
    }
    rows
}
