//! The IDs by which Feishu knows the tenant's people and rooms.

use crate::random::derive_key;

/// The parameter `user_id_type`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::enum_variant_names, reason = "the names of the API")]
pub(crate) enum UserIdType {
    /// One per person and app: `ou_...`.
    OpenId,
    /// One per person and developer: `on_...`.
    UnionId,
    /// One per person and tenant: eight characters.
    UserId,
}

pub(crate) fn employee_id(ordinal: u32) -> String {
    format!("E{:05}", ordinal + 1)
}

pub(crate) fn user_id(seed: u64, ordinal: u32, id_type: UserIdType) -> String {
    let person = derive_key(derive_key(seed, 0x6964), u64::from(ordinal));
    // The ordinal in front keeps IDs unique for up to a million people.
    id_of_type(person, id_type, || format!("{:05x}{:03x}", ordinal, derive_key(person, 5) & 0xFFF))
}

/// The ID of a person of another tenant.
pub(crate) fn foreign_user_id(seed: u64, ordinal: u32, id_type: UserIdType) -> String {
    let person = derive_key(derive_key(seed, 0x666F_7265), u64::from(ordinal));
    id_of_type(person, id_type, || format!("x{:07x}", derive_key(person, 5) & 0xFFF_FFFF))
}

fn id_of_type(person: u64, id_type: UserIdType, user_id: impl FnOnce() -> String) -> String {
    match id_type {
        UserIdType::OpenId => format!("ou_{:016x}{:016x}", derive_key(person, 1), derive_key(person, 2)),
        UserIdType::UnionId => format!("on_{:016x}{:016x}", derive_key(person, 3), derive_key(person, 4)),
        UserIdType::UserId => user_id(),
    }
}

pub(crate) fn room_id(seed: u64, room: usize) -> String {
    let room = derive_key(derive_key(seed, 0x726F_6F6D), room as u64);
    format!("omm_{:016x}{:016x}", derive_key(room, 1), derive_key(room, 2))
}

/// `level` is the number of a [`super::places::RoomLevel`].
pub(crate) fn room_level_id(seed: u64, level: usize) -> String {
    let level = derive_key(derive_key(seed, 0x6C65_7665), level as u64);
    format!("omb_{:016x}{:016x}", derive_key(level, 1), derive_key(level, 2))
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn ids_are_unique_and_of_the_requested_form() {
        for (id_type, prefix) in [(UserIdType::OpenId, "ou_"), (UserIdType::UnionId, "on_"), (UserIdType::UserId, "0")]
        {
            let ids: HashSet<String> = (0..5000).map(|person| user_id(9, person, id_type)).collect();
            assert_eq!(ids.len(), 5000);
            assert!(ids.iter().all(|id| id.starts_with(prefix)));
            let foreign: HashSet<String> = (0..200).map(|person| foreign_user_id(9, person, id_type)).collect();
            assert!(foreign.is_disjoint(&ids));
        }
    }
}
