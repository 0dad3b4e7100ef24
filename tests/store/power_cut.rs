//! What was acknowledged is there after a power cut, and each batch is there whole or not at all.

use super::faulty::{Ending, Faults, Faulty};
use super::{Chance, Options, numbered, numbered_there, options};
use stube::store::Store;

/// Commits numbered batches in small groups and cuts the power in the midst of it.
fn story(seed: u64, options: Options, flaky: usize) {
    let mut chance = Chance::new(seed);
    let storage = Faulty::new();
    let mut committer = Store::open_backend(storage.clone(), options.clone()).expect("opens").committer;
    storage.seed(seed);
    storage.set(Faults { flaky, ..Faults::default() });
    storage.end_after(chance.below(400) as u64, Ending::PowerCut(chance.next()));
    let (mut seq, mut acknowledged) = (0, 0);
    let image = loop {
        let group: Vec<_> =
            (0..1 + chance.below(4) as u64).map(|offset| numbered(seq + 1 + offset)).collect();
        seq += group.len() as u64;
        let mut tries = 0;
        while committer.apply(&group).is_err() {
            tries += 1;
            assert!(tries < 10_000, "seed {seed}: never came through");
        }
        if let Some(image) = storage.take_image() {
            break image;
        }
        acknowledged = seq;
    };
    let reader = Store::open_backend(Faulty::holding(image), options)
        .unwrap_or_else(|error| panic!("seed {seed}: {error}"))
        .reader;
    let there = numbered_there(&reader);
    assert!(there >= acknowledged, "seed {seed}: {acknowledged} were acknowledged, {there} are there");
    assert_eq!(reader.secret().expect("readable"), super::SECRET);
}

#[test]
fn nothing_acknowledged_is_lost_at_a_power_cut() {
    (0..150).for_each(|seed| story(seed, options(), 0));
}

#[test]
fn nothing_acknowledged_is_lost_at_a_power_cut_with_quick_repair() {
    (0..150).for_each(|seed| story(seed, Options { quick_repair: true, ..options() }, 0));
}

#[test]
fn nothing_acknowledged_is_lost_at_a_power_cut_of_a_disk_that_keeps_failing() {
    for seed in 0..150 {
        story(seed, options(), 20);
        story(seed, Options { quick_repair: true, ..options() }, 20);
    }
}
