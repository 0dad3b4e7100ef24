//! What clients say of themselves (XEP-0115), as far as the server needs it: which notifications they want.
//!
//! A presence carries a hash of what its client would answer to disco#info. The server asks one client for each hash
//! that it does not know, checks that the answer has that hash, and then knows it for all. An answer that hasn't is
//! good for nobody but the client itself; the next one with the same hash is asked (§5.4). Known hashes, questions
//! and those who wait for their answers are at most [`MAX_KNOWN`] and [`MAX_ASKED`]; beyond that the least used give
//! way, and clients get no notifications by their capabilities.

use std::collections::{BTreeMap, HashMap};
use std::hash::{DefaultHasher, Hash as _, Hasher};

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;

use super::pubsub::Interests;
use super::{Core, SessionId};
use crate::jid::Jid;
use crate::password::Hash;
use crate::stanza::{IqType, Kind, Stanza};
use crate::xml::ns;
use crate::xml::{Child, Element};

const MAX_KNOWN: usize = 1000;
const MAX_ASKED: usize = 1000;

/// Bytes of each attribute of `<c/>`; more is no hash.
const MAX_ATTRIBUTE: usize = 512;

/// How long an answer may take, in milliseconds.
const PATIENCE: u64 = 60_000;

#[derive(Default)]
pub(super) struct ClientCaps {
    /// By hash function and hash.
    known: HashMap<(Hash, String), Known>,
    /// By the ids of their requests.
    asked: HashMap<String, Question>,
}

struct Known {
    interests: Interests,
    used: u64,
}

struct Question {
    /// `None`: a function that we don't have, so that its answer is never shared.
    hash: Option<Hash>,
    node: String,
    ver: String,
    about: Subject,
    /// Others with the same hash.
    waiting: Vec<Subject>,
    at: u64,
}

/// Whose capabilities they are.
#[derive(Clone, Debug, PartialEq)]
pub enum Subject {
    Session(SessionId),
    /// Of another domain, and the account that has its presence.
    Elsewhere {
        account: Jid,
        resource: Jid,
    },
}

/// What `<c/>` in a presence says; a number that is another one when it says something else.
pub fn fingerprint(caps: Option<&Child<'_>>) -> u64 {
    let mut hasher = DefaultHasher::new();
    caps.map(Child::bytes).hash(&mut hasher);
    hasher.finish()
}

impl Core {
    /// What the client wants that has sent this `<c/>`; `None`: it has been asked, and
    /// [`Core::is_interested`] will follow.
    pub(crate) fn interests_of(&mut self, subject: Subject, caps: &Element) -> Option<Interests> {
        let attr =
            |name| caps.get_attr(name).filter(|value| !value.is_empty() && value.len() <= MAX_ATTRIBUTE);
        // §5.4: without 'hash' it is the legacy format, which says nothing that could be checked.
        let (Some(hash), Some(node), Some(ver)) = (attr("hash"), attr("node"), attr("ver")) else {
            return Some(Interests::default());
        };
        let hash = function(hash);
        if let Some(hash) = hash {
            if let Some(known) = self.client_caps.known.get_mut(&(hash, ver.to_owned())) {
                known.used = self.now;
                return Some(known.interests.clone());
            }
            let mut questions = self.client_caps.asked.values_mut();
            if let Some(same) = questions.find(|asked| asked.hash == Some(hash) && asked.ver == ver) {
                if same.about != subject && !same.waiting.contains(&subject) && same.waiting.len() < MAX_ASKED
                {
                    same.waiting.push(subject);
                }
                return None;
            }
        }
        // One question to each client at a time, and half of all for our own.
        let asked = &mut self.client_caps.asked;
        asked.retain(|_, asked| asked.about != subject || !asked.waiting.is_empty());
        let elsewhere = |about: &Subject| matches!(about, Subject::Elsewhere { .. });
        if elsewhere(&subject)
            && asked.values().filter(|asked| elsewhere(&asked.about)).count() >= MAX_ASKED / 2
        {
            return None;
        }
        let (node, ver) = (node.to_owned(), ver.to_owned());
        self.ask(Question { hash, node, ver, about: subject, waiting: Vec::new(), at: self.now });
        None
    }

    // §6.2
    fn ask(&mut self, question: Question) {
        if self.client_caps.asked.len() >= MAX_ASKED {
            return;
        }
        let id = self.random_word();
        let query =
            Element::new("query", ns::DISCO_INFO).attr("node", format!("{}#{}", question.node, question.ver));
        let request = Stanza::iq(IqType::Get, &id).with(&query);
        match &question.about {
            Subject::Session(session) => {
                let Some(to) = self.session(*session).map(|session| session.jid.clone()) else { return };
                self.send(*session, &request.from(&to.domain_jid()).to(&to));
                self.client_caps.asked.insert(id, question);
            }
            Subject::Elsewhere { account, resource } => {
                let request = request.from(account).to(resource);
                // Before it leaves: that nobody is there may be known at once.
                self.client_caps.asked.insert(id, question);
                self.route(request);
            }
        }
    }

    /// Takes an answer to a question of ours; others are not ours to look at.
    pub(crate) fn caps_answered(&mut self, answer: &Stanza) {
        let Some(id) = answer.id.as_deref() else { return };
        let Some(question) = self.client_caps.asked.get(id) else { return };
        let asked = match &question.about {
            Subject::Session(session) => self.session(*session).map(|session| &session.jid),
            Subject::Elsewhere { resource, .. } => Some(resource),
        };
        if asked.is_some() && asked != answer.from.as_ref() {
            return;
        }
        let Some(question) = self.client_caps.asked.remove(id) else { return };
        let info = match answer.kind {
            Kind::Iq(IqType::Result) => answer.request().map(|child| child.to_element()),
            _ => None,
        };
        let info = info.filter(|info| info.is("query", ns::DISCO_INFO));
        self.conclude(question, info.as_ref());
    }

    fn conclude(&mut self, mut question: Question, info: Option<&Element>) {
        let features =
            info.iter().flat_map(|info| info.children()).filter(|it| it.is("feature", ns::DISCO_INFO));
        let interests = Interests::of_features(features.filter_map(|feature| feature.get_attr("var")));
        self.is_interested(question.about.clone(), &interests);
        let Some(hash) = question.hash else { return };
        if info.and_then(|info| verification_string(info, hash)).as_deref() == Some(&question.ver) {
            self.remember_caps(hash, question.ver, &interests);
            for other in question.waiting {
                self.is_interested(other, &interests);
            }
        } else if let Some(next) = question.waiting.pop() {
            self.ask(Question { about: next, at: self.now, ..question });
        }
    }

    fn remember_caps(&mut self, hash: Hash, ver: String, interests: &Interests) {
        let (known, now) = (&mut self.client_caps.known, self.now);
        if known.len() >= MAX_KNOWN
            && let Some(oldest) = known.iter().min_by_key(|(_, known)| known.used).map(|(key, _)| key.clone())
        {
            known.remove(&oldest);
        }
        known.insert((hash, ver), Known { interests: interests.clone(), used: now });
    }

    /// The client's interests are known now.
    fn is_interested(&mut self, subject: Subject, interests: &Interests) {
        match subject {
            Subject::Session(session) => self.session_interested(session, interests.clone()),
            Subject::Elsewhere { account, resource } => {
                self.elsewhere_interested(&account, &resource, interests);
            }
        }
    }

    /// Gives up on answers that don't come.
    pub(super) fn forget_questions(&mut self) {
        let now = self.now;
        let overdue = self.client_caps.asked.extract_if(|_, question| question.at + PATIENCE <= now);
        for (_, question) in overdue.collect::<Vec<_>>() {
            self.conclude(question, None);
        }
    }
}

/// The hash functions that we have, by their names in IANA's registry (§9.1).
fn function(name: &str) -> Option<Hash> {
    match name {
        "sha-1" => Some(Hash::Sha1),
        "sha-256" => Some(Hash::Sha256),
        _ => None,
    }
}

/// §5.1, of a disco#info `<query/>`; `None`: it is ill-formed (§5.4), and means nothing.
pub fn verification_string(info: &Element, hash: Hash) -> Option<String> {
    let named = |name| info.children().filter(move |child| child.is(name, ns::DISCO_INFO));
    let attr = |element: &Element, name| element.get_attr(name).unwrap_or_default().to_owned();
    let mut identities: Vec<[String; 4]> = named("identity")
        .map(|identity| ["category", "type", "xml:lang", "name"].map(|name| attr(identity, name)))
        .collect();
    identities.sort();
    let mut features: Vec<String> = named("feature").map(|feature| attr(feature, "var")).collect();
    features.sort();
    let mut parts: Vec<String> = identities.iter().map(|identity| identity.join("/")).collect();
    if twice(&identities) || twice(&features) {
        return None;
    }
    parts.extend(features);
    let mut forms = BTreeMap::new();
    for form in info.children().filter(|child| child.is("x", ns::DATA_FORMS)) {
        let Some((form_type, fields)) = form_parts(form)? else { continue };
        if forms.insert(form_type, fields).is_some() {
            return None;
        }
    }
    parts.extend(forms.into_iter().flat_map(|(form_type, fields)| [vec![form_type], fields].concat()));
    // §5.4: what separates the parts can't be in one.
    let s: String = parts.into_iter().flat_map(|part| [part.replace('<', "&lt;"), "<".into()]).collect();
    Some(BASE64.encode(hash.digest(s.as_bytes())))
}

fn twice<T: PartialEq>(sorted: &[T]) -> bool {
    sorted.windows(2).any(|pair| pair[0] == pair[1])
}

/// A form's type, and its other fields and their values in order. One whose type is not a hidden field does not count
/// (`Some(None)`); one with several types makes everything ill-formed (`None`).
fn form_parts(form: &Element) -> Option<Option<(String, Vec<String>)>> {
    let fields = form.children().filter(|child| child.is("field", ns::DATA_FORMS));
    let mut hidden_type = false;
    let mut by_name: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for field in fields {
        let var = field.get_attr("var").unwrap_or_default();
        hidden_type |= var == "FORM_TYPE" && field.get_attr("type") == Some("hidden");
        let values = field.children().filter(|child| child.is("value", ns::DATA_FORMS));
        by_name.entry(var).or_default().extend(values.map(Element::text_content));
    }
    let mut form_types = by_name.remove("FORM_TYPE").unwrap_or_default();
    form_types.dedup();
    let [form_type] = &form_types[..] else { return if form_types.is_empty() { Some(None) } else { None } };
    if !hidden_type {
        return Some(None);
    }
    let fields = by_name.into_iter().flat_map(|(var, mut values)| {
        values.sort();
        [vec![var.to_owned()], values].concat()
    });
    Some(Some((form_type.clone(), fields.collect())))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn query(content: &str) -> Element {
        let query = format!("<query xmlns='{}'>{content}</query>", ns::DISCO_INFO);
        Element::parse(query.as_bytes(), ns::CLIENT).expect("XML")
    }

    fn sha1(content: &str) -> Option<String> {
        verification_string(&query(content), Hash::Sha1)
    }

    const FEATURES: &str = "<feature var='http://jabber.org/protocol/muc'/>\
         <feature var='http://jabber.org/protocol/disco#items'/>\
         <feature var='http://jabber.org/protocol/caps'/>\
         <feature var='http://jabber.org/protocol/disco#info'/>";

    const FORM: &str = "<x xmlns='jabber:x:data' type='result'>\
         <field var='software'><value>Psi</value></field>\
         <field var='os'><value>Mac</value></field>\
         <field var='FORM_TYPE' type='hidden'><value>urn:xmpp:dataforms:softwareinfo</value></field>\
         <field var='ip_version' type='text-multi'><value>ipv6</value><value>ipv4</value></field>\
         <field var='os_version'><value>10.5.1</value></field>\
         <field var='software_version'><value>0.11</value></field></x>";

    #[test]
    fn the_simple_example_of_section_5_2_has_its_hash() {
        let exodus = format!("<identity category='client' name='Exodus 0.9.1' type='pc'/>{FEATURES}");
        assert_eq!(sha1(&exodus).as_deref(), Some("QgayPKawpkPSDYmwT/WM94uAlu0="));
    }

    #[test]
    fn the_complex_example_of_section_5_3_has_its_hash() {
        let psi = format!(
            "<identity xml:lang='en' category='client' name='Psi 0.11' type='pc'/>\
             <identity xml:lang='el' category='client' name='Ψ 0.11' type='pc'/>{FEATURES}{FORM}"
        );
        assert_eq!(sha1(&psi).as_deref(), Some("q07IKJEyjvHSyhy//CH0CxmKi8w="));
    }

    // §5.4, step 3
    #[test]
    fn what_is_there_twice_is_ill_formed() {
        let identity = "<identity category='client' name='Exodus 0.9.1' type='pc'/>";
        assert_eq!(sha1(&format!("{identity}{identity}{FEATURES}")), None);
        assert_eq!(sha1(&format!("{identity}{FEATURES}{FEATURES}")), None);
        assert_eq!(sha1(&format!("{identity}{FEATURES}{FORM}{FORM}")), None);
        let two_types = FORM.replace(
            "</value></field><field var='ip_",
            "</value><value>urn:x</value></field><field var='ip_",
        );
        assert_eq!(sha1(&format!("{identity}{FEATURES}{two_types}")), None);
    }

    // §5.4: "If the response includes an extended service discovery information form where the FORM_TYPE field is not of
    // type "hidden" or the form does not include a FORM_TYPE field, ignore the form but continue processing."
    #[test]
    fn a_form_without_a_hidden_type_does_not_count() {
        let identity = "<identity category='client' name='Exodus 0.9.1' type='pc'/>";
        let shown = FORM.replace(" type='hidden'", "");
        assert_eq!(sha1(&format!("{identity}{FEATURES}{shown}")), sha1(&format!("{identity}{FEATURES}")));
    }

    // §5.4, the note: else one feature could be made to look like two.
    #[test]
    fn the_separator_inside_a_value_stays_escaped() {
        let two = "<feature var='urn:a'/><feature var='urn:b'/>";
        assert_ne!(sha1(two), sha1("<feature var='urn:a&lt;urn:b'/>"));
    }
}
