//! The rows of `rooms`: the list of rooms, with the names of their levels.

use std::collections::HashMap;

use serde_json::Value;

use super::day_list::{DayReader, DayRows, Placed, joined, required_id};
use super::item_reader::ListWalk;
use crate::schema::cell::Cell;
use crate::schema::identity::Item;
use crate::schema::{ROOMS, Raw, TenantZone, parse};

/// Between two levels of `level_path`.
const SEPARATOR: &str = " / ";
/// Maximum number of parents to follow, in case of a cycle.
const MAX_LEVELS: usize = 20;
/// What remains of the name of a floor without its number: `F3`, `3层`, `Floor 3`.
const FLOOR_WORDS: &[&str] = &["", "f", "fl", "floor", "l", "lg", "ug", "level", "b", "basement", "楼", "层", "楼层"];
const FLOOR_NAMES: &[&str] = &["ground floor", "basement", "mezzanine", "gf", "底层", "地下室", "夹层"];

/// `day` is the local day of the request, to which rejects belong.
pub(crate) fn room_rows(zone: &TenantZone, day: i32, rooms: &ListWalk, levels: Option<&ListWalk>) -> DayRows {
    let levels = Levels::new(levels);
    let mut reader = DayReader::new(&ROOMS, zone, day, rooms.requested_us);
    let normalised = |item: &Item| {
        let mut item = item.clone();
        if let Some(devices) = item.get_mut("device") {
            *devices = joined(devices, "name");
        }
        // Under the pointers of the columns.
        if let Some(Value::Object(status)) = item.remove("room_status") {
            item.extend(status.into_iter().map(|(key, value)| (format!("room_status/{key}"), value)));
        }
        item
    };
    let place = |item: &Item, _: &Value| Ok(Some(Placed { key: required_id(item, "room_id")?, base: None }));
    let derived = |item: &Item, column: &str| {
        let path = levels.path(item);
        let (building, floor) = place_of(&path);
        match column {
            "level_path" => Cell::text((!path.is_empty()).then(|| path.join(SEPARATOR))),
            "building" => Cell::text(building),
            "floor" => Cell::text(floor),
            _ => Cell::Null,
        }
    };
    reader.add(rooms, normalised, place, derived);
    reader.finish()
}

/// The building and the floor of a path of levels.
fn place_of<'p>(path: &[&'p str]) -> (Option<&'p str>, Option<&'p str>) {
    match path {
        [rest @ .., last] if is_floor(last) => (rest.last().copied(), Some(last)),
        _ => (path.last().copied(), None),
    }
}

fn is_floor(name: &str) -> bool {
    let name = name.trim().to_lowercase();
    let rest: String = name.chars().filter(|c| !c.is_ascii_digit() && !matches!(c, '-' | '.' | ' ')).collect();
    // `3rd floor`
    let ordinal = ["stfloor", "ndfloor", "rdfloor", "thfloor"];
    let has_number = name.chars().any(|c| c.is_ascii_digit());
    FLOOR_NAMES.contains(&name.as_str())
        || (has_number && (FLOOR_WORDS.contains(&rest.as_str()) || ordinal.contains(&rest.as_str())))
}

struct Level {
    name: String,
    parent_id: Option<String>,
}

/// By id.
struct Levels(HashMap<String, Level>);

impl Levels {
    fn new(walk: Option<&ListWalk>) -> Levels {
        let items = walk.into_iter().flat_map(|walk| &walk.items).filter_map(Value::as_object);
        let level = |item: &Item| {
            let name = parse::text(&Raw::of(item.get("name"))).ok().flatten()?.trim().to_owned();
            Some((id(item, "room_level_id")?, Level { name, parent_id: id(item, "parent_id") }))
        };
        Levels(items.filter_map(level).collect())
    }

    /// The names of a room's levels from the root: those of its path, otherwise those above its level. A level whose
    /// name is unknown is left out.
    fn path(&self, room: &Item) -> Vec<&str> {
        let own = id(room, "room_level_id");
        let mut ids: Vec<String> = match room.get("path") {
            Some(Value::Array(path)) => path.iter().filter_map(|id| Some(id.as_str()?.to_owned())).collect(),
            _ => Vec::new(),
        };
        if ids.is_empty() {
            let mut next = own.clone();
            while let Some(level) = next.take_if(|id| !ids.contains(id) && ids.len() < MAX_LEVELS) {
                next = self.0.get(&level).and_then(|level| level.parent_id.clone());
                ids.push(level);
            }
            ids.reverse();
        } else if let Some(own) = own.filter(|own| !ids.contains(own)) {
            ids.push(own);
        }
        ids.iter().filter_map(|id| self.0.get(id)).map(|level| level.name.as_str()).collect()
    }
}

fn id(item: &Item, field: &str) -> Option<String> {
    parse::id(&Raw::of(item.get(field))).ok().flatten().map(|id| id.into_owned())
}
