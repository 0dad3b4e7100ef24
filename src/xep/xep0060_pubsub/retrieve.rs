//! Items for those who ask (XEP-0060 §6.5), page by page if they want (XEP-0059).

use super::{Request, unsupported};
use crate::core::Core;
use crate::core::module::Answer;
use crate::core::rsm::Rsm;
use crate::stanza::{Condition, StanzaError};
use crate::xml::Element;
use crate::xml::ns;

pub fn items(core: &mut Core, request: &Request<'_>) -> Result<Answer, StanzaError> {
    let (owner, name) = (&request.owner, request.required_node()?);
    core.may_read(owner, name, &request.from)?;
    if !core.node(owner, name)?.config().persist_items {
        return Err(unsupported("persistent-items")); // §6.5.9.4
    }
    let all = core.item_ids(owner, name)?;
    let wanted = request.action.children().filter(|child| child.is("item", ns::PUBSUB));
    let wanted: Vec<&str> = wanted.filter_map(|item| item.get_attr("id")).collect();
    let rsm = Rsm::read(request.pubsub)?;
    let (mut ids, mut paged): (Vec<String>, bool) = match (&wanted[..], request.action.get_attr("max_items"))
    {
        // §6.5.8: those that are there
        ([_, ..], _) => (all.iter().filter(|id| wanted.contains(&id.as_str())).cloned().collect(), false),
        // §6.5.7
        (_, Some(max)) => {
            let max: usize = max.parse().ok().filter(|max| *max > 0).ok_or(Condition::BadRequest)?;
            (all[all.len().saturating_sub(max)..].to_vec(), false)
        }
        _ => (page(&all, &rsm)?, rsm != Rsm::default()),
    };
    let mut list = Element::new("items", ns::PUBSUB).attr("node", name);
    let mut room = core.config.limits.outbox_bytes.max_len() / 2;
    // A page that ends at the last one loses its first when it is too large.
    let backwards = rsm.before.is_some();
    let mut found = Vec::new();
    let mut remaining = ids.iter();
    while let Some(id) = if backwards { remaining.next_back() } else { remaining.next() } {
        let Some(item) = core.item(owner, name, id)? else { continue };
        let element = item.to_element(ns::PUBSUB, true, core.node(owner, name)?);
        let bytes = element.to_bytes(ns::PUBSUB).len();
        // §6.5.4: what is too much for one answer is a page of it; one is always there.
        if bytes > room && !found.is_empty() {
            paged = true;
            break;
        }
        room = room.saturating_sub(bytes);
        found.push((item.id, element));
    }
    if backwards {
        found.reverse();
    }
    ids = found.iter().map(|(id, _)| id.clone()).collect();
    for (_, element) in found {
        list.push(element);
    }
    let mut answer = Element::new("pubsub", ns::PUBSUB).child(list);
    if paged {
        answer.push(set(&all, &ids));
    }
    Ok(Answer::Result(Some(answer)))
}

/// XEP-0059 §2: the ids of a page.
fn page(all: &[String], rsm: &Rsm) -> Result<Vec<String>, StanzaError> {
    let place = |id: &String| all.iter().position(|other| other == id).ok_or(Condition::ItemNotFound);
    let start = rsm.after.as_ref().map(|id| place(id).map(|at| at + 1)).transpose()?.unwrap_or(0);
    let before = rsm.before.as_ref().filter(|id| !id.is_empty());
    let end = before.map(place).transpose()?.unwrap_or(all.len());
    let between = all.get(start..end).unwrap_or_default();
    let max = rsm.max.unwrap_or(usize::MAX).min(between.len());
    let page = if rsm.before.is_some() { &between[between.len() - max..] } else { &between[..max] };
    Ok(page.to_vec())
}

/// XEP-0059 §2.2: which page it is, of how many items.
fn set(all: &[String], page: &[String]) -> Element {
    let child = |name, text: &str| Element::new(name, ns::RSM).text(text);
    let mut set = Element::new("set", ns::RSM);
    if let (Some(first), Some(last)) = (page.first(), page.last()) {
        let index = all.iter().position(|id| id == first).unwrap_or(0);
        set = set.child(child("first", first).attr("index", index.to_string())).child(child("last", last));
    }
    set.child(child("count", &all.len().to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all() -> Vec<String> {
        ["a", "b", "c", "d", "e"].map(String::from).to_vec()
    }

    fn rsm(max: Option<usize>, after: Option<&str>, before: Option<&str>) -> Rsm {
        Rsm { max, after: after.map(String::from), before: before.map(String::from) }
    }

    #[test]
    fn pages_go_forwards_and_backwards() {
        let page = |rsm| page(&all(), &rsm).map(|page| page.concat());
        assert_eq!(page(rsm(Some(2), None, None)).as_deref(), Ok("ab"));
        assert_eq!(page(rsm(Some(2), Some("b"), None)).as_deref(), Ok("cd"));
        assert_eq!(page(rsm(Some(2), Some("d"), None)).as_deref(), Ok("e"));
        assert_eq!(page(rsm(Some(2), Some("e"), None)).as_deref(), Ok(""));
        assert_eq!(page(rsm(Some(2), None, Some(""))).as_deref(), Ok("de"));
        assert_eq!(page(rsm(Some(2), None, Some("d"))).as_deref(), Ok("bc"));
        assert_eq!(page(rsm(Some(0), None, None)).as_deref(), Ok(""));
        assert_eq!(page(rsm(None, Some("d"), Some("b"))).as_deref(), Ok(""));
        assert_eq!(
            page(rsm(None, Some("x"), None)).map_err(|error| error.condition),
            Err(Condition::ItemNotFound)
        );
    }
}
