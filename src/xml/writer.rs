//! The one place that escapes. It is total: whatever text it is given, what it writes is XML; a character that
//! XML 1.0 cannot carry becomes U+FFFD.

/// Writes character data.
pub fn text(text: &str, out: &mut Vec<u8>) {
    escape(text, false, out);
}

/// Writes what stands between an attribute's quotes: white space that a reader would normalise is escaped too.
pub fn value(value: &str, out: &mut Vec<u8>) {
    escape(value, true, out);
}

/// Writes a start tag, but for its `>` or `/>`.
pub struct StartTag<'a> {
    out: &'a mut Vec<u8>,
    /// Foreign namespaces of attributes so far: the first has the prefix `a0`, and so on.
    foreign: Vec<String>,
}

impl<'a> StartTag<'a> {
    pub fn new(name: &str, ns: &str, parent_ns: &str, out: &'a mut Vec<u8>) -> Self {
        out.push(b'<');
        out.extend_from_slice(name.as_bytes());
        if ns != parent_ns {
            attr("xmlns", ns, out);
        }
        StartTag { out, foreign: Vec::new() }
    }

    /// An attribute by its name in an [`Element`](super::Element): `name`, `xml:name` or `{namespace}name`.
    pub fn attr(&mut self, name: &str, value: &str) {
        match name.strip_prefix('{').and_then(|name| name.rsplit_once('}')) {
            None => attr(name, value, self.out),
            Some((ns, local)) => self.foreign_attr(ns, local, value),
        }
    }

    fn foreign_attr(&mut self, ns: &str, local: &str, value: &str) {
        let known = self.foreign.iter().position(|known| known == ns);
        let number = known.unwrap_or(self.foreign.len());
        if known.is_none() {
            attr(&format!("xmlns:a{number}"), ns, self.out);
            self.foreign.push(ns.to_owned());
        }
        attr(&format!("a{number}:{local}"), value, self.out);
    }
}

/// Writes ` name='value'`; the name must be one already.
pub fn attr(name: &str, value: &str, out: &mut Vec<u8>) {
    out.push(b' ');
    out.extend_from_slice(name.as_bytes());
    out.extend_from_slice(b"='");
    escape(value, true, out);
    out.push(b'\'');
}

fn escape(text: &str, in_value: bool, out: &mut Vec<u8>) {
    let bytes = text.as_bytes();
    if is_plain(text) {
        out.extend_from_slice(bytes);
        return;
    }
    let mut written = 0;
    for (at, &byte) in bytes.iter().enumerate() {
        if !NEEDS_CARE[usize::from(byte)] {
            continue;
        }
        let (replacement, length) = match byte {
            b'&' => ("&amp;", 1),
            b'<' => ("&lt;", 1),
            b'>' => ("&gt;", 1),
            b'\'' => ("&apos;", 1),
            b'\r' => ("&#xD;", 1),
            b'\t' if in_value => ("&#x9;", 1),
            b'\n' if in_value => ("&#xA;", 1),
            b'\t' | b'\n' => continue,
            0xEF if !is_noncharacter(&bytes[at..]) => continue,
            0xEF => ("\u{FFFD}", 3),
            _ => ("\u{FFFD}", 1),
        };
        out.extend_from_slice(&bytes[written..at]);
        out.extend_from_slice(replacement.as_bytes());
        written = at + length;
    }
    out.extend_from_slice(&bytes[written..]);
}

/// U+FFFE and U+FFFF, the only characters above U+001F that are no `Char` of XML 1.0.
fn is_noncharacter(bytes: &[u8]) -> bool {
    bytes.starts_with("\u{FFFE}".as_bytes()) || bytes.starts_with("\u{FFFF}".as_bytes())
}

/// Whether nothing in `text` is special, neither when written nor when read.
pub(super) fn is_plain(text: &str) -> bool {
    !text.bytes().any(|byte| NEEDS_CARE[usize::from(byte)])
}

/// Markup, controls, and the first byte of the noncharacters.
static NEEDS_CARE: [bool; 256] = {
    let mut table = [false; 256];
    let mut byte: u8 = 0;
    while byte < 0xFF {
        table[byte as usize] = byte < 0x20 || matches!(byte, b'&' | b'<' | b'>' | b'\'' | 0xEF);
        byte += 1;
    }
    table
};

#[cfg(test)]
mod tests {
    use super::*;

    fn written(write: fn(&str, &mut Vec<u8>), source: &str) -> String {
        let mut out = Vec::new();
        write(source, &mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn text_keeps_tabs_and_newlines_and_escapes_the_rest() {
        assert_eq!(written(text, "a&b<c>d'e\"f\tg\nh\ri"), "a&amp;b&lt;c&gt;d&apos;e\"f\tg\nh&#xD;i");
    }

    #[test]
    fn a_value_escapes_white_space_that_readers_normalise() {
        assert_eq!(written(value, " \t\n\r"), " &#x9;&#xA;&#xD;");
    }

    #[test]
    fn what_xml_cannot_carry_becomes_the_replacement_character() {
        assert_eq!(written(text, "\0a\u{1F}\u{FFFE}b\u{FFFF}"), "\u{FFFD}a\u{FFFD}\u{FFFD}b\u{FFFD}");
        assert_eq!(written(text, "\u{FFFD}\u{FEFF}\u{FF21}\u{10FFFF}"), "\u{FFFD}\u{FEFF}\u{FF21}\u{10FFFF}");
    }

    #[test]
    fn an_attribute_is_a_space_a_name_and_a_quoted_value() {
        let mut out = Vec::new();
        attr("id", "it's", &mut out);
        assert_eq!(out, b" id='it&apos;s'");
    }
}
