//! The rules of the reader, one a test. `read` gives what a stream means in one line; an error ends it.

mod canonical_form;
mod limits;
mod refusals;
mod streams;

use super::{Item, Limits, ReadError, Reader, ns};

const HEADER: &str = "<stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' \
                      to='example.org' version='1.0'>";

const LIMITS: Limits = Limits::after_login(256 * 1024);

/// All items of a stream that comes in these chunks, and how it ended if not well.
fn items<'a>(
    reader: &mut Reader,
    chunks: impl IntoIterator<Item = &'a [u8]>,
) -> (Vec<Item>, Option<ReadError>) {
    let mut items = Vec::new();
    for mut chunk in chunks {
        loop {
            match reader.next(&mut chunk) {
                Ok(Some(item)) => items.push(item),
                Ok(None) => break,
                Err(error) => return (items, Some(error)),
            }
        }
        assert!(chunk.is_empty(), "`None` means that the input is used up");
    }
    (items, None)
}

/// The first child of a client's stream, in canonical form.
fn stanza(source: impl AsRef<[u8]>) -> Result<String, ReadError> {
    let mut reader = Reader::new(LIMITS, ns::CLIENT);
    match items(&mut reader, [HEADER.as_bytes(), source.as_ref()]) {
        (_, Some(error)) => Err(error),
        (items, None) => match items.get(1) {
            Some(Item::Stanza(stanza)) => {
                Ok(String::from_utf8(stanza.to_element().to_bytes(ns::CLIENT)).unwrap())
            }
            other => panic!("no stanza but {other:?}"),
        },
    }
}

/// The canonical form of what is inside a message.
fn content(source: &str) -> Result<String, ReadError> {
    let stanza = stanza(format!("<message>{source}</message>"))?;
    let inside = stanza.strip_prefix("<message>").and_then(|stanza| stanza.strip_suffix("</message>"));
    Ok(inside.unwrap_or_default().to_owned())
}

/// How a stream that begins like this ends.
fn header(source: &str) -> Result<super::Header, ReadError> {
    let mut reader = Reader::new(LIMITS, ns::CLIENT);
    match items(&mut reader, [source.as_bytes()]) {
        (_, Some(error)) => Err(error),
        (mut items, None) => match items.pop() {
            Some(Item::Header(header)) => Ok(header),
            other => panic!("no header but {other:?}"),
        },
    }
}
