//! XEP-0045: rooms, a file for each part of it.

#[path = "xep0045_muc/administering.rs"]
mod administering;
#[path = "xep0045_muc/configured.rs"]
mod configured;
#[path = "xep0045_muc/configuring.rs"]
mod configuring;
#[path = "xep0045_muc/deleted.rs"]
mod deleted;
#[path = "xep0045_muc/destroying.rs"]
mod destroying;
#[path = "xep0045_muc/disco.rs"]
mod disco;
#[path = "xep0045_muc/entering.rs"]
mod entering;
#[path = "xep0045_muc/flood.rs"]
mod flood;
#[path = "xep0045_muc/history.rs"]
mod history;
#[path = "xep0045_muc/invitations.rs"]
mod invitations;
#[path = "xep0045_muc/leaving.rs"]
mod leaving;
#[path = "xep0045_muc/limits.rs"]
mod limits;
#[path = "xep0045_muc/messages.rs"]
mod messages;
#[path = "xep0045_muc/nicks.rs"]
mod nicks;
#[path = "xep0045_muc/occupant_id.rs"]
mod occupant_id;
#[path = "xep0045_muc/operating.rs"]
mod operating;
#[path = "xep0045_muc/presence.rs"]
mod presence;
#[path = "xep0045_muc/privileges.rs"]
mod privileges;
#[path = "xep0045_muc/registering.rs"]
mod registering;
#[path = "xep0045_muc/relay.rs"]
mod relay;
#[path = "xep0045_muc/requirements.rs"]
mod requirements;
#[path = "xep0045_muc/self_ping.rs"]
mod self_ping;
#[path = "xep0045_muc/stopping.rs"]
mod stopping;
#[path = "xep0045_muc/voice.rs"]
mod voice;
