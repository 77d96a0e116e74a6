//! `vcq-etl buildings`: the mapping of networks to buildings.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::{ArgAction, ArgMatches, Args, Command, Subcommand, ValueHint};
use serde_json::{Value, json};

use super::command::{Choice, Context, Entry, Example, LOCAL, Run, one_of, parsed};
use super::runtime::now_us;
use super::settings::definitions;
use crate::buildings::{BuildingsSummary, Network};
use crate::commands::buildings::{IMPORT, ImportSetup, Imported, Judged, Reach, Tally, import, judge, reach};
use crate::commands::republish::RepublishSetup;
use crate::config::Config;
use crate::error::{ExitCode, Failure};
use crate::schema::{civil_date, civil_date_text};
use crate::text::{Align, Language, TextPage, counted, in_json, on_one_line, thousands};

/// Maximum number of list entries shown to people; JSON contains all of them.
const MAX_SHOWN: usize = 10;

const EXAMPLES: &[Example] = &[
    ("vcq-etl buildings check offices.csv", "validate a file"),
    ("vcq-etl buildings import offices.csv", "import it"),
    ("vcq-etl buildings check", "find unmapped networks"),
];

/// The formats of a building file, for the help.
const FORMATS: &str = "\
A building file maps networks to buildings. Two formats are accepted. Fields are separated by commas, tabs, semicolons or vertical bars, with or without a first line \
such as sep=; the encoding is UTF-8, or UTF-16 with a byte order mark. Dates begin with the year (2026-12-01, 2026/12/1); flags are \
1 or 0, true or false, yes or no, Y or N, 是 or 否; a prefix length may also be written as a netmask.

A building data file of Microsoft Call Quality Dashboard (CQD), unchanged and without a header line: NetworkIP, NetworkName, NetworkRange, \
BuildingName, OwnershipType, BuildingType, BuildingOfficeType, City, ZipCode, Country, State, Region, InsideCorp, \
ExpressRoute and optionally VPN.

A file with a header line: cidr and building, and any of floor, city, country, inside, vpn, egress_cidr, valid_from, \
valid_until, network_name, ownership_type, building_type, building_office_type, zip_code, state, region, express_route, \
in any order. inside defaults to 1 and vpn to 0; valid_until is exclusive.

The longest matching prefix wins. A line with egress_cidr applies only to participants whose public address is in that \
network. In the default ranges of home routers (10.0.0.0/24, 192.168.0.0/24 to 192.168.2.0/24, 172.20.10.0/24, \
192.168.43.0/24) only lines with egress_cidr apply, because such an address may be anywhere.";

pub(super) const ENTRY: Entry = Entry { help_groups: LOCAL, command, examples: EXAMPLES, run: Run::Configured(run) };

#[derive(Debug, Subcommand)]
enum BuildingsCommand {
    /// Import a building file
    #[command(long_about = format!(
        "Import a building file and publish the database with it. If a line is invalid, nothing is imported.\n\nWithout \
         --from the file replaces all earlier imports, for all dates. With --from DATE it applies from that date on, and \
         earlier imports apply until then, so that earlier meetings stay assigned to the office's old location.\n\n{FORMATS}"
    ))]
    Import(ImportArgs),
    /// Check a building file, or how well the imported one matches the data
    #[command(long_about = format!(
        "With a file, validate it without importing it: networks, buildings, overlaps, duplicates, home-router ranges. Exits with 2 \
         if a line is invalid.\n\nWithout a file, compare the imported buildings with the published data: how many \
         participants are in a building, which subnets are missing, and which networks are unused. Takes no lock and changes \
         nothing.\n\n{FORMATS}"
    ))]
    Check(CheckArgs),
}

/// The output formats; true for JSON.
const IS_JSON: &[Choice<bool>] = &[("table", "", false), ("json", "", true)];

#[derive(Debug, Args)]
struct ImportArgs {
    /// The building file
    #[arg(value_name = "FILE", value_hint = ValueHint::FilePath)]
    file: PathBuf,

    /// First date to which it applies; earlier imports apply until then [default: replace all earlier imports]
    #[arg(long, value_name = "DATE", value_parser = day)]
    from: Option<i32>,

    /// End date (exclusive) [default: none]
    #[arg(long, value_name = "DATE", value_parser = day)]
    until: Option<i32>,

    /// Output format
    #[arg(long = "format", value_name = "FORMAT", default_value = "table", action = ArgAction::Set, value_parser = one_of(IS_JSON))]
    json: bool,
}

#[derive(Debug, Args)]
struct CheckArgs {
    /// The building file to validate [default: compare the imported one with the published data]
    #[arg(value_name = "FILE", value_hint = ValueHint::FilePath)]
    file: Option<PathBuf>,

    /// Output format
    #[arg(long = "format", value_name = "FORMAT", default_value = "table", action = ArgAction::Set, value_parser = one_of(IS_JSON))]
    json: bool,
}

fn day(text: &str) -> Result<i32, String> {
    civil_date(text).filter(|day| *day > 0).ok_or_else(|| "expected a date such as 2026-11-01".to_owned())
}

fn command() -> Command {
    let command = Command::new("buildings")
        .about("Check and import the mapping of networks to buildings")
        .subcommand_required(true)
        .arg_required_else_help(true);
    BuildingsCommand::augment_subcommands(command)
}

fn run(matches: &ArgMatches, context: &Context) -> Result<ExitCode, Failure> {
    let (config, language) = (&context.config, context.console.language);
    let (json, page, object) = match parsed(matches) {
        BuildingsCommand::Import(args) => {
            if let (Some(from), Some(until)) = (args.from, args.until)
                && until <= from
            {
                return Err(Failure::new(ExitCode::Usage, "--until is not after --from")
                    .hint("--until is exclusive: the first date to which the file no longer applies"));
            }
            let setup = import_setup(config, args.file.clone());
            let imported = import(&ImportSetup { from: args.from, until: args.until, ..setup })?;
            imported.notes.iter().for_each(|note| context.console.warn(note));
            (args.json, import_page(&args, &imported, language), import_object(&args, &imported))
        }
        BuildingsCommand::Check(CheckArgs { file: Some(file), json }) => {
            let judged = judge(&file)?;
            (json, judged_page(&file, &judged, language), judged_object(&file, &judged))
        }
        BuildingsCommand::Check(CheckArgs { file: None, json }) => {
            let reach = reach(&config.store, config.checking())?;
            (json, reach_page(&config.store, &reach, language), reach_object(&reach))
        }
    };
    context.output.print(&if json { in_json(&format!("{object:#}\n")) } else { page })?;
    Ok(ExitCode::Complete)
}

/// An import for all dates.
pub(super) fn import_setup(config: &Config, file: PathBuf) -> ImportSetup {
    let publishing = RepublishSetup {
        store: config.store.clone(),
        command: IMPORT,
        zone: config.timezone.clone(),
        user_id_type: config.user_id_type.as_str().to_owned(),
        definitions: definitions(config),
        database: config.database(),
        now_us: Arc::new(now_us),
    };
    ImportSetup { publishing, file, from: None, until: None }
}

fn shown(path: &Path) -> String {
    on_one_line(&path.display().to_string())
}

/// `12 networks (1 IPv6) in 4 buildings, on 14 lines`.
pub(super) fn extent(judgement: &BuildingsSummary) -> String {
    let mut text = counted(judgement.networks as u64, "network");
    if judgement.ipv6 > 0 {
        text.push_str(&format!(" ({} IPv6)", thousands(judgement.ipv6 as u64)));
    }
    text.push_str(&format!(" in {}", counted(judgement.buildings as u64, "building")));
    if judgement.rows > judgement.networks {
        text.push_str(&format!(", on {}", counted(judgement.rows as u64, "line")));
    }
    text
}

fn add_fields(page: &mut TextPage, file: &Path, judged: &Judged) {
    let Judged { form, judgement, duplicates } = judged;
    page.field("File", &shown(file));
    page.field("Format", form.description());
    page.field("Content", &extent(judgement));
    let notes = [
        ("Duplicates", duplicates.len(), "line", "repeated (harmless)"),
        ("Overlaps", judgement.overlaps.len(), "network", "inside another one; the longest prefix wins"),
        (
            "Home ranges",
            judgement.home.len(),
            "network",
            "in a default range of home routers without egress_cidr; no participant is assigned to it",
        ),
        (
            "",
            judgement.around_home.len(),
            "network",
            "containing such a range; its addresses in that range are not assigned",
        ),
    ];
    for (label, count, unit, text) in notes.into_iter().filter(|(_, count, ..)| *count > 0) {
        page.field(label, &format!("{} {text}", counted(count as u64, unit)));
    }
}

fn import_page(args: &ImportArgs, imported: &Imported, language: Language) -> String {
    let mut page = TextPage::new(16).in_language(language);
    add_fields(&mut page, &args.file, &imported.judged);
    let earlier = |rows: usize| counted(rows as u64, "line");
    let ended = imported.earlier_rows - imported.kept_rows;
    match args.from.map(civil_date_text) {
        Some(from) => {
            let until = args.until.map(|until| format!(" until {}", civil_date_text(until))).unwrap_or_default();
            page.field("Applies from", &format!("{from}{until}"));
            if imported.earlier_rows > 0 {
                let removed =
                    if ended > 0 { format!("; {} of later dates are removed", earlier(ended)) } else { String::new() };
                page.field(
                    "Earlier",
                    &format!("{} of earlier imports apply until then{removed}", earlier(imported.kept_rows)),
                );
            }
        }
        None => {
            if let Some(until) = args.until {
                page.field("Applies until", &civil_date_text(until));
            }
            if imported.earlier_rows > 0 {
                page.field("Earlier", &format!("{} of earlier imports replaced", earlier(imported.earlier_rows)));
            }
        }
    }
    let published =
        imported.generation.map(|number| format!("generation {number}; vcq-etl buildings check shows the coverage"));
    page.field("Published", published.as_deref().unwrap_or("by the next sync or rebuild"));
    page.text()
}

/// Adds a heading and the first lines of a list.
fn list(page: &mut TextPage, heading: &str, lines: impl ExactSizeIterator<Item = String>) {
    if lines.len() == 0 {
        return;
    }
    let more = lines.len().saturating_sub(MAX_SHOWN);
    page.line("");
    page.line(heading);
    lines.take(MAX_SHOWN).for_each(|line| page.line(&format!("  {line}")));
    if more > 0 {
        page.line(&format!("  and {} more; --format json lists all", thousands(more as u64)));
    }
}

fn judged_page(file: &Path, judged: &Judged, language: Language) -> String {
    let Judged { judgement, duplicates, .. } = judged;
    let mut page = TextPage::new(16).in_language(language);
    add_fields(&mut page, file, judged);
    let repeated = duplicates.iter().map(|(line, earlier)| format!("line {line} repeats line {earlier}"));
    list(&mut page, "Duplicates", repeated);
    list(&mut page, "Overlaps", judgement.overlaps.iter().map(|(inner, outer)| format!("{inner} in {outer}")));
    list(&mut page, "Home ranges without egress_cidr", judgement.home.iter().map(Network::to_string));
    list(&mut page, "Networks that contain home-router ranges", judgement.around_home.iter().map(Network::to_string));
    page.line("");
    page.line("The file is valid. Nothing was imported.");
    page.text()
}

/// `7,000 of 8,271 (84.6 %)`, rounded down, so that 100 % means all.
fn share(part: u64, of: u64) -> String {
    let permille = (u128::from(part) * 1_000).checked_div(u128::from(of)).unwrap_or_default();
    format!("{} of {} ({}.{} %)", thousands(part), thousands(of), permille / 10, permille % 10)
}

fn reach_page(store: &Path, reach: &Reach, language: Language) -> String {
    let mut page = TextPage::new(16).in_language(language);
    page.field("Store", &format!("{}, generation {}", shown(store), reach.generation));
    page.field("Building file", &extent(&reach.judgement));
    page.line("");
    let row = |name: &str, of: fn(&Tally) -> u64| {
        let [participants, addresses] = [&reach.participants, &reach.addresses].map(of);
        vec![language.say(name).into_owned(), thousands(participants), thousands(addresses)]
    };
    let mut rows = vec![
        ["where", "participants", "addresses"].map(|text| language.say(text).into_owned()).to_vec(),
        row("in a building", |tally| tally.in_building),
        row("in a home range", |tally| tally.home),
        row("elsewhere", |tally| tally.elsewhere),
    ];
    if reach.participants.without_address > 0 {
        rows.push(row("without address", |tally| tally.without_address));
        // There are no addresses to count.
        rows.last_mut().into_iter().for_each(|row| row[2].clear());
    }
    page.table(&[Align::Left, Align::Right, Align::Right], &rows);
    page.line("");
    for (label, tally) in [("Participants", reach.participants), ("Addresses", reach.addresses)] {
        page.field(label, &format!("{} in a building", share(tally.in_building, tally.with_address())));
    }
    if !reach.missing.is_empty() {
        page.line("");
        page.line("Subnets without a building, most participants first");
        let mut rows =
            vec![["subnet", "participants", "addresses"].map(|text| language.say(text).into_owned()).to_vec()];
        rows.extend(reach.missing.iter().take(MAX_SHOWN).map(|missing| {
            vec![missing.subnet.to_string(), thousands(missing.participants), thousands(missing.addresses)]
        }));
        page.table(&[Align::Left, Align::Right, Align::Right], &rows);
        let more = reach.missing.len().saturating_sub(MAX_SHOWN);
        if more > 0 {
            page.line(&format!("and {} more; vcq-etl report run missing-subnets lists all", thousands(more as u64)));
        }
    }
    let shown_width = |(network, _): &(Network, String)| network.to_string().len();
    let name_width = reach.unmatched.iter().take(MAX_SHOWN).map(shown_width).max().unwrap_or_default();
    let unused = reach.unmatched.iter();
    let unused = unused.map(|(network, name)| format!("{:name_width$}  {}", network.to_string(), on_one_line(name)));
    list(&mut page, "Unused networks", unused);
    page.text()
}

fn texts(networks: &[Network]) -> Vec<String> {
    networks.iter().map(Network::to_string).collect()
}

fn judged_object(file: &Path, judged: &Judged) -> Value {
    let Judged { form, judgement, duplicates } = judged;
    let overlaps = judgement.overlaps.iter();
    let overlaps: Vec<Value> =
        overlaps.map(|(inner, outer)| json!({ "network": inner.to_string(), "inside": outer.to_string() })).collect();
    let duplicates: Vec<Value> =
        duplicates.iter().map(|(line, earlier)| json!({ "line": line, "same_as_line": earlier })).collect();
    json!({
        "file": file.display().to_string(),
        "form": form.description(),
        "networks": judgement.networks,
        "networks_ipv6": judgement.ipv6,
        "buildings": judgement.buildings,
        "lines": judgement.rows,
        "duplicates": duplicates,
        "overlaps": overlaps,
        "home_ranges_without_egress": texts(&judgement.home),
        "around_home_ranges": texts(&judgement.around_home),
    })
}

fn import_object(args: &ImportArgs, imported: &Imported) -> Value {
    let mut object = judged_object(&args.file, &imported.judged);
    object["from"] = json!(args.from.map(civil_date_text));
    object["until"] = json!(args.until.map(civil_date_text));
    object["earlier_lines"] = json!(imported.earlier_rows);
    object["earlier_lines_kept"] = json!(imported.kept_rows);
    object["generation"] = json!(imported.generation);
    object
}

fn reach_object(reach: &Reach) -> Value {
    let tally = |tally: &Tally| {
        json!({
            "in_building": tally.in_building, "home": tally.home, "elsewhere": tally.elsewhere,
            "without_address": tally.without_address,
        })
    };
    let missing = reach.missing.iter().map(|missing| {
        json!({
            "subnet": missing.subnet.to_string(), "participants": missing.participants, "addresses": missing.addresses,
        })
    });
    let unmatched = reach.unmatched.iter();
    let unmatched =
        unmatched.map(|(network, building)| json!({ "network": network.to_string(), "building": building }));
    json!({
        "generation": reach.generation,
        "networks": reach.judgement.networks,
        "buildings": reach.judgement.buildings,
        "participants": tally(&reach.participants),
        "addresses": tally(&reach.addresses),
        "missing_subnets": missing.collect::<Vec<_>>(),
        "unmatched_networks": unmatched.collect::<Vec<_>>(),
    })
}

#[cfg(test)]
#[path = "buildings_tests.rs"]
mod tests;
