//! What must be there after an end of the server.

use std::collections::{BTreeMap, BTreeSet};

use stube::xml::Element;

use super::{Lists, Phone, Town};
use crate::client::Client;
use crate::stanzas::PEOPLE;

impl Town {
    pub(super) fn end(&mut self) {
        match self.chance.below(4) {
            // A machine without a battery for its clock.
            0 => self.world.now -= 3_600_000,
            _ => self.world.now += 100,
        }
        self.world.start_again();
        let former: Vec<Phone> = self.phones.drain(..).filter(|phone| phone.counts.is_some()).collect();
        PEOPLE.iter().for_each(|name| self.look_after(name));
        if self.archives {
            self.compare_archives();
        }
        for phone in former.into_iter().take(2) {
            self.phones.push(Phone { client: None, ..phone });
            if self.resume(self.phones.len() - 1) {
                self.fail("a session was resumed after the end of the server");
            }
        }
        self.look_around();
    }

    /// What is there for someone, who takes it.
    fn look_after(&mut self, name: &'static str) {
        let Some(client) = self.log_in(name) else { self.fail("no login") };
        self.world
            .send(client, "<iq type='set' id='bind'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/></iq>");
        let lists = (
            self.list(client, "<query xmlns='jabber:iq:roster'/>"),
            self.list(client, "<blocklist xmlns='urn:xmpp:blocking'/>"),
        );
        let known = self.lists.get_mut(name).expect("a person");
        let possible = &known.versions[known.kept..];
        if !possible.contains(&lists) {
            let text = format!("{name} has {lists:#?}\ninstead of one of {possible:#?}");
            self.fail(&text);
        }
        *known = Lists { versions: vec![lists], kept: 0 };
        self.world.clear(client);
        self.world.send(client, "<presence/>");
        let got = self.world.drain(client);
        let numbers: Vec<usize> = got.iter().filter(|got| got.name == "message").map(number_of).collect();
        for (number, message) in self.messages.iter().enumerate().filter(|(_, message)| message.to == name) {
            let times = numbers.iter().filter(|there| **there == number).count();
            let lost = message.acknowledged && !message.refused && !message.given && !message.entrusted;
            let least = usize::from(lost);
            let most = usize::from(!message.gone) + usize::from(message.repeated);
            if !(least..=most).contains(&times) {
                self.fail(&format!("message {number} waits {times} times for {name}, not {least} to {most}"));
            }
        }
        if numbers.iter().any(|number| self.messages[*number].to != name) {
            self.fail(&format!("{name} gets what is for others: {numbers:?}"));
        }
        self.world.close(client);
        // Whatever has become of them, they don't come any more.
        for message in self.messages.iter_mut().filter(|message| message.to == name) {
            (message.given, message.taken, message.gone) = (true, true, true);
        }
    }

    fn compare_archives(&mut self) {
        let archives: BTreeMap<&str, Vec<(String, usize)>> =
            PEOPLE.iter().map(|name| (*name, self.archive(name))).collect();
        let mut later_is_there = false;
        for number in (0..self.messages.len()).rev() {
            let message = &self.messages[number];
            let ids = |name: &str| -> Vec<&str> {
                let its = archives[name].iter().filter(|(_, there)| *there == number);
                its.map(|(id, _)| id.as_str()).collect()
            };
            let (sent, received) = (ids(message.from), ids(message.to));
            let must =
                message.archived.unwrap_or(message.acknowledged || later_is_there) && !message.unarchived;
            let most = if message.archived == Some(false) { 0 } else { 1 + usize::from(message.repeated) };
            let right =
                (usize::from(must)..=most).contains(&sent.len()) && (sent == received || message.refused);
            if !right {
                self.fail(&format!("message {number} is in the archives as {sent:?} and {received:?}"));
            }
            later_is_there |= !sent.is_empty() && !message.repeated;
            self.messages[number].archived = Some(!sent.is_empty());
        }
        for (id, number) in archives.values().flatten() {
            self.learn(id, *number);
        }
    }

    /// All that somebody has in the archive.
    fn archive(&mut self, name: &str) -> Vec<(String, usize)> {
        let client = self.world.login(name, "archivist");
        let (mut all, mut after) = (Vec::new(), String::new());
        loop {
            let set = format!("<set xmlns='http://jabber.org/protocol/rsm'><max>250</max>{after}</set>");
            let query = format!("<query xmlns='urn:xmpp:mam:2'>{set}</query>");
            self.world.send(client, &format!("<iq type='set' id='archive'>{query}</iq>"));
            let mut got = self.world.drain(client);
            let fin = got.pop().and_then(|answer| answer.find("fin", "urn:xmpp:mam:2").cloned());
            let Some(fin) = fin else { self.fail(&format!("no answer from the archive of {name}")) };
            all.extend(got.iter().map(result_of));
            if fin.get_attr("complete") == Some("true") {
                break;
            }
            after = format!("<after>{}</after>", all.last().map_or("", |(id, _)| id));
        }
        self.world.close(client);
        let ids: BTreeSet<&String> = all.iter().map(|(id, _)| id).collect();
        if ids.len() < all.len() {
            self.fail(&format!("the archive of {name} has an id twice: {all:?}"));
        }
        all
    }

    fn list(&mut self, client: Client, request: &str) -> BTreeSet<String> {
        let answer = self.world.expect_result(client, &format!("<iq type='get' id='list'>{request}</iq>"));
        let items = answer.children().flat_map(Element::children);
        items.filter_map(|item| item.get_attr("jid").map(str::to_owned)).collect()
    }
}

fn number_of(message: &Element) -> usize {
    message.get_attr("id").and_then(|id| id.parse().ok()).expect("a number")
}

/// The id and the number of a message from an archive.
fn result_of(got: &Element) -> (String, usize) {
    let result = got.find("result", "urn:xmpp:mam:2").expect("a result");
    let forwarded = result.find("forwarded", "urn:xmpp:forward:0").expect("a message");
    let message = forwarded.find("message", "jabber:client").expect("a message");
    (result.get_attr("id").expect("an id").to_owned(), number_of(message))
}
