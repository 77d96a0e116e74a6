//! `vcq-etl report incident`, `report user` and `report meeting`: cards, for a terminal or a ticket.

use clap::Args;
use duckdb::Connection;

use super::next::{self, Carried};
use super::store::{missing_dates, open, warn_of_missing_dates, warn_of_other_definitions};
use super::window::WindowArgs;
use crate::cli::command::{Choice, Context, one_of};
use crate::cli::output::WidthArg;
use crate::cli::runtime::now_us;
use crate::commands::{self, Tokens};
use crate::config::Origin;
use crate::error::Failure;
use crate::load::StorePaths;
use crate::report::card::{self, Card, CardFormat, CardLayout, Dates, Source};
use crate::text::Language;

pub(super) const INCIDENT_EXAMPLES: &str =
    "Examples:\n  vcq-etl report run incidents\n  vcq-etl report incident 2026-11-20-acute-site-1f2e3d4c";

pub(super) const USER_EXAMPLES: &str = "Examples:\n  vcq-etl report user Ann Lee\n  \
    vcq-etl report user ann.lee@example.com --since 28d\n  vcq-etl report user ou_5f3a --format markdown";

pub(super) const MEETING_EXAMPLES: &str = "Examples:\n  vcq-etl report meeting 705605196\n  \
    vcq-etl report meeting 705605196 --until 2026-11-13\n  vcq-etl report meeting 705605196-1794879000 --format json";

#[derive(Debug, Args)]
pub(super) struct IncidentArgs {
    /// ID of the incident, or the end of it
    #[arg(value_name = "ID")]
    id: String,

    #[command(flatten)]
    shown: ShownArgs,
}

#[derive(Debug, Args)]
pub(super) struct UserArgs {
    /// Name, e-mail address or ID of a person or room; of an address, the part before the @ is enough
    #[arg(value_name = "NAME|EMAIL|ID", required = true)]
    user: Vec<String>,

    #[command(flatten)]
    window: WindowArgs,

    #[command(flatten)]
    shown: ShownArgs,
}

#[derive(Debug, Args)]
pub(super) struct MeetingArgs {
    /// Nine-digit number of the meeting, of which the latest is shown, or key of a meeting
    #[arg(value_name = "NUMBER", required = true)]
    meeting: Vec<String>,

    /// Only meetings from this date on: 28d, yesterday, 2026-11-01
    #[arg(long, value_name = "WHEN")]
    since: Option<String>,

    /// Only meetings before this date, in the same formats
    #[arg(long, value_name = "WHEN")]
    until: Option<String>,

    #[command(flatten)]
    shown: ShownArgs,
}

#[derive(Debug, Args)]
struct ShownArgs {
    /// Output format
    #[arg(long, value_name = "FORMAT", default_value = "text", value_parser = one_of(FORMATS))]
    format: CardFormat,

    #[command(flatten)]
    width: WidthArg,
}

impl ShownArgs {
    /// That of people; JSON is the same in both languages.
    fn language(&self, context: &Context) -> Language {
        if self.format == CardFormat::Json { Language::English } else { context.console.language }
    }
}

const FORMATS: &[Choice<CardFormat>] = &[
    ("text", "For a terminal", CardFormat::Text),
    ("json", "An object", CardFormat::Json),
    ("markdown", "For a wiki or an issue", CardFormat::Markdown),
];

pub(super) fn incident(args: &IncidentArgs, context: &Context) -> Result<(), Failure> {
    let connection = opened(context)?;
    // The ID begins with the date. The end of an ID is one of the stored incidents.
    let date = args.id.get(.."2026-11-01".len()).filter(|date| date.parse::<jiff::civil::Date>().is_ok());
    let profile = judged_by(&connection, (date, date), context)?;
    let source = Source::new(&connection, profile)?.in_language(args.shown.language(context));
    let id = card::find_incident(&source, &args.id)?;
    if let Some(date) = id.get(.."2026-11-01".len()) {
        warn_of_missing_dates(&connection, Some(date), context)?;
    }
    print(&card::incident_card(&source, &id)?, &args.shown, &WindowArgs::default(), context)
}

pub(super) fn user(args: &UserArgs, context: &Context) -> Result<(), Failure> {
    let days = args.window.days(&context.config, now_us())?;
    let connection = opened(context)?;
    let language = args.shown.language(context);
    let window = args.window.resolve((days.since, days.until), args.window.is_all(), false, language, &connection)?;
    warn_of_missing_dates(&connection, window.since.as_deref(), context)?;
    let profile = judged_by(&connection, (window.since.as_deref(), window.until.as_deref()), context)?;
    let source = Source::new(&connection, profile)?.in_language(language);
    let typed = args.user.join(" ");
    let tokens = Tokens::read(&StorePaths::existing(&context.config.store)?).of_typed(&typed);
    let user = card::find_user(&source, &typed, tokens.as_deref())?;
    let dates = Dates { since: window.since, until: window.until };
    print(&card::user_card(&source, &user, &dates, &window.text)?, &args.shown, &args.window, context)
}

pub(super) fn meeting(args: &MeetingArgs, context: &Context) -> Result<(), Failure> {
    let window = WindowArgs { since: args.since.clone(), until: args.until.clone() };
    let days = window.days(&context.config, now_us())?;
    let connection = opened(context)?;
    let dates = Dates { since: days.since, until: days.until };
    let found = card::find_meeting(&Source::new(&connection, None)?, &args.meeting.join(" "), &dates);
    let found = match found {
        Err(error) => {
            let failure = Failure::from(error);
            return Err(match missing_dates(&connection, dates.since.as_deref())? {
                Some(missing) => failure.hint(missing),
                None => failure,
            });
        }
        Ok(found) => found,
    };
    let date = found.date.as_deref();
    let profile = judged_by(&connection, (date, date), context)?;
    let source = Source::new(&connection, profile)?.in_language(args.shown.language(context));
    print(&card::meeting_card(&source, &found.key)?, &args.shown, &window, context)
}

/// The profile that a setting names, by which the incidents of these dates are then searched for; `None` is that of the
/// store.
fn judged_by<'c>(
    connection: &Connection,
    (since, until): (Option<&str>, Option<&str>),
    context: &'c Context,
) -> Result<Option<&'c str>, Failure> {
    let config = &context.config;
    if *config.origin("profile") == Origin::Default {
        return Ok(None);
    }
    // An unknown profile is refused before the search.
    Source::new(connection, Some(&config.profile))?;
    let paths = StorePaths::existing(&config.store)?;
    commands::find_session_incidents(connection, &paths, &config.profile, since, until)?;
    Ok(Some(&config.profile))
}

fn opened(context: &Context) -> Result<impl std::ops::Deref<Target = Connection>, Failure> {
    let connection = open(&context.config)?;
    warn_of_other_definitions(&connection, context)?;
    Ok(connection)
}

fn print(card: &Card, shown: &ShownArgs, window: &WindowArgs, context: &Context) -> Result<(), Failure> {
    let carried = Carried::new(window, &context.config);
    let command = |words: &[String]| next::command(words.to_vec(), &carried);
    let layout = CardLayout { width: shown.width.columns(true), is_utf8: context.is_utf8 };
    context.output.print(&card::render(card, shown.format, layout, &command))
}
