//! The responses of the endpoints for rooms and Feishu's own counts.

use jiff::civil::Date;

use super::json::meeting_report;
use super::lists::{Lists, page_body};
use super::optional_query::{AlertQuery, ReportQuery, ReservationQuery, RoomQuery, UserStatQuery};
use super::pagination::{PageSlice, query_key, slice_page};
use super::query::PageQuery;
use super::{ApiError, Endpoint, Params, ReportDays};
use crate::generators::census::{UserCensus, day_count};
use crate::generators::rooms::RoomRecords;
use crate::model::places::{levels_of_room, room_count, room_levels};
use crate::model::{DAY_S, ids};

/// The counts by person of a day exist from half past nine on the next day.
const USER_STAT_DELAY_S: i64 = 9 * 3600 + 1800;

/// One call to an endpoint that is not one of the three lists.
pub(super) struct OptionalLists<'a> {
    pub(super) lists: Lists<'a>,
    pub(super) census: &'a UserCensus,
    pub(super) rooms: &'a RoomRecords,
}

impl OptionalLists<'_> {
    pub(super) fn respond(&self, endpoint: Endpoint, params: &Params) -> Result<String, ApiError> {
        let (seed, now) = (self.lists.tenant.spec.seed, self.lists.now);
        let key = query_key(seed, endpoint, params);
        match endpoint {
            Endpoint::Rooms => self.rooms(&RoomQuery::read(params)?, key),
            Endpoint::RoomLevels => self.levels(&RoomQuery::read(params)?, key),
            Endpoint::RoomAlerts => self.alerts(&AlertQuery::read(params)?, key),
            Endpoint::Reservations => self.reservations(&ReservationQuery::read(params, now)?, key),
            Endpoint::CensusDaily => Ok(self.report(ReportQuery::read(params, now)?)),
            Endpoint::CensusUsers => self.user_stats(&UserStatQuery::read(params)?, key),
            _ => Err(ApiError::new(99_991_301)),
        }
    }

    fn room_count(&self) -> usize {
        room_count(self.lists.tenant.spec.background.buildings)
    }

    fn page(&self, page: &PageQuery, key: u64, total: usize) -> Result<PageSlice, ApiError> {
        slice_page(page, key, total, self.lists.faults)
    }

    fn rooms(&self, query: &RoomQuery, key: u64) -> Result<String, ApiError> {
        let level = query.level.as_deref().map(|id| self.level_number(id)).transpose()?;
        let found: Vec<usize> = (0..self.room_count())
            .filter(|room| level.is_none_or(|level| levels_of_room(*room).contains(&level)))
            .collect();
        let page = self.page(&query.page, key, found.len())?;
        let writer = self.lists.writer(query.page.id_type);
        let items: Vec<String> = found[page.rows.clone()].iter().map(|room| writer.room(*room)).collect();
        Ok(page_body(Endpoint::Rooms, &page, &items.join(",")))
    }

    /// The levels directly below one.
    fn levels(&self, query: &RoomQuery, key: u64) -> Result<String, ApiError> {
        let parent = query.level.as_deref().map(|id| self.level_number(id)).transpose()?;
        let mut found = room_levels(self.lists.tenant.spec.background.buildings);
        found.retain(|level| level.parent == parent);
        let page = self.page(&query.page, key, found.len())?;
        let writer = self.lists.writer(query.page.id_type);
        let items: Vec<String> = found[page.rows.clone()].iter().map(|level| writer.room_level(level)).collect();
        Ok(page_body(Endpoint::RoomLevels, &page, &items.join(",")))
    }

    fn level_number(&self, id: &str) -> Result<usize, ApiError> {
        let seed = self.lists.tenant.spec.seed;
        let levels = room_levels(self.lists.tenant.spec.background.buildings);
        let found = levels.into_iter().find(|level| ids::room_level_id(seed, level.number) == id);
        found.map(|level| level.number).ok_or_else(|| ApiError::new(121_004))
    }

    fn alerts(&self, query: &AlertQuery, key: u64) -> Result<String, ApiError> {
        let seed = self.lists.tenant.spec.seed;
        let alerts = self.rooms.alerts(self.lists.tenant);
        let until = query.end.min(self.lists.now);
        let found: Vec<usize> = (0..alerts.len())
            .filter(|at| {
                query.kind == 1
                    && (query.start..=until).contains(&alerts[*at].at)
                    && query.room.as_ref().is_none_or(|id| ids::room_id(seed, alerts[*at].room) == *id)
            })
            .collect();
        let page = self.page(&query.page, key, found.len())?;
        let writer = self.lists.writer(query.page.id_type);
        let items: Vec<String> = found[page.rows.clone()].iter().map(|at| writer.alert(*at, &alerts[*at])).collect();
        Ok(page_body(Endpoint::RoomAlerts, &page, &items.join(",")))
    }

    /// Those that begin in the window. As documented, an unknown level stands for the tenant.
    fn reservations(&self, query: &ReservationQuery, key: u64) -> Result<String, ApiError> {
        let seed = self.lists.tenant.spec.seed;
        let level = self.level_number(&query.level).ok();
        let selected: Vec<bool> = (0..self.room_count())
            .map(|room| {
                let named = query.rooms.contains(&ids::room_id(seed, room));
                let in_level = level.is_none_or(|level| levels_of_room(room).contains(&level));
                if query.exclude { in_level && !named } else { named }
            })
            .collect();
        let mut found: Vec<_> = self.rooms.reservations(self.lists.tenant).iter().collect();
        found.retain(|one| selected[one.room] && (query.start..=query.end.min(self.lists.now)).contains(&one.start));
        let page = self.page(&query.page, key, found.len())?;
        let writer = self.lists.writer(query.page.id_type).with_open_ids();
        let rows = found[page.rows.clone()].iter();
        let items: Vec<String> = rows.map(|one| writer.reservation(one, query.with_topic)).collect();
        Ok(page_body(Endpoint::Reservations, &page, &items.join(",")))
    }

    /// Every day that the window touches, up to today, also those without a meeting.
    fn report(&self, query: ReportQuery) -> String {
        let Lists { tenant, options, now, .. } = self.lists;
        let offset_s = match options.report_days {
            ReportDays::Local => i64::from(tenant.spec.utc_offset_s),
            ReportDays::Utc => 0,
        };
        let day_of = |at: i64| (at + offset_s).div_euclid(DAY_S);
        let last = (query.end - 1).max(query.start).min(now);
        let days: Vec<_> = (day_of(query.start)..=day_of(last))
            .map(|day| day * DAY_S - offset_s)
            .map(|start| (start, day_count(tenant, &(start..start + DAY_S), now)))
            .collect();
        let report = meeting_report(&days);
        format!("{{\"code\":0,\"msg\":\"success\",\"data\":{{\"meeting_report\":{report}}}}}")
    }

    /// One row per day and person, also for those without a meeting.
    fn user_stats(&self, query: &UserStatQuery, key: u64) -> Result<String, ApiError> {
        let Lists { tenant, now, .. } = self.lists;
        let writer = self.lists.writer(query.page.id_type);
        let people: Vec<u32> = (0..tenant.people.len() as u32)
            .filter(|person| query.user_id.as_ref().is_none_or(|id| writer.person_id(*person) == *id))
            .collect();
        let midnight = |date: Date| {
            let days = date.since(Date::constant(1970, 1, 1)).map_or(0, |span| span.get_days());
            i64::from(days) * DAY_S - i64::from(tenant.spec.utc_offset_s)
        };
        let is_ready = |date: &Date| midnight(*date) + DAY_S + USER_STAT_DELAY_S <= now;
        let days: Vec<Date> = query
            .first_day
            .series(jiff::Span::new().days(1))
            .take_while(|date| *date <= query.last_day && is_ready(date))
            .collect();
        let page = self.page(&query.page, key, days.len() * people.len())?;
        let items: Vec<String> = page
            .rows
            .clone()
            .map(|row| {
                let (date, person) = (days[row / people.len()], people[row % people.len()]);
                let counts = self.census.day(tenant, &(midnight(date)..midnight(date) + DAY_S), now);
                writer.user_stat(&date.to_string(), person, counts[person as usize])
            })
            .collect();
        Ok(page_body(Endpoint::CensusUsers, &page, &items.join(",")))
    }
}
