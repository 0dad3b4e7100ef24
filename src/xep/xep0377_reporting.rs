//! Reports (XEP-0377): whoever blocks somebody can say why; it is kept for the operator (`stube reports`).
//!
//! A report never stands in the way of the block (§6): one that is no report, for want of a reason, is not kept. Its
//! text is cut at [`MAX_TEXT`], and it names at most [`MAX_STANZAS`] messages. Nothing is forwarded to anybody; what
//! the reporter agrees to (§5) is shown to the operator. [`crate::core`]'s `reports` has how many are kept.

use crate::core::Core;
use crate::core::module::{Module, Spec};
use crate::jid::Jid;
use crate::store::record::Report;
use crate::xml::{Element, ns};

/// Bytes of what the user says.
const MAX_TEXT: usize = 4096;
/// Bytes of a reason.
const MAX_REASON: usize = 256;
/// Bytes of the id of a message.
const MAX_ID: usize = 1023;
const MAX_STANZAS: usize = 20;

pub const MODULE: Module = Module {
    name: "reporting",
    specs: &[Spec::Xep(377, "0.4.1")],
    features: &[ns::REPORTING],
    blocked: Some(blocked),
    ..Module::NONE
};

// §6
fn blocked(core: &mut Core, owner: &Jid, blocked: &Jid, item: &Element) {
    let Some(report) = item.find("report", ns::REPORTING) else { return };
    let Some(reason) = report.get_attr("reason").filter(|reason| (1..=MAX_REASON).contains(&reason.len()))
    else {
        return;
    };
    let report = Report {
        stamp: core.now() / 1000,
        reporter: owner.to_string(),
        reported: blocked.to_string(),
        reason: reason.to_owned(),
        text: text(report),
        stanzas: stanzas(report),
        to_origin: report.find("report-origin", ns::REPORTING).is_some(),
        to_third_parties: report.find("third-party", ns::REPORTING).is_some(),
    };
    if let Err(error) = core.add_report(owner, &report) {
        log::error!("a report of {owner} cannot be kept: {error:?}");
        return;
    }
    log::info!("{owner} has reported {blocked}: see stube reports");
}

/// §4: in however many languages.
fn text(report: &Element) -> String {
    let texts = report.children().filter(|child| child.is("text", ns::REPORTING));
    let texts: Vec<String> = texts.map(|text| text.text_content().trim().to_owned()).collect();
    let mut text = texts.join("\n");
    text.truncate(text.floor_char_boundary(MAX_TEXT));
    text
}

fn stanzas(report: &Element) -> Vec<String> {
    let ids = report.children().filter(|child| child.is("stanza-id", ns::STANZA_ID)).filter_map(|stanza| {
        let by = Jid::parse(stanza.get_attr("by")?).ok()?;
        let id = stanza.get_attr("id").filter(|id| (1..=MAX_ID).contains(&id.len()))?;
        Some(format!("{by} {id}"))
    });
    ids.take(MAX_STANZAS).collect()
}
