//! Who may do what to whom in a room (§5.1, §5.2, §8 to §10): rules over roles and affiliations, and nothing else.
//!
//! A role counts while one is in the room; someone who is not there has none. What is refused is refused with the
//! condition that the text names: `<forbidden/>` for who lacks the privilege altogether, `<not-allowed/>` for who has
//! it, but not over this person, `<conflict/>` for what nobody may do to oneself.

use crate::stanza::Condition;
use crate::store::record::{Role, RoomAffiliation, RoomConfig};

/// What somebody is in a room and to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Standing {
    pub role: Role,
    pub affiliation: RoomAffiliation,
}

impl Standing {
    fn is_moderator(self) -> bool {
        self.role == Role::Moderator
    }

    fn is_admin(self) -> bool {
        self.affiliation >= RoomAffiliation::Admin
    }
}

/// What a change of a role is called, and is a privilege of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum RoleChange {
    Kick,
    GrantVoice,
    RevokeVoice,
    GrantModerator,
    RevokeModerator,
}

impl RoleChange {
    fn of(from: Role, to: Role) -> RoleChange {
        match (from, to) {
            (_, Role::None) => RoleChange::Kick,
            (_, Role::Moderator) => RoleChange::GrantModerator,
            (Role::Moderator, _) => RoleChange::RevokeModerator,
            (_, Role::Participant) => RoleChange::GrantVoice,
            (_, Role::Visitor) => RoleChange::RevokeVoice,
        }
    }
}

/// Whether `actor` may give an occupant this role; `own`: it is the actor's own. §5.1.3 has the state chart.
pub fn may_change_role(actor: Standing, target: Standing, to: Role, own: bool) -> Result<(), Condition> {
    let change = RoleChange::of(target.role, to);
    let has_privilege = match change {
        RoleChange::Kick | RoleChange::GrantVoice | RoleChange::RevokeVoice => actor.is_moderator(), // §8
        // §8.4: to take an admin's voice is what a moderator may not do to an admin.
        RoleChange::RevokeModerator if to == Role::Visitor && target.is_admin() => {
            actor.is_moderator() || actor.is_admin()
        }
        RoleChange::GrantModerator | RoleChange::RevokeModerator => actor.is_admin(), // §9
    };
    if !has_privilege {
        return Err(Condition::Forbidden);
    }
    let is_out_of_reach = match change {
        // §8.2: whoever kicks oneself says sorry that way. Moderators are for admins to kick.
        RoleChange::Kick if own => false,
        RoleChange::Kick => {
            target.affiliation > actor.affiliation || target.is_moderator() && !actor.is_admin()
        }
        // §8.4. To have no affiliation is not to be at the level of others who have none.
        RoleChange::RevokeVoice => {
            target.affiliation >= RoomAffiliation::Member && target.affiliation >= actor.affiliation
        }
        RoleChange::RevokeModerator => target.is_admin(), // §8.4, §9.7
        RoleChange::GrantVoice | RoleChange::GrantModerator => false,
    };
    if is_out_of_reach { Err(Condition::NotAllowed) } else { Ok(()) }
}

/// Whether `actor` may change somebody's affiliation from one to another; `own`: it is the actor's own. §5.2.2 has the
/// state chart. That there is an owner at all is looked at when all changes are known.
pub fn may_change_affiliation(
    actor: RoomAffiliation,
    from: RoomAffiliation,
    to: RoomAffiliation,
    own: bool,
) -> Result<(), Condition> {
    use RoomAffiliation::{Admin, Outcast, Owner};
    match (actor, from, to) {
        _ if actor < Admin => Err(Condition::Forbidden),    // §9
        (_, _, Outcast) if own => Err(Condition::Conflict), // §9.1
        (Owner, ..) => Ok(()),                              // §10.3 to §10.8
        (_, Admin | Owner, Outcast) => Err(Condition::NotAllowed), // §9.1
        (_, Admin | Owner, _) | (_, _, Admin | Owner) => Err(Condition::Forbidden), // §10.5, §10.8
        _ => Ok(()),                                        // §9.1 to §9.5
    }
}

/// Whether `actor` may have the list of those with a role.
pub fn may_list_role(actor: Standing, role: Role) -> bool {
    match role {
        Role::None => false,
        Role::Visitor | Role::Participant => actor.is_moderator(), // §8.5
        Role::Moderator => actor.is_admin(),                       // §9.8
    }
}

/// Whether `actor` may have the list of those with an affiliation: with their real addresses, which only a room that is
/// not anonymous shows to members (§5.2.1, §9.5). A member who is not there counts as on entering.
pub fn may_list_affiliation(actor: Standing, affiliation: RoomAffiliation, config: &RoomConfig) -> bool {
    let is_for_members = config.non_anonymous
        && config.member_list != Role::None
        && actor.affiliation >= RoomAffiliation::Member
        && actor.role.max(initial_role(actor.affiliation, config)) >= config.member_list;
    match affiliation {
        RoomAffiliation::None => false,
        RoomAffiliation::Outcast => actor.is_admin(), // §9.2
        RoomAffiliation::Member => actor.is_admin() || is_for_members, // §9.5
        // §10.5, §10.8
        RoomAffiliation::Admin | RoomAffiliation::Owner => {
            actor.affiliation == RoomAffiliation::Owner || is_for_members
        }
    }
}

/// §5.1.2: the role of who enters.
pub fn initial_role(affiliation: RoomAffiliation, config: &RoomConfig) -> Role {
    match affiliation {
        RoomAffiliation::Outcast => Role::None,
        RoomAffiliation::None if config.moderated => Role::Visitor,
        RoomAffiliation::None | RoomAffiliation::Member => Role::Participant,
        RoomAffiliation::Admin | RoomAffiliation::Owner => Role::Moderator,
    }
}

/// The role of an occupant whose affiliation changes. What comes with an affiliation goes with it (§5.1.3); what was
/// granted beyond it stays.
pub fn role_after(role: Role, was: RoomAffiliation, now: RoomAffiliation, config: &RoomConfig) -> Role {
    let (before, after) = (initial_role(was, config), initial_role(now, config));
    if now >= was {
        role.max(after)
    } else if role <= before {
        role.min(after)
    } else {
        role
    }
}

/// Whether somebody may be in a room at all (§7.2.6, §7.2.7).
pub fn may_stay(affiliation: RoomAffiliation, config: &RoomConfig) -> bool {
    match affiliation {
        RoomAffiliation::Outcast => false,
        RoomAffiliation::None => !config.members_only,
        _ => true,
    }
}
