//! Search for rooms (XEP-0433): the public rooms of the service by words in their titles, descriptions and addresses.
//!
//! Nothing is stored: see `core/rooms/directory`, which also bounds how often one may search. Every word must be
//! found, at most [`MAX_WORDS`] of them; an answer has [`MAX_PAGE`] rooms at most, and more on further pages.

use std::cmp::Reverse;

use crate::core::disco::{Entity, Info};
use crate::core::form::{Field, FieldType, Form};
use crate::core::module::{Answer, Module, Route, Spec, Target};
use crate::core::rooms::Listed;
use crate::core::rsm::{self, Rsm};
use crate::core::{Core, ServiceKind};
use crate::jid::Jid;
use crate::stanza::{Condition, ErrorType, IqType, Kind, Stanza, StanzaError};
use crate::xml::{Element, ns};

/// Rooms in one answer.
const MAX_PAGE: usize = 50;
const MAX_WORDS: usize = 10;
/// Bytes of all words.
const MAX_QUERY: usize = 500;

const BY_USERS: &str = "{urn:xmpp:channel-search:0:order}nusers";
const BY_ADDRESS: &str = "{urn:xmpp:channel-search:0:order}address";
/// The kind of service that this is.
const SERVICE_TYPE: &str = "xep-0045";

pub const MODULE: Module = Module {
    name: "channel_search",
    specs: &[Spec::Xep(433, "0.1.0")],
    iq: &[Route {
        ns: ns::CHANNEL_SEARCH,
        name: "search",
        target: Target::Service(ServiceKind::Rooms),
        handle,
    }],
    info: Some(describe),
    ..Module::NONE
};

// §4.1
fn describe(core: &mut Core, entity: &Entity<'_>, info: &mut Info) {
    let kind = core.service(entity.address.domain()).map(|service| service.kind);
    if entity.is_service(core) && kind == Some(ServiceKind::Rooms) {
        info.features.push(ns::CHANNEL_SEARCH);
    }
}

// §4.2
fn handle(core: &mut Core, stanza: &Stanza) -> Result<Answer, StanzaError> {
    let (Kind::Iq(IqType::Get), Some(to), Some(from)) = (stanza.kind, &stanza.to, &stanza.from) else {
        return Err(Condition::BadRequest.into());
    };
    let request = stanza.request().ok_or(Condition::BadRequest)?.to_element();
    let Some(submitted) = request.find("x", ns::DATA_FORMS) else {
        let search = Element::new("search", ns::CHANNEL_SEARCH);
        return Ok(Answer::Result(Some(search.child(form().to_element()))));
    };
    let (search, rsm) = (Search::read(submitted)?, Rsm::read(&request)?);
    core.admit_search(from).map_err(too_many)?;
    let found = search.run(core, to.domain())?;
    let find = |id: &str| match search.by_users {
        true => found.iter().position(|room| room.address.as_str() == id).map(Ok),
        false => Some(found.binary_search_by(|room| room.address.as_str().cmp(id))),
    };
    let range = rsm.range(found.len(), MAX_PAGE, find)?;
    let rooms = core.public_rooms(to.domain())?;
    let page = found.get(range.clone()).unwrap_or_default().iter();
    let page = page.filter_map(|found| Some(found.to_element(rooms.get(&found.address)?)));
    let mut result = page.fold(Element::new("result", ns::CHANNEL_SEARCH), Element::child);
    if !found.is_empty() {
        let id = |at: usize| found.get(at).map(|room| room.address.to_string()).unwrap_or_default();
        result = result.child(rsm::page_at(&range, found.len(), id));
    }
    Ok(Answer::Result(Some(result)))
}

// §6.1
fn form() -> Form {
    let yes = |var, label| Field::new(FieldType::Boolean, var).label(label).values(["true"]);
    Form::ask(ns::CHANNEL_SEARCH_PARAMS, "Search for rooms", "")
        .field(Field::new(FieldType::TextSingle, "q").label("Search for"))
        .field(Field::new(FieldType::Boolean, "all").label("All rooms").values(["false"]))
        .field(yes("sinname", "Search in names"))
        .field(yes("sindescription", "Search in descriptions"))
        .field(yes("sinaddress", "Search in addresses"))
        .field(Field::new(FieldType::TextSingle, "min_users").label("At least so many people").values([0]))
        .field(
            Field::new(FieldType::ListMulti, "types")
                .label("Kinds of services")
                .values([SERVICE_TYPE])
                .options(&[("Multi-User Chat (XEP-0045)", SERVICE_TYPE)]),
        )
        .field(
            Field::new(FieldType::ListSingle, "key")
                .label("Sort by")
                .values([BY_USERS])
                .options(&[("Number of people", BY_USERS), ("Address", BY_ADDRESS)]),
        )
}

/// What is wanted.
struct Search {
    /// In lower case; none: all rooms.
    words: Vec<String>,
    in_name: bool,
    in_description: bool,
    in_address: bool,
    min_users: usize,
    /// The kind of services that there are here is among those that are asked for.
    here: bool,
    by_users: bool,
}

impl Search {
    // §4.2.2, §6.1
    fn read(form: &Element) -> Result<Search, StanzaError> {
        let values = |var: &str| -> Option<Vec<String>> {
            let field = form.children().find(|field| field.get_attr("var") == Some(var))?;
            let values = field.children().filter(|value| value.is("value", ns::DATA_FORMS));
            Some(values.map(Element::text_content).collect())
        };
        let value = |var| values(var).and_then(|values| values.into_iter().find(|value| !value.is_empty()));
        let flag = |var, default| match value(var).as_deref() {
            None => Ok(default),
            Some("1" | "true") => Ok(true),
            Some("0" | "false") => Ok(false),
            Some(_) => Err(StanzaError::from(Condition::BadRequest)),
        };
        let form_type = value("FORM_TYPE");
        if form.get_attr("type") != Some("submit")
            || form_type.is_some_and(|kind| kind != ns::CHANNEL_SEARCH_PARAMS)
        {
            return Err(Condition::BadRequest.into());
        }
        let by_users = match value("key").as_deref() {
            None | Some(BY_USERS) => true,
            Some(BY_ADDRESS) => false,
            Some(_) => return Err(refused(Condition::FeatureNotImplemented, "invalid-sort-key")),
        };
        let (query, all) = (value("q"), flag("all", false)?);
        let words = match &query {
            Some(_) if all => {
                let text = "All rooms can't be had by words at the same time.";
                return Err(conflict(&["all", "q"], text));
            }
            Some(query) => words(query)?,
            None if all => Vec::new(),
            None => {
                let error = refused(Condition::BadRequest, "no-search-conditions");
                return Err(error.with_type(ErrorType::Cancel)); // §4.2.2.7
            }
        };
        let search = Search {
            words,
            in_name: flag("sinname", true)?,
            in_description: flag("sindescription", true)?,
            in_address: flag("sinaddress", true)?,
            min_users: value("min_users").map_or(Ok(0), |text| text.trim().parse()).map_err(|_| {
                StanzaError::new(Condition::BadRequest, "The least number of people is not a number.")
            })?,
            here: values("types").is_none_or(|types| types.iter().any(|kind| kind == SERVICE_TYPE)),
            by_users,
        };
        let somewhere = search.in_name || search.in_description || search.in_address;
        if !search.words.is_empty() && !somewhere {
            let text = "Words must be searched for somewhere.";
            return Err(conflict(&["sinname", "sindescription", "sinaddress"], text));
        }
        Ok(search)
    }

    fn run(&self, core: &mut Core, service: &str) -> Result<Vec<Found>, StanzaError> {
        if !self.here {
            return Ok(Vec::new());
        }
        let rooms = core.public_rooms(service)?.iter().filter(|(address, room)| self.fits(address, room));
        let found = rooms.map(|(address, _)| Found { address: address.clone(), users: 0 });
        let mut found: Vec<Found> = found.collect();
        for room in &mut found {
            room.users = core.occupancy(&room.address);
        }
        found.retain(|room| room.users >= self.min_users);
        if self.by_users {
            // The sort is stable: among equals, the addresses decide.
            found.sort_by_key(|room| Reverse(room.users));
        }
        Ok(found)
    }

    fn fits(&self, address: &Jid, room: &Listed) -> bool {
        let texts = [
            (self.in_name, room.title.as_str()),
            (self.in_description, room.description.as_str()),
            (self.in_address, address.as_str()),
        ];
        let texts: Vec<String> = match self.words.is_empty() {
            true => Vec::new(),
            false => {
                texts.iter().filter(|(wanted, _)| *wanted).map(|(_, text)| text.to_lowercase()).collect()
            }
        };
        self.words.iter().all(|word| texts.iter().any(|text| text.contains(word.as_str())))
    }
}

// §4.2.2.3
fn words(query: &str) -> Result<Vec<String>, StanzaError> {
    let all = query.split_whitespace().filter(|word| word.chars().any(char::is_alphanumeric));
    let words: Vec<String> = all.map(str::to_lowercase).collect();
    if words.is_empty() || words.len() > MAX_WORDS || query.len() > MAX_QUERY {
        let error = refused(Condition::BadRequest, "invalid-search-terms");
        let text = format!("Search for one word with a letter or a digit, or up to {MAX_WORDS} of them.");
        return Err(StanzaError { text: Some(text), ..error });
    }
    Ok(words)
}

/// A room that fits.
struct Found {
    address: Jid,
    users: usize,
}

impl Found {
    // §6.2
    fn to_element(&self, room: &Listed) -> Element {
        let child = |name, text: &str| Element::new(name, ns::CHANNEL_SEARCH).text(text);
        let mut item = Element::new("item", ns::CHANNEL_SEARCH).attr("address", self.address.as_str());
        for (name, text) in
            [("name", &room.title), ("description", &room.description), ("language", &room.language)]
        {
            if !text.is_empty() {
                item.push(child(name, text));
            }
        }
        item.push(child("nusers", &self.users.to_string()));
        item.push(child("service-type", SERVICE_TYPE));
        if room.open {
            item.push(Element::new("is-open", ns::CHANNEL_SEARCH));
        }
        item.child(child(
            "anonymity-mode",
            match room.non_anonymous {
                true => "{urn:xmpp:channel-search:0:anonymity}none",
                false => "muc_semianonymous",
            },
        ))
    }
}

fn refused(condition: Condition, why: &'static str) -> StanzaError {
    let why = Element::new(why, ns::CHANNEL_SEARCH_ERRORS);
    StanzaError::from(condition).with_type(ErrorType::Modify).with_detail(why)
}

// §4.2.2.6
fn conflict(fields: &[&str], text: &str) -> StanzaError {
    let var = |field: &&str| Element::new("var", ns::CHANNEL_SEARCH_ERRORS).text(field);
    let why = Element::new("conflicting-fields", ns::CHANNEL_SEARCH_ERRORS);
    let why = fields.iter().map(var).fold(why, Element::child);
    StanzaError::new(Condition::BadRequest, text).with_type(ErrorType::Modify).with_detail(why)
}

// §4.2.2.4
fn too_many(seconds: u64) -> StanzaError {
    let limit = Element::new("rate-limit", ns::CHANNEL_SEARCH_ERRORS);
    let limit = limit.attr("retry-after", seconds.to_string());
    StanzaError::new(Condition::ResourceConstraint, "That was enough for this minute.").with_detail(limit)
}
