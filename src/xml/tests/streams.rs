//! Headers, ends, restarts, and chunks (RFC 6120 §4).

use super::super::{Header, Item, ReadError, Reader};
use super::{HEADER, LIMITS, header, items, ns};

#[test]
fn a_header_says_to_from_id_version_and_language() {
    let source = "<?xml version='1.0' encoding='UTF-8'?>\n<stream:stream from='a@b' to='b' id='1&amp;2' version='1.0' \
                  xml:lang='en' x='y' xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'>";
    let expected = Header {
        to: Some("b".into()),
        from: Some("a@b".into()),
        id: Some("1&2".into()),
        version: Some("1.0".into()),
        lang: Some("en".into()),
        default_ns: ns::CLIENT,
        declared: vec![],
    };
    assert_eq!(header(source), Ok(expected));
}

#[test]
fn a_header_may_have_streams_as_its_default_namespace() {
    let mut reader = Reader::new(LIMITS, ns::CLIENT);
    let source =
        "<stream xmlns='http://etherx.jabber.org/streams' to='b'><message xmlns='jabber:client'/></stream >";
    let (items, error) = items(&mut reader, [source.as_bytes()]);
    assert_eq!((items.len(), error), (3, None));
    assert!(matches!(&items[0], Item::Header(header) if header.default_ns == ns::STREAMS));
    assert!(matches!(&items[1], Item::Stanza(stanza) if stanza.is("message", ns::CLIENT)));
}

#[test]
fn a_header_of_another_namespace_is_invalid() {
    for source in [
        "<stream:stream xmlns:stream='urn:other' xmlns='jabber:client'>",
        "<stream xmlns='jabber:client'>",
        "<stream>",
        "<stream:stream xmlns:stream='http://etherx.jabber.org/streams' xmlns='jabber:server'>",
        "<stream:stream xmlns:stream='http://etherx.jabber.org/streams' xmlns='urn:other'>",
    ] {
        assert_eq!(header(source), Err(ReadError::InvalidNamespace), "{source}");
    }
}

#[test]
fn a_header_has_the_customary_prefix_or_none() {
    for source in [
        "<foobar:stream xmlns:foobar='http://etherx.jabber.org/streams' xmlns='jabber:client'>",
        "<stream:stream xmlns='jabber:client'>",
    ] {
        assert_eq!(header(source), Err(ReadError::BadNamespacePrefix), "{source}");
    }
}

#[test]
fn a_header_is_an_open_stream_tag() {
    for source in [
        "<stream:stream xmlns:stream='http://etherx.jabber.org/streams'/>",
        "<stream:features xmlns:stream='http://etherx.jabber.org/streams'>",
        "<stream:stream xmlns:stream='http://etherx.jabber.org/streams' to='a' to='b'>",
        "<stream:stream xmlns:stream='http://etherx.jabber.org/streams' p:to='a'>",
        "</stream:stream>",
        "GET / HTTP/1.1\r\n",
    ] {
        assert_eq!(header(source), Err(ReadError::NotWellFormed), "{source}");
    }
}

#[test]
fn a_declaration_is_for_xml_1_0_in_utf8() {
    for (declaration, expected) in [
        ("<?xml version='1.0'?>", None),
        ("<?xml version=\"1.0\" encoding=\"utf-8\" standalone='yes' ?>\r\n", None),
        ("<?xml version='1.0' standalone='no'?>", None),
        ("<?xml version='1.0' encoding='UTF-16'?>", Some(ReadError::UnsupportedEncoding)),
        ("<?xml version='1.0' encoding='ISO-8859-1'?>", Some(ReadError::UnsupportedEncoding)),
        ("<?xml version='1.1'?>", Some(ReadError::NotWellFormed)),
        ("<?xml?>", Some(ReadError::Restricted)),
        ("<?xml ?>", Some(ReadError::NotWellFormed)),
        ("<?xml encoding='UTF-8'?>", Some(ReadError::NotWellFormed)),
        ("<?xml version='1.0' standalone='maybe'?>", Some(ReadError::NotWellFormed)),
        ("<?xml version='1.0' standalone='no' encoding='UTF-8'?>", Some(ReadError::NotWellFormed)),
        ("<?xml version='1.0' version='1.0'?>", Some(ReadError::NotWellFormed)),
        ("<?xml version='1.0' other='1'?>", Some(ReadError::NotWellFormed)),
        ("<?xml-stylesheet version='1.0'?>", Some(ReadError::Restricted)),
        ("<?other?>", Some(ReadError::Restricted)),
        ("<?xml version='1.0'?><?xml version='1.0'?>", Some(ReadError::Restricted)),
        (" <?xml version='1.0'?>", Some(ReadError::Restricted)),
        ("<!DOCTYPE stream>", Some(ReadError::Restricted)),
    ] {
        assert_eq!(header(&format!("{declaration}{HEADER}")).err(), expected, "{declaration}");
    }
}

#[test]
fn a_byte_order_mark_is_another_encoding() {
    for bytes in [&b"\xEF\xBB\xBF<"[..], b"\xFE\xFF\0<", b"\xFF\xFE<\0", b"\0<\0s"] {
        let (_, error) = items(&mut Reader::new(LIMITS, ns::CLIENT), [bytes]);
        assert_eq!(error, Some(ReadError::UnsupportedEncoding), "{bytes:x?}");
    }
}

#[test]
fn the_content_of_a_server_stream_becomes_that_of_a_client() {
    let mut reader = Reader::new(LIMITS, ns::SERVER);
    let source = "<stream:stream xmlns='jabber:server' xmlns:stream='http://etherx.jabber.org/streams' \
                  xmlns:db='jabber:server:dialback'><db:result to='a'>k</db:result><message><body/>\
                  <x xmlns='urn:x'><message xmlns='jabber:server'/></x></message>";
    let (items, error) = items(&mut reader, [source.as_bytes()]);
    assert_eq!(error, None);
    let [Item::Header(header), Item::Stanza(dialback), Item::Stanza(message)] = &items[..] else {
        panic!("{items:?}")
    };
    assert_eq!(header.default_ns, ns::CLIENT);
    assert_eq!(header.declared, [ns::DIALBACK]);
    assert!(dialback.is("result", ns::DIALBACK));
    assert_eq!(dialback.text(), "k");
    assert!(message.is("message", ns::CLIENT));
    assert_eq!(message.payload().bytes(), b"<body/><x xmlns='urn:x'><message xmlns='jabber:client'/></x>");
}

#[test]
fn a_fragment_gives_its_attributes_unescaped() {
    let mut reader = Reader::new(LIMITS, ns::CLIENT);
    let source = "<iq to='a&apos;b' xml:lang='de' xmlns:p='urn:p' p:x='1'>text</iq>";
    let (items, _) = items(&mut reader, [HEADER.as_bytes(), source.as_bytes()]);
    let Some(Item::Stanza(iq)) = items.get(1) else { panic!("{items:?}") };
    assert_eq!(iq.attr("to"), Some("a'b"));
    assert_eq!(iq.attr("xml:lang"), Some("de"));
    assert_eq!(iq.attr("{urn:p}x"), Some("1"));
    assert_eq!(iq.attr("from"), None);
    assert_eq!(iq.text(), "text");
}

#[test]
fn the_end_tag_is_that_of_the_header() {
    for (end, expected) in [
        ("</stream:stream>", None),
        ("</stream:stream \n>", None),
        ("</stream>", Some(ReadError::NotWellFormed)),
        ("</stream:stream x='y'>", Some(ReadError::NotWellFormed)),
        ("</ stream:stream>", Some(ReadError::NotWellFormed)),
        ("</message>", Some(ReadError::NotWellFormed)),
    ] {
        let (items, error) = items(&mut Reader::new(LIMITS, ns::CLIENT), [HEADER.as_bytes(), end.as_bytes()]);
        assert_eq!(error, expected, "{end}");
        assert_eq!(items.contains(&Item::Close), expected.is_none(), "{end}");
    }
}

#[test]
fn nothing_is_read_after_the_end_or_after_an_error() {
    for end in ["</stream:stream>", "<a></b>"] {
        let mut reader = Reader::new(LIMITS, ns::CLIENT);
        let source = format!("{HEADER}{end}<message/>");
        let (before, _) = items(&mut reader, [source.as_bytes()]);
        assert!(!before.iter().any(|item| matches!(item, Item::Stanza(_))), "{before:?}");
        assert_eq!(items(&mut reader, [&b"<message/>"[..]]), (vec![], None));
    }
}

#[test]
fn a_restart_expects_a_header_and_forgets_what_was_begun() {
    let mut reader = Reader::new(LIMITS, ns::CLIENT);
    items(&mut reader, [HEADER.as_bytes(), b"<message><body>begun in clear text"]);
    reader.reset();
    let (items, error) = items(&mut reader, [b"<?xml version='1.0'?>", HEADER.as_bytes(), b"<iq/>"]);
    assert_eq!(error, None);
    assert!(matches!(&items[..], [Item::Header(_), Item::Stanza(iq)] if iq.is("iq", ns::CLIENT)));
}

/// Every kind of markup, with multi-byte characters.
const LONG: &str = "<message to='x' a=\"'>/\">  <body>é &amp; &#x20AC; ]] &gt; /</body><![CDATA[ ]] ]]] <x> ]]></message>\n \
     <presence/><r xmlns='urn:xmpp:sm:3'/><iq type='get' ><p:q xmlns:p='urn:q' p:r = 's/' /></iq >\
     <message><body></body><body/ ></message>";

#[test]
fn every_split_of_a_stream_gives_the_same_items() {
    for ending in ["", "</stream:stream>", "<!-- -->", "<a></b>"] {
        // The last message of `LONG` is not well-formed, so that what follows it is not read.
        for long in [LONG.to_owned(), LONG.replace("/ >", "/>")] {
            let source = format!("<?xml version='1.0'?>{HEADER}{long}{ending}");
            let source = source.as_bytes();
            let whole = items(&mut Reader::new(LIMITS, ns::CLIENT), [source]);
            for at in 0..=source.len() {
                let (first, second) = source.split_at(at);
                assert_eq!(
                    items(&mut Reader::new(LIMITS, ns::CLIENT), [first, second]),
                    whole,
                    "split at {at}"
                );
            }
            for size in 1..20 {
                assert_eq!(
                    items(&mut Reader::new(LIMITS, ns::CLIENT), source.chunks(size)),
                    whole,
                    "by {size}"
                );
            }
        }
    }
}
