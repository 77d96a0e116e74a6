//! The tenant's buildings, rooms, departments, names and devices, as data.
//!
//! Public addresses come from the documentation ranges (RFC 5737), internal ones from 10/8 and 192.168/16. A list of
//! pairs holds a weight and a value.

pub(crate) struct Building {
    pub(crate) name: &'static str,
    /// Feishu's `location` text for anybody inside.
    pub(crate) location: &'static str,
    pub(crate) public_ips: &'static [[u8; 4]],
    /// First two bytes of its internal /24 subnets; the third is the floor (1..=floors).
    pub(crate) internal_net: [u8; 2],
    pub(crate) floors: u8,
    /// Round trip to the nearest media server on a good day.
    pub(crate) delay_ms: u32,
}

pub(crate) const BUILDINGS: &[Building] = &[
    building("North Tower", "shanghai", &[[192, 0, 2, 10], [192, 0, 2, 11]], [10, 11], 8, 16),
    building("South Tower", "shanghai", &[[192, 0, 2, 40]], [10, 12], 5, 19),
    building("Harbour House", "shenzhen", &[[198, 51, 100, 10], [198, 51, 100, 11]], [10, 21], 4, 31),
    building("Riverside", "frankfurt", &[[198, 51, 100, 200]], [10, 61], 2, 208),
    building("Lakeside", "hangzhou", &[[192, 0, 2, 70]], [10, 31], 3, 24),
    building("Old Mill", "chengdu", &[[192, 0, 2, 80]], [10, 32], 2, 44),
    building("West Gate", "beijing", &[[192, 0, 2, 90]], [10, 33], 6, 27),
    building("Garden Court", "singapore", &[[198, 51, 100, 70]], [10, 41], 3, 72),
    building("Station Yard", "wuhan", &[[198, 51, 100, 80]], [10, 34], 2, 33),
    building("Pine Hill", "xian", &[[198, 51, 100, 90]], [10, 35], 2, 39),
    building("Market Square", "london", &[[198, 51, 100, 210]], [10, 62], 2, 196),
    building("Canal Wharf", "guangzhou", &[[192, 0, 2, 100]], [10, 36], 4, 29),
];

pub const MOST_BUILDINGS: usize = BUILDINGS.len();

pub(crate) const DEFAULT_BUILDINGS: usize = 4;

/// How many people work in each building.
pub(crate) const BUILDING_WEIGHTS: [u32; MOST_BUILDINGS] = [44, 22, 24, 10, 14, 9, 18, 11, 7, 6, 5, 12];

const fn building(
    name: &'static str,
    location: &'static str,
    public_ips: &'static [[u8; 4]],
    internal_net: [u8; 2],
    floors: u8,
    delay_ms: u32,
) -> Building {
    Building { name, location, public_ips, internal_net, floors, delay_ms }
}

/// The building whose network is poor for some hours.
pub(crate) const DEGRADED_BUILDING: usize = 2;

/// The building far from every media server.
#[cfg(test)]
pub(crate) const FAR_BUILDING: usize = 3;

/// The room whose network always loses packets.
pub(crate) const LOSSY_ROOM: usize = room_index(0, 1);

/// Meeting rooms of every building, with their seats.
pub(crate) const ROOM_NAMES: &[&str] = &["Aspen (12)", "Birch (6)", "Cedar (20)", "红枫 (8)", "Juniper (4)"];

pub(crate) const fn room_index(building: usize, room: usize) -> usize {
    building * ROOM_NAMES.len() + room
}

/// The `participant_name` of a room.
pub(crate) fn room_name(room: usize) -> String {
    format!("{} {}", BUILDINGS[room / ROOM_NAMES.len()].name, ROOM_NAMES[room % ROOM_NAMES.len()])
}

/// The building of a room.
pub(crate) const fn room_building(room: usize) -> usize {
    room / ROOM_NAMES.len()
}

/// The name of a room in its building, and its seats.
pub(crate) fn room_label(room: usize) -> (&'static str, u32) {
    let name = ROOM_NAMES[room % ROOM_NAMES.len()];
    let (label, seats) = name.split_once(" (").unwrap_or((name, ""));
    (label, seats.trim_end_matches(')').parse().unwrap_or(0))
}

/// The number of rooms of the first buildings.
pub(crate) const fn room_count(buildings: usize) -> usize {
    buildings * ROOM_NAMES.len()
}

/// A building, or a floor of one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RoomLevel {
    pub(crate) number: usize,
    pub(crate) name: String,
    pub(crate) parent: Option<usize>,
}

/// The first buildings and their floors, each building before its floors.
pub(crate) fn room_levels(buildings: usize) -> Vec<RoomLevel> {
    let mut levels = Vec::new();
    for (at, building) in BUILDINGS.iter().take(buildings).enumerate() {
        levels.push(RoomLevel { number: at, name: building.name.to_owned(), parent: None });
        levels.extend((1..=building.floors).map(|floor| RoomLevel {
            number: floor_level(at, floor),
            name: format!("F{floor}"),
            parent: Some(at),
        }));
    }
    levels
}

/// The levels of a room, outermost first; all rooms are on the ground floor.
pub(crate) const fn levels_of_room(room: usize) -> [usize; 2] {
    [room_building(room), floor_level(room_building(room), 1)]
}

const fn floor_level(building: usize, floor: u8) -> usize {
    100 * (building + 1) + floor as usize
}

pub(crate) const DEPARTMENTS: &[(u32, &str)] = &[
    (24, "Engineering"),
    (14, "产品部"),
    (14, "Sales"),
    (10, "客户成功部"),
    (8, "Marketing"),
    (8, "供应链中心"),
    (7, "Finance"),
    (6, "人力资源部"),
    (5, "Legal"),
    (4, "信息技术部"),
];

/// Family names in Chinese, and the same in pinyin.
pub(crate) const FAMILY_NAMES: [[&str; 12]; 2] = [
    ["云", "青", "墨", "松", "禾", "星", "岚", "川", "竹", "溪", "棠", "霁"],
    ["Yun", "Qing", "Mo", "Song", "He", "Xing", "Lan", "Chuan", "Zhu", "Xi", "Tang", "Ji"],
];

/// Given names in Chinese, and the same in pinyin.
pub(crate) const GIVEN_NAMES: [[&str; 16]; 2] = [
    [
        "知远", "小满", "听雨", "一帆", "望舒", "清和", "南枝", "既明", "未央", "半夏", "见山", "石榴", "初一", "白露",
        "向晚", "拾光",
    ],
    [
        "Zhiyuan", "Xiaoman", "Tingyu", "Yifan", "Wangshu", "Qinghe", "Nanzhi", "Jiming", "Weiyang", "Banxia",
        "Jianshan", "Shiliu", "Chuyi", "Bailu", "Xiangwan", "Shiguang",
    ],
];

pub(crate) const COMPANIES: &[&str] = &["Brightleaf", "Copperfield Freight", "蓝砖科技", "Nine Lanterns"];

pub(crate) const APP_VERSIONS: &[(u32, &str)] =
    &[(55, "7.24.6"), (22, "7.25.3"), (13, FAULTY_APP_VERSION), (10, "6.11.12")];

/// The app version that uses more CPU and sends fewer frames than the others.
pub(crate) const FAULTY_APP_VERSION: &str = "7.26.0-alpha.4";

/// Names as Feishu sends them; their case really differs.
pub(crate) const COMPUTERS: &[(u32, &str)] = &[(46, "windows"), (14, "WINDOWS"), (34, "mac"), (6, "linux")];

pub(crate) const PHONES: &[(u32, &str)] = &[(55, "ios"), (45, "android")];

/// Microphones and speakers.
pub(crate) const HEADSETS: &[(u32, (&str, &str))] = &[
    (38, ("Built-in Microphone", "Built-in Speakers")),
    (22, ("与系统一致", "与系统一致")),
    (18, ("USB Headset Mono", "USB Headset Mono")),
    (14, ("Bluetooth Earbuds", "Bluetooth Earbuds")),
    (8, ("Desk Speakerphone", "Desk Speakerphone")),
];

pub(crate) const CAMERAS: &[(u32, &str)] = &[(60, "HD Camera"), (25, "Built-in Camera"), (15, "USB Webcam 1080p")];

pub(crate) const HOME_LOCATIONS: &[&str] = &["shanghai", "suzhou", "dongguan", "shenzhen", "hangzhou"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn public_addresses_are_documentation_addresses() {
        for building in BUILDINGS {
            for ip in building.public_ips {
                let net = [ip[0], ip[1], ip[2]];
                assert!([[192, 0, 2], [198, 51, 100], [203, 0, 113]].contains(&net), "{ip:?} of {}", building.name);
            }
            assert_eq!(building.internal_net[0], 10);
        }
    }

    #[test]
    fn no_two_buildings_share_an_address() {
        for (left, one) in BUILDINGS.iter().enumerate() {
            for other in &BUILDINGS[left + 1..] {
                assert_ne!(one.internal_net, other.internal_net);
                assert!(one.public_ips.iter().all(|ip| !other.public_ips.contains(ip)));
            }
        }
    }

    #[test]
    fn rooms_find_their_building() {
        for (at, building) in BUILDINGS.iter().enumerate() {
            for (place, room) in ROOM_NAMES.iter().enumerate() {
                let name = room_name(room_index(at, place));
                assert!(name.starts_with(building.name) && name.ends_with(room), "{name}");
            }
        }
    }
}
