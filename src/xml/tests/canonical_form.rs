//! What the reader writes, and what the tree and the payload make of it.

use super::super::{Element, Payload};
use super::{content, ns, stanza};

#[test]
fn a_message_in_canonical_form_stays_as_it_is() {
    let message = "<message to='juliet@example.org' type='chat' id='1' xml:lang='en'><body>Hi &amp; bye</body>\
                   <active xmlns='http://jabber.org/protocol/chatstates'/></message>";
    assert_eq!(stanza(message).unwrap(), message);
}

#[test]
fn prefixes_become_default_declarations_where_the_namespace_changes() {
    let source = "<p:a xmlns:p='urn:p' xmlns:q='urn:q'><p:b/><q:c><p:d/></q:c><e/></p:a>";
    let expected =
        "<a xmlns='urn:p'><b/><c xmlns='urn:q'><d xmlns='urn:p'/></c><e xmlns='jabber:client'/></a>";
    assert_eq!(content(source).unwrap(), expected);
}

#[test]
fn declarations_that_say_nothing_new_are_left_out() {
    let source = "<a xmlns='urn:p' xmlns:unused='urn:q'><b xmlns='urn:p'/></a><c xmlns='jabber:client'/>";
    assert_eq!(content(source).unwrap(), "<a xmlns='urn:p'><b/></a><c/>");
}

#[test]
fn an_element_can_leave_all_namespaces() {
    assert_eq!(content("<a xmlns=''><b/></a>").unwrap(), "<a xmlns=''><b/></a>");
}

#[test]
fn prefixes_of_the_stream_header_hold_inside() {
    assert_eq!(
        content("<stream:a stream:b='c'/>").unwrap(),
        "<a xmlns='http://etherx.jabber.org/streams' \
         xmlns:a0='http://etherx.jabber.org/streams' a0:b='c'/>"
    );
}

#[test]
fn a_foreign_attribute_brings_its_own_prefix() {
    let source = "<a xmlns:x='urn:x' xmlns:y='urn:y' y:one='1' plain='2' x:two='3' y:three='4'/>";
    let expected = "<a xmlns:a0='urn:y' a0:one='1' plain='2' xmlns:a1='urn:x' a1:two='3' a0:three='4'/>";
    assert_eq!(content(source).unwrap(), expected);
    assert_eq!(content(expected).unwrap(), expected);
}

#[test]
fn cdata_becomes_text() {
    assert_eq!(content("<a>1<![CDATA[<&>]]]]><![CDATA[>]]>2</a>").unwrap(), "<a>1&lt;&amp;&gt;]]&gt;2</a>");
    assert_eq!(content("<a><![CDATA[]]></a>").unwrap(), "<a/>");
}

#[test]
fn there_is_one_way_to_escape() {
    assert_eq!(
        content("<a b=\"'&quot;\">'\"&#39;&#x22;&gt;></a>").unwrap(),
        "<a b='&apos;\"'>&apos;\"&apos;\"&gt;&gt;</a>"
    );
}

#[test]
fn line_ends_become_newlines_but_for_references() {
    assert_eq!(content("<a>1\r\n2\r3\n4&#13;\r</a>").unwrap(), "<a>1\n2\n3\n4&#xD;\n</a>");
    assert_eq!(content("<a><![CDATA[1\r\n2\r]]></a>").unwrap(), "<a>1\n2\n</a>");
}

#[test]
fn white_space_in_a_value_becomes_a_space_but_for_references() {
    assert_eq!(
        content("<a b='1\r\n2\r3\n4\t5&#9;&#xA;&#13;'/>").unwrap(),
        "<a b='1 2 3 4 5&#x9;&#xA;&#xD;'/>"
    );
}

#[test]
fn names_may_be_of_any_script() {
    assert_eq!(content("<größe élan='1'/><名前/>").unwrap(), "<größe élan='1'/><名前/>");
}

#[test]
fn what_is_empty_is_written_short() {
    assert_eq!(content("<a  ></a\n><b b = '1'\t/>").unwrap(), "<a/><b b='1'/>");
}

#[test]
fn a_payload_knows_its_children() {
    let payload = Payload::parse(&b"x<a xmlns='urn:a'><b/>t</a><body>hi</body><c/>y"[..]).unwrap();
    let children: Vec<_> = payload.children().map(|child| (child.name(), child.ns())).collect();
    assert_eq!(children, [("a", "urn:a"), ("body", ns::CLIENT), ("c", ns::CLIENT)]);
    assert_eq!(payload.find("body", ns::CLIENT).unwrap().bytes(), b"<body>hi</body>");
    assert_eq!(payload.text(), "xy");
    assert_eq!(payload.without(|child| child.ns() == "urn:a").bytes(), b"x<body>hi</body><c/>y");
    assert_eq!(payload.with(&Element::new("d", ns::CLIENT)).children().count(), 4);
}

#[test]
fn an_element_survives_being_written_and_read() {
    let element = Element::new("a", "urn:a&b")
        .attr("n", "1'2\n")
        .attr("{urn:}x}y", "3")
        .attr("xml:lang", "de")
        .text("x<\r")
        .child(Element::new("b", "").child(Element::new("c", ns::CLIENT)))
        .text("y");
    assert_eq!(Element::parse(&element.to_bytes(ns::CLIENT), ns::CLIENT), Some(element.clone()));
    assert_eq!(Element::parse(&element.to_bytes("urn:a&b"), "urn:a&b"), Some(element));
}

#[test]
fn what_is_not_canonical_is_no_element_and_no_payload() {
    for bytes in ["", "<a>", "</a>", "<a/><b/>", "<a></b>", "<a", "x", "<>", "<", "<a b/>"] {
        assert_eq!(Element::parse(bytes.as_bytes(), ns::CLIENT), None, "{bytes}");
    }
    for bytes in ["<a>", "</a>", "<a", "<", "<a></a></b>"] {
        assert_eq!(Payload::parse(bytes.as_bytes()), None, "{bytes}");
    }
}
