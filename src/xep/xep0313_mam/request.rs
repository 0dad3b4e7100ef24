//! What a client asks of an archive: the form with its filters and the page, and what in it makes no sense.
//!
//! An id that the archive does not have is `<item-not-found/>`, a field that is not known `<feature-not-implemented/>`,
//! anything else that is wrong `<bad-request/>`.

use super::{MOST, PAGE};
use crate::core::Core;
use crate::core::archive::{Query, QueryKind, View, first_place};
use crate::core::rsm::Rsm;
use crate::core::time::{self, Round};
use crate::jid::Jid;
use crate::stanza::{Condition, Stanza, StanzaError};
use crate::xml::{Element, Payload, ns};

const FIELDS: &[(&str, &str)] = &[
    ("with", "jid-single"),
    ("start", "text-single"),
    ("end", "text-single"),
    ("before-id", "text-single"),
    ("after-id", "text-single"),
    ("ids", "list-multi"),
    ("include-groupchat", "boolean"),
];

// §4.1.5
pub fn form(of_room: bool) -> Element {
    let field =
        |var: &str, kind: &str| Element::new("field", ns::DATA_FORMS).attr("var", var).attr("type", kind);
    let form_type = Element::new("value", ns::DATA_FORMS).text(ns::ARCHIVE);
    let form = Element::new("x", ns::DATA_FORMS).attr("type", "form");
    let form = form.child(field("FORM_TYPE", "hidden").child(form_type));
    let known = FIELDS.iter().filter(|(var, _)| !of_room || *var != "include-groupchat");
    known.fold(form, |form, (var, kind)| {
        let mut field = field(var, kind);
        if *var == "ids" {
            // The list is open: its options would be the whole archive.
            let any = Element::new("validate", ns::DATA_VALIDATE).attr("datatype", "xs:string");
            field = field.child(any.child(Element::new("open", ns::DATA_VALIDATE)));
        }
        form.child(field)
    })
}

/// The question that a `<query/>` asks.
pub fn read(core: &Core, stanza: &Stanza, owner: u32, view: View) -> Result<Query, StanzaError> {
    let content = stanza.request().map(|child| child.to_element()).unwrap_or_default();
    // The archives of nodes are XEP-0442's.
    if content.get_attr("node").is_some() {
        return Err(Condition::FeatureNotImplemented.into());
    }
    let mut kind = QueryKind {
        query_id: content.get_attr("queryid").map(str::to_owned),
        range: 0..u64::MAX,
        flip: content.find("flip-page", ns::ARCHIVE).is_some(),
        ..QueryKind::default()
    };
    if let Some(form) = content.find("x", ns::DATA_FORMS) {
        read_form(core, owner, form, &mut kind)?;
    }
    read_page(core, owner, &Rsm::read(&content)?, &mut kind)?;
    Ok(Query { owner, view, request: Stanza { payload: Payload::default(), ..stanza.clone() }, kind })
}

// §4.1
fn read_form(core: &Core, owner: u32, form: &Element, kind: &mut QueryKind) -> Result<(), StanzaError> {
    if form.get_attr("type") != Some("submit") {
        return Err(Condition::BadRequest.into());
    }
    let mut seen = Vec::new();
    for field in form.children().filter(|child| child.is("field", ns::DATA_FORMS)) {
        let var = field.get_attr("var").unwrap_or_default();
        let values = field.children().filter(|child| child.is("value", ns::DATA_FORMS));
        let values: Vec<String> = values.map(Element::text_content).collect();
        if seen.contains(&var) || (var != "ids" && values.len() > 1) {
            return Err(Condition::BadRequest.into());
        }
        seen.push(var);
        match values.first().filter(|value| !value.is_empty()) {
            Some(value) => read_field(core, owner, var, value, &values, kind)?,
            None if var == "FORM_TYPE" || FIELDS.iter().any(|(known, _)| *known == var) => {}
            None => return Err(Condition::FeatureNotImplemented.into()),
        }
    }
    Ok(())
}

fn read_field(
    core: &Core,
    owner: u32,
    var: &str,
    value: &str,
    values: &[String],
    kind: &mut QueryKind,
) -> Result<(), StanzaError> {
    let bad = || StanzaError::from(Condition::BadRequest);
    let range = &mut kind.range;
    match var {
        "FORM_TYPE" if value == ns::ARCHIVE => {}
        "FORM_TYPE" => return Err(bad()),
        "with" => kind.with = Some(Jid::parse(value).map_err(|_| bad())?),
        // §4.1.2
        "start" => range.start = range.start.max(first_place(time::parse(value, Round::Up).ok_or_else(bad)?)),
        "end" => {
            let end = time::parse(value, Round::Down).ok_or_else(bad)?;
            range.end = range.end.min(first_place(end.saturating_add(1)));
        }
        // §4.1.3
        "before-id" => range.end = range.end.min(place(core, owner, value)?),
        "after-id" => range.start = range.start.max(place(core, owner, value)?.saturating_add(1)),
        "ids" => {
            if values.len() > MOST {
                return Err(StanzaError::new(Condition::NotAcceptable, "Too many ids at one time."));
            }
            let mut places: Vec<u64> =
                values.iter().map(|id| place(core, owner, id)).collect::<Result<_, _>>()?;
            places.sort_unstable();
            kind.places = Some(places);
        }
        // §4.1.4: no archive of an account has what is said in rooms, and that of a room has nothing else.
        "include-groupchat" if matches!(value, "true" | "false" | "1" | "0") => {}
        "include-groupchat" => return Err(bad()),
        _ => return Err(Condition::FeatureNotImplemented.into()),
    }
    Ok(())
}

// §4.3
fn read_page(core: &Core, owner: u32, page: &Rsm, kind: &mut QueryKind) -> Result<(), StanzaError> {
    kind.max = page.max.unwrap_or(PAGE).min(MOST);
    kind.backwards = page.before.is_some();
    kind.countable = page.after.is_none() && page.before.as_ref().is_none_or(String::is_empty);
    let range = &mut kind.range;
    if let Some(after) = &page.after {
        range.start = range.start.max(place(core, owner, after)?.saturating_add(1));
    }
    if let Some(before) = page.before.as_ref().filter(|before| !before.is_empty()) {
        range.end = range.end.min(place(core, owner, before)?);
    }
    Ok(())
}

fn place(core: &Core, owner: u32, id: &str) -> Result<u64, StanzaError> {
    core.archived_place(owner, id)?.ok_or_else(|| Condition::ItemNotFound.into())
}
