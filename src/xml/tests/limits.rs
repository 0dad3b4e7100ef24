//! What is too big, and what the reader keeps.

use super::super::{Fragment, Item, Limits, ReadError, Reader};
use super::{HEADER, items, ns};

const SMALL: Limits = Limits { bytes: 200, elements: 4, depth: 3, attributes: 2 };

fn small(source: &str) -> Result<Fragment, ReadError> {
    let mut reader = Reader::new(super::LIMITS, ns::CLIENT);
    items(&mut reader, [HEADER.as_bytes()]);
    reader.set_limits(SMALL);
    match items(&mut reader, [source.as_bytes()]) {
        (_, Some(error)) => Err(error),
        (mut items, None) => match items.pop() {
            Some(Item::Stanza(fragment)) => Ok(fragment),
            other => panic!("no stanza but {other:?}"),
        },
    }
}

#[test]
fn a_stanza_has_its_number_of_bytes_and_no_more() {
    assert!(small(&format!("<a>{}</a>", "x".repeat(193))).is_ok());
    assert_eq!(small(&format!("<a>{}</a>", "x".repeat(194))), Err(ReadError::TooBig));
    assert_eq!(small(&"x".repeat(201).replace("xx", "<a>")), Err(ReadError::TooBig));
    assert_eq!(small(&format!("<a b='{}", "x".repeat(300))), Err(ReadError::TooBig));
}

#[test]
fn the_limit_on_bytes_is_for_each_stanza() {
    let stanza = format!("<a>{}</a>", "x".repeat(150));
    assert!(small(&stanza.repeat(5)).is_ok());
    assert!(small(&format!("{}{stanza}", " ".repeat(1000))).is_ok());
}

#[test]
fn a_stanza_has_its_number_of_elements_and_no_more() {
    assert!(small("<a><b/><c></c><d/></a>").is_ok());
    assert_eq!(small("<a><b/><c></c><d/><e"), Err(ReadError::TooBig));
}

#[test]
fn a_stanza_has_its_depth_and_no_more() {
    assert!(small("<a><b><c/></b><b/></a>").is_ok());
    assert_eq!(small("<a><b><c><d"), Err(ReadError::TooBig));
}

#[test]
fn an_element_has_its_number_of_attributes_and_no_more() {
    assert!(small("<a b='' c=''><d xmlns='u' b=''/></a>").is_ok());
    assert_eq!(small("<a b='' c='' d=''/>"), Err(ReadError::TooBig));
    assert_eq!(small("<a xmlns='u' xmlns:b='v' c=''/>"), Err(ReadError::TooBig));
}

#[test]
fn what_grows_in_canonical_form_grows_to_twice_the_limit_at_most() {
    assert_eq!(small(&format!("<a>{}</a>", "'".repeat(66))).unwrap().payload().bytes().len(), 66 * 6);
    assert_eq!(small(&format!("<a>{}</a>", "'".repeat(67))), Err(ReadError::TooBig));
    let prefixed = |ns: &str| small(&format!("<a xmlns:p='{ns}'><p:b/><p:b/><p:b/></a>"));
    assert!(prefixed(&"n".repeat(100)).is_ok());
    assert_eq!(prefixed(&"n".repeat(130)), Err(ReadError::TooBig));
}

#[test]
fn a_namespace_has_at_most_a_thousand_bytes_and_a_stanza_sixty_four_prefixes() {
    assert!(super::content(&format!("<a xmlns='{}'/>", "n".repeat(1024))).is_ok());
    assert_eq!(super::content(&format!("<a xmlns='{}'/>", "n".repeat(1025))), Err(ReadError::TooBig));
    let prefixes = |count: usize| (0..count).map(|n| format!(" xmlns:p{n}='u'")).collect::<String>();
    assert!(super::content(&format!("<a{}/><a{}/>", prefixes(64), prefixes(64))).is_ok());
    assert_eq!(
        super::content(&format!("<a{}><b{}/></a>", prefixes(60), prefixes(5))),
        Err(ReadError::TooBig)
    );
}

#[test]
fn an_idle_reader_holds_no_buffer() {
    let mut reader = Reader::new(super::LIMITS, ns::CLIENT);
    let stanza = format!("<a>{}</a>", "x".repeat(10_000));
    let (first, second) = stanza.split_at(5_000);
    items(&mut reader, [HEADER.as_bytes(), first.as_bytes()]);
    assert!(reader.held() >= 5_000);
    items(&mut reader, [second.as_bytes(), b" \n"]);
    assert_eq!(reader.held(), 0);
    assert!(size_of::<Reader>() < 200);
}

#[test]
fn white_space_between_stanzas_is_not_kept() {
    let mut reader = Reader::new(super::LIMITS, ns::CLIENT);
    items(&mut reader, [HEADER.as_bytes(), " \t\r\n".repeat(100_000).as_bytes()]);
    assert_eq!(reader.held(), 0);
}
