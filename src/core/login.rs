//! What a stream must know to let someone in.

use super::{Core, Kept, LinkId, Mail, Unavailable};
use crate::jid::Jid;
use crate::password::Credentials;

/// What a name leads to.
pub struct LoginKeys {
    /// Of the account; or, for a name that is nobody's, ones that look the same and that no password fits.
    pub credentials: Credentials,
    pub disabled: bool,
}

impl Core {
    /// What there is to log in with. An unknown name looks like a wrong password.
    pub(crate) fn login(&mut self, account: &Jid) -> Result<LoginKeys, Unavailable> {
        let iterations = self.config.accounts.scram_iterations;
        match self.account(account) {
            Ok(account) => {
                let record = &account.record;
                Ok(LoginKeys { credentials: record.credentials.clone(), disabled: record.disabled })
            }
            Err(Unavailable::Missing) => {
                let credentials = Credentials::fake(&self.secret, account.as_str(), iterations);
                Ok(LoginKeys { credentials, disabled: false })
            }
            Err(broken) => Err(broken),
        }
    }

    /// Tells a stream with [`Mail::Kept`] when everything that has been changed so far is on disk.
    pub(crate) fn tell_when_kept(&mut self, link: LinkId) {
        self.keep(Kept::ToLink(link, Mail::Kept));
    }

    /// A wrong password, or a token that is none.
    pub(crate) fn login_failed(&mut self, link: LinkId, account: &Jid) {
        if let Some(network) = self.network(link) {
            self.delays.failed(account, network, self.now);
        }
    }

    pub(crate) fn login_succeeded(&mut self, link: LinkId, account: &Jid) {
        self.delays.succeeded(account);
        self.link_logged_in(link);
    }

    /// When the outcome of a try for this account on this connection may be told, in milliseconds.
    pub(crate) fn login_answer_at(&self, link: LinkId, account: &Jid) -> u64 {
        self.network(link).map_or(0, |network| self.delays.answer_at(account, network))
    }

    /// Counts a registration from where this connection comes; `false`: there have been too many.
    pub(crate) fn admit_registration(&mut self, link: LinkId) -> bool {
        let max = self.config.limits.registrations_per_hour.max_len();
        let now = self.now;
        self.network(link).is_some_and(|network| self.registrations.admit(network, max, now))
    }
}
