//! What reading costs: microseconds for a message, from a stream's bytes to its canonical form, best of some
//! rounds. `cargo bench --bench xml_reader`.

use std::hint::black_box;
use std::time::Instant;

use stube::xml::{Element, Item, Limits, Reader, ns};

const HEADER: &str = "<?xml version='1.0'?><stream:stream xmlns='jabber:client' \
                      xmlns:stream='http://etherx.jabber.org/streams' to='example.org' version='1.0'>";

/// 368 bytes, as clients send them.
const MESSAGE: &str = "<message to='romeo@montague.example/orchard' type='chat' id='a6f3c2f1-73c2-4f38-9a0e-5d1c6f1f0b11' \
    xml:lang='en'><body>Wherefore art thou, Romeo? Deny thy father &amp; refuse thy name</body><active \
    xmlns='http://jabber.org/protocol/chatstates'/><request xmlns='urn:xmpp:receipts'/><origin-id \
    xmlns='urn:xmpp:sid:0' id='a6f3c2f1-73c2-4f38-9a0e-5d1c6f1f0b11'/></message>";

const MESSAGES: usize = 64;
const REPEATS: usize = 1_000;

fn main() {
    println!("{} bytes a message, {MESSAGES} a read, µs each:", MESSAGE.len());
    let block = MESSAGE.repeat(MESSAGES);
    report("read to header and payload", || read(&block, block.len()));
    report("the same, in chunks of 100 bytes", || read(&block, 100));
    let payload = fragment().payload();
    report("find three children", || {
        for _ in 0..MESSAGES {
            black_box(payload.find("body", ns::CLIENT));
            black_box(payload.find("private", ns::CARBONS));
            black_box(payload.find("no-store", ns::HINTS));
        }
    });
    let fragment = fragment();
    report("make a tree", || {
        for _ in 0..MESSAGES {
            black_box(fragment.to_element());
        }
    });
    let element: Element = fragment.to_element();
    report("write a tree", || {
        for _ in 0..MESSAGES {
            black_box(element.to_bytes(ns::CLIENT));
        }
    });
}

fn reader() -> Reader {
    let mut reader = Reader::new(Limits::after_login(256 * 1024), ns::CLIENT);
    let item = reader.next(&mut HEADER.as_bytes()).expect("a header");
    assert!(matches!(item, Some(Item::Header(_))));
    reader
}

fn fragment() -> stube::xml::Fragment {
    match reader().next(&mut MESSAGE.as_bytes()) {
        Ok(Some(Item::Stanza(fragment))) => fragment,
        other => panic!("no stanza but {other:?}"),
    }
}

fn read(block: &str, chunk: usize) {
    let mut reader = reader();
    let mut messages = 0;
    for mut chunk in block.as_bytes().chunks(chunk) {
        while let Some(item) = reader.next(&mut chunk).expect("well-formed") {
            messages += 1;
            black_box(item);
        }
    }
    assert_eq!(messages, MESSAGES);
}

fn report(what: &str, mut run: impl FnMut()) {
    let mut best = f64::INFINITY;
    for _ in 0..REPEATS {
        let start = Instant::now();
        run();
        best = best.min(start.elapsed().as_secs_f64());
    }
    println!("  {:5.2}  {what}", best * 1e6 / MESSAGES as f64);
}
