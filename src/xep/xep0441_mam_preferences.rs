//! Archive preferences (XEP-0441): an account says what it wants to have archived, by default and with whom.
//!
//! Stored: table `archive_preferences`; together the two lists have at most `archive.preferences` addresses. Who is in
//! both is not archived. What is in the archive already stays there.

use crate::core::Core;
use crate::core::module::{Answer, Module, Route, Spec, Target};
use crate::jid::Jid;
use crate::stanza::{Condition, IqType, Kind, Stanza, StanzaError};
use crate::store::record::{ArchiveDefault, ArchivePreferences};
use crate::store::schema;
use crate::xml::Element;
use crate::xml::ns;

pub const MODULE: Module = Module {
    name: "mam_preferences",
    specs: &[Spec::Xep(441, "0.2.0")],
    iq: &[Route { ns: ns::ARCHIVE, name: "prefs", target: Target::Owner, handle: preferences }],
    ..Module::NONE
};

// §2.1
fn preferences(core: &mut Core, stanza: &Stanza) -> Result<Answer, StanzaError> {
    if !core.config.archive.enabled {
        return Err(Condition::ServiceUnavailable.into());
    }
    let owner = stanza.to.clone().ok_or(Condition::BadRequest)?;
    if stanza.kind == Kind::Iq(IqType::Get) {
        let chosen = core.account(&owner)?.archive_preferences.as_deref().cloned();
        let preferences = chosen.unwrap_or_else(|| ArchivePreferences {
            default: core.archive_default(),
            always: Vec::new(),
            never: Vec::new(),
        });
        return Ok(Answer::Result(Some(element(&preferences))));
    }
    let content = stanza.request().map(|child| child.to_element()).unwrap_or_default();
    let preferences = read(&content)?;
    if preferences.always.len() + preferences.never.len() > core.config.archive.preferences.max_len() {
        return Err(StanzaError::new(Condition::ResourceConstraint, "The lists are too long."));
    }
    core.writable()?;
    let account = core.account(&owner)?;
    let op = schema::archive::put_preferences(account.record.id, &preferences);
    let answer = element(&preferences);
    account.archive_preferences = Some(Box::new(preferences));
    core.write(&owner.bare(), [op]);
    Ok(Answer::Kept(Some(answer)))
}

// §2.1.1
const DEFAULTS: &[(&str, ArchiveDefault)] = &[
    ("always", ArchiveDefault::Always),
    ("never", ArchiveDefault::Never),
    ("roster", ArchiveDefault::Roster),
];

fn read(content: &Element) -> Result<ArchivePreferences, StanzaError> {
    let default = content.get_attr("default");
    let default = DEFAULTS.iter().find(|(name, _)| Some(*name) == default).ok_or(Condition::BadRequest)?;
    Ok(ArchivePreferences {
        default: default.1,
        always: read_list(content, "always")?,
        never: read_list(content, "never")?,
    })
}

// §2.1.2, §2.1.3: one that is not there is empty.
fn read_list(content: &Element, name: &str) -> Result<Vec<String>, StanzaError> {
    let mut list = Vec::new();
    for item in content.children().filter(|child| child.is(name, ns::ARCHIVE)).flat_map(Element::children) {
        if !item.is("jid", ns::ARCHIVE) {
            return Err(Condition::BadRequest.into());
        }
        let jid =
            Jid::parse(item.text_content().trim()).map_err(|_| StanzaError::from(Condition::JidMalformed))?;
        list.push(jid.to_string());
    }
    list.sort_unstable();
    list.dedup();
    Ok(list)
}

fn element(preferences: &ArchivePreferences) -> Element {
    let default = DEFAULTS.iter().find(|(_, default)| *default == preferences.default);
    let list = |name, jids: &[String]| {
        jids.iter().fold(Element::new(name, ns::ARCHIVE), |list, jid| {
            list.child(Element::new("jid", ns::ARCHIVE).text(jid))
        })
    };
    Element::new("prefs", ns::ARCHIVE)
        .attr("default", default.map_or("always", |(name, _)| *name))
        .child(list("always", &preferences.always))
        .child(list("never", &preferences.never))
}
