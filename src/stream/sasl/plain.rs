//! PLAIN (RFC 4616): the client shows its password. The caller sees to it that this happens under TLS only.

use super::{Failure, Step, check_authzid, prepare_username};
use crate::password;

pub(super) struct Plain {
    domain: String,
    /// Whose password is being verified.
    username: Option<String>,
}

impl Plain {
    pub(super) fn start(domain: &str) -> Plain {
        Plain { domain: domain.to_owned(), username: None }
    }

    /// §2: `[authzid] NUL authcid NUL passwd`.
    pub(super) fn respond(&mut self, message: &str) -> Result<Step, Failure> {
        let mut parts = message.split('\0');
        let (Some(authzid), Some(authcid), Some(passwd), None) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(Failure::MalformedRequest);
        };
        if authcid.is_empty() || passwd.is_empty() || self.username.is_some() {
            return Err(Failure::MalformedRequest);
        }
        let username = prepare_username(authcid)?;
        if !authzid.is_empty() {
            check_authzid(authzid, &username, &self.domain)?;
        }
        // What can be nobody's password is a wrong one.
        let password = password::prepare(passwd).map_err(|_| Failure::NotAuthorized)?;
        self.username = Some(username.clone());
        Ok(Step::VerifyPlain { username, password })
    }

    pub(super) fn verified(&mut self, matched: bool) -> Result<Step, Failure> {
        let username = self.username.take().ok_or(Failure::MalformedRequest)?;
        if matched { Ok(Step::Success { username, data: None }) } else { Err(Failure::NotAuthorized) }
    }
}
