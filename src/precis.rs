//! Which strings may be names, and when two of them are the same: PRECIS (RFC 8264) and its profiles
//! UsernameCaseMapped and OpaqueString (RFC 8265).
//!
//! A profile gives back the prepared string, or nothing if the string is none of that profile. What is prepared
//! stays as it is when it is prepared again. The tables are those of ICU4X, which IDNA brings along anyway; the
//! rules that are made of them stand here in the order of RFC 8264 §8 and §9 and RFC 5892 appendix A.
//!
//! ASCII needs none of the tables and takes a short way, which must lead to the same place.

use std::borrow::Cow;

use icu_normalizer::{ComposingNormalizerBorrowed, ComposingNormalizerBorrowed as Normalizer};
use icu_properties::props::{
    BidiClass, BinaryProperty, CanonicalCombiningClass, DefaultIgnorableCodePoint, EastAsianWidth,
    EnumeratedProperty, GeneralCategory, HangulSyllableType, JoinControl, JoiningType, NoncharacterCodePoint,
    Script,
};

const NFC: ComposingNormalizerBorrowed = Normalizer::new_nfc();
const NFKC: ComposingNormalizerBorrowed = Normalizer::new_nfkc();

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
    // Without the context-dependent final sigma: a letter's mapping must not depend on what follows it.
    let name: String = name.chars().flat_map(char::to_lowercase).collect();
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
