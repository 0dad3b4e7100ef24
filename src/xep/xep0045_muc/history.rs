//! The history that someone who enters is shown (§7.2.13), and how much of it they want (§7.2.14).
//!
//! A limit that makes no sense (`-1`, a date that is none) limits nothing: nobody stays outside because of it.

use crate::core::Core;
use crate::core::time::{self, Round};
use crate::jid::Jid;
use crate::stanza::Stanza;
use crate::xml::ns;

/// §7.2.14: how much a client wants to see.
#[derive(Debug, PartialEq, Eq)]
struct Limits {
    /// Characters of all stanzas together.
    chars: Option<usize>,
    stanzas: usize,
    /// In milliseconds since the Unix epoch.
    since: u64,
}

impl Limits {
    fn read(presence: &Stanza, now: u64) -> Limits {
        let x = presence.payload.find("x", ns::MUC).map(|x| x.to_element());
        let history = x.as_ref().and_then(|x| x.find("history", ns::MUC));
        let number = |name| history.and_then(|history| history.get_attr(name)).and_then(number);
        let seconds = number("seconds").map_or(0, |seconds| now.saturating_sub(seconds.saturating_mul(1000)));
        let since = history.and_then(|history| history.get_attr("since"));
        let since = since.and_then(|since| time::parse(since, Round::Up)).unwrap_or(0);
        let size = |name| number(name).map(|number| usize::try_from(number).unwrap_or(usize::MAX));
        Limits {
            chars: size("maxchars"),
            stanzas: size("maxstanzas").unwrap_or(usize::MAX),
            since: seconds.max(since),
        }
    }
}

/// An `xs:int` that is not negative; one that is too large is as good as the largest.
fn number(text: &str) -> Option<u64> {
    let text = text.trim();
    let digits = text.strip_prefix('+').unwrap_or(text);
    let is_number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| digits.parse().unwrap_or(u64::MAX))
}

/// Shows a device that has entered what was said before: as much of the end as it wants, oldest first.
pub fn tell(core: &mut Core, address: &Jid, device: &Jid, presence: &Stanza) {
    let limits = Limits::read(presence, core.now());
    if limits.stanzas == 0 || limits.chars == Some(0) {
        return;
    }
    let Ok(history) = core.history(address) else { return };
    let wanted = history.iter().rev().take(limits.stanzas).take_while(|said| said.at >= limits.since);
    let mut room_left = limits.chars;
    let fits = |stanza: &Stanza| {
        let Some(left) = room_left else { return true };
        room_left = left.checked_sub(characters(stanza));
        room_left.is_some()
    };
    let mut messages: Vec<Stanza> =
        wanted.map(|said| said.stanza.clone().to(device)).take_while(fits).collect();
    messages.reverse();
    let device = core.loaded_room(address).and_then(|room| room.occupants.device(device)).cloned();
    let Some(device) = device else { return };
    for message in messages {
        core.send_from_room(&device, message);
    }
}

/// "the characters of the complete XML stanzas"
fn characters(stanza: &Stanza) -> usize {
    String::from_utf8_lossy(&stanza.to_bytes()).chars().count()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stanza::PresenceType;
    use crate::xml::Element;

    const NOW: u64 = 1_795_353_071_000;

    fn limits(attrs: &[(&str, &str)]) -> Limits {
        let history = Element::new("history", ns::MUC);
        let history = attrs.iter().fold(history, |history, (name, value)| history.attr(name, *value));
        let x = Element::new("x", ns::MUC).child(history);
        Limits::read(&Stanza::presence(PresenceType::Available).with(&x), NOW)
    }

    const NONE: Limits = Limits { chars: None, stanzas: usize::MAX, since: 0 };

    #[test]
    fn each_limit_is_read() {
        assert_eq!(limits(&[("maxchars", "65000")]), Limits { chars: Some(65_000), ..NONE });
        assert_eq!(limits(&[("maxstanzas", " 20 ")]), Limits { stanzas: 20, ..NONE });
        assert_eq!(limits(&[("seconds", "180")]), Limits { since: NOW - 180_000, ..NONE });
        assert_eq!(limits(&[("since", "1970-01-01T00:00:01Z")]), Limits { since: 1000, ..NONE });
        let both = [("since", "1970-01-01T00:00:01Z"), ("seconds", "1")];
        assert_eq!(limits(&both), Limits { since: NOW - 1000, ..NONE });
    }

    #[test]
    fn a_limit_that_makes_no_sense_limits_nothing() {
        for value in ["", "-1", "many", "1.5", "1e3", "١"] {
            for name in ["maxchars", "maxstanzas", "seconds"] {
                assert_eq!(limits(&[(name, value)]), NONE, "{name}={value}");
            }
        }
        for value in ["", "yesterday", "2026-13-01T00:00:00Z", "1795353071"] {
            assert_eq!(limits(&[("since", value)]), NONE, "{value}");
        }
        let huge = "9".repeat(40);
        let largest = Limits { chars: Some(usize::MAX), ..NONE };
        assert_eq!(limits(&[("maxchars", &huge), ("maxstanzas", &huge), ("seconds", &huge)]), largest);
    }
}
