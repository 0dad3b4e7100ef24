//! Contact addresses (XEP-0157): who runs this server, from `[contact]` in the configuration.

use crate::core::Core;
use crate::core::disco::{Entity, Info};
use crate::core::form::{Field, FieldType, Form};
use crate::core::module::{Module, Spec};
use crate::xml::ns;

pub const MODULE: Module =
    Module { name: "contact", specs: &[Spec::Xep(157, "1.1.1")], info: Some(describe), ..Module::NONE };

// §3
fn describe(core: &mut Core, entity: &Entity<'_>, info: &mut Info) {
    if !entity.is_server(core) {
        return;
    }
    let contact = &core.config.contact;
    let roles = [
        ("abuse-addresses", &contact.abuse),
        ("admin-addresses", &contact.admin),
        ("feedback-addresses", &contact.feedback),
        ("sales-addresses", &contact.sales),
        ("security-addresses", &contact.security),
        ("status-addresses", &contact.status),
        ("support-addresses", &contact.support),
    ];
    let known = roles.into_iter().filter(|(_, addresses)| !addresses.is_empty());
    let form = known.fold(Form::tell(ns::SERVER_INFO), |form, (role, addresses)| {
        form.field(Field::new(FieldType::ListMulti, role).values(addresses))
    });
    if form.has_fields() {
        info.forms.push(form.to_element());
    }
}
