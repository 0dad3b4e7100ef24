//! Result set management (XEP-0059): how a request asks for a page, and how an answer says which one it is.
//!
//! Ids are whatever the results have; who looks them up answers `<item-not-found/>` for one that is not there (§2.4).
//! Pages are not found by `<index/>`: the text allows to say so (§2.6).

use crate::stanza::{Condition, StanzaError};
use crate::xml::{Element, ns};

/// The page that a request asks for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rsm {
    pub max: Option<usize>,
    /// The page begins behind this one (§2.2).
    pub after: Option<String>,
    /// The page ends before this one (§2.3); empty: it is the last page (§2.5).
    pub before: Option<String>,
}

impl Rsm {
    /// What the `<set/>` in a request says; the default if there is none.
    pub fn read(request: &Element) -> Result<Rsm, StanzaError> {
        let Some(set) = request.find("set", ns::RSM) else { return Ok(Rsm::default()) };
        let mut rsm = Rsm::default();
        for child in set.children().filter(|child| child.ns == ns::RSM) {
            let text = child.text_content();
            let again = match child.name.as_str() {
                "max" => rsm.max.replace(number(&text)?).is_some(),
                "after" => rsm.after.replace(text).is_some(),
                "before" => rsm.before.replace(text).is_some(),
                "index" => return Err(Condition::FeatureNotImplemented.into()),
                _ => false,
            };
            if again {
                return Err(Condition::BadRequest.into());
            }
        }
        Ok(rsm)
    }
}

/// The `<set/>` of an answer with the ids of its first and last result; none, if it has no results (§2.2).
pub fn page(ends: Option<(&str, &str)>, count: Option<usize>) -> Element {
    let child = |name, text: &str| Element::new(name, ns::RSM).text(text);
    let mut set = Element::new("set", ns::RSM);
    if let Some((first, last)) = ends {
        set = set.child(child("first", first)).child(child("last", last));
    }
    match count {
        Some(count) => set.child(child("count", &count.to_string())),
        None => set,
    }
}

/// Of the schema's `xs:int`, none below zero makes sense; a larger number is as good as this one.
fn number(text: &str) -> Result<usize, StanzaError> {
    let text = text.trim();
    if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(Condition::BadRequest.into());
    }
    Ok(text.parse().unwrap_or(usize::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(children: &[(&str, &str)]) -> Result<Rsm, Condition> {
        let set = children.iter().fold(Element::new("set", ns::RSM), |set, (name, text)| {
            set.child(Element::new(*name, ns::RSM).text(text))
        });
        Rsm::read(&Element::new("query", "urn:x").child(set)).map_err(|error| error.condition)
    }

    #[test]
    fn a_request_without_a_set_asks_for_nothing_special() {
        assert_eq!(Rsm::read(&Element::new("query", "urn:x")), Ok(Rsm::default()));
        assert_eq!(read(&[]), Ok(Rsm::default()));
    }

    #[test]
    fn an_empty_before_is_the_last_page_and_none_is_the_first() {
        assert_eq!(read(&[("before", "")]).expect("a page").before.as_deref(), Some(""));
        assert_eq!(read(&[("max", "10")]).expect("a page"), Rsm { max: Some(10), ..Rsm::default() });
    }

    #[test]
    fn a_size_is_a_number_that_may_be_huge_but_not_negative() {
        assert_eq!(read(&[("max", &"9".repeat(50))]).expect("a page").max, Some(usize::MAX));
        for max in ["", "-1", "+1", "1.5", "many"] {
            assert_eq!(read(&[("max", max)]), Err(Condition::BadRequest), "{max}");
        }
        assert_eq!(read(&[("max", "1"), ("max", "2")]), Err(Condition::BadRequest));
    }

    #[test]
    fn pages_are_not_found_by_number() {
        assert_eq!(read(&[("index", "3")]), Err(Condition::FeatureNotImplemented));
    }
}
