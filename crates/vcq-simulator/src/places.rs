//! The made-up tenant's buildings, rooms, departments and machines, as data.
//!
//! Owns the constant part of the tenant: what exists, not what happens. Public addresses come from the documentation
//! ranges (RFC 5737), internal ones from 10/8 and 192.168/16.

/// A building of the made-up tenant and how its network looks from outside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Building {
    /// What people call it.
    pub name: &'static str,
    /// The vendor's `location` text for anybody inside.
    pub location: &'static str,
    /// Public IPv4 addresses that its traffic leaves from.
    pub public_ips: &'static [[u8; 4]],
    /// First two bytes of its internal subnets: the third is the floor, a /24 each.
    pub internal_net: [u8; 2],
    /// Number of floors, hence of internal /24 subnets (third byte 1..=floors).
    pub floors: u8,
    /// Round trip to the vendor's nearest media server on a good day, in milliseconds.
    pub delay_ms: u32,
}

/// All the buildings. The last one is far from every media server.
pub const BUILDINGS: &[Building] = &[
    Building {
        name: "North Tower",
        location: "shanghai",
        public_ips: &[[192, 0, 2, 10], [192, 0, 2, 11]],
        internal_net: [10, 11],
        floors: 8,
        delay_ms: 16,
    },
    Building {
        name: "South Tower",
        location: "shanghai",
        public_ips: &[[192, 0, 2, 40]],
        internal_net: [10, 12],
        floors: 5,
        delay_ms: 19,
    },
    Building {
        name: "Harbour House",
        location: "shenzhen",
        public_ips: &[[198, 51, 100, 10], [198, 51, 100, 11]],
        internal_net: [10, 21],
        floors: 4,
        delay_ms: 31,
    },
    Building {
        name: "Riverside",
        location: "frankfurt",
        public_ips: &[[198, 51, 100, 200]],
        internal_net: [10, 61],
        floors: 2,
        delay_ms: 208,
    },
];

/// Index of the building that has the bad day.
pub(super) const BAD_BUILDING: usize = 2;

/// Index of the building far from every media server.
pub(super) const FAR_BUILDING: usize = 3;

/// Index, within the rooms of one building, of the room whose network drops packets (in the first building only).
pub(super) const LOSSY_ROOM: usize = 1;

/// Names of the meeting rooms of every building, with their seats.
pub(super) const ROOM_NAMES: &[&str] = &["Aspen (12)", "Birch (6)", "Cedar (20)", "红枫 (8)", "Juniper (4)"];

/// Index of a room over all buildings.
pub(super) const fn room_index(building: usize, room: usize) -> usize {
    building * ROOM_NAMES.len() + room
}

/// Building of a room.
pub(super) const fn building_of_room(room: usize) -> usize {
    room / ROOM_NAMES.len()
}

/// Departments, with their share of the people.
pub(super) const DEPARTMENTS: &[(u32, &str)] = &[
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

/// Family names, in script and in letters.
pub(super) const FAMILY_NAMES: &[(&str, &str)] = &[
    ("云", "Yun"),
    ("青", "Qing"),
    ("墨", "Mo"),
    ("松", "Song"),
    ("禾", "He"),
    ("星", "Xing"),
    ("岚", "Lan"),
    ("川", "Chuan"),
    ("竹", "Zhu"),
    ("溪", "Xi"),
    ("棠", "Tang"),
    ("霁", "Ji"),
];

/// Given names, in script and in letters.
pub(super) const GIVEN_NAMES: &[(&str, &str)] = &[
    ("知远", "Zhiyuan"),
    ("小满", "Xiaoman"),
    ("听雨", "Tingyu"),
    ("一帆", "Yifan"),
    ("望舒", "Wangshu"),
    ("清和", "Qinghe"),
    ("南枝", "Nanzhi"),
    ("既明", "Jiming"),
    ("未央", "Weiyang"),
    ("半夏", "Banxia"),
    ("见山", "Jianshan"),
    ("石榴", "Shiliu"),
    ("初一", "Chuyi"),
    ("白露", "Bailu"),
    ("向晚", "Xiangwan"),
    ("拾光", "Shiguang"),
];

/// Invented companies that guests and external people come from.
pub(super) const COMPANIES: &[&str] = &["Brightleaf", "Copperfield Freight", "蓝砖科技", "Nine Lanterns"];

/// App versions with their share of the people.
pub(super) const APP_VERSIONS: &[(u32, &str)] = &[(55, "7.24.6"), (22, "7.25.3"), (13, WORSE_VERSION), (10, "6.11.12")];

/// The app version that behaves worse than the others.
pub(super) const WORSE_VERSION: &str = "7.26.0-alpha.4";

/// Laptops and desktops as the vendor names them, with their share; the case differs on purpose.
pub(super) const COMPUTERS: &[(u32, &str)] = &[(46, "windows"), (14, "WINDOWS"), (34, "mac"), (6, "linux")];

/// Phones as the vendor names them, with their share.
pub(super) const PHONES: &[(u32, &str)] = &[(55, "ios"), (45, "android")];

/// Microphones and speakers by the name of the device, with their share.
pub(super) const HEADSETS: &[(u32, (&str, &str))] = &[
    (38, ("Built-in Microphone", "Built-in Speakers")),
    (22, ("与系统一致", "与系统一致")),
    (18, ("USB Headset Mono", "USB Headset Mono")),
    (14, ("Bluetooth Earbuds", "Bluetooth Earbuds")),
    (8, ("Desk Speakerphone", "Desk Speakerphone")),
];

/// Cameras, with their share.
pub(super) const CAMERAS: &[(u32, &str)] = &[(60, "HD Camera"), (25, "Built-in Camera"), (15, "USB Webcam 1080p")];

pub(super) const HOME_LOCATIONS: &[&str] = &["shanghai", "suzhou", "dongguan", "shenzhen", "hangzhou"];

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
        for building in 0..BUILDINGS.len() {
            for room in 0..ROOM_NAMES.len() {
                assert_eq!(building_of_room(room_index(building, room)), building);
            }
        }
    }
}
