//! What phones make of what they get, and what they know by it.

use stube::xml::Element;

use super::{NAMESPACE, Said, Town, account};
use crate::stanzas::PEOPLE;
use crate::world::show;

impl Town {
    pub(super) fn look_around(&mut self) {
        self.trust_sessions();
        for at in 0..self.phones.len() {
            let Some(client) = self.phones[at].client.filter(|_| self.phones[at].reads) else { continue };
            for got in self.world.drain(client) {
                self.take_in(at, &got);
            }
        }
        self.answer();
        if self.world.is_committed() {
            for message in self.messages.iter_mut().filter(|message| message.taken) {
                message.gone = true;
            }
        }
        self.say_goodbye();
    }

    /// Messages for someone who is there need not be on the disk.
    fn trust_sessions(&mut self) {
        for name in PEOPLE {
            if self.world.core.sessions_of(&account(name)).any(|session| session.has_priority()) {
                self.messages
                    .iter_mut()
                    .filter(|message| message.to == name)
                    .for_each(|message| message.entrusted = true);
            }
        }
    }

    fn take_in(&mut self, at: usize, got: &Element) {
        let name = self.phones[at].name;
        if let ("a", Some(h)) = (got.name.as_str(), got.get_attr("h").and_then(|h| h.parse().ok())) {
            return self.acknowledged(at, h);
        }
        if !matches!(got.name.as_str(), "message" | "presence" | "iq") {
            return;
        }
        if let Some(counts) = &mut self.phones[at].counts {
            counts.received += 1;
        }
        let id = got.get_attr("id").unwrap_or_default();
        let failed = got.get_attr("type") == Some("error");
        if let Some(number) = id.strip_prefix("change ").and_then(|number| number.parse().ok())
            && !failed
        {
            self.kept(name, Said::Change(number));
        }
        if id == "refused" && !failed {
            self.fail(&format!("{name} changed something on a disk that refuses: {}", show(got)));
        }
        let Some(number) = (got.name == "message").then(|| id.parse::<usize>().ok()).flatten() else {
            return;
        };
        if failed {
            self.messages[number].refused = true;
        } else {
            self.arrives(at, number, got);
        }
    }

    fn arrives(&mut self, at: usize, number: usize, got: &Element) {
        let phone = &mut self.phones[at];
        let again = !phone.got.insert(number);
        phone.unconfirmed.push(number);
        let message = &mut self.messages[number];
        let body = got.find("body", "jabber:client").map(Element::text_content);
        let from = got.get_attr("from").map(|from| from.split('@').next().unwrap_or_default());
        let right =
            body == Some(number.to_string()) && from == Some(message.from) && phone.name == message.to;
        message.given = true;
        message.taken |= phone.counts.is_none();
        let repeated = message.repeated;
        if !right || again && !repeated {
            let who = format!("{}/{}", phone.name, phone.resource);
            self.fail(&format!("{who} got {}", show(got)));
        }
        if let Some(id) = got.find("stanza-id", "urn:xmpp:sid:0").and_then(|id| id.get_attr("id")) {
            self.learn(id, number);
        }
    }

    pub(super) fn learn(&mut self, id: &str, number: usize) {
        let known = *self.ids.entry(id.to_owned()).or_insert(number);
        if known != number {
            self.fail(&format!("{id} stands for the messages {known} and {number}"));
        }
    }

    /// Most phones answer soon.
    fn answer(&mut self) {
        for at in 0..self.phones.len() {
            let slow = self.chance.one_in(3);
            let phone = &mut self.phones[at];
            let (Some(client), Some(counts)) = (phone.client, &phone.counts) else { continue };
            // Whom nobody hears has said nothing.
            let unheard = self.world.has_ended() || self.world.stream(client).finished();
            if slow || unheard || phone.unconfirmed.is_empty() {
                continue;
            }
            self.world.send(client, &format!("<a xmlns='{NAMESPACE}' h='{}'/>", counts.received));
            for number in phone.unconfirmed.drain(..) {
                self.messages[number].taken = true;
            }
        }
    }

    /// What a phone hears of its count.
    pub(super) fn acknowledged(&mut self, at: usize, h: u32) {
        let phone = &mut self.phones[at];
        let name = phone.name;
        let Some(counts) = &mut phone.counts else { return };
        let news = h.wrapping_sub(counts.acknowledged) as usize;
        if news > counts.sent.len() {
            let text = format!(
                "{name} has sent {} and hears of {h}",
                counts.acknowledged as usize + counts.sent.len()
            );
            self.fail(&text);
        }
        counts.acknowledged = h;
        let kept: Vec<Said> = counts.sent.drain(..news).map(|(said, _)| said).collect();
        kept.into_iter().for_each(|said| self.kept(name, said));
    }

    /// The server has promised it.
    fn kept(&mut self, name: &str, said: Said) {
        match said {
            Said::Message(number) => self.messages[number].acknowledged = true,
            Said::Change(number) => {
                let lists = self.lists.get_mut(name).expect("a person");
                lists.kept = lists.kept.max(number);
            }
            Said::Other => {}
        }
    }

    fn say_goodbye(&mut self) {
        for at in (0..self.phones.len()).rev() {
            let Some(client) = self.phones[at].client else { continue };
            if self.world.stream(client).finished() {
                let phone = self.phones.swap_remove(at);
                self.note(format!("{}/{} is over", phone.name, phone.resource));
                self.world.cut(client);
            }
        }
    }
}
