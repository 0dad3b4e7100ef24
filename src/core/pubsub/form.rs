//! A node's configuration as a form (XEP-0060 §16.4.4), and what comes back: from an owner who submits it, or as the
//! preconditions of a publication (§7.1.5), which are the same fields.

use crate::core::form::{Field, FieldType, Form};
use crate::jid::Jid;
use crate::stanza::{Condition, StanzaError};
use crate::store::record::{AccessModel, ItemReply, MAX_ITEMS, NodeConfig, PublishModel, SendLast, WhenFull};
use crate::xml::Element;
use crate::xml::ns;

use super::pubsub_error;

/// Bytes of a title and the like, and how many contacts or groups there may be.
const MAX_TEXT: usize = 1024;
const MAX_LIST: usize = 100;

const ACCESS_MODELS: &[(&str, &str)] = &[
    ("Everyone", "open"),
    ("Those who see the owner's presence", "presence"),
    ("Those in groups of the owner's roster", "roster"),
    ("Those whom an owner has approved", "authorize"),
    ("Members only", "whitelist"),
];
const PUBLISH_MODELS: &[(&str, &str)] =
    &[("Publishers", "publishers"), ("Subscribers", "subscribers"), ("Everyone", "open")];
const SEND_LAST: &[(&str, &str)] = &[
    ("Never", "never"),
    ("When someone subscribes", "on_sub"),
    ("When someone subscribes or comes online", "on_sub_and_presence"),
];
const WHEN_FULL: &[(&str, &str)] = &[
    ("Retract the oldest item", "retract-oldest"),
    ("Drop the oldest item without a word", "discard-oldest"),
    ("Refuse the new item", "reject"),
];
const ITEM_REPLY: &[(&str, &str)] =
    &[("Nobody's", "none"), ("The owner's", "owner"), ("The publisher's", "publisher")];
const MESSAGE_TYPES: &[(&str, &str)] = &[("headline", "headline"), ("normal", "normal")];
const NODE_TYPES: &[(&str, &str)] = &[("A node with items", "leaf")];

/// The form for an owner to fill in.
pub fn ask(config: &NodeConfig) -> Element {
    fields(Form::ask(ns::PUBSUB_NODE_CONFIG, "Configuration of a node", ""), config).to_element()
}

/// The form that tells how a node is configured.
pub fn tell(config: &NodeConfig) -> Element {
    fields(Form::tell(ns::PUBSUB_NODE_CONFIG), config).to_element()
}

fn fields(form: Form, config: &NodeConfig) -> Form {
    let boolean =
        |var, label, value: bool| Field::new(FieldType::Boolean, var).label(label).values([u8::from(value)]);
    let text = |var, label, value: &Option<String>| {
        Field::new(FieldType::TextSingle, var).label(label).values(value)
    };
    let list = |var, label, value: &'static str, options| {
        Field::new(FieldType::ListSingle, var).label(label).values([value]).options(options)
    };
    let number =
        |var, label, value: String| Field::new(FieldType::TextSingle, var).label(label).values([value]);
    let message_type = if config.normal_messages { "normal" } else { "headline" };
    form.field(text("pubsub#title", "A name for people", &config.title))
        .field(text("pubsub#description", "What it is about", &config.description))
        .field(text("pubsub#language", "The language of its items", &config.language))
        .field(text("pubsub#type", "The namespace of its items", &config.payload_type))
        .field(
            Field::new(FieldType::JidMulti, "pubsub#contact")
                .label("Whom to ask about it")
                .values(&config.contacts),
        )
        .field(list("pubsub#node_type", "What kind of node it is", "leaf", NODE_TYPES))
        .field(list(
            "pubsub#access_model",
            "Who may subscribe and read",
            config.access_model.name(),
            ACCESS_MODELS,
        ))
        .field(
            Field::new(FieldType::TextMulti, "pubsub#roster_groups_allowed")
                .label("The groups of the roster, if they decide")
                .values(&config.roster_groups),
        )
        .field(list("pubsub#publish_model", "Who may publish", config.publish_model.name(), PUBLISH_MODELS))
        .field(boolean("pubsub#subscribe", "Whether one can subscribe", config.subscribe))
        .field(boolean("pubsub#persist_items", "Whether items are kept", config.persist_items))
        .field(number(
            "pubsub#max_items",
            "How many items are kept",
            max_or_number(config.max_items, MAX_ITEMS),
        ))
        .field(list(
            "pubsub#publish_node_full",
            "What to do when there are more",
            config.when_full.name(),
            WHEN_FULL,
        ))
        .field(number(
            "pubsub#item_expire",
            "For how many seconds items are kept",
            max_or_number(config.item_expire, 0),
        ))
        .field(number(
            "pubsub#max_payload_size",
            "The largest item in bytes; 0 for as large as the server allows",
            config.max_payload.to_string(),
        ))
        .field(list(
            "pubsub#send_last_published_item",
            "When to send the last item",
            config.send_last.name(),
            SEND_LAST,
        ))
        .field(boolean(
            "pubsub#deliver_notifications",
            "Whether notifications are sent",
            config.deliver_notifications,
        ))
        .field(boolean(
            "pubsub#deliver_payloads",
            "Whether they have the items' content",
            config.deliver_payloads,
        ))
        .field(list("pubsub#notification_type", "The type of their messages", message_type, MESSAGE_TYPES))
        .field(boolean("pubsub#notify_config", "Tell of a new configuration", config.notify_config))
        .field(boolean("pubsub#notify_delete", "Tell of the end of the node", config.notify_delete))
        .field(boolean("pubsub#notify_retract", "Tell of retracted items", config.notify_retract))
        .field(boolean("pubsub#notify_sub", "Tell the owners of subscribers", config.notify_sub))
        .field(list("pubsub#itemreply", "Whose address is at an item", config.item_reply.name(), ITEM_REPLY))
}

fn max_or_number(value: u32, max: u32) -> String {
    if value == max { "max".into() } else { value.to_string() }
}

/// What is wrong with a field.
#[derive(Debug, PartialEq)]
enum Misfit {
    Unknown,
    Value,
    AccessModel,
}

/// The configuration that an owner submits: fields that are not there stay as they are, and those that nobody asked
/// for are ignored (XEP-0004 §3.1). `limit`: the most items that a node may have.
pub fn configured(config: &NodeConfig, form: &Element, limit: usize) -> Result<NodeConfig, StanzaError> {
    let mut config = config.clone();
    for (var, values) in submitted(form, ns::PUBSUB_NODE_CONFIG)? {
        match apply(&mut config, &var, &values, limit) {
            Ok(()) | Err(Misfit::Unknown) => {}
            Err(Misfit::AccessModel) => {
                return Err(pubsub_error(Condition::NotAcceptable, "unsupported-access-model"));
            }
            Err(Misfit::Value) => {
                let text = format!("The field \"{var}\" can't have this value.");
                return Err(StanzaError::new(Condition::NotAcceptable, text));
            }
        }
    }
    Ok(config)
}

/// The configuration with which every precondition is met: the same as before if each is already. A field that is
/// unknown is refused (§7.1.5).
pub fn preconditions(config: &NodeConfig, form: &Element, limit: usize) -> Result<NodeConfig, StanzaError> {
    let mut config = config.clone();
    for (var, values) in submitted(form, ns::PUBSUB_PUBLISH_OPTIONS)? {
        if apply(&mut config, &var, &values, limit).is_err() {
            return Err(pubsub_error(Condition::Conflict, "precondition-not-met"));
        }
    }
    Ok(config)
}

fn submitted(form: &Element, form_type: &str) -> Result<Vec<(String, Vec<String>)>, StanzaError> {
    if !form.is("x", ns::DATA_FORMS) || form.get_attr("type") != Some("submit") {
        return Err(Condition::BadRequest.into());
    }
    let mut fields: Vec<(String, Vec<String>)> = Vec::new();
    let mut known_type = false;
    for field in form.children().filter(|child| child.is("field", ns::DATA_FORMS)) {
        let var = field.get_attr("var").unwrap_or_default().to_owned();
        let values = field.children().filter(|child| child.is("value", ns::DATA_FORMS));
        let values: Vec<String> = values.map(Element::text_content).collect();
        if var == "FORM_TYPE" {
            known_type = values == [form_type];
        } else if fields.iter().any(|(other, _)| *other == var) {
            return Err(StanzaError::new(Condition::BadRequest, "A field is there twice."));
        } else {
            fields.push((var, values));
        }
    }
    if !known_type && !fields.is_empty() {
        return Err(StanzaError::new(Condition::BadRequest, "This is another form."));
    }
    Ok(fields)
}

fn apply(config: &mut NodeConfig, var: &str, values: &[String], limit: usize) -> Result<(), Misfit> {
    let list = || {
        let list: Vec<String> = values.iter().filter(|value| !value.is_empty()).cloned().collect();
        let fits = list.len() <= MAX_LIST && list.iter().all(|value| value.len() <= MAX_TEXT);
        fits.then_some(list).ok_or(Misfit::Value)
    };
    match var {
        "pubsub#contact" => {
            let contacts =
                list()?.into_iter().map(|value| Jid::parse(&value).map(|jid| jid.bare_str().to_owned()));
            config.contacts = contacts.collect::<Result<_, _>>().map_err(|_| Misfit::Value)?;
            return Ok(());
        }
        "pubsub#roster_groups_allowed" => {
            config.roster_groups = list()?;
            return Ok(());
        }
        _ => {}
    }
    let value = match values {
        [] => "",
        [value] if value.len() <= MAX_TEXT => value.as_str(),
        _ => return Err(Misfit::Value),
    };
    let text = || (!value.is_empty()).then(|| value.to_owned());
    let flag = || match value {
        "1" | "true" => Ok(true),
        "0" | "false" => Ok(false),
        _ => Err(Misfit::Value),
    };
    let number = || value.parse::<u32>().map_err(|_| Misfit::Value);
    match var {
        "pubsub#title" => config.title = text(),
        "pubsub#description" => config.description = text(),
        "pubsub#language" => config.language = text(),
        "pubsub#type" => config.payload_type = text(),
        "pubsub#node_type" if value == "leaf" => {}
        "pubsub#access_model" => {
            config.access_model = AccessModel::parse(value).ok_or(Misfit::AccessModel)?
        }
        "pubsub#publish_model" => config.publish_model = PublishModel::parse(value).ok_or(Misfit::Value)?,
        "pubsub#send_last_published_item" => {
            config.send_last = SendLast::parse(value).ok_or(Misfit::Value)?
        }
        "pubsub#publish_node_full" => config.when_full = WhenFull::parse(value).ok_or(Misfit::Value)?,
        "pubsub#itemreply" => config.item_reply = ItemReply::parse(value).ok_or(Misfit::Value)?,
        "pubsub#max_items" if value == "max" => config.max_items = MAX_ITEMS,
        "pubsub#max_items" => {
            let fits = |max: &u32| {
                *max > 0 && *max < MAX_ITEMS && usize::try_from(*max).is_ok_and(|max| max <= limit)
            };
            config.max_items = number().ok().filter(fits).ok_or(Misfit::Value)?;
        }
        "pubsub#item_expire" if value == "max" => config.item_expire = 0,
        "pubsub#item_expire" => config.item_expire = number()?,
        "pubsub#max_payload_size" => config.max_payload = number()?,
        "pubsub#notification_type" => match value {
            "headline" => config.normal_messages = false,
            "normal" => config.normal_messages = true,
            _ => return Err(Misfit::Value),
        },
        "pubsub#subscribe" => config.subscribe = flag()?,
        "pubsub#persist_items" => config.persist_items = flag()?,
        "pubsub#deliver_notifications" => config.deliver_notifications = flag()?,
        "pubsub#deliver_payloads" => config.deliver_payloads = flag()?,
        "pubsub#notify_config" => config.notify_config = flag()?,
        "pubsub#notify_delete" => config.notify_delete = flag()?,
        "pubsub#notify_retract" => config.notify_retract = flag()?,
        "pubsub#notify_sub" => config.notify_sub = flag()?,
        "pubsub#node_type" => return Err(Misfit::Value),
        _ => return Err(Misfit::Unknown),
    }
    Ok(())
}
