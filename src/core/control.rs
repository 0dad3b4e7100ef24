//! What the operator's commands ask of a server that runs (`stube user …`, `stube reports …`, `stube room …`), over the control socket.

use super::derive::{Asker, Purpose, control_line};
use super::rooms::lines;
use super::{Core, Effect, Kept};
use crate::control::{Request, Response};
use crate::jid::Jid;
use crate::stanza::{Condition, StanzaError};
use crate::xml::{Element, ns};

/// A connection to the control socket that waits for an answer.
pub type ControlId = u64;

impl Core {
    /// Does what was asked; the answer is an [`Effect::ControlReply`], once it is kept.
    pub fn control(&mut self, request: Request, id: ControlId) {
        let outcome = match request {
            Request::UserAdd { address, password } => {
                self.control_account(&address).and_then(|jid| match self.account_exists(&jid) {
                    true => Err(format!("there is an account {jid} already")),
                    false => self
                        .derive(&password, Purpose::Create(jid), Asker::Control(id))
                        .map(|()| None)
                        .map_err(line),
                })
            }
            Request::UserPasswd { address, password } => self.control_existing(&address).and_then(|jid| {
                self.derive(&password, Purpose::Change(jid, None), Asker::Control(id))
                    .map(|()| None)
                    .map_err(line)
            }),
            Request::UserRemove { address } => self
                .control_existing(&address)
                .and_then(|jid| self.remove_account(&jid, None).map(|()| Some(Vec::new())).map_err(line)),
            Request::UserClients { address } => self
                .control_existing(&address)
                .and_then(|jid| self.list_clients(&jid).map(Some).map_err(line)),
            Request::UserRevoke { address, client } => self
                .control_existing(&address)
                .and_then(|jid| self.control_revoke(&jid, client.as_deref()).map(|()| Some(Vec::new()))),
            Request::UserList => self.control_list().map(Some),
            Request::ReportList => self.list_reports().map(Some),
            Request::ReportShow { number } => self.show_report(number).map(Some),
            Request::ReportRemove { number } => self.remove_reports(number).map(|()| Some(Vec::new())),
            Request::RoomList => self.room_lines().map(Some),
            Request::RoomShow { address } => {
                self.control_room(&address).and_then(|room| self.room_details(&room)).map(Some)
            }
            Request::RoomDelete { address } => {
                self.control_room(&address).and_then(|room| self.control_delete_room(&room)).map(Some)
            }
            Request::Status => Ok(Some(self.control_status())),
        };
        match outcome {
            Ok(None) => {}
            Ok(Some(lines)) => self.keep(Kept::Control(id, Response::Done(lines))),
            Err(line) => self.effects.push(Effect::ControlReply(id, Response::Failed(line))),
        }
        self.flush();
    }

    fn control_account(&self, address: &str) -> Result<Jid, String> {
        let jid = Jid::parse(address).map_err(|error| format!("{address:?} is no address: {error}"))?;
        if jid.local().is_none() || jid.is_full() {
            return Err(format!("{jid} is no account's address: it must look like name@{}", jid.domain()));
        }
        if !self.is_host(jid.domain()) {
            return Err(format!("{} is not served here: see domain in the configuration", jid.domain()));
        }
        Ok(jid)
    }

    fn control_existing(&mut self, address: &str) -> Result<Jid, String> {
        let jid = self.control_account(address)?;
        if self.account_exists(&jid) { Ok(jid) } else { Err(format!("there is no account {jid}")) }
    }

    fn control_revoke(&mut self, jid: &Jid, client: Option<&str>) -> Result<(), String> {
        match (self.revoke(jid, client).map_err(line)?, client) {
            (false, Some(client)) => Err(format!("{jid} has no client {client}")),
            _ => Ok(()),
        }
    }

    fn control_list(&self) -> Result<Vec<String>, String> {
        let mut lines = Vec::new();
        for host in self.hosts() {
            let accounts = self.list_accounts(host.domain()).map_err(|error| error.to_string())?;
            lines.extend(accounts.iter().map(|(jid, record)| {
                if record.disabled { format!("{jid} (disabled)") } else { jid.to_string() }
            }));
        }
        Ok(lines)
    }

    fn control_room(&mut self, address: &str) -> Result<Jid, String> {
        let room = Jid::parse(address).map_err(|error| format!("{address:?} is no address: {error}"))?;
        match self.room(&room) {
            Ok(room) => Ok(room.address.clone()),
            Err(error) if error.condition == Condition::ItemNotFound => Err(lines::unknown(&room)),
            Err(error) => Err(line(error)),
        }
    }

    fn control_delete_room(&mut self, room: &Jid) -> Result<Vec<String>, String> {
        let configured = self.configured_rooms().iter().any(|(address, _)| address == room);
        self.destroy_room(room, Element::new("destroy", ns::MUC_USER)).map_err(line)?;
        Ok(configured.then(|| lines::COMES_BACK.to_owned()).into_iter().collect())
    }

    fn control_status(&self) -> Vec<String> {
        let mut lines = vec![
            format!("up for {} s", self.uptime() / 1000),
            format!("{} sessions on {} connections", self.sessions.len(), self.links.len()),
        ];
        if let Some(reason) = &self.stalled {
            lines.push(format!("the store cannot write: {reason}"));
        }
        lines
    }
}

fn line(error: StanzaError) -> String {
    control_line(&error)
}
