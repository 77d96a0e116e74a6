//! Reads the input of the search from the database.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};

use duckdb::arrow::array::{Array, AsArray};
use duckdb::arrow::datatypes::Int64Type;
use duckdb::arrow::record_batch::RecordBatch;
use duckdb::{Connection, params};

use super::data::{CauseMinute, Day, KINDS, Names, Session, WhoKind};
use super::history::{History, IncidentError, TokenOf};
use super::incident::{Direction, Incident, Metric, ScopeKind};
use super::known::{Known, KnownIncidents};
use super::severity::SeverityLimits;
use crate::schema::civil_date_text;

/// Dates whose rows are in memory at the same time.
pub(super) const DATES_AT_ONCE: usize = 32;

pub(super) struct Reader<'a> {
    connection: &'a Connection,
    /// Quoted for SQL.
    profile: String,
    history: History,
    token_of: Option<TokenOf<'a>>,
}

impl<'a> Reader<'a> {
    pub(super) fn new(
        connection: &'a Connection,
        profile: &str,
        history: History,
        token_of: Option<TokenOf<'a>>,
    ) -> Reader<'a> {
        Reader { connection, profile: format!("'{}'", profile.replace('\'', "''")), history, token_of }
    }

    /// What identifies a person on every date.
    fn person<'t>(&self, id: &'t str) -> Cow<'t, str> {
        self.token_of.map_or(Cow::Borrowed(id), |token_of| token_of(id))
    }

    pub(super) fn severity_limits(&self) -> Result<SeverityLimits, IncidentError> {
        let sql = format!(
            "select incident_critical_people, incident_major_people, incident_major_poor_pct
            from limits(profile := {})",
            self.profile
        );
        Ok(self.connection.query_row(&sql, [], |row| {
            Ok(SeverityLimits { critical_people: row.get(0)?, major_people: row.get(1)?, major_poor_pct: row.get(2)? })
        })?)
    }

    /// The published dates with judged minutes in `[from, until)`, ascending.
    pub(super) fn dates(&self, from: i32, until: i32) -> Result<Vec<i32>, IncidentError> {
        let sql = "select distinct epoch_us(cast(meeting_date as timestamp)) // 86400000000 as day from participants \
                   where meeting_date >= cast(? as date) and meeting_date < cast(? as date) order by day";
        let mut statement = self.connection.prepare(sql)?;
        let days = statement.query_map([civil_date_text(from), civil_date_text(until)], |row| row.get::<_, i64>(0))?;
        Ok(days.map(|day| day.map(|day| day as i32)).collect::<Result<_, _>>()?)
    }

    /// The sessions of `[from, until)` by date, without minutes.
    pub(super) fn days(
        &self,
        names: &mut Names,
        from: i32,
        until: i32,
    ) -> Result<BTreeMap<i32, Vec<Session>>, IncidentError> {
        let (first, end) = (civil_date_text(from), civil_date_text(until));
        let judged = match self.history {
            History::Stored => "judged_participants".to_owned(),
            History::Computed => format!(
                "judged_participant_minutes(since := date '{first}', until := date '{end}', profile := {})",
                self.profile
            ),
        };
        let sql = format!(
            "select
                f.participant_key, f.who, f.who_kind,
                f.building, f.egress, case when not f.is_home_like then f.subnet end as subnet, f.room_id,
                f.meeting_key, f.user_id, f.app_version, f.device, f.network_kind, f.location,
                epoch_us(cast(f.meeting_date as timestamp)) // 86400000000 as day,
                cast(coalesce(f.is_home_like, false) as bigint) as is_home_like,
                cast(j.judged_minutes as bigint) as judged_minutes,
                cast(j.loss_minutes as bigint) as loss_minutes,
                cast(j.delay_minutes as bigint) as delay_minutes,
                cast(j.jitter_minutes as bigint) as jitter_minutes,
                cast(j.frame_rate_minutes as bigint) as frame_rate_minutes,
                cast(j.cpu_minutes as bigint) as cpu_minutes,
                epoch_us(j.first_minute_utc) // 60000000 as first_minute,
                epoch_us(j.last_minute_utc) // 60000000 as last_minute,
                coalesce((epoch_us(f.join_time_local) - epoch_us(f.join_time_utc)) // 60000000, 0) as offset_minutes
            from {judged} as j
            inner join participant_facts as f
                on f.participant_key = j.participant_key and f.meeting_date = j.meeting_date
            where j.meeting_date >= date '{first}' and j.meeting_date < date '{end}'
                and f.meeting_date >= date '{first}' and f.meeting_date < date '{end}'
                and j.judged_minutes > 0 and j.first_minute_utc is not null and j.last_minute_utc is not null"
        );
        let mut days: BTreeMap<i32, Vec<Session>> = BTreeMap::new();
        for batch in self.connection.prepare(&sql)?.query_arrow([])? {
            for (date, session) in self.sessions(&batch, names) {
                days.entry(date).or_default().push(session);
            }
        }
        Ok(days)
    }

    /// Adds the minutes with a cause of `[from, until)` to the sessions, and sorts both.
    pub(super) fn with_minutes(
        &self,
        sessions: BTreeMap<i32, Vec<Session>>,
        from: i32,
        until: i32,
    ) -> Result<Vec<Day>, IncidentError> {
        let places: HashMap<String, (i32, u32)> = sessions
            .iter()
            .flat_map(|(date, day)| day.iter().enumerate().map(|(at, one)| (one.key.clone(), (*date, at as u32))))
            .collect();
        let sql = format!(
            "select participant_key, metric, direction, epoch_us(minute_utc) // 60000000 as minute
            from cause_minutes(since := date '{}', until := date '{}', profile := {})",
            civil_date_text(from),
            civil_date_text(until),
            self.profile
        );
        let mut minutes: BTreeMap<i32, Vec<CauseMinute>> = BTreeMap::new();
        for batch in self.connection.prepare(&sql)?.query_arrow([])? {
            let [keys, metrics, directions] = [0, 1, 2].map(|at| batch.column(at).as_string::<i32>());
            let minute = batch.column(3).as_primitive::<Int64Type>();
            for row in 0..batch.num_rows() {
                let metric = Metric::ALL.iter().find(|metric| metric.name() == metrics.value(row));
                let direction = Direction::ALL.iter().find(|direction| direction.name() == directions.value(row));
                let (Some(metric), Some((date, session))) = (metric, places.get(keys.value(row))) else { continue };
                minutes.entry(*date).or_default().push(CauseMinute {
                    session: *session,
                    minute: minute.value(row) as i32,
                    metric: *metric,
                    direction: direction.copied().unwrap_or(Direction::Both),
                });
            }
        }
        let day = |(date, sessions)| Day::sorted(date, sessions, minutes.remove(&date).unwrap_or_default());
        Ok(sessions.into_iter().map(day).collect())
    }

    /// The stored incidents of `[from, until)`.
    pub(super) fn known(&self, from: i32, until: i32) -> Result<KnownIncidents, IncidentError> {
        let range = [civil_date_text(from), civil_date_text(until)];
        let mut statement = self.connection.prepare(
            "select kind, scope_kind, scope, metric, epoch_us(cast(meeting_date as timestamp)) // 86400000000,
                epoch_us(start_time_utc), epoch_us(start_time_local), epoch_us(end_time_utc),
                coalesce(poor_minutes, 0), coalesce(judged_minutes, 0), incident_id
            from incidents where meeting_date >= cast(? as date) and meeting_date < cast(? as date)
            order by meeting_date, incident_id",
        )?;
        let mut keys = self.connection.prepare(
            "select incident_id, participant_key from incident_participants
            where meeting_date >= cast(? as date) and meeting_date < cast(? as date)
            order by incident_id, participant_key",
        )?;
        let mut keys = keys.query(params![range[0], range[1]])?;
        let mut known = KnownIncidents::default();
        let mut sessions: HashMap<String, Vec<String>> = HashMap::new();
        while let Some(row) = keys.next()? {
            sessions.entry(row.get(0)?).or_default().push(row.get(1)?);
        }
        let mut rows = statement.query(params![range[0], range[1]])?;
        while let Some(row) = rows.next()? {
            let [kind, scope_kind, scope, metric]: [String; 4] = [row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?];
            let scope_kind = ScopeKind::ALL.iter().copied().find(|one| one.name() == scope_kind);
            let metric = Metric::ALL.iter().copied().find(|one| one.name() == metric);
            let (Some(scope_kind), Some(metric)) = (scope_kind, metric) else { continue };
            known.add(Known {
                is_chronic: kind == "chronic",
                scope_kind,
                scope: self.scope_on_every_date(scope_kind, scope),
                metric,
                date: row.get::<_, i64>(4)? as i32,
                start_utc_us: row.get(5)?,
                start_local_us: row.get(6)?,
                end_utc_us: row.get(7)?,
                poor_minutes: row.get(8)?,
                judged_minutes: row.get(9)?,
                sessions: sessions.remove(&row.get::<_, String>(10)?).unwrap_or_default(),
            });
        }
        Ok(known)
    }

    /// An incident that was just found, for later dates.
    pub(super) fn known_from(&self, one: &Incident) -> Known {
        let known = Known::from(one);
        Known { scope: self.scope_on_every_date(known.scope_kind, known.scope), ..known }
    }

    fn scope_on_every_date(&self, kind: ScopeKind, scope: String) -> String {
        match kind {
            ScopeKind::Person => self.person(&scope).into_owned(),
            _ => scope,
        }
    }

    /// The ID of a person as the rows of a date have it, from one of the participants; `None` if all dates have IDs.
    pub(super) fn id_on_date(&self, participant_key: &str, date: i32) -> Result<Option<String>, IncidentError> {
        if self.token_of.is_none() {
            return Ok(None);
        }
        let sql = "select max(user_id) from participants where participant_key = ? and meeting_date = cast(? as date)";
        Ok(self.connection.query_row(sql, params![participant_key, civil_date_text(date)], |row| row.get(0))?)
    }

    /// The name of a person or room on a date, or the topic of a meeting; otherwise the scope itself.
    pub(super) fn label(&self, kind: ScopeKind, scope: &str, date: i32) -> Result<String, IncidentError> {
        let column = match kind {
            ScopeKind::Person => "user_id",
            ScopeKind::Room => "room_id",
            ScopeKind::Meeting => {
                let sql = "select coalesce(max(coalesce(meeting_topic, meeting_no)), ?) from meetings \
                           where meeting_key = ? and meeting_date = cast(? as date)";
                let args = params![scope, scope, civil_date_text(date)];
                return Ok(self.connection.query_row(sql, args, |row| row.get(0))?);
            }
            _ => return Ok(scope.to_owned()),
        };
        let sql = format!(
            "select coalesce(max_by(participant_name, (join_time_utc, participant_key)), ?) from participants
            where {column} = ? and meeting_date = cast(? as date) and participant_name is not null"
        );
        Ok(self.connection.query_row(&sql, params![scope, scope, civil_date_text(date)], |row| row.get(0))?)
    }

    /// The sessions of a batch with their dates.
    fn sessions<'s>(&'s self, batch: &'s RecordBatch, names: &'s mut Names) -> impl Iterator<Item = (i32, Session)> {
        let texts: [_; 13] = std::array::from_fn(|at| batch.column(at).as_string::<i32>());
        let numbers: [_; 11] = std::array::from_fn(|at| batch.column(13 + at).as_primitive::<Int64Type>());
        (0..batch.num_rows()).map(move |row| {
            let text = |at: usize| texts[at].is_valid(row).then(|| texts[at].value(row));
            let number = |at: usize| numbers[at].value(row);
            let who_kind = match text(2) {
                Some("person") => WhoKind::Person,
                Some("room") => WhoKind::Room,
                _ => WhoKind::Guest,
            };
            let person = text(8).map(|id| self.person(id));
            let mut scopes = [0; KINDS];
            for (kind, at) in [
                (ScopeKind::Site, 3),
                (ScopeKind::Egress, 4),
                (ScopeKind::Subnet, 5),
                (ScopeKind::Room, 6),
                (ScopeKind::Meeting, 7),
                (ScopeKind::AppVersion, 9),
                (ScopeKind::Device, 10),
                (ScopeKind::NetworkType, 11),
                (ScopeKind::Location, 12),
            ] {
                scopes[kind as usize] = names.scope(kind, text(at));
            }
            scopes[ScopeKind::Person as usize] = names.scope(ScopeKind::Person, person.as_deref());
            scopes[ScopeKind::Service as usize] = names.scope(ScopeKind::Service, Some("service"));
            let session = Session {
                key: text(0).unwrap_or_default().to_owned(),
                who: names.who(person.as_deref().or(text(1)).unwrap_or_default()),
                who_kind,
                scopes,
                is_home_like: number(1) != 0,
                judged_minutes: number(2) as u32,
                minutes: std::array::from_fn(|metric| number(3 + metric) as u32),
                first: number(8) as i32,
                last: number(9) as i32,
                offset_minutes: number(10) as i32,
                is_in_incident: false,
                is_in_general_incident: false,
            };
            (number(0) as i32, session)
        })
    }
}
