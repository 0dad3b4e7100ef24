//! Who may do what with a node (XEP-0060 §4.1, §4.5), and how those who may not are told.

use super::Node;
use crate::core::Core;
use crate::jid::Jid;
use crate::stanza::{Condition, ErrorType, StanzaError};
use crate::store::record::{AccessModel, Affiliation, PublishModel, Subscriber};
use crate::xml::Element;
use crate::xml::ns;

/// An error with a condition of XEP-0060's own.
pub fn pubsub_error(condition: Condition, detail: &str) -> StanzaError {
    StanzaError::from(condition).with_detail(Element::new(detail, ns::PUBSUB_ERRORS))
}

impl Node {
    /// By bare address. `owner`: whose node it is.
    pub fn affiliation(&self, owner: &Jid, of: &Jid) -> Affiliation {
        if owner.local().is_some() && owner.same_bare(of) {
            return Affiliation::Owner;
        }
        let affiliations = &self.people.affiliations;
        affiliations.iter().find(|(jid, _)| jid == of.bare_str()).map_or(Affiliation::None, |(_, it)| *it)
    }

    /// Whether it has a subscription that counts, with whatever resource.
    pub fn is_subscribed(&self, jid: &Jid) -> bool {
        self.subscriptions_of(jid).any(|subscriber| !subscriber.pending)
    }

    /// All subscriptions of a bare address.
    pub fn subscriptions_of<'a>(&'a self, jid: &'a Jid) -> impl Iterator<Item = &'a Subscriber> {
        self.people.subscriptions.iter().filter(move |subscriber| {
            let rest = subscriber.jid.strip_prefix(jid.bare_str());
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        })
    }

    /// The bare addresses of its owners.
    pub fn owners(&self, owner: &Jid) -> Vec<Jid> {
        if owner.local().is_some() {
            return vec![owner.clone()];
        }
        let owners =
            self.people.affiliations.iter().filter(|(_, affiliation)| *affiliation == Affiliation::Owner);
        owners.filter_map(|(jid, _)| Jid::parse(jid).ok()).collect()
    }
}

impl Core {
    /// Whether someone may subscribe to a node or retrieve what it has. An approval that is still needed
    /// ([`AccessModel::Authorize`]) is `<not-subscribed/>`.
    pub fn may_read(&mut self, owner: &Jid, name: &str, who: &Jid) -> Result<(), StanzaError> {
        let node = self.node(owner, name)?;
        match node.affiliation(owner, who) {
            Affiliation::Owner | Affiliation::Publisher | Affiliation::Member => return Ok(()),
            Affiliation::Outcast | Affiliation::PublishOnly => return Err(Condition::Forbidden.into()),
            Affiliation::None => {}
        }
        match node.config().access_model {
            AccessModel::Open => Ok(()),
            AccessModel::Presence => {
                let owners = node.owners(owner);
                let sees_one = owners
                    .iter()
                    .any(|owner| self.account(owner).is_ok_and(|account| account.roster.is_subscriber(who)));
                sees_one
                    .then_some(())
                    .ok_or_else(|| pubsub_error(Condition::NotAuthorized, "presence-subscription-required"))
            }
            AccessModel::Roster => {
                let (owners, groups) = (node.owners(owner), node.config().roster_groups.clone());
                let in_group = owners.iter().any(|owner| {
                    let Ok(account) = self.account(owner) else { return false };
                    account.roster.get(who).is_some_and(|item| {
                        item.subscription.from() && item.groups.iter().any(|group| groups.contains(group))
                    })
                });
                in_group
                    .then_some(())
                    .ok_or_else(|| pubsub_error(Condition::NotAuthorized, "not-in-roster-group"))
            }
            AccessModel::Whitelist => Err(pubsub_error(Condition::NotAllowed, "closed-node")),
            AccessModel::Authorize if node.is_subscribed(who) => Ok(()),
            AccessModel::Authorize => {
                Err(pubsub_error(Condition::NotAuthorized, "not-subscribed").with_type(ErrorType::Auth))
            }
        }
    }

    /// §7.1.3.1
    pub fn may_publish(&mut self, owner: &Jid, name: &str, who: &Jid) -> Result<(), StanzaError> {
        let node = self.node(owner, name)?;
        let may = match (node.affiliation(owner, who), node.config().publish_model) {
            (Affiliation::Owner | Affiliation::Publisher | Affiliation::PublishOnly, _) => true,
            (Affiliation::Outcast, _) | (_, PublishModel::Publishers) => false,
            (_, PublishModel::Subscribers) => node.is_subscribed(who),
            // Open to those who could read it: a whitelist is one for both.
            (_, PublishModel::Open) => self.may_read(owner, name, who).is_ok(),
        };
        may.then_some(()).ok_or_else(|| Condition::Forbidden.into())
    }

    /// Only owners may.
    pub fn must_own(&mut self, owner: &Jid, name: &str, who: &Jid) -> Result<(), StanzaError> {
        match self.node(owner, name)?.affiliation(owner, who) {
            Affiliation::Owner => Ok(()),
            _ => Err(Condition::Forbidden.into()),
        }
    }
}
