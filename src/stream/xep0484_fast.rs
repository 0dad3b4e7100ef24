//! XEP-0484, Fast Authentication Streamlining Tokens (FAST): a client that has logged in with a password gets a token, and
//! logs in with that from then on, in one round trip.
//!
//! `core/clients` keeps the tokens, of clients that say who they are. A token is good for the one mechanism that it was
//! asked for; mechanisms are offered whose channel binding is there. In the second half of its time a token is renewed.
//! Of a client that counts its logins each number is taken once, though §3.4 asks for that in TLS's early data only,
//! which there is none of here. `invalidate` takes all tokens of the client: one that it was given and has not used yet
//! is as good as the one that it did use.

use super::TlsInfo;
use super::login::Login;
use super::sasl::{Failure, TOKEN_MECHANISMS};
use super::xep0388_sasl2::only;
use crate::core::time;
use crate::core::{Claim, ClientId, Core, Description, Refused};
use crate::jid::Jid;
use crate::token::{self, Binding};
use crate::xml::{Element, ns};

/// What a client has to do with tokens.
pub(super) struct Request {
    /// It logs in with one.
    login: Option<TokenLogin>,
    /// It is to have one, for logins that are bound like this.
    issue: Option<Option<Binding>>,
}

struct TokenLogin {
    binding: Option<Binding>,
    count: Option<u32>,
    invalidate: bool,
}

/// The mechanisms that a token can be had for on this connection.
fn offered(core: &Core, tls: &TlsInfo) -> impl Iterator<Item = (&'static str, Option<Binding>)> {
    let tokens = core.config.accounts.token_days > 0;
    let there = move |binding: Option<Binding>| tokens && data(tls, binding).is_some();
    TOKEN_MECHANISMS.into_iter().filter(move |(_, binding)| there(*binding))
}

/// What a login with a token is bound by.
fn data(tls: &TlsInfo, binding: Option<Binding>) -> Option<&[u8]> {
    match binding {
        None => Some(&[]),
        Some(Binding::EndPoint) => tls.end_point.as_deref(),
        Some(Binding::Exporter) => tls.exporter.as_ref().map(<[u8; 32]>::as_slice),
    }
}

/// §3.1; `None`: no tokens are given.
pub(super) fn feature(core: &Core, tls: &TlsInfo) -> Option<Element> {
    let mechanism = |(name, _)| Element::new("mechanism", ns::FAST).text(name);
    let mut mechanisms = offered(core, tls).map(mechanism).peekable();
    mechanisms.peek()?;
    Some(mechanisms.fold(Element::new("fast", ns::FAST), Element::child))
}

impl Request {
    pub fn read(core: &Core, tls: &TlsInfo, authenticate: &Element) -> Result<Request, Failure> {
        let offered = |name: &str| offered(core, tls).find(|(offered, _)| *offered == name);
        let mechanism = authenticate.get_attr("mechanism").and_then(offered);
        let login = match (only(authenticate, "fast", ns::FAST)?, mechanism) {
            (Some(fast), Some((_, binding))) => Some(TokenLogin::read(fast, binding)?),
            _ => None,
        };
        let wanted = only(authenticate, "request-token", ns::FAST)?;
        let wanted = wanted.and_then(|wanted| wanted.get_attr("mechanism")).and_then(offered);
        Ok(Request { login, issue: wanted.map(|(_, binding)| binding) })
    }

    /// Whether the client logs in with a token.
    pub fn is_login(&self) -> bool {
        self.login.is_some()
    }

    /// Gives and takes tokens after a login. `None`: there is nothing to give.
    pub fn settle(
        &self,
        core: &mut Core,
        account: &Jid,
        client: Option<ClientId>,
        description: &Description,
    ) -> Result<Option<Element>, Failure> {
        let Some(client) = client else { return Ok(None) };
        if self.takes() && !core.drop_tokens(account, client) {
            return Err(Failure::TemporaryAuthFailure);
        }
        let Some(binding) = self.issue else { return Ok(None) };
        let Some((secret, expires)) = core.issue_token(account, client, description, binding) else {
            return Ok(None);
        };
        let expiry = time::datetime(expires.saturating_mul(1000));
        let token = Element::new("token", ns::FAST);
        Ok(Some(token.attr("token", &*token::text(&secret)).attr("expiry", expiry)))
    }

    /// Whether the client will rely on a change.
    pub fn promises(&self, token: Option<&Element>) -> bool {
        token.is_some() || self.takes()
    }

    /// §3.6
    fn takes(&self) -> bool {
        self.login.as_ref().is_some_and(|login| login.invalidate)
    }
}

impl TokenLogin {
    fn read(fast: &Element, binding: Option<Binding>) -> Result<TokenLogin, Failure> {
        let count = fast.get_attr("count").map(|count| count.parse().map_err(|_| Failure::MalformedRequest));
        let invalidate = matches!(fast.get_attr("invalidate"), Some("1" | "true"));
        Ok(TokenLogin { binding, count: count.transpose()?, invalidate })
    }
}

impl Login {
    /// §3.4: the answer to a proof, or why it is none.
    pub(super) fn check_token(
        &mut self,
        core: &mut Core,
        account: &Jid,
        proof: &[u8],
    ) -> Result<Vec<u8>, Failure> {
        let request = self.attempt.as_mut().and_then(|attempt| attempt.request.as_deref_mut());
        let (Some(request), Some(tls)) = (request, &self.tls) else { return Err(Failure::MalformedRequest) };
        let (Some(client), Some(login)) = (request.client, &request.tokens.login) else {
            return Err(Failure::MalformedRequest); // §4.1
        };
        let data = data(tls, login.binding).ok_or(Failure::InvalidMechanism)?;
        let claim = Claim { client, binding: login.binding, proof, data, count: login.count };
        let proven = core.check_token(account, &claim).map_err(|refused| match refused {
            Refused::Wrong => Failure::NotAuthorized,
            Refused::Expired => Failure::CredentialsExpired, // §4.2
            Refused::Broken => Failure::TemporaryAuthFailure,
        })?;
        // §3.5, §3.6
        if proven.due && !login.invalidate && request.tokens.issue.is_none() {
            request.tokens.issue = Some(login.binding);
        }
        Ok(proven.answer.to_vec())
    }
}
