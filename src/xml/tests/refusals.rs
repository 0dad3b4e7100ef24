//! What the reader refuses, and as which stream error (RFC 6120 §4.9.3, §11.1).

use super::super::ReadError::{self, *};
use super::{content, stanza};

#[track_caller]
fn refused(error: ReadError, sources: &[&str]) {
    for source in sources {
        assert_eq!(content(source), Err(error), "{source}");
    }
}

#[test]
fn billion_laughs_do_not_begin() {
    let laughs =
        "<!DOCTYPE lolz [<!ENTITY lol 'lol'><!ENTITY lol1 '&lol;&lol;&lol;'>]><message>&lol1;</message>";
    assert_eq!(stanza(laughs), Err(Restricted));
    refused(Restricted, &["&lol;", "<a b='&lol;'/>", "<!DOCTYPE a>", "<!ENTITY a 'b'>", "<!ELEMENT a ANY>"]);
}

#[test]
fn comments_are_restricted() {
    refused(Restricted, &["<!-- c -->", "<!---->", "<a><!--", "<!>"]);
    assert_eq!(stanza("<!-- c --><message/>"), Err(Restricted));
}

#[test]
fn processing_instructions_are_restricted() {
    refused(Restricted, &["<?php?>", "<??>", "<?xml version='1.0'?>"]);
    assert_eq!(stanza("<?xml version='1.0'?><message/>"), Err(Restricted));
}

#[test]
fn a_restricted_thing_is_refused_before_its_stanza_ends() {
    for source in ["<message><body><!-", "<message><?", "<message><a/><!D"] {
        assert_eq!(stanza(source), Err(Restricted), "{source}");
    }
}

#[test]
fn markup_where_none_can_be_is_refused_at_once() {
    for source in
        ["<message><body>1 < 2", "<message><body><3", "<message to='a><", "<message to=\"a' id='1'><"]
    {
        assert_eq!(stanza(source), Err(NotWellFormed), "{source}");
    }
}

#[test]
fn only_cdata_begins_with_a_bracket() {
    refused(NotWellFormed, &["<![cdata[x]]>", "<![CDATAx]]>", "<![INCLUDE[x]]>"]);
}

#[test]
fn text_has_no_end_of_cdata() {
    refused(NotWellFormed, &["]]>", "<a>x]]>y</a>", "<![CDATA[]]>]]>"]);
    assert_eq!(content("]]&gt;]>>").unwrap(), "]]&gt;]&gt;&gt;");
}

#[test]
fn bad_utf8_is_not_well_formed() {
    let bad: [&[u8]; 9] = [
        b"\xFF",
        b"\x80",
        b"\xC3",
        b"\xC0\xAF",             // overlong
        b"\xE0\x80\xAF",         // overlong
        b"\xF0\x80\x80\xAF",     // overlong
        b"\xED\xA0\x80",         // a surrogate
        b"\xF4\x90\x80\x80",     // beyond U+10FFFF
        b"\xF8\x88\x80\x80\x80", // five bytes
    ];
    for bytes in bad {
        for around in
            ["<message><body>@</body></message>", "<message a='@'/>", "<message><![CDATA[@]]></message>"]
        {
            let (before, after) = around.split_once('@').unwrap();
            assert_eq!(
                stanza([before.as_bytes(), bytes, after.as_bytes()].concat()),
                Err(NotWellFormed),
                "{bytes:x?}"
            );
        }
    }
}

#[test]
fn characters_that_xml_has_not_are_refused_in_every_place() {
    for char in ["\0", "\u{1}", "\u{8}", "\u{B}", "\u{C}", "\u{1F}", "\u{FFFE}", "\u{FFFF}"] {
        refused(NotWellFormed, &[char, &format!("<a b='{char}'/>"), &format!("<![CDATA[{char}]]>")]);
        refused(NotWellFormed, &[&format!("&#{};", u32::from(char.chars().next().unwrap()))]);
    }
    assert_eq!(content("\u{7F}\u{85}\u{FFFD}\u{10FFFF}").unwrap(), "\u{7F}\u{85}\u{FFFD}\u{10FFFF}");
}

#[test]
fn references_name_characters_that_xml_has() {
    let sources =
        ["&#xD800;", "&#xDFFF;", "&#x110000;", "&#4294967361;", "&#x100000041;", "&#;", "&#x;", "&#+65;"];
    refused(NotWellFormed, &sources);
    refused(
        NotWellFormed,
        &["&#X41;", "&# 65;", "&#65", "&;", "& ", "&", "&amp", "<a b='&'/>", "<a b='&#0;'/>"],
    );
    assert_eq!(content("&#65;&#x00000000000000000000042;&#x10FFFF;").unwrap(), "AB\u{10FFFF}");
}

#[test]
fn tags_match() {
    refused(NotWellFormed, &["<a></b>", "<a></A>", "<a></a b>", "<a></>", "<a></a/>", "</a>", "<a></ a>"]);
    refused(NotWellFormed, &["<p:a xmlns:p='u' xmlns:q='u'></q:a>", "<a></a b='>'>"]);
}

#[test]
fn names_are_names() {
    refused(
        NotWellFormed,
        &["<1/>", "<-a/>", "<.a/>", "<a$/>", "<a\u{37E}/>", "< a/>", "<></>", "</>", "<a b/>", "<a 1='2'/>"],
    );
    refused(
        NotWellFormed,
        &["<:a/>", "<a:/>", "<a:b:c xmlns:a='u'/>", "<:/>", "<a xmlns:='u'/>", "<a :b='c'/>"],
    );
    refused(NotWellFormed, &["<a:1 xmlns:a='u'/>", "<a xmlns:1='u'/>", "<a xmlns:b:c='u'/>", "<a·b/><·a/>"]);
    // In the fifth edition of XML 1.0, but not in the fourth.
    refused(NotWellFormed, &["<\u{10000}/>", "<a\u{2C00}/>"]);
}

#[test]
fn attributes_are_quoted_and_apart() {
    refused(
        NotWellFormed,
        &[
            "<a b=c/>",
            "<a b='c'd='e'/>",
            "<a b='c/><d e='f' g='/>",
            "<a b=\"c'/><d e=\"f\" g=\"/>",
            "<a b 'c'/>",
            "<a ='c'/>",
        ],
    );
    refused(
        NotWellFormed,
        &["<a b='<'/>", "<a b='c' d/>", "<a/b='c'></a>", "<a b='c'/ ></a>", "<a 'b'/>", "<a b==''/>"],
    );
}

#[test]
fn attributes_are_unique_by_name_and_by_namespace() {
    refused(NotWellFormed, &["<a b='1' b='2'/>", "<a xmlns='u' xmlns='v'/>", "<a xmlns:p='u' xmlns:p='u'/>"]);
    refused(
        NotWellFormed,
        &["<a xmlns:p='u' xmlns:q='u' p:b='1' q:b='2'/>", "<a xmlns:p='u' p:b='1' p:b='2'/>"],
    );
    refused(
        NotWellFormed,
        &["<a xml:lang='1' xml:lang='2'/>", "<p:x xmlns:p='u'><a xmlns:q='&#117;' q:b='1' p:b='2'/></p:x>"],
    );
    assert!(content("<a xmlns:p='u' xmlns:q='v' p:b='1' q:b='2' b='3'/>").is_ok());
}

#[test]
fn prefixes_are_declared() {
    refused(
        NotWellFormed,
        &["<p:a/>", "<a p:b='c'/>", "<a xmlns:p='u'/><p:b/>", "<a><b xmlns:p='u'/><p:c/></a>"],
    );
    assert_eq!(stanza("<p:message/>"), Err(NotWellFormed));
}

#[test]
fn reserved_prefixes_and_namespaces_stay_reserved() {
    let xml = "http://www.w3.org/XML/1998/namespace";
    let xmlns = "http://www.w3.org/2000/xmlns/";
    refused(NotWellFormed, &["<a xmlns:xml='u'/>", "<a xmlns:xmlns='u'/>", "<xmlns:a/>", "<a xmlns:p=''/>"]);
    refused(NotWellFormed, &[&format!("<a xmlns:p='{xml}'/>"), &format!("<a xmlns='{xml}'/>")]);
    refused(NotWellFormed, &[&format!("<a xmlns:p='{xmlns}'/>"), &format!("<a xmlns='{xmlns}'/>")]);
    refused(NotWellFormed, &[&format!("<a xmlns:xmlns='{xmlns}'/>")]);
    assert_eq!(content(&format!("<a xmlns:xml='{xml}' xml:id='b'/>")).unwrap(), "<a xml:id='b'/>");
}

#[test]
fn an_element_of_the_xml_namespace_has_no_canonical_form() {
    refused(InvalidNamespace, &["<xml:a/>"]);
}

#[test]
fn text_between_stanzas_is_not_well_formed() {
    for source in ["x", "&#32;<message/>", "<![CDATA[ ]]><message/>", "]", "\u{FEFF}<message/>", "\0"] {
        assert_eq!(stanza(source), Err(NotWellFormed), "{source}");
    }
}
