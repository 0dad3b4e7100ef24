//! The records of publish-subscribe (XEP-0060): nodes, who has to do with them, and their items.

use super::{Decoder, Encoder, Malformed, Record, choices, version_1};

choices! {
    /// XEP-0060 §4.5: who may subscribe and retrieve items.
    AccessModel {
        Open = "open",
        #[default]
        Presence = "presence",
        Roster = "roster",
        Authorize = "authorize",
        Whitelist = "whitelist",
    }
}

choices! {
    /// Who may publish.
    PublishModel {
        #[default]
        Publishers = "publishers",
        Subscribers = "subscribers",
        Open = "open",
    }
}

choices! {
    /// When a subscriber gets the last item without a publication.
    SendLast {
        Never = "never",
        OnSub = "on_sub",
        #[default]
        OnSubAndPresence = "on_sub_and_presence",
    }
}

choices! {
    /// XEP-0060 §7.1.2.5: what becomes of an item that has no room.
    WhenFull {
        #[default]
        RetractOldest = "retract-oldest",
        DiscardOldest = "discard-oldest",
        Reject = "reject",
    }
}

choices! {
    /// XEP-0060 §12.18: whose address is at an item.
    ItemReply {
        #[default]
        None = "none",
        Owner = "owner",
        Publisher = "publisher",
    }
}

choices! {
    /// XEP-0060 §4.1
    Affiliation {
        #[default]
        None = "none",
        Owner = "owner",
        Publisher = "publisher",
        PublishOnly = "publish-only",
        Member = "member",
        Outcast = "outcast",
    }
}

/// `max_items` of a node that takes as many as the server allows.
pub const MAX_ITEMS: u32 = u32::MAX;

/// What the owners of a node have decided (XEP-0060 §16.4.4).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NodeConfig {
    pub access_model: AccessModel,
    pub publish_model: PublishModel,
    pub send_last: SendLast,
    pub when_full: WhenFull,
    pub item_reply: ItemReply,
    /// [`MAX_ITEMS`]: as many as the server allows.
    pub max_items: u32,
    /// Seconds; 0: for ever.
    pub item_expire: u32,
    /// Bytes; 0: as many as the server allows.
    pub max_payload: u32,
    pub persist_items: bool,
    pub deliver_notifications: bool,
    pub deliver_payloads: bool,
    pub notify_config: bool,
    pub notify_delete: bool,
    pub notify_retract: bool,
    pub notify_sub: bool,
    /// Notifications are messages of the type "normal" in place of "headline".
    pub normal_messages: bool,
    /// Whether subscriptions are taken at all.
    pub subscribe: bool,
    pub title: Option<String>,
    pub description: Option<String>,
    pub language: Option<String>,
    /// The namespace of the payloads.
    pub payload_type: Option<String>,
    /// Bare addresses.
    pub contacts: Vec<String>,
    pub roster_groups: Vec<String>,
}

/// The defaults of personal eventing (XEP-0163 §5).
impl Default for NodeConfig {
    fn default() -> NodeConfig {
        NodeConfig {
            access_model: AccessModel::Presence,
            publish_model: PublishModel::Publishers,
            send_last: SendLast::OnSubAndPresence,
            when_full: WhenFull::RetractOldest,
            item_reply: ItemReply::None,
            max_items: 1,
            item_expire: 0,
            max_payload: 0,
            persist_items: true,
            deliver_notifications: true,
            deliver_payloads: true,
            notify_config: false,
            notify_delete: true,
            notify_retract: true,
            notify_sub: false,
            normal_messages: false,
            subscribe: true,
            title: None,
            description: None,
            language: None,
            payload_type: None,
            contacts: Vec::new(),
            roster_groups: Vec::new(),
        }
    }
}

impl NodeConfig {
    fn encode(&self, encoder: Encoder) -> Encoder {
        encoder
            .u8(self.access_model as u8)
            .u8(self.publish_model as u8)
            .u8(self.send_last as u8)
            .u8(self.when_full as u8)
            .u8(self.item_reply as u8)
            .u32(self.max_items)
            .u32(self.item_expire)
            .u32(self.max_payload)
            .bool(self.persist_items)
            .bool(self.deliver_notifications)
            .bool(self.deliver_payloads)
            .bool(self.notify_config)
            .bool(self.notify_delete)
            .bool(self.notify_retract)
            .bool(self.notify_sub)
            .bool(self.normal_messages)
            .bool(self.subscribe)
            .option_str(self.title.as_deref())
            .option_str(self.description.as_deref())
            .option_str(self.language.as_deref())
            .option_str(self.payload_type.as_deref())
            .strings(&self.contacts)
            .strings(&self.roster_groups)
    }

    fn decode(value: &mut Decoder<'_>) -> Result<NodeConfig, Malformed> {
        Ok(NodeConfig {
            access_model: AccessModel::decode(value)?,
            publish_model: PublishModel::decode(value)?,
            send_last: SendLast::decode(value)?,
            when_full: WhenFull::decode(value)?,
            item_reply: ItemReply::decode(value)?,
            max_items: value.u32()?,
            item_expire: value.u32()?,
            max_payload: value.u32()?,
            persist_items: value.bool()?,
            deliver_notifications: value.bool()?,
            deliver_payloads: value.bool()?,
            notify_config: value.bool()?,
            notify_delete: value.bool()?,
            notify_retract: value.bool()?,
            notify_sub: value.bool()?,
            normal_messages: value.bool()?,
            subscribe: value.bool()?,
            title: value.option_str()?.map(str::to_owned),
            description: value.option_str()?.map(str::to_owned),
            language: value.option_str()?.map(str::to_owned),
            payload_type: value.option_str()?.map(str::to_owned),
            contacts: value.strings()?,
            roster_groups: value.strings()?,
        })
    }
}

/// A node, without its items.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PubsubNode {
    /// What its people and items are kept under, in place of its name.
    pub number: u32,
    /// Seconds since the Unix epoch.
    pub created: u64,
    /// A bare address.
    pub creator: String,
    pub config: NodeConfig,
    /// The key of its last item; 0: there is none.
    pub last: u64,
    /// How many items it has.
    pub items: u32,
    /// The bytes of their payloads.
    pub bytes: u64,
}

impl Record for PubsubNode {
    fn encode(&self) -> Vec<u8> {
        let encoder = Encoder::new(1).u32(self.number).u64(self.created).str(&self.creator);
        let encoder = encoder.u64(self.last).u32(self.items).u64(self.bytes);
        self.config.encode(encoder).finish()
    }

    fn decode(value: &[u8]) -> Result<PubsubNode, Malformed> {
        let mut value = version_1(value)?;
        let node = PubsubNode {
            number: value.u32()?,
            created: value.u64()?,
            creator: value.str()?.to_owned(),
            last: value.u64()?,
            items: value.u32()?,
            bytes: value.u64()?,
            config: NodeConfig::decode(&mut value)?,
        };
        value.end()?;
        Ok(node)
    }
}

/// Who has to do with a node. An account is the owner of its own nodes without being here.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PubsubPeople {
    /// By bare address; nobody is here as "none".
    pub affiliations: Vec<(String, Affiliation)>,
    pub subscriptions: Vec<Subscriber>,
}

/// Someone who has subscribed to a node.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Subscriber {
    /// As subscribed: bare or full.
    pub jid: String,
    /// An owner has not approved it yet (XEP-0060 §8.6).
    pub pending: bool,
    /// Whether it wants notifications now (XEP-0060 §6.3).
    pub deliver: bool,
}

impl PubsubPeople {
    /// Someone is gone for good.
    pub fn forget(&mut self, person: &str) {
        self.affiliations.retain(|(jid, _)| jid != person);
        self.subscriptions.retain(|subscriber| subscriber.jid.split('/').next() != Some(person));
    }

    pub fn is_only_owner(&self, person: &str) -> bool {
        let mut owners =
            self.affiliations.iter().filter(|(_, affiliation)| *affiliation == Affiliation::Owner);
        owners.next().is_some_and(|(jid, _)| jid == person) && owners.next().is_none()
    }
}

impl Record for PubsubPeople {
    fn encode(&self) -> Vec<u8> {
        let encoder = Encoder::new(1).length(self.affiliations.len());
        let encoder = (self.affiliations.iter())
            .fold(encoder, |encoder, (jid, affiliation)| encoder.str(jid).u8(*affiliation as u8));
        let encoder = encoder.length(self.subscriptions.len());
        let subscribers = self.subscriptions.iter();
        subscribers
            .fold(encoder, |encoder, it| encoder.str(&it.jid).bool(it.pending).bool(it.deliver))
            .finish()
    }

    fn decode(value: &[u8]) -> Result<PubsubPeople, Malformed> {
        let mut value = version_1(value)?;
        let mut people = PubsubPeople::default();
        for _ in 0..value.u32()? {
            people.affiliations.push((value.str()?.to_owned(), Affiliation::decode(&mut value)?));
        }
        for _ in 0..value.u32()? {
            let jid = value.str()?.to_owned();
            people.subscriptions.push(Subscriber { jid, pending: value.bool()?, deliver: value.bool()? });
        }
        value.end()?;
        Ok(people)
    }
}

/// One published item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PubsubItem {
    pub id: String,
    /// The bare address of whoever published it.
    pub publisher: String,
    /// The element in canonical form; empty: there is none.
    pub payload: Vec<u8>,
}

impl Record for PubsubItem {
    fn encode(&self) -> Vec<u8> {
        Encoder::new(1).str(&self.id).str(&self.publisher).rest(&self.payload).finish()
    }

    fn decode(value: &[u8]) -> Result<PubsubItem, Malformed> {
        let mut value = version_1(value)?;
        Ok(PubsubItem {
            id: value.str()?.to_owned(),
            publisher: value.str()?.to_owned(),
            payload: value.rest().to_vec(),
        })
    }
}
