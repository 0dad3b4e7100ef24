//! World dialogues: Core, fake clients, a virtual clock and a database in memory. A test is a short dialogue, and
//! a whole server runs in milliseconds.

mod chance;
mod client;
#[path = "../store/faulty.rs"]
mod faulty;
mod pep;
mod rooms;
mod sasl2;
mod scram;
mod seeds;
mod stanzas;
mod world;

#[path = "../durability.rs"]
mod durability;
#[path = "../power_cut.rs"]
mod power_cut;
#[path = "../rfc3921_session.rs"]
mod rfc3921_session;
#[path = "../rfc6120_login.rs"]
mod rfc6120_login;
#[path = "../rfc6120_stanzas.rs"]
mod rfc6120_stanzas;
#[path = "../rfc6120_streams.rs"]
mod rfc6120_streams;
#[path = "../rfc6121_delivery.rs"]
mod rfc6121_delivery;
#[path = "../rfc6121_presence.rs"]
mod rfc6121_presence;
#[path = "../rfc6121_roster.rs"]
mod rfc6121_roster;
#[path = "../rfc6121_subscription.rs"]
mod rfc6121_subscription;
#[path = "../rooms_simulation.rs"]
mod rooms_simulation;
#[path = "../simulation.rs"]
mod simulation;
#[path = "../xep0012_last.rs"]
mod xep0012_last;
#[path = "../xep0030_disco.rs"]
mod xep0030_disco;
#[path = "../xep0045_muc.rs"]
mod xep0045_muc;
#[path = "../xep0049_private.rs"]
mod xep0049_private;
#[path = "../xep0050_commands.rs"]
mod xep0050_commands;
#[path = "../xep0054_vcard.rs"]
mod xep0054_vcard;
#[path = "../xep0060_pubsub.rs"]
mod xep0060_pubsub;
#[path = "../xep0077_registration.rs"]
mod xep0077_registration;
#[path = "../xep0092_version.rs"]
mod xep0092_version;
#[path = "../xep0115_caps.rs"]
mod xep0115_caps;
#[path = "../xep0133_admin.rs"]
mod xep0133_admin;
#[path = "../xep0153_vcard_avatar.rs"]
mod xep0153_vcard_avatar;
#[path = "../xep0157_contact.rs"]
mod xep0157_contact;
#[path = "../xep0160_offline.rs"]
mod xep0160_offline;
#[path = "../xep0163_pep.rs"]
mod xep0163_pep;
#[path = "../xep0191_blocking.rs"]
mod xep0191_blocking;
#[path = "../xep0198_sm.rs"]
mod xep0198_sm;
#[path = "../xep0199_ping.rs"]
mod xep0199_ping;
#[path = "../xep0202_time.rs"]
mod xep0202_time;
#[path = "../xep0280_carbons.rs"]
mod xep0280_carbons;
#[path = "../xep0292_vcard4.rs"]
mod xep0292_vcard4;
#[path = "../xep0313_mam.rs"]
mod xep0313_mam;
#[path = "../xep0317_hats.rs"]
mod xep0317_hats;
#[path = "../xep0334_hints.rs"]
mod xep0334_hints;
#[path = "../xep0352_csi.rs"]
mod xep0352_csi;
#[path = "../xep0357_push.rs"]
mod xep0357_push;
#[path = "../xep0359_stanza_ids.rs"]
mod xep0359_stanza_ids;
#[path = "../xep0377_reporting.rs"]
mod xep0377_reporting;
#[path = "../xep0384_omemo.rs"]
mod xep0384_omemo;
#[path = "../xep0386_bind2.rs"]
mod xep0386_bind2;
#[path = "../xep0388_sasl2.rs"]
mod xep0388_sasl2;
#[path = "../xep0398_avatars.rs"]
mod xep0398_avatars;
#[path = "../xep0402_bookmarks.rs"]
mod xep0402_bookmarks;
#[path = "../xep0424_retraction.rs"]
mod xep0424_retraction;
#[path = "../xep0425_moderation.rs"]
mod xep0425_moderation;
#[path = "../xep0433_channel_search.rs"]
mod xep0433_channel_search;
#[path = "../xep0441_mam_preferences.rs"]
mod xep0441_mam_preferences;
#[path = "../xep0452_mentions.rs"]
mod xep0452_mentions;
#[path = "../xep0474_downgrade.rs"]
mod xep0474_downgrade;
#[path = "../xep0480_upgrade.rs"]
mod xep0480_upgrade;
#[path = "../xep0484_fast.rs"]
mod xep0484_fast;
#[path = "../xep0486_room_avatars.rs"]
mod xep0486_room_avatars;
#[path = "../xep0490_displayed.rs"]
mod xep0490_displayed;
#[path = "../xep0500_slow_mode.rs"]
mod xep0500_slow_mode;
#[path = "../xep0502_activity.rs"]
mod xep0502_activity;
