//! Data forms (XEP-0004): forms that are made here, and what comes back filled in.
//!
//! Checking what was filled in is ours to do (§4): [`Form::read`] compares it with the form that was asked for, so
//! that whoever uses the answers finds every required one there, every address to be one, and every choice among
//! the options. Fields that were not asked for are ignored (§3.1).

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

use crate::jid::Jid;
use crate::xml::Element;
use crate::xml::ns;

/// XEP-0068 §3.2: the hidden field that says what kind of form it is.
const FORM_TYPE: &str = "FORM_TYPE";

#[derive(Clone, Debug)]
pub struct Form {
    kind: &'static str,
    form_type: &'static str,
    title: &'static str,
    instructions: &'static str,
    fields: Vec<Field>,
}

#[derive(Clone, Debug)]
pub struct Field {
    kind: FieldType,
    var: &'static str,
    label: &'static str,
    required: bool,
    values: Vec<String>,
    /// Labels and values.
    options: Vec<(Cow<'static, str>, Cow<'static, str>)>,
    check: Validation,
}

/// What a value must be beside one of its field's type (XEP-0122).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Validation {
    None,
    /// `<open/>`: there are more values than the options.
    Open,
    /// `<range/>`: a whole number, from 0 to the most if there is one.
    Number(Option<u32>),
}

/// §3.3, those that are in use here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FieldType {
    Boolean,
    JidMulti,
    JidSingle,
    ListMulti,
    ListSingle,
    TextMulti,
    TextPrivate,
    TextSingle,
}

impl FieldType {
    fn name(self) -> &'static str {
        match self {
            FieldType::Boolean => "boolean",
            FieldType::JidMulti => "jid-multi",
            FieldType::JidSingle => "jid-single",
            FieldType::ListMulti => "list-multi",
            FieldType::ListSingle => "list-single",
            FieldType::TextMulti => "text-multi",
            FieldType::TextPrivate => "text-private",
            FieldType::TextSingle => "text-single",
        }
    }

    fn is_multi(self) -> bool {
        matches!(self, FieldType::JidMulti | FieldType::ListMulti | FieldType::TextMulti)
    }
}

impl Form {
    /// A form to be filled in.
    pub fn ask(form_type: &'static str, title: &'static str, instructions: &'static str) -> Form {
        Form { kind: "form", form_type, title, instructions, fields: Vec::new() }
    }

    /// A form that tells something.
    pub fn tell(form_type: &'static str) -> Form {
        Form { kind: "result", form_type, title: "", instructions: "", fields: Vec::new() }
    }

    #[must_use]
    pub fn field(mut self, field: Field) -> Form {
        self.fields.push(field);
        self
    }

    pub fn has_fields(&self) -> bool {
        !self.fields.is_empty()
    }

    pub fn to_element(&self) -> Element {
        let mut form = Element::new("x", ns::DATA_FORMS).attr("type", self.kind);
        for (name, text) in [("title", self.title), ("instructions", self.instructions)] {
            if !text.is_empty() {
                form = form.child(Element::new(name, ns::DATA_FORMS).text(text));
            }
        }
        let form_type = Element::new("field", ns::DATA_FORMS).attr("var", FORM_TYPE).attr("type", "hidden");
        form = form.child(form_type.child(value_element(self.form_type)));
        self.fields.iter().map(Field::to_element).fold(form, Element::child)
    }

    /// Reads what was submitted.
    pub fn read(&self, submitted: &Element) -> Result<Answers, FormError> {
        let mut given = BTreeMap::new();
        for field in submitted.children().filter(|child| child.is("field", ns::DATA_FORMS)) {
            let values = field.children().filter(|child| child.is("value", ns::DATA_FORMS));
            let values: Vec<String> = values.map(Element::text_content).collect();
            let var = field.get_attr("var").unwrap_or_default();
            if given.insert(var, values).is_some() {
                return Err(FormError::new(var, "is there twice"));
            }
        }
        if given.get(FORM_TYPE).is_some_and(|values| *values != [self.form_type]) {
            return Err(FormError::new(FORM_TYPE, "is that of another form"));
        }
        let mut answers = Answers::default();
        for field in &self.fields {
            let values = given.remove(field.var);
            field.check(values.as_deref().unwrap_or_default())?;
            if let Some(values) = values {
                answers.0.insert(field.var, values);
            }
        }
        Ok(answers)
    }
}

impl Field {
    pub fn new(kind: FieldType, var: &'static str) -> Field {
        Field {
            kind,
            var,
            label: "",
            required: false,
            values: Vec::new(),
            options: Vec::new(),
            check: Validation::None,
        }
    }

    #[must_use]
    pub fn label(mut self, label: &'static str) -> Field {
        self.label = label;
        self
    }

    #[must_use]
    pub fn required(mut self) -> Field {
        self.required = true;
        self
    }

    /// What is there already, or is told.
    #[must_use]
    pub fn values<T: ToString>(mut self, values: impl IntoIterator<Item = T>) -> Field {
        self.values = values.into_iter().map(|value| value.to_string()).collect();
        self
    }

    #[must_use]
    pub fn options(mut self, options: &'static [(&'static str, &'static str)]) -> Field {
        let known = options.iter().map(|(label, value)| (Cow::Borrowed(*label), Cow::Borrowed(*value)));
        self.options.extend(known);
        self
    }

    /// One more of them, that is not always there.
    #[must_use]
    pub fn option(mut self, label: &str, value: &str) -> Field {
        self.options.push((Cow::Owned(label.to_owned()), Cow::Owned(value.to_owned())));
        self
    }

    /// There may be other values than the options.
    #[must_use]
    pub fn open(mut self) -> Field {
        self.check = Validation::Open;
        self
    }

    /// The value is a whole number, and not more than this.
    #[must_use]
    pub fn number(mut self, most: Option<u32>) -> Field {
        self.check = Validation::Number(most);
        self
    }

    fn to_element(&self) -> Element {
        let mut field =
            Element::new("field", ns::DATA_FORMS).attr("var", self.var).attr("type", self.kind.name());
        if !self.label.is_empty() {
            field = field.attr("label", self.label);
        }
        if self.required {
            field = field.child(Element::new("required", ns::DATA_FORMS));
        }
        field = self.check.to_element().into_iter().fold(field, Element::child);
        for value in &self.values {
            field = field.child(value_element(value));
        }
        for (label, value) in &self.options {
            let option = Element::new("option", ns::DATA_FORMS).attr("label", label.as_ref());
            field = field.child(option.child(value_element(value)));
        }
        field
    }

    // §3.3, §4
    fn check(&self, values: &[String]) -> Result<(), FormError> {
        let filled_in = || values.iter().filter(|value| !value.is_empty());
        if self.required && filled_in().next().is_none() {
            return Err(FormError::new(self.var, "is required"));
        }
        if !self.kind.is_multi() && values.len() > 1 {
            return Err(FormError::new(self.var, "has more than one value"));
        }
        for value in filled_in() {
            let fits = match self.kind {
                FieldType::Boolean => matches!(value.as_str(), "0" | "1" | "false" | "true"),
                FieldType::JidSingle | FieldType::JidMulti => Jid::parse(value).is_ok(),
                FieldType::ListSingle | FieldType::ListMulti => {
                    self.check == Validation::Open || self.options.iter().any(|(_, option)| option == value)
                }
                FieldType::TextMulti | FieldType::TextPrivate | FieldType::TextSingle => true,
            };
            if !fits || !self.check.allows(value) {
                return Err(FormError::new(self.var, "has a value that it can't have"));
            }
        }
        Ok(())
    }
}

impl Validation {
    fn to_element(self) -> Option<Element> {
        let validate = |datatype| Element::new("validate", ns::DATA_VALIDATE).attr("datatype", datatype);
        match self {
            Validation::None => None,
            Validation::Open => Some(validate("xs:string").child(Element::new("open", ns::DATA_VALIDATE))),
            Validation::Number(most) => {
                let range = Element::new("range", ns::DATA_VALIDATE).attr("min", "0");
                let range = most.into_iter().fold(range, |range, most| range.attr("max", most.to_string()));
                Some(validate("xs:integer").child(range))
            }
        }
    }

    fn allows(self, value: &str) -> bool {
        let Validation::Number(most) = self else { return true };
        value.parse::<u32>().is_ok_and(|number| most.is_none_or(|most| number <= most))
    }
}

fn value_element(value: &str) -> Element {
    Element::new("value", ns::DATA_FORMS).text(value)
}

/// A form that was filled in as it should be. An empty value is none (§3.6).
#[derive(Clone, Debug, Default)]
pub struct Answers(BTreeMap<&'static str, Vec<String>>);

impl Answers {
    fn values(&self, var: &str) -> impl Iterator<Item = &String> {
        self.0.get(var).into_iter().flatten().filter(|value| !value.is_empty())
    }

    /// Whether the field was there, filled in or empty.
    pub fn given(&self, var: &str) -> bool {
        self.0.contains_key(var)
    }

    /// The one value of a field that has at most one.
    pub fn value(&self, var: &str) -> Option<&str> {
        self.values(var).next().map(String::as_str)
    }

    pub fn flag(&self, var: &str) -> Option<bool> {
        self.value(var).map(|value| matches!(value, "1" | "true"))
    }

    /// All values of a field that has several.
    pub fn list(&self, var: &str) -> Vec<&str> {
        self.values(var).map(String::as_str).collect()
    }

    pub fn jid(&self, var: &str) -> Option<Jid> {
        self.jids(var).into_iter().next()
    }

    /// Addresses, each once (§3.3).
    pub fn jids(&self, var: &str) -> Vec<Jid> {
        let mut jids: Vec<Jid> = Vec::new();
        for jid in self.values(var).filter_map(|value| Jid::parse(value).ok()) {
            if !jids.contains(&jid) {
                jids.push(jid);
            }
        }
        jids
    }

    /// The lines of a text; `None` if all are empty.
    pub fn text(&self, var: &str) -> Option<String> {
        self.value(var)?;
        Some(self.0.get(var)?.join("\n"))
    }
}

/// What is wrong with a submitted form, for a person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FormError {
    var: String,
    what: &'static str,
}

impl FormError {
    fn new(var: &str, what: &'static str) -> FormError {
        FormError { var: var.to_owned(), what }
    }
}

impl fmt::Display for FormError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "The field \"{}\" {}.", self.var, self.what)
    }
}

impl std::error::Error for FormError {}

#[cfg(test)]
mod tests {
    use super::*;

    fn form() -> Form {
        Form::ask("urn:example", "A form", "Fill it in.")
            .field(Field::new(FieldType::JidMulti, "who").label("Who").required())
            .field(Field::new(FieldType::ListSingle, "when").options(&[("Now", "0"), ("Later", "1")]))
            .field(Field::new(FieldType::TextMulti, "words").values(["a", "b"]))
    }

    fn submit(fields: &[(&str, &[&str])]) -> Element {
        let form = Element::new("x", ns::DATA_FORMS).attr("type", "submit");
        fields.iter().fold(form, |form, (var, values)| {
            let field = Element::new("field", ns::DATA_FORMS).attr("var", *var);
            form.child(values.iter().fold(field, |field, value| field.child(value_element(value))))
        })
    }

    #[test]
    fn a_form_is_written_with_its_type_first_and_its_fields_in_order() {
        let written = String::from_utf8(form().to_element().to_bytes(ns::CLIENT)).expect("text");
        assert_eq!(
            written,
            "<x xmlns='jabber:x:data' type='form'><title>A form</title><instructions>Fill it in.</instructions>\
             <field var='FORM_TYPE' type='hidden'><value>urn:example</value></field>\
             <field var='who' type='jid-multi' label='Who'><required/></field>\
             <field var='when' type='list-single'><option label='Now'><value>0</value></option>\
             <option label='Later'><value>1</value></option></field>\
             <field var='words' type='text-multi'><value>a</value><value>b</value></field></x>"
        );
    }

    #[test]
    fn what_is_required_must_be_filled_in_and_the_rest_need_not() {
        let missing = FormError::new("who", "is required");
        assert_eq!(form().read(&submit(&[])).unwrap_err(), missing);
        assert_eq!(form().read(&submit(&[("who", &[""])])).unwrap_err(), missing);
        let answers = form().read(&submit(&[("who", &["romeo@example.org"])])).expect("complete");
        assert_eq!((answers.value("when"), answers.text("words")), (None, None));
    }

    #[test]
    fn values_must_be_of_the_fields_type() {
        let who: (&str, &[&str]) = ("who", &["romeo@example.org"]);
        let fails = |fields: &[(&str, &[&str])]| form().read(&submit(fields)).is_err();
        assert!(fails(&[("who", &["@example.org"])]));
        assert!(fails(&[who, ("when", &["2"])]));
        assert!(fails(&[who, ("when", &["0", "1"])]));
        assert!(fails(&[who, who]));
        assert!(fails(&[who, ("FORM_TYPE", &["urn:other"])]));
        assert!(!fails(&[who, ("FORM_TYPE", &["urn:example"]), ("when", &["1"])]));
    }

    #[test]
    fn addresses_count_once_and_lines_make_a_text() {
        let who: (&str, &[&str]) = ("who", &["ROMEO@example.org", "romeo@example.org", "juliet@example.org"]);
        let answers = form().read(&submit(&[who, ("words", &["one", "", "two"])])).expect("complete");
        let jids: Vec<String> = answers.jids("who").iter().map(Jid::to_string).collect();
        assert_eq!(jids, ["romeo@example.org", "juliet@example.org"]);
        assert_eq!(answers.text("words").as_deref(), Some("one\n\ntwo"));
    }

    #[test]
    fn fields_that_nobody_asked_for_are_ignored() {
        let answers = form().read(&submit(&[("who", &["romeo@example.org"]), ("shoe size", &["44"])]));
        assert_eq!(answers.expect("complete").value("shoe size"), None);
    }
}
