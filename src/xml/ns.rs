//! Every namespace that the program speaks, with the text that defines it above.
//!
//! XEP-0068's form types and discovery features that look like namespaces are here too.

// ---- RFC 6120: the streams, and what runs on them

/// RFC 6120 §4.8.3: content of a client's stream; everywhere in the program also that of a server's.
pub const CLIENT: &str = "jabber:client";

/// RFC 6120 §4.8.3: content of a stream between servers; only on the wire.
pub const SERVER: &str = "jabber:server";

/// RFC 6120 §4.8.1
pub const STREAMS: &str = "http://etherx.jabber.org/streams";

/// RFC 6120 §4.9
pub const STREAM_ERRORS: &str = "urn:ietf:params:xml:ns:xmpp-streams";

/// RFC 6120 §5
pub const TLS: &str = "urn:ietf:params:xml:ns:xmpp-tls";

/// RFC 6120 §6
pub const SASL: &str = "urn:ietf:params:xml:ns:xmpp-sasl";

/// RFC 6120 §7
pub const BIND: &str = "urn:ietf:params:xml:ns:xmpp-bind";

/// RFC 6120 §8.3: stanza errors
pub const STANZAS: &str = "urn:ietf:params:xml:ns:xmpp-stanzas";

/// RFC 3921 §3: obsolete, still asked for
pub const SESSION: &str = "urn:ietf:params:xml:ns:xmpp-session";

// ---- RFC 6121: rosters and presence

/// RFC 6121 §2
pub const ROSTER: &str = "jabber:iq:roster";

/// RFC 6121 §2.6, once XEP-0237
pub const ROSTER_VER: &str = "urn:xmpp:features:rosterver";

/// RFC 6121 §3.4
pub const PRE_APPROVAL: &str = "urn:xmpp:features:pre-approval";

// ---- XEPs, by number

/// XEP-0004
pub const DATA_FORMS: &str = "jabber:x:data";

/// XEP-0012
pub const LAST: &str = "jabber:iq:last";

/// XEP-0027: obsolete, still sent
pub const OPENPGP_LEGACY: &str = "jabber:x:encrypted";

/// XEP-0030
pub const DISCO_INFO: &str = "http://jabber.org/protocol/disco#info";

/// XEP-0030
pub const DISCO_ITEMS: &str = "http://jabber.org/protocol/disco#items";

/// XEP-0045
pub const MUC: &str = "http://jabber.org/protocol/muc";

/// XEP-0045
pub const MUC_USER: &str = "http://jabber.org/protocol/muc#user";

/// XEP-0045
pub const MUC_ADMIN: &str = "http://jabber.org/protocol/muc#admin";

/// XEP-0045
pub const MUC_OWNER: &str = "http://jabber.org/protocol/muc#owner";

/// XEP-0045 §15.5.3: `FORM_TYPE` of a room's configuration
pub const MUC_ROOM_CONFIG: &str = "http://jabber.org/protocol/muc#roomconfig";

/// XEP-0045 §15.5.4: `FORM_TYPE` of what a room says of itself
pub const MUC_ROOM_INFO: &str = "http://jabber.org/protocol/muc#roominfo";

/// XEP-0045 §15.5.1: `FORM_TYPE` of a registration with a room
pub const MUC_REGISTER: &str = "http://jabber.org/protocol/muc#register";

/// XEP-0045 §15.5.2: `FORM_TYPE` of a request for voice
pub const MUC_REQUEST: &str = "http://jabber.org/protocol/muc#request";

/// XEP-0048
pub const BOOKMARKS_LEGACY: &str = "storage:bookmarks";

/// XEP-0049
pub const PRIVATE: &str = "jabber:iq:private";

/// XEP-0050
pub const COMMANDS: &str = "http://jabber.org/protocol/commands";

/// XEP-0054
pub const VCARD: &str = "vcard-temp";

/// XEP-0055
pub const SEARCH: &str = "jabber:iq:search";

/// XEP-0059
pub const RSM: &str = "http://jabber.org/protocol/rsm";

/// XEP-0060
pub const PUBSUB: &str = "http://jabber.org/protocol/pubsub";

/// XEP-0060
pub const PUBSUB_ERRORS: &str = "http://jabber.org/protocol/pubsub#errors";

/// XEP-0060
pub const PUBSUB_EVENT: &str = "http://jabber.org/protocol/pubsub#event";

/// XEP-0060
pub const PUBSUB_OWNER: &str = "http://jabber.org/protocol/pubsub#owner";

/// XEP-0060 §16.4.3: form type
pub const PUBSUB_META_DATA: &str = "http://jabber.org/protocol/pubsub#meta-data";

/// XEP-0060 §16.4.4: form type
pub const PUBSUB_NODE_CONFIG: &str = "http://jabber.org/protocol/pubsub#node_config";

/// XEP-0060 §7.1.5
pub const PUBSUB_PUBLISH_OPTIONS: &str = "http://jabber.org/protocol/pubsub#publish-options";

/// XEP-0060 §8.6: form type
pub const PUBSUB_SUBSCRIBE_AUTHORIZATION: &str = "http://jabber.org/protocol/pubsub#subscribe_authorization";

/// XEP-0060 §6.3: form type
pub const PUBSUB_SUBSCRIBE_OPTIONS: &str = "http://jabber.org/protocol/pubsub#subscribe_options";

/// XEP-0066
pub const OOB: &str = "jabber:x:oob";

/// XEP-0077
pub const REGISTER: &str = "jabber:iq:register";

/// XEP-0077 §8: stream feature
pub const REGISTER_FEATURE: &str = "http://jabber.org/features/iq-register";

/// XEP-0083
pub const ROSTER_DELIMITER: &str = "roster:delimiter";

/// XEP-0084
pub const AVATAR_DATA: &str = "urn:xmpp:avatar:data";

/// XEP-0084
pub const AVATAR_METADATA: &str = "urn:xmpp:avatar:metadata";

/// XEP-0085
pub const CHAT_STATES: &str = "http://jabber.org/protocol/chatstates";

/// XEP-0092
pub const VERSION: &str = "jabber:iq:version";

/// XEP-0114
pub const COMPONENT: &str = "jabber:component:accept";

/// XEP-0115
pub const CAPS: &str = "http://jabber.org/protocol/caps";

/// XEP-0232: form type
pub const SOFTWARE_INFO: &str = "urn:xmpp:dataforms:softwareinfo";

/// XEP-0122
pub const DATA_VALIDATE: &str = "http://jabber.org/protocol/xdata-validate";

/// XEP-0124
pub const BOSH: &str = "http://jabber.org/protocol/httpbind";

/// XEP-0133
pub const ADMIN: &str = "http://jabber.org/protocol/admin";

/// XEP-0153
pub const VCARD_UPDATE: &str = "vcard-temp:x:update";

/// XEP-0157: form type (XEP-0128)
pub const SERVER_INFO: &str = "http://jabber.org/network/serverinfo";

/// XEP-0160: service discovery feature
pub const OFFLINE: &str = "msgoffline";

/// XEP-0172
pub const NICK: &str = "http://jabber.org/protocol/nick";

/// XEP-0184
pub const RECEIPTS: &str = "urn:xmpp:receipts";

/// XEP-0191
pub const BLOCKING: &str = "urn:xmpp:blocking";

/// XEP-0191
pub const BLOCKING_ERRORS: &str = "urn:xmpp:blocking:errors";

/// XEP-0198
pub const STREAM_MANAGEMENT: &str = "urn:xmpp:sm:3";

/// XEP-0199
pub const PING: &str = "urn:xmpp:ping";

/// XEP-0202
pub const TIME: &str = "urn:xmpp:time";

/// XEP-0203
pub const DELAY: &str = "urn:xmpp:delay";

/// XEP-0206
pub const XBOSH: &str = "urn:xmpp:xbosh";

/// XEP-0215
pub const EXTERNAL_SERVICES: &str = "urn:xmpp:extdisco:2";

/// XEP-0220
pub const DIALBACK: &str = "jabber:server:dialback";

/// XEP-0220: stream feature
pub const DIALBACK_FEATURE: &str = "urn:xmpp:features:dialback";

/// XEP-0220
pub const DIALBACK_ERRORS: &str = "urn:xmpp:dialback:errors";

/// XEP-0249
pub const CONFERENCE: &str = "jabber:x:conference";

/// XEP-0280
pub const CARBONS: &str = "urn:xmpp:carbons:2";

/// XEP-0280 §6
pub const CARBONS_RULES: &str = "urn:xmpp:carbons:rules:0";

/// XEP-0288
pub const BIDI: &str = "urn:xmpp:bidi";

/// XEP-0288: stream feature
pub const BIDI_FEATURE: &str = "urn:xmpp:features:bidi";

/// XEP-0292
pub const VCARD4: &str = "urn:ietf:params:xml:ns:vcard-4.0";

/// XEP-0297
pub const FORWARD: &str = "urn:xmpp:forward:0";

/// XEP-0308
pub const CORRECTION: &str = "urn:xmpp:message-correct:0";

/// XEP-0313
pub const ARCHIVE: &str = "urn:xmpp:mam:2";

/// XEP-0313
pub const ARCHIVE_EXTENDED: &str = "urn:xmpp:mam:2#extended";

/// XEP-0313: service discovery feature
pub const ARCHIVE_GROUPCHAT_FIELD: &str = "urn:xmpp:mam:2#groupchat-field";

/// XEP-0333
pub const CHAT_MARKERS: &str = "urn:xmpp:chat-markers:0";

/// XEP-0317
pub const HATS: &str = "urn:xmpp:hats:0";

/// XEP-0317: form type
pub const HATS_COMMANDS: &str = "urn:xmpp:hats:commands";

/// XEP-0334
pub const HINTS: &str = "urn:xmpp:hints";

/// XEP-0352
pub const CLIENT_STATE: &str = "urn:xmpp:csi:0";

/// XEP-0353
pub const JINGLE_MESSAGE: &str = "urn:xmpp:jingle-message:0";

/// XEP-0357
pub const PUSH: &str = "urn:xmpp:push:0";

/// XEP-0357: form type
pub const PUSH_SUMMARY: &str = "urn:xmpp:push:summary";

/// XEP-0359
pub const STANZA_ID: &str = "urn:xmpp:sid:0";

/// XEP-0363
pub const UPLOAD: &str = "urn:xmpp:http:upload:0";

/// XEP-0372
pub const REFERENCES: &str = "urn:xmpp:reference:0";

/// XEP-0373
pub const OPENPGP: &str = "urn:xmpp:openpgp:0";

/// XEP-0377
pub const REPORTING: &str = "urn:xmpp:reporting:1";

/// XEP-0380
pub const ENCRYPTION: &str = "urn:xmpp:eme:0";

/// XEP-0384
pub const OMEMO: &str = "urn:xmpp:omemo:2";

/// XEP-0384, in the version 0.3 that most clients speak
pub const OMEMO_LEGACY: &str = "eu.siacs.conversations.axolotl";

/// XEP-0386
pub const BIND2: &str = "urn:xmpp:bind:0";

/// XEP-0388
pub const SASL2: &str = "urn:xmpp:sasl:2";

/// XEP-0398
pub const AVATAR_CONVERSION: &str = "urn:xmpp:pep-vcard-conversion:0";

/// XEP-0402
pub const BOOKMARKS: &str = "urn:xmpp:bookmarks:1";

/// XEP-0402 §5.3: discovery feature
pub const BOOKMARKS_COMPAT: &str = "urn:xmpp:bookmarks:1#compat";

/// XEP-0402 §5.3: discovery feature
pub const BOOKMARKS_COMPAT_PEP: &str = "urn:xmpp:bookmarks:1#compat-pep";

/// XEP-0411
pub const BOOKMARKS_CONVERSION: &str = "urn:xmpp:bookmarks-conversion:0";

/// XEP-0421
pub const OCCUPANT_ID: &str = "urn:xmpp:occupant-id:0";

/// XEP-0424
pub const RETRACTION: &str = "urn:xmpp:message-retract:1";

/// XEP-0424 §4: discovery feature
pub const RETRACTION_TOMBSTONE: &str = "urn:xmpp:message-retract:1#tombstone";

/// XEP-0425
pub const MODERATION: &str = "urn:xmpp:message-moderate:1";

/// XEP-0433
pub const CHANNEL_SEARCH: &str = "urn:xmpp:channel-search:0:search";

/// XEP-0433: errors
pub const CHANNEL_SEARCH_ERRORS: &str = "urn:xmpp:channel-search:0:error";

/// XEP-0433: form type
pub const CHANNEL_SEARCH_PARAMS: &str = "urn:xmpp:channel-search:0:search-params";

/// XEP-0440
pub const SASL_CHANNEL_BINDING: &str = "urn:xmpp:sasl-cb:0";

/// XEP-0444
pub const REACTIONS: &str = "urn:xmpp:reactions:0";

/// XEP-0452
pub const MENTIONS: &str = "urn:xmpp:mmn:0";

/// XEP-0478
pub const STREAM_LIMITS: &str = "urn:xmpp:stream-limits:0";

/// XEP-0480
pub const SASL_UPGRADE: &str = "urn:xmpp:sasl:upgrade:0";

/// XEP-0480
pub const SCRAM_UPGRADE: &str = "urn:xmpp:scram-upgrade:0";

/// XEP-0484
pub const FAST: &str = "urn:xmpp:fast:0";

/// XEP-0490 §4.5.2: discovery feature
pub const MESSAGE_DISPLAYED_ASSIST: &str = "urn:xmpp:mds:server-assist:0";

/// XEP-0490
pub const MESSAGE_DISPLAYED: &str = "urn:xmpp:mds:displayed:0";

// ---- XML itself

/// Namespaces in XML 1.0 §3: always bound to the prefix `xml`
pub const XML: &str = "http://www.w3.org/XML/1998/namespace";

/// Namespaces in XML 1.0 §3: always bound to the prefix `xmlns`
pub const XMLNS: &str = "http://www.w3.org/2000/xmlns/";
