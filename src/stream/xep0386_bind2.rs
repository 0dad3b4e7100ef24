//! XEP-0386, Bind 2: a resource, and what a session needs at its start, along with the login.
//!
//! A client gets the same resource each time if it says who it is (XEP-0388 §2.3), with its tag in front; the server
//! stores nothing for that. Sessions that the client had before end (§3.2), so one that comes back never meets itself.
//! A tag that no resource can have is left out. Messages that waited and are in the archive are not sent: the client is
//! told where its archive begins and ends, and reads it there. What is in no archive is sent as ever.

use super::sasl::Failure;
use super::xep0198_sm;
use super::xep0388_sasl2::only;
use crate::core::{ClientId, Core, LinkId, SessionId};
use crate::jid::Jid;
use crate::stanza::{StanzaError, StreamError};
use crate::xml::{Element, ns};

/// What a client asks of its new session.
pub(super) struct Request {
    tag: String,
    /// XEP-0198
    enable: Option<Element>,
    /// XEP-0280
    carbons: bool,
    /// XEP-0352
    inactive: bool,
}

impl Request {
    pub fn read(bind: &Element) -> Result<Request, Failure> {
        let tag = only(bind, "tag", ns::BIND2)?.map(Element::text_content).unwrap_or_default();
        Ok(Request {
            tag,
            enable: only(bind, "enable", ns::STREAM_MANAGEMENT)?.cloned(),
            carbons: only(bind, "enable", ns::CARBONS)?.is_some(),
            inactive: only(bind, "inactive", ns::CLIENT_STATE)?.is_some(),
        })
    }

    /// §3.2: the session, and the `<bound/>` to tell of it.
    pub fn carry_out(
        &self,
        core: &mut Core,
        link: LinkId,
        account: &Jid,
        client: Option<ClientId>,
    ) -> Result<(SessionId, Element), StanzaError> {
        let earlier = |of: Option<ClientId>| of.is_some() && of == client;
        let earlier: Vec<SessionId> = core
            .sessions_of(account)
            .filter(|session| earlier(session.client))
            .map(|session| session.id)
            .collect();
        for session in earlier {
            core.close_session(session, StreamError::Conflict);
        }
        let archive = core.config.archive.enabled;
        let resource = self.resource(core, account, client);
        let session = core.bind(link, account, Some(&resource))?;
        if let Some(session) = core.session_mut(session) {
            session.client = client;
            session.carbons = self.carbons;
            session.syncs = archive;
        }
        let enabled = self.enable.as_ref().map(|enable| xep0198_sm::enable(core, session, enable));
        core.set_active(session, !self.inactive);
        let metadata = archive
            .then(|| core.account(account).ok().map(|account| account.record.id))
            .flatten()
            .and_then(|id| core.archive_metadata(id).ok());
        let told = metadata.into_iter().chain(enabled);
        Ok((session, told.fold(Element::new("bound", ns::BIND2), Element::child)))
    }

    /// §3.2.1: `tag/generated`
    fn resource(&self, core: &mut Core, account: &Jid, client: Option<ClientId>) -> String {
        let own = match client {
            Some(client) => core.client_resource(account, client, &self.tag),
            None => core.random_word(),
        };
        let tagged = format!("{}/{own}", self.tag);
        if !self.tag.is_empty() && account.with_resource(&tagged).is_ok() { tagged } else { own }
    }
}

/// §3.1
pub(super) fn feature() -> Element {
    let feature = |var| Element::new("feature", ns::BIND2).attr("var", var);
    let known = [ns::CARBONS, ns::CLIENT_STATE, ns::STREAM_MANAGEMENT].into_iter().map(feature);
    Element::new("bind", ns::BIND2).child(known.fold(Element::new("inline", ns::BIND2), Element::child))
}
