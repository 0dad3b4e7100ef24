//! Whatever is published, retracted and configured in whatever order, with crashes in between: the items are those that a
//! list of them in a test would have.

use super::*;
use crate::chance::Chance;

/// What must be there: names, and for each the ids of its items, oldest first, and how many it takes.
#[derive(Clone, Default)]
struct Model(std::collections::BTreeMap<&'static str, (Vec<String>, usize)>);

const NODES: [&str; 3] = ["a", "b", "c"];
const LIMIT: usize = 4;

impl Model {
    fn publish(&mut self, node: &'static str, id: String) {
        // PEP's default is one item.
        let (items, room) = self.0.entry(node).or_insert((Vec::new(), 1));
        items.retain(|other| *other != id);
        items.push(id);
        while items.len() > *room {
            items.remove(0);
        }
    }
}

#[test]
fn items_are_those_that_a_simple_list_would_have() {
    for seed in 0..12 {
        story(&mut Chance::new(seed));
    }
}

fn story(chance: &mut Chance) {
    let home = "hamlet@example.org";
    let mut world = World::with(|config| config.limits.pubsub_items = stube::config::Limit::of(LIMIT as u64));
    let mut hamlet = world.online("hamlet", "elsinore");
    let mut model = Model::default();
    for _ in 0..60 {
        let node = *chance_of(chance, &NODES);
        let known = model.0.contains_key(node);
        match chance.below(12) {
            0..=4 => {
                let id = chance.below(6).to_string();
                world.expect_result(hamlet, &publish(home, node, &id));
                model.publish(node, id);
            }
            5 if known => {
                let max = chance.below(LIMIT + 1);
                let (value, room) = if max == 0 { ("max".into(), LIMIT) } else { (max.to_string(), max) };
                configure(&mut world, hamlet, home, node, &[("max_items", &value)]);
                let (items, old) = model.0.get_mut(node).expect("known");
                *old = room;
                items.drain(..items.len().saturating_sub(room));
            }
            6 if known => {
                let id = chance.below(6).to_string();
                let request = set(home, &format!("<retract node='{node}'><item id='{id}'/></retract>"));
                let (items, _) = model.0.get_mut(node).expect("known");
                let was_there = items.contains(&id);
                items.retain(|other| *other != id);
                let answer = world.ask(hamlet, &request);
                assert_eq!(answer.get_attr("type") == Some("result"), was_there, "{}", show(&answer));
            }
            7 if known => {
                world.expect_result(hamlet, &owner_set(home, &format!("<purge node='{node}'/>")));
                model.0.get_mut(node).expect("known").0.clear();
            }
            8 if known && chance.one_in(2) => {
                world.expect_result(hamlet, &owner_set(home, &format!("<delete node='{node}'/>")));
                model.0.remove(node);
            }
            9 => world.advance(chance.below(200_000) as u64),
            10 => {
                // What has no answer yet may be lost, and nothing else.
                world.hold_commits();
                world.send(hamlet, &publish(home, node, "lost"));
                world.send(hamlet, &owner_set(home, &format!("<purge node='{node}'/>")));
                world.restart();
                hamlet = world.online("hamlet", "elsinore");
            }
            11 => {
                world.restart();
                hamlet = world.online("hamlet", "elsinore");
            }
            _ => {}
        }
        for node in NODES {
            match model.0.get(node) {
                Some((items, _)) => assert_eq!(all_ids(&mut world, hamlet, home, node), *items),
                None => world.expect_error(
                    hamlet,
                    &get(home, &format!("<items node='{node}'/>")),
                    "item-not-found",
                ),
            }
        }
    }
}

fn chance_of<'a, T>(chance: &mut Chance, all: &'a [T]) -> &'a T {
    &all[chance.below(all.len())]
}
