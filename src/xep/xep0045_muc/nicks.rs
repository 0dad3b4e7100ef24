//! Which nicks people may have (§15.1, §7.2.8, §7.6, §13.6).
//!
//! A nick has at most `rooms.nick_bytes` bytes and something to see in it, and nobody could take it for one that
//! somebody else has in the room or has reserved there.

use crate::config::Limit;
use crate::core::rooms::Room;
use crate::jid::Jid;
use crate::stanza::{Condition, StanzaError};

/// A braille pattern without dots: a space in all but name.
const BLANK: char = '\u{2800}';

/// Whether anybody may have this nick, which is a resourcepart (RFC 7622 §3.4).
pub fn check(nick: &str, most: Limit) -> Result<(), StanzaError> {
    if nick.len() > most.max_len() {
        return Err(StanzaError::new(Condition::NotAcceptable, "This nick is too long."));
    }
    // §15.1: "MUST NOT allow empty or invisible Room Nicknames"
    if nick.chars().all(|c| c.is_whitespace() || c == BLANK) {
        return Err(StanzaError::new(Condition::JidMalformed, "This nick has nothing that one could see."));
    }
    Ok(())
}

/// Whether somebody may have it in this room.
pub fn check_free(room: &Room, nick: &str, who: &Jid) -> Result<(), StanzaError> {
    match room.is_confusable(nick, who) {
        true => Err(StanzaError::new(
            Condition::Conflict,
            "Somebody else has this nick, or one that looks like it.",
        )),
        false => Ok(()),
    }
}
