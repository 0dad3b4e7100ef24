//! The profile of SASL in RFC 6120 §6. After a success the stream starts anew.

use super::login::{Login, Progress};
use super::sasl::{self, Failure};
use crate::core::{Core, LinkId};
use crate::jid::Jid;
use crate::stanza::StreamError;
use crate::xml::{Element, Fragment, ns};

impl Login {
    pub(super) fn sasl1(
        &mut self,
        core: &mut Core,
        link: LinkId,
        out: &mut Vec<u8>,
        name: &str,
        child: &Fragment,
    ) -> Progress {
        if self.account.is_some() {
            return Progress::Close(Some(StreamError::NotAuthorized));
        }
        self.profile = ns::SASL;
        let text = child.text();
        match name {
            "auth" if self.tls.is_none() => self.fail(core, out, Failure::EncryptionRequired), // §6.5.5
            "auth" => {
                let exchange = self.exchange(core, child.attr("mechanism"));
                self.begin(core, link, out, exchange, sasl::decode_initial(&text), None)
            }
            "response" => self.respond(core, link, out, sasl::decode(&text)),
            "abort" if self.attempt.is_some() => self.fail(core, out, Failure::Aborted),
            _ => self.fail(core, out, Failure::MalformedRequest),
        }
    }

    /// §6.4.6
    pub(super) fn succeed(
        &mut self,
        core: &mut Core,
        link: LinkId,
        out: &mut Vec<u8>,
        account: Jid,
        data: Option<Vec<u8>>,
    ) -> Progress {
        core.login_succeeded(link, &account);
        self.attempt = None;
        self.account = Some(account);
        match data {
            Some(data) => self.write_data("success", &data, out),
            None => Element::new("success", ns::SASL).write(ns::CLIENT, out),
        }
        self.restart();
        Progress::LoggedIn
    }
}
