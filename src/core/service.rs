//! Services with an address of their own below a domain of ours (`pubsub.example.org`). Nobody logs in there, and
//! they have no accounts; requests reach the modules that have a route for their kind.

use super::Core;
use crate::config::Config;
use crate::jid::Jid;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ServiceKind {
    /// XEP-0060
    Pubsub,
    /// XEP-0045
    Rooms,
}

#[derive(Clone, Debug)]
pub struct Service {
    pub kind: ServiceKind,
    pub address: Jid,
    /// The domain whose service it is.
    pub host: Jid,
}

/// The services that a configuration asks for. Where a domain that is served has the same name, it is that domain's.
pub(super) fn configured(config: &Config, hosts: &[Jid]) -> Vec<Service> {
    let kinds =
        [(ServiceKind::Rooms, &config.services.rooms), (ServiceKind::Pubsub, &config.services.pubsub)];
    let wanted = hosts.iter().flat_map(|host| kinds.iter().map(move |kind| (host, kind)));
    let services = wanted.filter(|(_, (_, name))| !name.is_empty()).filter_map(|(host, (kind, name))| {
        let address = Jid::parse(&format!("{name}.{}", host.domain())).ok()?;
        Some(Service { kind: *kind, address, host: host.clone() })
    });
    services.filter(|service| !hosts.contains(&service.address)).collect()
}

impl Core {
    /// The service with this domain as its address.
    pub fn service(&self, domain: &str) -> Option<&Service> {
        self.services.iter().find(|service| service.address.domain() == domain)
    }

    pub fn services(&self) -> &[Service] {
        &self.services
    }

    /// Whether this is the address of a room, or of somebody in one, whether there is such a room or not.
    pub fn is_room(&self, address: &Jid) -> bool {
        address.local().is_some()
            && self.service(address.domain()).is_some_and(|service| service.kind == ServiceKind::Rooms)
    }
}
