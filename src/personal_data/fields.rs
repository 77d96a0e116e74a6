//! Which members of a response are known, as trees built from the columns.
//!
//! A member that is in no tree is not known to be harmless, so its values are replaced.

use std::sync::LazyLock;

use crate::schema::{
    CENSUS_DAILY, CENSUS_USERS, Kind, MEETINGS, PARTICIPANTS, Personal, QUALITY_SAMPLES, RESERVATIONS, ROOM_ALERTS,
    ROOMS, Table,
};

/// What happens to the values of a member.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Rule {
    /// An object whose members have rules of their own. Other values in its place are replaced.
    Members,
    /// A value of a column that is not personal. A nested value, and one that is not of its kind, is replaced.
    Keep(Kind),
    Personal(Personal),
    /// The token of the next page.
    PageToken,
}

/// A member and the members below it.
#[derive(Debug)]
pub(super) struct Field {
    pub rule: Rule,
    /// Whether arrays in its place have the same rule.
    pub is_list: bool,
    pub members: Vec<(&'static str, Field)>,
}

/// The list of an endpoint.
#[derive(Debug)]
pub(super) struct List {
    /// The endpoint's name in the raw log.
    pub endpoint: &'static str,
    /// The keys below `data` that lead to the list; empty for a body that is an item itself.
    pub path: &'static [&'static str],
    pub item: Field,
    /// Whether members may be written in camel case.
    pub has_camel_case: bool,
    /// Whether an item with a room and without a user is a room, which is not a person.
    pub has_rooms: bool,
    /// The rules of the members beside the list.
    pub beside: Field,
}

/// An endpoint, the path of its list below `data`, the table of the items, and the fields without a column that stay.
type Endpoint = (&'static str, &'static [&'static str], Option<&'static Table>, &'static [&'static str]);

const LISTS: &[Endpoint] = &[
    ("meeting_list", &["meeting_list"], Some(&MEETINGS), &[]),
    ("participant_list", &["participants"], Some(&PARTICIPANTS), &[]),
    ("participant_quality_list", &["participant_quality_list"], Some(&QUALITY_SAMPLES), &[]),
    ("rooms", &["rooms"], Some(&ROOMS), &["/path", "/device/name"]),
    (
        "room_levels",
        &["items"],
        None,
        &["/room_level_id", "/name", "/parent_id", "/path", "/has_child", "/custom_group_id"],
    ),
    ("alerts", &["items"], Some(&ROOM_ALERTS), &["/alert_rule_id", "/notify_methods"]),
    ("resource_reservation_list", &["room_reservation_list"], Some(&RESERVATIONS), &[]),
    ("get_daily", &["meeting_report", "daily_report"], Some(&CENSUS_DAILY), &[]),
    ("admin_user_stats", &["items"], Some(&CENSUS_USERS), &["/date"]),
    (EVENT, &[], None, &[]),
];

/// The endpoint of an event, which has no envelope of a response.
const EVENT: &str = "event";
/// Fields with a list of values.
const LIST_FIELDS: &[&str] = &["/path", "/device", "/contacts", "/notify_methods"];
/// Fields whose values are read as another kind than that of their column, before they are typed.
const TEXT_FIELDS: &[&str] = &["/is_release_early"];
/// The member of a list of people that has a person's name.
const CONTACT_NAME: &str = "/contacts/contact_name";
const CONTACT_TYPE: &str = "/contacts/contact_type";
/// Members beside a list that identify nobody.
const TOTALS: &[&str] = &[
    "/has_more",
    "/total",
    "/meeting_report/total_meeting_count",
    "/meeting_report/total_meeting_duration",
    "/meeting_report/total_participant_count",
];
/// Of an event's meeting, and of its header and envelope.
const EVENT_MEETING: &[&str] =
    &["/id", "/meeting_no", "/start_time", "/end_time", "/meeting_source", "/meeting_sub_type"];
const EVENT_ENVELOPE: &[&str] = &[
    "/schema",
    "/header/event_id",
    "/header/event_type",
    "/header/create_time",
    "/event/type",
    "/type",
    "/uuid",
    "/ts",
];
const EVENT_PEOPLE: &[&str] = &["host_user", "owner", "operator"];
const EVENT_IDS: &[&str] = &["open_id", "union_id", "user_id"];

static TREES: LazyLock<Vec<List>> = LazyLock::new(|| {
    let list = |(endpoint, path, table, kept): &Endpoint| {
        let mut item = Field::members();
        for column in table.iter().flat_map(|table| table.columns).filter(|column| !column.source.is_empty()) {
            let rule = match column.personal {
                Some(class) => Rule::Personal(class),
                None if TEXT_FIELDS.contains(&column.source) => Rule::Keep(Kind::Text),
                None => Rule::Keep(column.kind),
            };
            item.add(column.source, rule);
        }
        kept.iter().for_each(|pointer| item.add(pointer, Rule::Keep(Kind::Text)));
        if *endpoint == "alerts" {
            item.add(CONTACT_NAME, Rule::Personal(Personal::Name));
            item.add(CONTACT_TYPE, Rule::Keep(Kind::Count));
        }
        if *endpoint == EVENT {
            item = event();
        }
        let mut beside = Field::members();
        TOTALS.iter().for_each(|pointer| beside.add(pointer, Rule::Keep(Kind::Text)));
        beside.add("/page_token", Rule::PageToken);
        let (has_camel_case, has_rooms) = (*endpoint == "alerts", *endpoint == "participant_list");
        List { endpoint, path, item, has_camel_case, has_rooms, beside }
    };
    LISTS.iter().map(list).collect()
});

/// An event in each of its forms: with an envelope of schema 2.0 or 1.0, without one, and the meeting alone.
fn event() -> Field {
    let mut root = Field::members();
    EVENT_ENVELOPE.iter().for_each(|pointer| root.add(pointer, Rule::Keep(Kind::Text)));
    for place in ["", "/meeting", "/event", "/event/meeting"] {
        EVENT_MEETING.iter().for_each(|field| root.add(&format!("{place}{field}"), Rule::Keep(Kind::Text)));
        root.add(&format!("{place}/topic"), Rule::Personal(Personal::Topic));
        for (person, id) in EVENT_PEOPLE.iter().flat_map(|person| EVENT_IDS.iter().map(move |id| (person, id))) {
            root.add(&format!("{place}/{person}/id/{id}"), Rule::Personal(Personal::Id));
            root.add(&format!("{place}/{person}/{id}"), Rule::Personal(Personal::Id));
        }
    }
    root
}

impl Field {
    fn members() -> Field {
        Field { rule: Rule::Members, is_list: false, members: Vec::new() }
    }

    fn add(&mut self, pointer: &str, rule: Rule) {
        let mut field = self;
        let mut end = 0;
        for name in pointer.split('/').skip(1) {
            end += name.len() + 1;
            let at = field.members.iter().position(|(known, _)| *known == name).unwrap_or_else(|| {
                // The trees are built once and live as long as the program.
                field.members.push((String::leak(name.to_owned()), Field::members()));
                field.members.len() - 1
            });
            field = &mut field.members[at].1;
            field.is_list = LIST_FIELDS.contains(&&pointer[..end]);
        }
        // A column for the instant of a time and one for its local form have the same field.
        if field.rule == Rule::Members {
            field.rule = rule;
        }
    }

    pub(super) fn member(&self, name: &str) -> Option<&Field> {
        self.members.iter().find(|(known, _)| *known == name).map(|(_, field)| field)
    }
}

/// The list of an endpoint; `None` if the name is not known.
pub(super) fn list(endpoint: &str) -> Option<&'static List> {
    TREES.iter().find(|list| list.endpoint == endpoint)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::TABLES;

    #[test]
    fn every_personal_column_with_a_source_is_in_a_tree() {
        let is_known = |table: &str, pointer: &str, class| {
            let lists = LISTS.iter().filter(|(_, _, list, _)| list.is_some_and(|list| list.name == table));
            let mut trees = lists.filter_map(|(endpoint, ..)| list(endpoint));
            trees.any(|list| {
                let mut field = Some(&list.item);
                pointer.split('/').skip(1).for_each(|name| field = field.and_then(|field| field.member(name)));
                field.is_some_and(|field| field.rule == Rule::Personal(class))
            })
        };
        let mut count = 0;
        for table in TABLES {
            for column in table.columns {
                let Some(class) = column.personal else { continue };
                if !column.source.is_empty() {
                    assert!(is_known(table.name, column.source, class), "{}.{}", table.name, column.name);
                    count += 1;
                }
            }
        }
        assert!(count >= 20, "{count}");
    }

    #[test]
    fn an_endpoint_without_a_list_is_unknown() {
        assert!(list("nothing").is_none());
        assert!(list("participant_list").is_some_and(|list| list.has_rooms && list.item.member("phone").is_some()));
    }
}
