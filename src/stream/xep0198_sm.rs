//! Stream management on the wire (XEP-0198): `<enable/>`, `<r/>`, `<a/>` and `<resume/>`. What is counted and kept, and
//! what the counts promise, is in `core/management`.

use super::login::Progress;
use crate::core::{Core, LinkId, Resumed, SessionId, TooHigh};
use crate::jid::Jid;
use crate::stanza::{Condition, StreamError};
use crate::xml::{Element, Fragment, ns};

/// What became of `<resume/>`.
pub enum Resumption {
    /// The `<failed/>` to answer; the client may bind a resource instead (§5).
    Failed(Element),
    /// What it acknowledges is not on disk yet: to be asked again at the next pump.
    Waiting,
    Done {
        session: SessionId,
        resumed: Element,
    },
}

/// A child of a stream that has a resource.
pub fn child(
    core: &mut Core,
    link: LinkId,
    session: SessionId,
    child: &Fragment,
    out: &mut Vec<u8>,
) -> Progress {
    match child.name() {
        "r" if core.ack_requested(session) => {}
        "a" => return acknowledged(core, session, child),
        "enable" => {
            // The counts begin behind what waits.
            core.set_active(session, true);
            core.take_output(link, out);
            enable(core, session, &child.to_element()).write(ns::CLIENT, out);
        }
        "r" | "resume" => failed(Condition::UnexpectedRequest, None).write(ns::CLIENT, out),
        _ => return Progress::Close(Some(StreamError::UnsupportedStanzaType)),
    }
    Progress::Continue
}

/// §4
fn acknowledged(core: &mut Core, session: SessionId, child: &Fragment) -> Progress {
    let Some(h) = child.attr("h").and_then(|h| h.parse().ok()) else {
        return Progress::Close(Some(StreamError::BadFormat("An <a/> needs an 'h' from 0 to 4294967295.")));
    };
    match core.acknowledged(session, h) {
        Ok(()) => Progress::Continue,
        Err(TooHigh(sent)) => Progress::Close(Some(StreamError::HandledCountTooHigh { h, sent })), // §6
    }
}

/// §3: `<enabled/>` or `<failed/>`. Nothing may wait for the session that is not to be counted.
pub fn enable(core: &mut Core, session: SessionId, request: &Element) -> Element {
    let resume = matches!(request.get_attr("resume"), Some("true" | "1"));
    let max = request.get_attr("max").and_then(|max| max.parse().ok());
    match core.manage(session, resume, max) {
        None => failed(Condition::UnexpectedRequest, None),
        Some(None) => Element::new("enabled", ns::STREAM_MANAGEMENT),
        Some(Some((id, patience))) => Element::new("enabled", ns::STREAM_MANAGEMENT)
            .attr("id", id)
            .attr("resume", "true")
            .attr("max", (patience / 1000).to_string()),
    }
}

/// §5
pub fn resume(core: &mut Core, link: LinkId, account: &Jid, request: &Element) -> Resumption {
    let previous = request.get_attr("previd");
    let h = request.get_attr("h").and_then(|h| h.parse().ok());
    let (Some(previous), Some(h)) = (previous, h) else {
        return Resumption::Failed(failed(Condition::BadRequest, None));
    };
    match core.resume(link, account, previous, h) {
        Resumed::NotFound(h) => Resumption::Failed(failed(Condition::ItemNotFound, h)),
        // More than it was sent: this is not the client that it was.
        Resumed::TooHigh(_) => Resumption::Failed(failed(Condition::BadRequest, None)),
        Resumed::Waiting => Resumption::Waiting,
        Resumed::Done { session, h } => {
            let resumed = Element::new("resumed", ns::STREAM_MANAGEMENT)
                .attr("h", h.to_string())
                .attr("previd", previous);
            Resumption::Done { session, resumed }
        }
    }
}

/// §6, with the last known `h` where there is one.
pub fn failed(condition: Condition, h: Option<u32>) -> Element {
    let mut failed =
        Element::new("failed", ns::STREAM_MANAGEMENT).child(Element::new(condition.name(), ns::STANZAS));
    if let Some(h) = h {
        failed.set_attr("h", h.to_string());
    }
    failed
}
