//! What a stream offers at each stage (RFC 6120 §4.3.2).

use super::TlsInfo;
use super::sasl::Mechanism;
use super::xep0388_sasl2;
use crate::core::Core;
use crate::core::module::Stage;
use crate::jid::Jid;
use crate::xep;
use crate::xml::{Element, Limits, ns};

/// Before TLS: nothing else is of use (RFC 6120 §5.3.1).
pub fn before_tls() -> Element {
    features().child(Element::new("starttls", ns::TLS).child(Element::new("required", ns::TLS)))
}

/// With TLS, nobody logged in.
pub fn before_login(core: &mut Core, host: &Jid, tls: &TlsInfo) -> Element {
    let mechanisms = Mechanism::offered(tls).fold(Element::new("mechanisms", ns::SASL), |all, mechanism| {
        all.child(Element::new("mechanism", ns::SASL).text(mechanism.name()))
    });
    let mut features = features().child(xep0388_sasl2::feature(core, tls)).child(mechanisms);
    // XEP-0440 §2: which bindings a -PLUS mechanism may use
    if !tls.is_empty() {
        let offered = tls.types().fold(
            Element::new("sasl-channel-binding", ns::SASL_CHANNEL_BINDING),
            |offered, name| {
                offered.child(Element::new("channel-binding", ns::SASL_CHANNEL_BINDING).attr("type", name))
            },
        );
        features = features.child(offered);
    }
    features = of_modules(core, Stage::BeforeLogin, host, features);
    features.child(limits(Some(u64::from(Limits::BEFORE_LOGIN.bytes)), None))
}

/// Logged in, no resource yet.
pub fn after_login(core: &mut Core, host: &Jid) -> Element {
    let sm = Element::new("sm", ns::STREAM_MANAGEMENT); // XEP-0198 §2
    known(core, host, features().child(Element::new("bind", ns::BIND)).child(sm))
}

/// Logged in with a resource (XEP-0386), whose stanzas are counted or not.
pub fn after_binding(core: &mut Core, host: &Jid, managed: bool) -> Element {
    let sm = (!managed).then(|| Element::new("sm", ns::STREAM_MANAGEMENT));
    known(core, host, sm.into_iter().fold(features(), Element::child))
}

fn known(core: &mut Core, host: &Jid, features: Element) -> Element {
    let features = features.child(Element::new("csi", ns::CLIENT_STATE)); // XEP-0352 §4.1
    let config = &core.config.limits;
    let limits = limits(config.stanza_bytes.get(), config.idle_seconds.get());
    of_modules(core, Stage::AfterLogin, host, features).child(limits)
}

fn features() -> Element {
    Element::new("stream:features", ns::CLIENT)
}

fn of_modules(core: &mut Core, stage: Stage, host: &Jid, features: Element) -> Element {
    let add = xep::ALL.iter().filter_map(|module| module.stream_features);
    add.filter_map(|add| add(core, stage, host)).fold(features, Element::child)
}

/// XEP-0478 §3.1
fn limits(max_bytes: Option<u64>, idle_seconds: Option<u64>) -> Element {
    let number =
        |name: &'static str, value: u64| Element::new(name, ns::STREAM_LIMITS).text(&value.to_string());
    let mut limits = Element::new("limits", ns::STREAM_LIMITS);
    if let Some(bytes) = max_bytes {
        limits = limits.child(number("max-bytes", bytes));
    }
    if let Some(seconds) = idle_seconds {
        limits = limits.child(number("idle-seconds", seconds));
    }
    limits
}
