//! §5.1, §5.2, §8, §9, §10: each privilege, tried by everyone on everyone, against the text's tables.
//!
//! In the tables `+` is done, `f` forbidden, `n` not allowed. An absent admin or owner is one who is not in the room; a
//! plain person is a visitor, a participant or absent, and nobody or a member to the room.

use stube::config::Limit;

use crate::client::Client;
use crate::rooms::{ADMIN, OWNER, ROOM, entering};
use crate::world::{World, condition_of};

/// Rows of the tables: name, affiliation, role.
const ACTORS: &[(&str, &str, &str)] = &[
    ("plain", "none", "none"),
    ("plain", "none", "visitor"),
    ("plain", "none", "participant"),
    ("plain", "member", "none"),
    ("plain", "member", "visitor"),
    ("plain", "member", "participant"),
    ("moderator", "none", "moderator"),
    ("member moderator", "member", "moderator"),
    ("absent admin", "admin", "none"),
    ("admin", "admin", "moderator"),
    ("absent owner", "owner", "none"),
    ("owner", "owner", "moderator"),
];

/// Columns of the tables of roles: affiliation, role.
const OCCUPANTS: &[(&str, &str)] = &[
    ("none", "visitor"),
    ("none", "participant"),
    ("none", "moderator"),
    ("member", "visitor"),
    ("member", "participant"),
    ("member", "moderator"),
    ("admin", "moderator"),
    ("owner", "moderator"),
];

/// The new role, and who may give it to whom.
const ROLES: &[(&str, &str)] = &[
    // §5.1.1 "Kick Participants and Visitors", §8.2
    (
        "none",
        "                   nobody   member   admin owner
                            v p m    v p m    m     m
         plain            | f f f    f f f    f     f
         moderator        | + + n    n n n    n     n
         member moderator | + + n    + + n    n     n
         absent admin     | f f f    f f f    f     f
         admin            | + + +    + + +    +     n
         absent owner     | f f f    f f f    f     f
         owner            | + + +    + + +    +     +",
    ),
    // §5.1.1 "Revoke Voice", §8.4
    (
        "visitor",
        "                   nobody   member   admin owner
                            v p m    v p m    m     m
         plain            | f f f    f f f    f     f
         moderator        | + + f    n n f    n     n
         member moderator | + + f    n n f    n     n
         absent admin     | f f +    f f +    n     n
         admin            | + + +    + + +    n     n
         absent owner     | f f +    f f +    n     n
         owner            | + + +    + + +    n     n",
    ),
    // §5.1.1 "Grant Voice", §8.3; §5.2.1 "Assign and Remove Moderator Role", §9.7
    (
        "participant",
        "                   nobody   member   admin owner
                            v p m    v p m    m     m
         plain            | f f f    f f f    f     f
         moderator        | + + f    + + f    f     f
         member moderator | + + f    + + f    f     f
         absent admin     | f f +    f f +    n     n
         admin            | + + +    + + +    n     n
         absent owner     | f f +    f f +    n     n
         owner            | + + +    + + +    n     n",
    ),
    // §5.2.1 "Assign and Remove Moderator Role", §9.6
    (
        "moderator",
        "                   nobody   member   admin owner
                            v p m    v p m    m     m
         plain            | f f f    f f f    f     f
         moderator        | f f f    f f f    f     f
         member moderator | f f f    f f f    f     f
         absent admin     | + + +    + + +    +     +
         admin            | + + +    + + +    +     +
         absent owner     | + + +    + + +    +     +
         owner            | + + +    + + +    +     +",
    ),
];

/// Columns of the tables of affiliations.
const AFFILIATIONS: &[&str] = &["outcast", "none", "member", "admin", "owner"];

/// The new affiliation, and who may give it to whom.
const CHANGES: &[(&str, &str)] = &[
    // §5.2.1 "Ban Members and Unaffiliated Users", §9.1
    (
        "outcast",
        "                   outcast none member admin owner
         plain            | f       f    f      f     f
         moderator        | f       f    f      f     f
         member moderator | f       f    f      f     f
         absent admin     | +       +    +      n     n
         admin            | +       +    +      n     n
         absent owner     | +       +    +      +     +
         owner            | +       +    +      +     +",
    ),
    // §5.2.1 "Edit Member List", §9.2, §9.4, §10.4, §10.7
    (
        "none",
        "                   outcast none member admin owner
         plain            | f       f    f      f     f
         moderator        | f       f    f      f     f
         member moderator | f       f    f      f     f
         absent admin     | +       +    +      f     f
         admin            | +       +    +      f     f
         absent owner     | +       +    +      +     +
         owner            | +       +    +      +     +",
    ),
    // §5.2.1 "Edit Member List", §9.3, §10.4, §10.7
    (
        "member",
        "                   outcast none member admin owner
         plain            | f       f    f      f     f
         moderator        | f       f    f      f     f
         member moderator | f       f    f      f     f
         absent admin     | +       +    +      f     f
         admin            | +       +    +      f     f
         absent owner     | +       +    +      +     +
         owner            | +       +    +      +     +",
    ),
    // §5.2.1 "Edit Admin List", §10.6, §10.8
    (
        "admin",
        "                   outcast none member admin owner
         plain            | f       f    f      f     f
         moderator        | f       f    f      f     f
         member moderator | f       f    f      f     f
         absent admin     | f       f    f      f     f
         admin            | f       f    f      f     f
         absent owner     | +       +    +      +     +
         owner            | +       +    +      +     +",
    ),
    // §5.2.1 "Edit Owner List", §10.3, §10.5
    (
        "owner",
        "                   outcast none member admin owner
         plain            | f       f    f      f     f
         moderator        | f       f    f      f     f
         member moderator | f       f    f      f     f
         absent admin     | f       f    f      f     f
         admin            | f       f    f      f     f
         absent owner     | +       +    +      +     +
         owner            | +       +    +      +     +",
    ),
];

/// §8.5, §9.2, §9.5, §9.8, §10.5, §10.8, in a room that hides addresses; and §5.2.1 "Change Room Configuration".
const LISTS: &str = "       visitor participant moderator outcast member admin owner configuration
         plain            | f       f           f         f       f      f     f     f
         moderator        | +       +           f         f       f      f     f     f
         member moderator | +       +           f         f       f      f     f     f
         absent admin     | f       f           +         +       +      f     f     f
         admin            | +       +           +         +       +      f     f     f
         absent owner     | f       f           +         +       +      +     +     +
         owner            | +       +           +         +       +      +     +     +";

/// The cells of one row.
fn row(table: &str, name: &str) -> Vec<String> {
    let mut rows = table.lines().filter_map(|line| line.split_once('|'));
    let (_, cells) = rows.find(|(row, _)| row.trim() == name).unwrap_or_else(|| panic!("a row for {name}"));
    cells.split_whitespace().map(str::to_owned).collect()
}

/// A room, and what its owner needs to bring people where they shall be.
struct Stage {
    world: World,
    boss: Client,
}

impl Stage {
    fn new() -> Stage {
        let mut world = World::with(|config| config.rooms.messages_per_minute = Limit::OFF);
        let boss = world.room_of(&["boss"])[0];
        Stage { world, boss }
    }

    fn ask(&mut self, client: Client, item: &str) -> String {
        let request =
            format!("<iq type='set' id='try' to='{ROOM}'><query xmlns='{ADMIN}'>{item}</query></iq>");
        self.outcome(client, &request)
    }

    fn outcome(&mut self, client: Client, request: &str) -> String {
        let answer = self.world.ask(client, request);
        match condition_of(&answer).as_deref() {
            None => "+".into(),
            Some("forbidden") => "f".into(),
            Some("not-allowed") => "n".into(),
            Some(other) => other.to_owned(),
        }
    }

    fn order(&mut self, item: &str) {
        assert_eq!(self.ask(self.boss, item), "+", "{item}");
    }

    /// Somebody gets this affiliation and, in the room or not, this role.
    fn place(&mut self, client: Client, name: &str, affiliation: &str, role: &str) {
        self.order(&format!("<item jid='{name}@example.org' affiliation='{affiliation}'/>"));
        if role == "none" {
            self.world.send(client, &format!("<presence type='unavailable' to='{ROOM}/{name}'/>"));
        } else {
            self.world.send(client, &entering(ROOM, name));
            if matches!(affiliation, "none" | "member") {
                self.order(&format!("<item nick='{name}' role='{role}'/>"));
            }
        }
        self.world.clear(client);
        self.world.clear(self.boss);
    }

    /// Everyone of the rows.
    fn actors(&mut self) -> Vec<(&'static str, Client)> {
        let mut actors = Vec::new();
        for (n, (row, affiliation, role)) in ACTORS.iter().enumerate() {
            let name = format!("actor{n}");
            let client = self.world.online(&name, "phone");
            self.place(client, &name, affiliation, role);
            actors.push((*row, client));
        }
        actors
    }
}

#[test]
fn roles_are_changed_by_those_who_may() {
    let mut stage = Stage::new();
    let actors = stage.actors();
    for (column, (affiliation, role)) in OCCUPANTS.iter().enumerate() {
        let target = stage.world.online("target", &format!("phone{column}"));
        stage.place(target, "target", affiliation, role);
        for (to, table) in ROLES {
            for (name, actor) in &actors {
                let outcome = stage.ask(*actor, &format!("<item nick='target' role='{to}'/>"));
                assert_eq!(outcome, row(table, name)[column], "{name}: {affiliation} {role} to {to}");
                if outcome == "+" {
                    stage.place(target, "target", affiliation, role);
                }
            }
        }
        stage.world.close(target);
    }
}

#[test]
fn affiliations_are_changed_by_those_who_may() {
    let mut stage = Stage::new();
    let actors = stage.actors();
    let is_now = |stage: &mut Stage, affiliation: &str| {
        let list = format!(
            "<iq type='get' id='l' to='{ROOM}'><query xmlns='{ADMIN}'><item affiliation='{affiliation}'/></query></iq>"
        );
        let list = stage.world.expect_result(stage.boss, &list);
        let mut items = list.find("query", ADMIN).expect("a list").children();
        items.any(|item| item.get_attr("jid") == Some("target@example.org"))
    };
    for (column, affiliation) in AFFILIATIONS.iter().enumerate() {
        let put = format!("<item jid='target@example.org' affiliation='{affiliation}'/>");
        stage.order(&put);
        for (to, table) in CHANGES {
            for (name, actor) in &actors {
                let outcome =
                    stage.ask(*actor, &format!("<item jid='target@example.org' affiliation='{to}'/>"));
                assert_eq!(outcome, row(table, name)[column], "{name}: {affiliation} to {to}");
                let expected = if outcome == "+" { to } else { affiliation };
                if *expected != "none" {
                    assert!(is_now(&mut stage, expected), "{name}: {affiliation} to {to}");
                }
                stage.order(&put);
            }
        }
    }
}

#[test]
fn lists_and_the_configuration_are_seen_by_those_who_may() {
    let mut stage = Stage::new();
    let columns = ["visitor", "participant", "moderator", "outcast", "member", "admin", "owner"];
    for (name, actor) in stage.actors() {
        let cells = row(LISTS, name);
        for (column, what) in columns.iter().enumerate() {
            let attr = if column < 3 { "role" } else { "affiliation" };
            let list = format!(
                "<iq type='get' id='l' to='{ROOM}'><query xmlns='{ADMIN}'><item {attr}='{what}'/></query></iq>"
            );
            assert_eq!(stage.outcome(actor, &list), cells[column], "{name}: the list of {what}s");
        }
        let form = format!("<iq type='get' id='f' to='{ROOM}'><query xmlns='{OWNER}'/></iq>");
        assert_eq!(stage.outcome(actor, &form), cells[7], "{name}: the configuration");
    }
}
