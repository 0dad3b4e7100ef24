//! Every feature, once: this list's order is the order of the hooks, and all documentation of what is supported
//! is made from it.

use crate::core::module::Module;

pub mod rfc3921_session;
pub mod rfc6121_presence;
pub mod rfc6121_roster;
pub mod rfc6121_subscription;
pub mod xep0012_last;
pub mod xep0030_disco;
pub mod xep0045_muc;
pub mod xep0049_private;
pub mod xep0050_commands;
pub mod xep0054_vcard;
pub mod xep0060_pubsub;
pub mod xep0077_registration;
pub mod xep0092_version;
pub mod xep0115_caps;
pub mod xep0133_admin;
pub mod xep0153_vcard_avatar;
pub mod xep0157_contact;
pub mod xep0160_offline;
pub mod xep0163_pep;
pub mod xep0191_blocking;
pub mod xep0199_ping;
pub mod xep0202_time;
pub mod xep0280_carbons;
pub mod xep0292_vcard4;
pub mod xep0313_mam;
pub mod xep0317_hats;
pub mod xep0334_hints;
pub mod xep0357_push;
pub mod xep0359_stanza_ids;
pub mod xep0377_reporting;
pub mod xep0398_avatars;
pub mod xep0402_bookmarks;
pub mod xep0424_retraction;
pub mod xep0425_moderation;
pub mod xep0433_channel_search;
pub mod xep0441_mam_preferences;
pub mod xep0452_mentions;
pub mod xep0486_room_avatars;
pub mod xep0490_displayed;
pub mod xep0500_slow_mode;
pub mod xep0502_activity;

pub static ALL: &[Module] = &[
    // What is blocked meets nothing else.
    xep0191_blocking::MODULE,
    // What is for an account's own devices is not copied, kept or sent.
    xep0490_displayed::MODULE,
    // What is refused is in no archive.
    xep0500_slow_mode::MODULE,
    // No forged id gets into an archive or past it.
    xep0359_stanza_ids::MODULE,
    // What may not be retracted is not archived as if it were.
    xep0424_retraction::MODULE,
    xep0313_mam::MODULE,
    xep0280_carbons::MODULE,
    // Who dies in a room is out of it before it looks as if they had left.
    xep0045_muc::MODULE,
    rfc6121_subscription::MODULE,
    rfc6121_presence::MODULE,
    rfc6121_roster::MODULE,
    xep0160_offline::MODULE,
    rfc3921_session::MODULE,
    xep0012_last::MODULE,
    xep0030_disco::MODULE,
    xep0049_private::MODULE,
    xep0050_commands::MODULE,
    xep0054_vcard::MODULE,
    xep0060_pubsub::MODULE,
    xep0077_registration::MODULE,
    xep0092_version::MODULE,
    // Behind whatever else adds to the features of a stream: it hashes what the server says of itself.
    xep0115_caps::MODULE,
    xep0133_admin::MODULE,
    xep0153_vcard_avatar::MODULE,
    xep0157_contact::MODULE,
    xep0163_pep::MODULE,
    xep0199_ping::MODULE,
    xep0202_time::MODULE,
    xep0292_vcard4::MODULE,
    xep0317_hats::MODULE,
    xep0334_hints::MODULE,
    xep0425_moderation::MODULE,
    xep0441_mam_preferences::MODULE,
    xep0357_push::MODULE,
    xep0377_reporting::MODULE,
    xep0398_avatars::MODULE,
    xep0402_bookmarks::MODULE,
    xep0433_channel_search::MODULE,
    xep0486_room_avatars::MODULE,
    xep0502_activity::MODULE,
    xep0452_mentions::MODULE,
];
