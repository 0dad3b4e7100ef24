//! What goes out of the archive, a little at a time (§3.2).

use super::*;
use stube::config::Limit;
use stube::store::Table;

const DAY: u64 = 24 * 60 * 60 * 1000;
const MINUTE: u64 = 60_000;

/// Archives with messages of so many days, one account each side, kept for a day.
fn world_of_a_day() -> (World, Client, Client) {
    meet(World::with(|config| {
        config.archive.keep_days = Limit::of(1);
        config.limits.idle_seconds = Limit::OFF;
    }))
}

/// The same, where everything is kept.
fn world() -> (World, Client, Client) {
    let (mut world, romeo, juliet) = world_of_a_day();
    world.configure(|config| config.archive.keep_days = Limit::of(0));
    (world, romeo, juliet)
}

fn rows(world: &World) -> (usize, usize) {
    (world.rows(Table::Archive), world.rows(Table::ArchiveIndex))
}

/// Lets the server's own work be done, one step at a time; says how often it removed something.
fn work(world: &mut World) -> usize {
    let mut steps = 0;
    for _ in 0..200 {
        let before = rows(world);
        let (now, due) = (world.now, world.core.next_tick());
        if due > now + 5 * MINUTE {
            break;
        }
        world.advance(due.saturating_sub(now));
        steps += usize::from(rows(world) != before);
    }
    steps
}

#[test]
fn messages_go_when_they_are_older_than_the_operator_wants() {
    let (mut world, romeo, juliet) = world_of_a_day();
    say(&mut world, romeo, "juliet", "old");
    world.advance(DAY / 2);
    say(&mut world, romeo, "juliet", "young");
    world.advance(DAY / 2);
    world.advance(11 * MINUTE);
    work(&mut world);
    for client in [romeo, juliet] {
        assert_eq!(found(&mut world, client, ""), ["young"]);
    }
    assert_eq!(rows(&world), (1, 2));
    world.advance(DAY);
    work(&mut world);
    assert_eq!(rows(&world), (0, 0));
}

#[test]
fn many_old_messages_go_in_small_steps() {
    let (mut world, romeo, _) = world_of_a_day();
    for from in (0..2_000).step_by(500) {
        say_numbers(&mut world, romeo, "juliet", from..from + 500);
    }
    world.advance(DAY - MINUTE);
    say(&mut world, romeo, "juliet", "young");
    world.advance(15 * MINUTE);
    let before = rows(&world).0;
    assert!(before > 1_700, "{before} of 2,001 are left after the first step");
    let steps = work(&mut world);
    assert!(steps >= 8, "{steps} steps");
    assert_eq!(rows(&world), (1, 2));
    assert_eq!(found(&mut world, romeo, ""), ["young"]);
}

#[test]
fn what_is_to_be_kept_for_ever_is() {
    let (mut world, romeo, _) = world_of_a_day();
    world.configure(|config| config.archive.keep_days = Limit::of(0));
    say(&mut world, romeo, "juliet", "hi");
    for _ in 0..5 {
        world.advance(1_000 * DAY);
    }
    assert_eq!(rows(&world), (1, 2));
}

#[test]
fn an_id_of_a_message_that_is_gone_is_not_found() {
    let (mut world, romeo, _) = world_of_a_day();
    say(&mut world, romeo, "juliet", "old");
    let id = all_ids(&mut world, romeo).remove(0);
    world.advance(DAY + 11 * MINUTE);
    work(&mut world);
    assert_eq!(refused(&mut world, romeo, &form(&[("after-id", &id)])), "item-not-found");
}

#[test]
fn nothing_is_removed_while_the_disk_refuses() {
    let (mut world, romeo, _) = world_of_a_day();
    say(&mut world, romeo, "juliet", "old");
    world.handle(stube::core::Event::StoreStalled("the disk is full".into()));
    world.advance(DAY + 11 * MINUTE);
    assert_eq!(rows(&world), (1, 2));
    world.handle(stube::core::Event::StoreResumed);
    world.advance(MINUTE);
    assert_eq!(rows(&world), (0, 0));
}

fn remove(world: &mut World, name: &str) {
    world.control(stube::control::Request::UserRemove { address: format!("{name}@example.org") });
}

#[test]
fn a_deleted_accounts_archive_goes_in_small_steps_and_others_keep_their_share() {
    let (mut world, romeo, juliet) = world();
    let nurse = world.online("nurse", "x");
    say_numbers(&mut world, romeo, "juliet", 0..500);
    say_numbers(&mut world, romeo, "nurse", 0..500);
    world.clear(nurse);
    remove(&mut world, "juliet");
    let _ = juliet;
    assert_eq!(rows(&world), (1_000, 0), "not at once");
    assert!(work(&mut world) >= 3);
    assert_eq!(rows(&world), (1_000, 1_500));
    assert_eq!(found(&mut world, romeo, &form(&[("with", "juliet@example.org")])).len(), 50);
    remove(&mut world, "nurse");
    remove(&mut world, "romeo");
    work(&mut world);
    assert_eq!(rows(&world), (0, 0));
    assert_eq!(world.rows(Table::ArchiveRemains), 0);
}

#[test]
fn a_restart_in_the_middle_of_a_deletion_changes_nothing() {
    let (mut world, romeo, _) = world();
    for from in (0..1_000).step_by(500) {
        say_numbers(&mut world, romeo, "juliet", from..from + 500);
    }
    world.advance(MINUTE);
    remove(&mut world, "juliet");
    world.advance(150);
    let (_, left) = rows(&world);
    assert!((1_000..2_000).contains(&left), "{left}");
    world.restart();
    work(&mut world);
    assert_eq!(rows(&world), (1_000, 1_000));
    assert_eq!(world.rows(Table::ArchiveRemains), 0);
    // The name is free, and its archive is empty.
    let juliet = world.login("juliet", "balcony");
    assert!(found(&mut world, juliet, "").is_empty());
    let romeo = world.login("romeo", "orchard");
    assert_eq!(found(&mut world, romeo, "").len(), 50);
}

#[test]
fn a_name_that_is_taken_again_at_once_has_nothing_of_the_old_archive() {
    let (mut world, romeo, _) = world();
    say(&mut world, romeo, "juliet", "to the old one");
    remove(&mut world, "juliet");
    let juliet = world.online("juliet", "balcony");
    say(&mut world, romeo, "juliet", "to the new one");
    assert_eq!(found(&mut world, juliet, ""), ["to the new one"]);
    work(&mut world);
    assert_eq!(found(&mut world, juliet, ""), ["to the new one"]);
    assert_eq!(rows(&world), (2, 3));
}

#[test]
fn what_was_not_on_disk_when_its_account_was_deleted_goes_too() {
    let (mut world, romeo, _) = world();
    world.hold_commits();
    say(&mut world, romeo, "juliet", "hi");
    remove(&mut world, "juliet");
    remove(&mut world, "romeo");
    world.advance(1_000);
    world.commit();
    assert_eq!(rows(&world).0, 1);
    work(&mut world);
    assert_eq!(rows(&world), (0, 0));
}
