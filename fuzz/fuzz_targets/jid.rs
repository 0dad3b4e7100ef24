//! Whatever text is taken for an address: no panic, preparing again changes nothing, the parts make the whole.
#![no_main]

use libfuzzer_sys::fuzz_target;
use stube::jid::{Jid, MAX_PART};

fuzz_target!(|data: &[u8]| {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let Ok(jid) = Jid::parse(text) else { return };

    let parts = [jid.local(), Some(jid.domain()), jid.resource()];
    assert!(parts.into_iter().flatten().all(|part| (1..=MAX_PART).contains(&part.len())), "{jid:?}");
    assert_eq!(Jid::parse(jid.as_str()).as_ref(), Ok(&jid));
    assert_eq!(Jid::from_parts(jid.local(), jid.domain(), jid.resource()).as_ref(), Ok(&jid));

    assert_eq!(jid.bare(), Jid::parse(jid.bare_str()).unwrap());
    assert_eq!(jid.domain_jid(), Jid::parse(jid.domain()).unwrap());
    if let Some(resource) = jid.resource() {
        assert_eq!(jid.bare().with_resource(resource).as_ref(), Ok(&jid));
    }
    if let Some(local) = jid.local() {
        assert_eq!(Jid::localpart(local).as_deref(), Ok(local));
    }

    // What may stand in an address must be harmless where addresses are written.
    assert!(!jid.as_str().chars().any(char::is_control));
    assert!(!jid.bare_str().contains(['<', '>', '&', '"', '\'', ' ']));
});
