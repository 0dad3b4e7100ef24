//! Which strings may be names, and when two of them are the same: PRECIS (RFC 8264) and its profiles
//! UsernameCaseMapped and OpaqueString (RFC 8265).
//!
//! A profile gives back the prepared string, or nothing if the string is none of that profile. What is prepared
//! stays as it is when it is prepared again. The tables are those of ICU4X, which IDNA brings along anyway; the
//! rules that are made of them stand here in the order of RFC 8264 §8 and §9 and RFC 5892 appendix A.
//!
//! ASCII needs none of the tables and takes a short way, which must lead to the same place.

use std::borrow::Cow;

use icu_normalizer::ComposingNormalizerBorrowed as Normalizer;
use icu_properties::props::{
    BidiClass, BinaryProperty, CanonicalCombiningClass, DefaultIgnorableCodePoint, EastAsianWidth,
    EnumeratedProperty, GeneralCategory, HangulSyllableType, JoinControl, JoiningType, NoncharacterCodePoint,
    Script,
};

const NFC: Normalizer = Normalizer::new_nfc();
const NFKC: Normalizer = Normalizer::new_nfkc();

/// The profile for names of accounts and localparts (RFC 8265 §3.3).
pub fn username_case_mapped(name: &str) -> Option<Cow<'_, str>> {
    if !name.is_ascii() {
        return stable(name, enforce_username);
    }
    if name.is_empty() || name.bytes().any(|b| !b.is_ascii_graphic()) {
        return None;
    }
    let upper = name.bytes().any(|b| b.is_ascii_uppercase());
    Some(if upper { Cow::Owned(name.to_ascii_lowercase()) } else { Cow::Borrowed(name) })
}

/// The profile for passwords and resourceparts (RFC 8265 §4.2).
pub fn opaque_string(text: &str) -> Option<Cow<'_, str>> {
    if !text.is_ascii() {
        return stable(text, enforce_opaque_string);
    }
    let valid = !text.is_empty() && text.bytes().all(|b| b.is_ascii_graphic() || b == b' ');
    valid.then_some(Cow::Borrowed(text))
}

/// Is this a string of letters, digits and marks, as names are made of (RFC 8264 §4.2)?
pub fn is_identifier(text: &str) -> bool {
    conforms(text, StringClass::Identifier)
}

/// Some strings reach their final form in several steps (RFC 8264 §7: three more, or they are refused).
fn stable(text: &str, enforce: fn(&str) -> Option<String>) -> Option<Cow<'_, str>> {
    let mut current = Cow::Borrowed(text);
    for _ in 0..=3 {
        let next = enforce(&current)?;
        if next == current {
            return Some(current);
        }
        current = Cow::Owned(next);
    }
    None
}

/// RFC 8265 §3.3.3: width mapping, the class, case mapping, normalisation, directionality.
fn enforce_username(name: &str) -> Option<String> {
    let name = map_width(name);
    if name.is_empty() || !conforms(&name, StringClass::Identifier) {
        return None;
    }
    let name = name.to_lowercase();
    let name = NFC.normalize(&name);
    satisfies_bidi_rule(&name).then(|| name.into_owned())
}

/// RFC 8265 §4.2.2: the class, one kind of space, normalisation.
fn enforce_opaque_string(text: &str) -> Option<String> {
    if text.is_empty() || !conforms(text, StringClass::Freeform) {
        return None;
    }
    let is_space = |c| GeneralCategory::for_char(c) == GeneralCategory::SpaceSeparator;
    let text: String = text.chars().map(|c| if is_space(c) { ' ' } else { c }).collect();
    Some(NFC.normalize(&text).into_owned())
}

/// The wide and the narrow forms of characters become the usual ones.
fn map_width(name: &str) -> String {
    let mut mapped = String::with_capacity(name.len());
    for c in name.chars() {
        match EastAsianWidth::for_char(c) {
            EastAsianWidth::Fullwidth | EastAsianWidth::Halfwidth => {
                mapped.push_str(&NFKC.normalize(c.encode_utf8(&mut [0; 4])));
            }
            _ => mapped.push(c),
        }
    }
    mapped
}

/// RFC 8264 §4.
#[derive(Clone, Copy, PartialEq, Eq)]
enum StringClass {
    Identifier,
    Freeform,
}

/// RFC 8264 §8, as far as there is a difference for us: UNASSIGNED is DISALLOWED.
#[derive(PartialEq, Eq)]
enum Property {
    /// PVALID
    Valid,
    /// FREE_PVAL, which is also ID_DIS
    Freeform,
    /// CONTEXTJ and CONTEXTO
    Context,
    Disallowed,
}

fn conforms(text: &str, class: StringClass) -> bool {
    let chars: Vec<char> = text.chars().collect();
    let valid = |(at, &c): (usize, &char)| match property(c) {
        Property::Valid => true,
        Property::Freeform => class == StringClass::Freeform,
        Property::Context => allowed_where_it_stands(&chars, at),
        Property::Disallowed => false,
    };
    chars.iter().enumerate().all(valid) && allowed_together(&chars)
}

/// RFC 8264 §8, in its order.
fn property(c: char) -> Property {
    use GeneralCategory as G;
    let category = GeneralCategory::for_char(c);
    match c {
        // §9.6: Exceptions.
        '\u{df}' | '\u{3c2}' | '\u{6fd}' | '\u{6fe}' | '\u{f0b}' | '\u{3007}' => Property::Valid,
        '\u{b7}' | '\u{375}' | '\u{5f3}' | '\u{5f4}' | '\u{30fb}' => Property::Context,
        '\u{660}'..='\u{669}' | '\u{6f0}'..='\u{6f9}' => Property::Context,
        '\u{640}' | '\u{7fa}' | '\u{302e}' | '\u{302f}' | '\u{3031}'..='\u{3035}' | '\u{303b}' => {
            Property::Disallowed
        }
        _ if category == G::Unassigned => Property::Disallowed,
        // §9.11: ASCII7.
        '!'..='~' => Property::Valid,
        _ if JoinControl::for_char(c) => Property::Context,
        _ if is_old_hangul_jamo(c) => Property::Disallowed,
        // §9.13: PrecisIgnorableProperties.
        _ if DefaultIgnorableCodePoint::for_char(c) || NoncharacterCodePoint::for_char(c) => {
            Property::Disallowed
        }
        _ if category == G::Control => Property::Disallowed,
        // §9.17: HasCompat.
        _ if !NFKC.is_normalized(c.encode_utf8(&mut [0; 4])) => Property::Freeform,
        _ => match category {
            // §9.1: LetterDigits.
            G::LowercaseLetter | G::UppercaseLetter | G::OtherLetter | G::ModifierLetter => Property::Valid,
            G::DecimalNumber | G::NonspacingMark | G::SpacingMark => Property::Valid,
            // §9.18: OtherLetterDigits.
            G::TitlecaseLetter | G::LetterNumber | G::OtherNumber | G::EnclosingMark => Property::Freeform,
            // §9.14: Spaces; §9.15: Symbols.
            G::SpaceSeparator => Property::Freeform,
            G::MathSymbol | G::CurrencySymbol | G::ModifierSymbol | G::OtherSymbol => Property::Freeform,
            // §9.16: Punctuation.
            G::ConnectorPunctuation | G::DashPunctuation | G::OpenPunctuation | G::ClosePunctuation => {
                Property::Freeform
            }
            G::InitialPunctuation | G::FinalPunctuation | G::OtherPunctuation => Property::Freeform,
            _ => Property::Disallowed,
        },
    }
}

/// RFC 8264 §9.9: OldHangulJamo.
fn is_old_hangul_jamo(c: char) -> bool {
    let kind = HangulSyllableType::for_char(c);
    [HangulSyllableType::LeadingJamo, HangulSyllableType::VowelJamo, HangulSyllableType::TrailingJamo]
        .contains(&kind)
}

/// The rules of RFC 5892 appendix A that look at the neighbours of a character.
fn allowed_where_it_stands(chars: &[char], at: usize) -> bool {
    let before = at.checked_sub(1).and_then(|at| chars.get(at)).copied();
    let after = chars.get(at + 1).copied();
    let follows_virama =
        before.is_some_and(|c| CanonicalCombiningClass::for_char(c) == CanonicalCombiningClass::Virama);
    match chars.get(at) {
        // A.1: ZERO WIDTH NON-JOINER.
        Some('\u{200c}') => follows_virama || breaks_cursive_connection(chars, at),
        // A.2: ZERO WIDTH JOINER.
        Some('\u{200d}') => follows_virama,
        // A.3: MIDDLE DOT, as in Catalan.
        Some('\u{b7}') => before == Some('l') && after == Some('l'),
        // A.4: GREEK LOWER NUMERAL SIGN.
        Some('\u{375}') => after.is_some_and(|c| Script::for_char(c) == Script::Greek),
        // A.5 and A.6: HEBREW PUNCTUATION GERESH and GERSHAYIM.
        Some('\u{5f3}' | '\u{5f4}') => before.is_some_and(|c| Script::for_char(c) == Script::Hebrew),
        // The others are looked at once for the whole string.
        _ => true,
    }
}

/// A.1: between two letters that would join, whatever marks stand between.
fn breaks_cursive_connection(chars: &[char], at: usize) -> bool {
    let joining = |c: &char| JoiningType::for_char(*c);
    let letter = |joining: &JoiningType| *joining != JoiningType::Transparent;
    let before = chars.iter().take(at).rev().map(joining).find(letter);
    let after = chars.iter().skip(at + 1).map(joining).find(letter);
    matches!(before, Some(JoiningType::LeftJoining | JoiningType::DualJoining))
        && matches!(after, Some(JoiningType::RightJoining | JoiningType::DualJoining))
}

/// The rules of RFC 5892 appendix A that look at the whole string.
fn allowed_together(chars: &[char]) -> bool {
    let any = |test: fn(char) -> bool| chars.iter().any(|&c| test(c));
    let japanese = |c| matches!(Script::for_char(c), Script::Hiragana | Script::Katakana | Script::Han);
    // A.7: KATAKANA MIDDLE DOT.
    (!chars.contains(&'\u{30fb}') || any(japanese))
        // A.8 and A.9: either ARABIC-INDIC DIGITS or EXTENDED ones.
        && !(any(|c| matches!(c, '\u{660}'..='\u{669}')) && any(|c| matches!(c, '\u{6f0}'..='\u{6f9}')))
}

/// The Bidi Rule for names that have something to be written from right to left (RFC 5893 §2).
fn satisfies_bidi_rule(name: &str) -> bool {
    use BidiClass as B;
    let classes = || name.chars().map(BidiClass::for_char);
    let any = |class| classes().any(|c| c == class);
    let right_to_left = [B::RightToLeft, B::ArabicLetter, B::ArabicNumber];
    if !right_to_left.into_iter().any(any) {
        return true;
    }
    // Condition 1, and 5: what begins from left to right has no room for what brought us here.
    if !matches!(classes().next(), Some(B::RightToLeft | B::ArabicLetter)) {
        return false;
    }
    // Condition 2.
    let others = [
        B::EuropeanNumber,
        B::EuropeanSeparator,
        B::CommonSeparator,
        B::EuropeanTerminator,
        B::OtherNeutral,
        B::BoundaryNeutral,
        B::NonspacingMark,
    ];
    let fitting = classes().all(|class| right_to_left.contains(&class) || others.contains(&class));
    // Condition 3.
    let last = classes().rfind(|&class| class != B::NonspacingMark);
    let well_ended = last.is_some_and(|last| right_to_left.contains(&last) || last == B::EuropeanNumber);
    // Condition 4.
    fitting && well_ended && !(any(B::EuropeanNumber) && any(B::ArabicNumber))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn username(name: &str) -> Option<String> {
        username_case_mapped(name).map(Cow::into_owned)
    }

    fn opaque(text: &str) -> Option<String> {
        opaque_string(text).map(Cow::into_owned)
    }

    #[test]
    fn for_ascii_the_short_way_leads_where_the_tables_lead() {
        let ascii = || (0..=0x7f_u8).map(char::from);
        let pairs = ascii().flat_map(|first| ascii().map(move |second| format!("{first}{second}")));
        for text in ascii().map(String::from).chain(pairs).chain([String::new()]) {
            assert_eq!(username(&text), enforce_username(&text), "{text:?}");
            assert_eq!(opaque(&text), enforce_opaque_string(&text), "{text:?}");
        }
    }

    #[test]
    fn names_have_one_case_one_width_and_one_form() {
        assert_eq!(username("Juliet").as_deref(), Some("juliet"));
        assert_eq!(username("ＪＵＬＩＥＴ").as_deref(), Some("juliet"));
        assert_eq!(username("ｶﾞ").as_deref(), Some("ガ"));
        assert_eq!(username("A\u{308}").as_deref(), Some("ä"));
        assert_eq!(username("Å").as_deref(), Some("å"));
        assert_eq!(username("ΣΊΣΥΦΟΣ").as_deref(), Some("σίσυφος"));
        // These look alike, but are not the same.
        assert_ne!(username("fußball"), username("fussball"));
        assert_ne!(username("σ"), username("ς"));
    }

    #[test]
    fn names_are_made_of_letters_digits_and_marks() {
        for name in [
            "",
            "foo bar",
            "foo\u{a0}bar",
            "henryⅣ",
            "♚",
            "🙂",
            "x²",
            "ﬁ",
            "½",
            "a\u{200b}",
            "a\u{fe0f}",
            "a\u{ad}",
        ] {
            assert_eq!(username(name), None, "{name:?}");
        }
        for name in ["π", "漢字", "юлия", "נועה", "ｊ", "한글", "नमस्ते", "𞤀𞤣𞤤𞤢𞤥", "𰻞"]
        {
            assert!(username(name).is_some(), "{name:?}");
        }
    }

    #[test]
    fn exceptions_are_those_of_the_rfc() {
        for name in ["ß", "ς", "۽", "۾", "་", "〇"] {
            assert!(username(name).is_some(), "{name:?}");
        }
        for c in ['\u{640}', '\u{7fa}', '\u{302e}', '\u{3031}', '\u{303b}'] {
            assert_eq!(username(&format!("a{c}a")), None, "{c:?}");
            assert_eq!(opaque(&format!("a{c}a")), None, "{c:?}");
        }
    }

    #[test]
    fn unassigned_private_and_invisible_characters_are_no_text() {
        for c in [
            '\u{378}',
            '\u{e000}',
            '\u{fffe}',
            '\u{10ffff}',
            '\u{200b}',
            '\u{85}',
            '\u{2028}',
            '\u{1100}',
            '\u{e0001}',
        ] {
            assert_eq!(opaque(&format!("a{c}a")), None, "{c:?}");
        }
    }

    #[test]
    fn free_text_keeps_its_case_and_width_and_has_one_kind_of_space() {
        assert_eq!(opaque("Ｆoo ♚²").as_deref(), Some("Ｆoo ♚²"));
        assert_eq!(opaque("a\u{a0}b\u{2003}c\u{3000}").as_deref(), Some("a b c "));
        assert_eq!(opaque("A\u{308}").as_deref(), Some("Ä"));
        // Of Unicode 6, 7, 13 and 15.
        assert_eq!(opaque("😀🙂🫖🫨").as_deref(), Some("😀🙂🫖🫨"));
    }

    /// RFC 5892 appendix A.
    #[test]
    fn some_characters_are_allowed_in_their_context_only() {
        for (text, valid) in [
            ("क्\u{200c}ष", true),    // ZERO WIDTH NON-JOINER after a virama,
            ("بی\u{200c}بی", true),  // between joining letters,
            ("بیَ\u{200c}َبی", true),  // with marks around it,
            ("بd\u{200c}بی", false), // but not after one that does not join,
            ("بی\u{200c}", false),   // nor at the end,
            ("\u{200c}ب", false),    // nor at the beginning.
            ("क्\u{200d}ष", true),    // ZERO WIDTH JOINER after a virama only.
            ("👩\u{200d}🚀", false),
            ("l·l", true), // MIDDLE DOT between two l.
            ("l·a", false),
            ("·l", false),
            ("l·", false),
            ("͵α", true), // GREEK LOWER NUMERAL SIGN before Greek.
            ("͵a", false),
            ("α͵", false),
            ("א׳", true), // GERESH and GERSHAYIM after Hebrew.
            ("א״א", true),
            ("׳א", false),
            ("a״", false),
            ("ア・ア", true), // KATAKANA MIDDLE DOT with Japanese somewhere.
            ("a・漢", true),
            ("a・b", false),
            ("\u{660}\u{661}", true), // One kind of Arabic digits.
            ("\u{6f0}\u{6f1}", true),
            ("\u{660}\u{6f0}", false),
        ] {
            assert_eq!(opaque(text).is_some(), valid, "{text:?}");
        }
    }

    /// RFC 5893 §2.
    #[test]
    fn names_from_right_to_left_are_unambiguous() {
        for (name, valid) in [
            ("שלום", true),
            ("שָׁלוֹם", true), // with vowel points,
            ("مُحَمَّد", true), // within and at the end.
            ("שלום7", true),
            ("שלום-", false),     // Condition 3.
            ("7שלום", false),     // Condition 1.
            ("aשלום", false),     // Condition 5.
            ("שלוםa", false),     // Condition 2.
            ("ب1\u{661}", false), // Condition 4.
            ("ب\u{661}", true),
            ("7", true),
            ("7a", true),
        ] {
            assert_eq!(username(name).is_some(), valid, "{name:?}");
        }
    }

    #[test]
    fn what_is_prepared_stays_as_it_is() {
        // Composing takes the second l away from the MIDDLE DOT, which is noticed the second time.
        assert_eq!(opaque("l·l\u{327}"), None);
        let mut random = 1_u64;
        let mut prepared = 0;
        for _ in 0..20_000 {
            let text: String = (0..5)
                .filter_map(|_| {
                    random = random.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
                    let bases = [
                        0x20, 0x60, 0xa0, 0x300, 0x380, 0x5d0, 0x620, 0x940, 0x1e00, 0x30a0, 0xff60, 0x1f600,
                    ];
                    let base = bases[(random >> 60) as usize % bases.len()];
                    char::from_u32(base + (random >> 40) as u32 % 0x60)
                })
                .collect();
            for once in [username(&text), opaque(&text)].into_iter().flatten() {
                prepared += 1;
                assert_eq!(opaque(&once).as_ref(), Some(&once), "{text:?}");
            }
            if let Some(once) = username(&text) {
                assert_eq!(username(&once), Some(once), "{text:?}");
            }
        }
        assert!(prepared > 5_000);
    }
}
