//! What an answer looks like (XEP-0313 §4.2, §4.3): the messages that were found, each as it was, and the `<fin/>`.
//!
//! Results are written straight from the bytes of the archive.

use memchr::memchr;

use super::query::{Query, Search, View};
use super::tail::stamp;
use crate::core::{Core, rsm, time};
use crate::xml::{Element, ns, writer};

impl Search {
    /// The stanzas of the answer, in order.
    pub fn answer(mut self, core: &Core) -> Vec<Vec<u8>> {
        let kind = &self.query.kind;
        if kind.backwards {
            self.found.reverse();
        }
        let fin = self.query.request.result(Some(self.fin(core)));
        let before_id = before_id(&self.query);
        let results =
            self.found.iter().map(|(place, stanza)| result(core, &self.query, &before_id, *place, stanza));
        let mut answer: Vec<Vec<u8>> = results.collect();
        if kind.flip {
            answer.reverse();
        }
        answer.push(fin.to_bytes());
        answer
    }

    // §4.3.1, §4.3.2
    fn fin(&self, core: &Core) -> Element {
        let mut fin = Element::new("fin", ns::ARCHIVE);
        if !self.more {
            fin = fin.attr("complete", "true");
        }
        let ends = self.found.first().zip(self.found.last());
        let ends = ends.map(|((first, _), (last, _))| (core.archive_id(*first), core.archive_id(*last)));
        let ends = ends.as_ref().map(|(first, last)| (first.as_str(), last.as_str()));
        let count = (!self.more && self.query.kind.countable).then_some(self.found.len());
        fin.child(rsm::page(ends, count))
    }
}

/// All results of a page begin like this.
fn before_id(query: &Query) -> Vec<u8> {
    let mut out = b"<message".to_vec();
    if let (Some(asker), Some(archive)) = (&query.request.from, &query.request.to) {
        writer::attr("from", archive.as_str(), &mut out);
        writer::attr("to", asker.as_str(), &mut out);
    }
    out.extend_from_slice(b"><result xmlns='urn:xmpp:mam:2'");
    if let Some(query_id) = &query.kind.query_id {
        writer::attr("queryid", query_id, &mut out);
    }
    out.extend_from_slice(b" id='");
    out
}

// §4.2
fn result(core: &Core, query: &Query, before_id: &[u8], place: u64, stanza: &[u8]) -> Vec<u8> {
    // Inside `<forwarded/>` its namespace must be said.
    let content = core.unretracted(place, stanza).strip_prefix(b"<message".as_slice()).unwrap_or_default();
    let mut out = Vec::with_capacity(before_id.len() + content.len() + 360);
    out.extend_from_slice(before_id);
    out.extend_from_slice(core.archive_id(place).as_bytes());
    out.extend_from_slice(b"'><forwarded xmlns='urn:xmpp:forward:0'><delay xmlns='urn:xmpp:delay' stamp='");
    out.extend_from_slice(time::datetime(stamp(place)).as_bytes());
    out.extend_from_slice(b"'/><message xmlns='jabber:client'");
    match query.view {
        View::Own => out.extend_from_slice(content),
        View::Occupants | View::People => said(content, query.view, &mut out),
    }
    out.extend_from_slice(b"</forwarded></result></message>");
    out
}

/// §6.1.2: what was said in a room is for nobody in particular. The real address of who has said it, to which it is
/// archived, is told to those who may know it.
fn said(content: &[u8], view: View, out: &mut Vec<u8>) {
    let addresses = attr(content, b" from='").and_then(|(from, rest)| Some((from, attr(rest, b" to='")?)));
    let Some((from, (real, rest))) = addresses else {
        out.extend_from_slice(b"/>");
        return;
    };
    out.extend_from_slice(b" from='");
    out.extend_from_slice(from);
    out.push(b'\'');
    // The room itself has no other address.
    match rest.strip_suffix(b"</message>".as_slice()).filter(|_| view == View::People && from != real) {
        None => out.extend_from_slice(rest),
        Some(rest) => {
            out.extend_from_slice(rest);
            out.extend_from_slice(b"<x xmlns='http://jabber.org/protocol/muc#user'><item jid='");
            out.extend_from_slice(real);
            out.extend_from_slice(b"'/></x></message>");
        }
    }
}

/// The value of an attribute, still escaped, and what follows; canonical bytes have each in its place.
fn attr<'a>(bytes: &'a [u8], start: &[u8]) -> Option<(&'a [u8], &'a [u8])> {
    let bytes = bytes.strip_prefix(start)?;
    let end = memchr(b'\'', bytes)?;
    Some((bytes.get(..end)?, bytes.get(end + 1..)?))
}
