//! Result set management (XEP-0059): how a request asks for a page, and how an answer says which one it is.
//!
//! Ids are whatever the results have; who looks them up answers `<item-not-found/>` for one that is not there (§2.4).
//! Pages are not found by `<index/>`: the text allows to say so (§2.6).

use std::ops::Range;

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

impl Rsm {
    /// Which of `count` results that lie in memory in their order are on the page, `most` at most. `find` looks for an id
    /// as [`slice::binary_search`] does; `None`: what is gone has no place any more (§2.4).
    pub fn range(
        &self,
        count: usize,
        most: usize,
        find: impl Fn(&str) -> Option<Result<usize, usize>>,
    ) -> Result<Range<usize>, StanzaError> {
        let most = self.max.map_or(most, |max| max.min(most));
        let find = |id: &String| find(id).ok_or(Condition::ItemNotFound);
        let start = match &self.after {
            Some(id) => match find(id)? {
                Ok(place) => place + 1,
                Err(place) => place,
            },
            None => 0,
        };
        let end = match self.before.as_ref().filter(|id| !id.is_empty()) {
            Some(id) => find(id)?.unwrap_or_else(|place| place).max(start),
            None => count,
        };
        Ok(match self.before {
            Some(_) => end.saturating_sub(most).max(start)..end,
            None => start..end.min(start.saturating_add(most)),
        })
    }
}

/// The `<set/>` of an answer with a page whose place is known (§2.2).
pub fn page_at(range: &Range<usize>, count: usize, id: impl Fn(usize) -> String) -> Element {
    let mut set = Element::new("set", ns::RSM);
    if !range.is_empty() {
        let first = Element::new("first", ns::RSM).attr("index", range.start.to_string());
        set = set.child(first.text(&id(range.start)));
        set = set.child(Element::new("last", ns::RSM).text(&id(range.end - 1)));
    }
    set.child(Element::new("count", ns::RSM).text(&count.to_string()))
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
    fn a_page_lies_behind_one_result_or_before_another() {
        let all = ["b", "d", "f", "h"];
        let range = |max: Option<usize>, after: Option<&str>, before: Option<&str>| {
            let text = |id: Option<&str>| id.map(str::to_owned);
            let rsm = Rsm { max, after: text(after), before: text(before) };
            rsm.range(all.len(), 3, |id| Some(all.binary_search(&id))).expect("a page")
        };
        assert_eq!(range(None, None, None), 0..3);
        assert_eq!(range(Some(2), None, None), 0..2);
        assert_eq!(range(Some(0), None, None), 0..0);
        assert_eq!(range(None, Some("d"), None), 2..4);
        assert_eq!(range(None, Some("e"), None), 2..4, "what is gone had its place");
        assert_eq!(range(None, Some("z"), None), 4..4);
        assert_eq!(range(Some(2), None, Some("")), 2..4);
        assert_eq!(range(Some(2), None, Some("f")), 0..2);
        assert_eq!(range(Some(1), None, Some("g")), 2..3);
        assert_eq!(range(None, Some("h"), Some("b")), 4..4);
        let unordered = Rsm { after: Some("e".into()), ..Rsm::default() };
        assert_eq!(unordered.range(4, 3, |_| None).map_err(|e| e.condition), Err(Condition::ItemNotFound));
    }

    #[test]
    fn pages_are_not_found_by_number() {
        assert_eq!(read(&[("index", "3")]), Err(Condition::FeatureNotImplemented));
    }
}
