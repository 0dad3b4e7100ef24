//! What must be true of the archives whatever has happened in town:
//!
//! * every message in an account's archive is there, and is from the account or to it;
//! * no message is there that is in nobody's archive, but for those of accounts that have just gone;
//! * ids are unique, and pages forwards and backwards give the same messages.

use std::collections::BTreeSet;

use stube::store::{Table, record::Archived, record::Record};

use super::{Town, account, bare};
use crate::client::Client;
use crate::stanzas::PEOPLE;

const MAM: &str = "urn:xmpp:mam:2";

impl Town {
    pub fn check_archives(&mut self) {
        self.check_shares();
        for name in PEOPLE {
            let reader = self.world.login(name, "reader");
            let forwards = self.read(reader, name, false);
            let mut backwards = self.read(reader, name, true);
            backwards.reverse();
            if forwards != backwards {
                self.fail(&format!("{name} reads {forwards:?} forwards and {backwards:?} backwards"));
            }
            if forwards.iter().collect::<BTreeSet<_>>().len() != forwards.len() {
                self.fail(&format!("an id of {name}'s is not unique: {forwards:?}"));
            }
            self.world.cut(reader);
        }
    }

    /// The index and the bodies agree, once those who have gone are forgotten.
    fn check_shares(&mut self) {
        self.world.advance(60_000);
        for _ in 0..1000 {
            if self.world.rows(Table::ArchiveRemains) == 0 {
                break;
            }
            self.world.advance(100);
        }
        let bodies = self.world.table(Table::Archive);
        let mut shares: BTreeSet<(Vec<u8>, Vec<u8>)> = BTreeSet::new();
        for (key, _) in self.world.table(Table::ArchiveIndex) {
            let (account, id) = key.split_at(4);
            shares.insert((id.to_vec(), account.to_vec()));
        }
        for (id, value) in bodies {
            let owners = Archived::decode(&value).expect("a message").owners;
            let had = shares.len();
            for owner in owners.list() {
                shares.remove(&(id.clone(), owner.to_be_bytes().to_vec()));
            }
            if shares.len() == had {
                self.fail(&format!("the message {id:?} is in nobody's archive"));
            }
        }
        if !shares.is_empty() {
            self.fail(&format!("these are in an archive and nowhere else: {shares:?}"));
        }
    }

    /// The ids of an account's archive in the order in which pages give them.
    fn read(&mut self, reader: Client, name: &str, backwards: bool) -> Vec<String> {
        let own = account(name);
        let (mut all, mut turn) = (Vec::new(), if backwards { "<before/>" } else { "" }.to_owned());
        for _ in 0..1000 {
            self.world.clear(reader);
            let set = format!("<set xmlns='http://jabber.org/protocol/rsm'><max>7</max>{turn}</set>");
            let flip = if backwards { "<flip-page/>" } else { "" };
            self.world.send(
                reader,
                &format!("<iq type='set' id='q'><query xmlns='{MAM}'>{set}{flip}</query></iq>"),
            );
            let Some(fin) = self.world.answer(reader, "q") else {
                self.fail(&format!("{name} has no answer"))
            };
            for stanza in self.world.drain(reader) {
                let Some(result) = stanza.find("result", MAM) else { continue };
                let message = result
                    .find("forwarded", "urn:xmpp:forward:0")
                    .and_then(|forwarded| forwarded.find("message", "jabber:client"))
                    .expect("a message");
                let parties = ["from", "to"].map(|party| message.get_attr(party).map(bare));
                if !parties.contains(&Some(own.as_str())) {
                    self.fail(&format!("{name} has a message between {parties:?}"));
                }
                all.push(result.get_attr("id").expect("an id").to_owned());
            }
            let fin = fin.find("fin", MAM).unwrap_or_else(|| self.fail(&format!("{name} reads: {fin:?}")));
            if fin.get_attr("complete") == Some("true") {
                return all;
            }
            let last = all.last().expect("a page that is not the last one");
            turn =
                if backwards { format!("<before>{last}</before>") } else { format!("<after>{last}</after>") };
        }
        self.fail(&format!("{name}'s archive has no end"))
    }
}
