//! Client state indication (XEP-0352): whether somebody looks. What can wait then is `core/urgency`'s to know. A stream
//! begins active, also one that goes on with a session (§5.2).

use super::login::Progress;
use crate::core::{Core, SessionId};
use crate::stanza::StreamError;
use crate::xml::Fragment;

/// §4.2: there is no answer.
pub fn child(core: &mut Core, session: SessionId, child: &Fragment) -> Progress {
    match child.name() {
        "active" => core.set_active(session, true),
        "inactive" => core.set_active(session, false),
        _ => return Progress::Close(Some(StreamError::UnsupportedStanzaType)),
    }
    Progress::Continue
}
