//! Contact addresses (XEP-0157): who runs this server, from `[contact]` in the configuration.

use crate::core::Core;
use crate::core::disco::{Entity, Info};
use crate::core::module::{Module, Spec};
use crate::xml::Element;
use crate::xml::ns;

pub const MODULE: Module =
    Module { name: "contact", specs: &[Spec::Xep(157, "1.1.1")], info: Some(describe), ..Module::NONE };

fn describe(core: &mut Core, entity: &Entity<'_>, info: &mut Info) {
    if !entity.is_server() {
        return;
    }
    let contact = &core.config.contact;
    let fields = [
        ("abuse-addresses", &contact.abuse),
        ("admin-addresses", &contact.admin),
        ("feedback-addresses", &contact.feedback),
        ("sales-addresses", &contact.sales),
        ("security-addresses", &contact.security),
        ("status-addresses", &contact.status),
        ("support-addresses", &contact.support),
    ];
    if fields.iter().all(|(_, addresses)| addresses.is_empty()) {
        return;
    }
    let form = Element::new("x", ns::DATA_FORMS).attr("type", "result");
    let form = form.child(field("FORM_TYPE", Some("hidden"), [ns::SERVER_INFO]));
    let shown = fields.into_iter().filter(|(_, addresses)| !addresses.is_empty());
    info.forms.push(shown.fold(form, |form, (var, addresses)| {
        form.child(field(var, Some("list-multi"), addresses.iter().map(String::as_str)))
    }));
}

fn field<'a>(var: &str, kind: Option<&str>, values: impl IntoIterator<Item = &'a str>) -> Element {
    let mut field = Element::new("field", ns::DATA_FORMS).attr("var", var);
    if let Some(kind) = kind {
        field = field.attr("type", kind);
    }
    values
        .into_iter()
        .fold(field, |field, value| field.child(Element::new("value", ns::DATA_FORMS).text(value)))
}
