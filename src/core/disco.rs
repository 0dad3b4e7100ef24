//! What our entities say of themselves (XEP-0030), put together from what every module adds.

use super::Core;
use super::form::{Field, Form};
use super::module::Target;
use crate::jid::Jid;
use crate::stanza::Condition;
use crate::xep;
use crate::xml::Element;
use crate::xml::ns;

/// Who is asked, by whom.
pub struct Entity<'a> {
    /// One of our domains, a service of one, or the bare address of an account or a room of ours.
    pub address: &'a Jid,
    pub node: Option<&'a str>,
    pub asker: &'a Jid,
    is_room: bool,
}

impl<'a> Entity<'a> {
    pub fn new(core: &Core, address: &'a Jid, node: Option<&'a str>, asker: &'a Jid) -> Entity<'a> {
        Entity { address, node, asker, is_room: core.is_room(address) }
    }

    /// One of our domains, and not a node of it.
    pub fn is_server(&self, core: &Core) -> bool {
        self.node.is_none() && self.is_of_server(core)
    }

    /// One of our domains or a node of it.
    pub fn is_of_server(&self, core: &Core) -> bool {
        self.address.local().is_none() && core.is_host(self.address.domain())
    }

    /// A service of one of our domains, and not a node of it.
    pub fn is_service(&self, core: &Core) -> bool {
        self.address.local().is_none() && core.service(self.address.domain()).is_some() && self.node.is_none()
    }

    pub fn is_account(&self) -> bool {
        self.address.local().is_some() && !self.is_room && self.node.is_none()
    }

    /// A room, and not a node of it.
    pub fn is_room(&self) -> bool {
        self.is_room && self.node.is_none()
    }
}

/// The content of a disco#info result; empty: there is no such node.
#[derive(Default)]
pub struct Info {
    pub identities: Vec<Identity>,
    pub features: Vec<&'static str>,
    /// XEP-0128 forms.
    pub forms: Vec<Element>,
    /// What a room says of itself in one form (XEP-0045 §16.5.4).
    pub room_info: Vec<Field>,
    /// Why whoever asks is told nothing of what is there.
    pub refused: Option<Condition>,
    /// There is such a node, even if nothing is to be said of it.
    pub exists: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Identity {
    pub category: &'static str,
    pub kind: &'static str,
    pub name: String,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Item {
    pub jid: Jid,
    pub node: Option<String>,
    pub name: Option<String>,
}

impl Core {
    /// What `entity` says of itself. Whether the asker may know is the caller's to decide.
    pub fn info(&mut self, entity: &Entity<'_>) -> Info {
        let mut info = Info::default();
        for module in xep::ALL {
            let at_services = || module.iq.iter().any(|route| route.target == Target::AnyService);
            if entity.is_server(self) || entity.is_service(self) && at_services() {
                info.features.extend(module.features);
            } else if entity.is_account() {
                info.features.extend(module.account_features);
            } else if entity.is_room() {
                info.features.extend(module.room_features);
            }
            if let Some(add) = module.info {
                add(self, entity, &mut info);
            }
        }
        info.features.sort_unstable();
        info.features.dedup();
        info
    }

    pub fn items(&mut self, entity: &Entity<'_>) -> Vec<Item> {
        let mut items = Vec::new();
        for list in xep::ALL.iter().filter_map(|module| module.items) {
            list(self, entity, &mut items);
        }
        items
    }
}

impl Info {
    pub fn is_empty(&self) -> bool {
        !self.exists && self.identities.is_empty() && self.features.is_empty() && self.forms.is_empty()
    }

    /// XEP-0030 §3.1
    pub fn to_element(&self, node: Option<&str>) -> Element {
        let mut query = Element::new("query", ns::DISCO_INFO);
        if let Some(node) = node {
            query = query.attr("node", node);
        }
        for identity in &self.identities {
            let mut child = Element::new("identity", ns::DISCO_INFO)
                .attr("category", identity.category)
                .attr("type", identity.kind);
            if !identity.name.is_empty() {
                child = child.attr("name", &identity.name);
            }
            query = query.child(child);
        }
        for feature in &self.features {
            query = query.child(Element::new("feature", ns::DISCO_INFO).attr("var", *feature));
        }
        if !self.room_info.is_empty() {
            let form = self.room_info.iter().cloned().fold(Form::tell(ns::MUC_ROOM_INFO), Form::field);
            query = query.child(form.to_element());
        }
        self.forms.iter().cloned().fold(query, Element::child)
    }
}
