//! Runs a story by many seeds.
//!
//! `SEEDS=10000` runs more of them, `SEED=7` one; a seed that fails is printed.

use std::sync::atomic::{AtomicU64, Ordering};

/// Lives the story for each seed, so many of them if nothing else is wanted.
pub fn run(usual: u64, story: impl Fn(u64) + Sync) {
    let number = |name: &str| std::env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
    let seeds = match number("SEED") {
        Some(seed) => seed..seed + 1,
        None => 0..number("SEEDS").unwrap_or(usual),
    };
    let next = AtomicU64::new(seeds.start);
    let work = || {
        loop {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed >= seeds.end {
                return;
            }
            let _announce = Announce(seed);
            story(seed);
        }
    };
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(work);
        }
    });
}

/// Says which seed it was if a test fails.
struct Announce(u64);

impl Drop for Announce {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("the seed is {}: SEED={0} repeats it", self.0);
        }
    }
}
