//! Clients that log in with a token in place of the password (XEP-0484 §5.1).
//!
//! Each has room for two tokens: the one it uses, and a new one that it may not have got yet. All clients of an account
//! are one row of the store, which is read when one of them logs in and not kept in memory. With `tokens_per_account`
//! clients, the one that was away the longest gives way; a new password takes all tokens away.

use super::{Core, SessionId, time};
use crate::jid::Jid;
use crate::password::Hash;
use crate::stanza::{StanzaError, StreamError};
use crate::store::record::{Client, Clients, Token};
use crate::store::schema::{self, Table};
use crate::token::{self, Binding, Verifier};

/// One installation of a client, by a hash of what it calls itself (XEP-0388 §2.3), so that nobody else learns that.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClientId([u8; 16]);

/// Seconds.
const DAY: u64 = 24 * 60 * 60;

/// How a client says that it has a token.
pub struct Claim<'a> {
    pub client: ClientId,
    pub binding: Option<Binding>,
    pub proof: &'a [u8],
    /// What the connection is bound by.
    pub data: &'a [u8],
    /// The number of this try, if the client counts (XEP-0484 §3.4).
    pub count: Option<u32>,
}

/// A claim that is true.
pub struct Proven {
    /// What the server proves itself with.
    pub answer: [u8; 32],
    /// The token is to be replaced soon.
    pub due: bool,
}

/// Why a claim gets nobody in.
#[derive(Debug, PartialEq, Eq)]
pub enum Refused {
    Wrong,
    Expired,
    /// The database can't be read.
    Broken,
}

/// What a client says of itself, for its owner to know it by.
#[derive(Clone, Debug, Default)]
pub struct Description {
    pub software: String,
    pub device: String,
}

impl Core {
    /// The name of a client for everything here.
    pub(crate) fn client_id(&self, agent: &str) -> ClientId {
        let mut id = [0; 16];
        let hash = Hash::Sha256.hmac(&self.secret, format!("client {agent}").as_bytes());
        id.iter_mut().zip(hash).for_each(|(to, from)| *to = from);
        ClientId(id)
    }

    /// The resource that a client always gets: the same for the same tag, and nothing to know the client by elsewhere
    /// (XEP-0386 §3.2.1).
    pub(crate) fn client_resource(&self, account: &Jid, client: ClientId, tag: &str) -> String {
        use base64::Engine;
        let label =
            [b"resource ", &client.0[..], account.bare_str().as_bytes(), &[0], tag.as_bytes()].concat();
        let mut hash = Hash::Sha256.hmac(&self.secret, &label);
        hash.truncate(9);
        base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(hash)
    }

    /// Checks a claim to an account's token. One that was given since takes the place of the one before once it is used.
    pub(crate) fn check_token(&mut self, account: &Jid, claim: &Claim<'_>) -> Result<Proven, Refused> {
        let now = self.now / 1000;
        let row = self.clients(account).map_err(|_| Refused::Broken)?;
        let (id, mut clients) = row.unwrap_or_default();
        let Some(client) = clients.0.iter_mut().find(|client| client.id == claim.client.0) else {
            // Nobody's token costs the same work.
            Verifier::of(&self.secret, claim.binding).check(claim.proof, claim.data);
            return Err(Refused::Wrong);
        };
        let proven = |token: &Token| {
            let answer = token.verifier.check(claim.proof, claim.data)?;
            (token.verifier.binding() == claim.binding).then_some(answer)
        };
        let by_new = client.new.as_ref().and_then(proven);
        let answer = by_new.or_else(|| client.current.as_ref().and_then(proven)).ok_or(Refused::Wrong)?;
        let moved = by_new.is_some();
        if moved {
            client.current = client.new.take();
        }
        let Some(token) = &mut client.current else { return Err(Refused::Wrong) };
        if token.expires <= now {
            return Err(Refused::Expired);
        }
        // §3.4: a number that was there is a replay.
        if claim.count.is_some_and(|count| token.count.is_some_and(|last| count <= last)) {
            return Err(Refused::Wrong);
        }
        token.count = claim.count.or(token.count);
        let due = now.saturating_sub(token.issued) >= token.expires.saturating_sub(token.issued) / 2;
        let seen_today = now.saturating_sub(client.seen) < DAY;
        if moved || claim.count.is_some() || !seen_today {
            client.seen = now;
            if self.writable().is_ok() {
                self.write(account, [schema::clients::put(id, &clients)]);
            }
        }
        Ok(Proven { answer, due })
    }

    /// Gives a client a new token, and says until when it is good, in seconds; the one it uses stays good until then, too.
    pub(crate) fn issue_token(
        &mut self,
        account: &Jid,
        client: ClientId,
        description: &Description,
        binding: Option<Binding>,
    ) -> Option<([u8; token::LENGTH], u64)> {
        self.writable().ok()?;
        let (id, mut clients) = self.clients(account).ok()??;
        let now = self.now / 1000;
        let expires = now + u64::from(self.config.accounts.token_days) * DAY;
        let secret = self.random_bytes();
        let token = Token { verifier: Verifier::of(&secret, binding), issued: now, expires, count: None };
        let usable = |token: &Option<Token>| token.as_ref().is_some_and(|token| token.expires > now);
        let before = clients.0.iter().position(|known| known.id == client.0).map(|at| clients.0.remove(at));
        clients.0.retain(|client| usable(&client.current) || usable(&client.new));
        let most = self.config.limits.tokens_per_account.max_len().max(1);
        while clients.0.len() >= most {
            let oldest =
                (0..clients.0.len()).min_by_key(|&at| clients.0.get(at).map(|client| client.seen))?;
            clients.0.remove(oldest);
        }
        let said = |new: &String, old: Option<&String>| match new.as_str() {
            "" => old.cloned().unwrap_or_default(),
            _ => new.clone(),
        };
        clients.0.push(Client {
            id: client.0,
            software: said(&description.software, before.as_ref().map(|client| &client.software)),
            device: said(&description.device, before.as_ref().map(|client| &client.device)),
            seen: now,
            current: before.and_then(|client| client.current),
            new: Some(token),
        });
        self.write(account, [schema::clients::put(id, &clients)]);
        Some((secret, expires))
    }

    /// Whether a client has any token.
    pub(crate) fn has_tokens(&mut self, account: &Jid, client: ClientId) -> bool {
        let clients = self.clients(account).ok().flatten();
        clients.is_some_and(|(_, clients)| clients.0.iter().any(|known| known.id == client.0))
    }

    /// Takes a client's tokens away. `false`: that could not be kept.
    pub(crate) fn drop_tokens(&mut self, account: &Jid, client: ClientId) -> bool {
        let Ok(Some((id, mut clients))) = self.clients(account) else { return false };
        clients.0.retain(|known| known.id != client.0);
        let kept = self.writable().is_ok();
        if kept {
            self.write(account, [schema::clients::put(id, &clients)]);
        }
        kept
    }

    /// The clients of an account that have a token, one a line.
    pub(super) fn list_clients(&mut self, account: &Jid) -> Result<Vec<String>, StanzaError> {
        let (_, clients) = self.clients(account)?.unwrap_or_default();
        Ok(client_lines(&clients))
    }

    /// Takes the tokens of one client of an account away, or of all, and ends their sessions. `false`: there is none.
    pub(super) fn revoke(&mut self, account: &Jid, name: Option<&str>) -> Result<bool, StanzaError> {
        self.writable()?;
        let (id, clients) = self.clients(account)?.unwrap_or_default();
        let named = |id: &[u8; 16]| name.is_some_and(|name| client_name(id) == name);
        let (gone, left): (Vec<_>, Vec<_>) =
            clients.0.into_iter().partition(|client| name.is_none() || named(&client.id));
        if !gone.is_empty() {
            self.write(account, [schema::clients::put(id, &Clients(left))]);
        }
        let theirs = |ClientId(id): ClientId| named(&id) || gone.iter().any(|client| client.id == id);
        let sessions: Vec<SessionId> = self
            .sessions_of(account)
            .filter(|session| session.client.is_some_and(theirs))
            .map(|session| session.id)
            .collect();
        for session in &sessions {
            self.close_session(*session, StreamError::NotAuthorized);
        }
        Ok(!gone.is_empty() || !sessions.is_empty())
    }

    /// With the account's id; `None`: no such account.
    fn clients(&mut self, account: &Jid) -> Result<Option<(u32, Clients)>, StanzaError> {
        let id = match self.account(account) {
            Ok(account) => account.record.id,
            Err(super::Unavailable::Missing) => return Ok(None),
            Err(broken) => return Err(broken.into()),
        };
        let clients = self.value(Table::Clients, &schema::clients::key(id))?;
        Ok(Some((id, clients.unwrap_or_default())))
    }
}

/// What an operator calls a client.
pub fn client_name(id: &[u8; 16]) -> String {
    id.iter().take(4).map(|byte| format!("{byte:02x}")).collect()
}

/// What an operator is shown of an account's clients.
pub fn client_lines(clients: &Clients) -> Vec<String> {
    let date =
        |seconds: u64| time::datetime(seconds.saturating_mul(1000)).chars().take(10).collect::<String>();
    let line = |client: &Client| {
        let expires = [&client.current, &client.new].into_iter().flatten().map(|token| token.expires).max();
        let until = date(expires.unwrap_or_default());
        let what = match (client.software.as_str(), client.device.as_str()) {
            ("", "") => "a client without a name".to_owned(),
            (one, "") | ("", one) => one.to_owned(),
            (software, device) => format!("{software} on {device}"),
        };
        format!("{} {what}, seen {}, until {until}", client_name(&client.id), date(client.seen))
    };
    clients.0.iter().map(line).collect()
}
