//! `vcq-etl buildings`: which network is which building.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::{ArgMatches, Args, Command, FromArgMatches, Subcommand, ValueEnum, ValueHint};
use serde_json::{Value, json};

use super::aligned::{Page, Side};
use super::{Context, Entry, Example, Run, now_us};
use crate::buildings::{Judgement, Network};
use crate::cli::console::{counted, thousands};
use crate::commands::buildings::{IMPORT, ImportSetup, Imported, Judged, Reach, Tally, import, judge, reach};
use crate::commands::republish::RepublishSetup;
use crate::config::Group;
use crate::error::{ExitCode, Failure};
use crate::load::DatabaseOptions;
use crate::schema::{civil_date, civil_date_text};
use crate::text::{in_json, on_one_line};

/// So many of each list are shown to people; programs get all of them.
const SHOWN: usize = 10;

const EXAMPLES: &[Example] = &[
    ("vcq-etl buildings check offices.csv", "is the file sound?"),
    ("vcq-etl buildings import offices.csv", "take it in"),
    ("vcq-etl buildings check", "who is in no building?"),
];

/// The forms of a building file, in the help of each command that takes one.
const FORMS: &str = "\
A building file says which network is which building. Two forms are taken, comma or tab separated, in UTF-8 or UTF-16:

The building file of Microsoft's Call Quality Dashboard, unchanged: no heading; NetworkIP, NetworkName, NetworkRange, \
BuildingName, OwnershipType, BuildingType, BuildingOfficeType, City, ZipCode, Country, State, Region, InsideCorp, \
ExpressRoute and perhaps VPN.

A file with a heading: cidr and building, and any of floor, city, country, inside, vpn, egress_cidr, valid_from, \
valid_until, network_name, ownership_type, building_type, building_office_type, zip_code, state, region, express_route, \
in any order. inside is 1 and vpn 0 where nothing is said; valid_until is the first day after.

The longest prefix around an address wins. A line with egress_cidr counts only for participants whose public address is \
in it. In the ranges that home routers hand out (10.0.0.0/24, 192.168.0.0/24 to 192.168.2.0/24, 172.20.10.0/24, \
192.168.43.0/24) only lines with egress_cidr count, because everybody may have such an address.";

pub(super) const ENTRY: Entry = Entry {
    shown: &[Group::Store, Group::Resources, Group::Logging],
    command,
    examples: EXAMPLES,
    run: Run::Configured(run),
};

#[derive(Debug, Subcommand)]
enum Action {
    /// Take a building file in: all of it, or nothing where a line is wrong
    #[command(long_about = format!(
        "Take a building file in: all of it, or nothing where a line is wrong. It is kept in the store, and the database \
         is published with it.\n\nWithout --from the file replaces all that was imported before, for all days. With \
         --from DATE it holds from that day on, and what was imported before holds until then: so an office that has \
         moved keeps its history.\n\n{FORMS}"
    ))]
    Import(ImportArgs),
    /// Check a building file, or how far the imported one reaches
    #[command(long_about = format!(
        "Check a building file without taking it in: networks, buildings, overlaps, duplicates, home ranges. Ends with 2 \
         where a line is wrong.\n\nWithout a file: hold the imported buildings against the published database. Who is in \
         a building, which subnets are missing, which networks nobody was in? It takes no lock and changes nothing.\n\n{FORMS}"
    ))]
    Check(CheckArgs),
}

#[derive(Debug, Args)]
struct ImportArgs {
    /// The building file
    #[arg(value_name = "FILE", value_hint = ValueHint::FilePath)]
    file: PathBuf,

    /// First day on which it holds; what was imported before holds until then [default: it replaces that]
    #[arg(long, value_name = "DATE", value_parser = day)]
    from: Option<i32>,

    /// First day on which it no longer holds [default: it still holds]
    #[arg(long, value_name = "DATE", value_parser = day)]
    until: Option<i32>,

    /// Form of the result
    #[arg(long, value_enum, value_name = "FORMAT", default_value_t = Form::Table)]
    format: Form,
}

#[derive(Debug, Args)]
struct CheckArgs {
    /// The building file [default: the imported one, against the published database]
    #[arg(value_name = "FILE", value_hint = ValueHint::FilePath)]
    file: Option<PathBuf>,

    /// Form of the result
    #[arg(long, value_enum, value_name = "FORMAT", default_value_t = Form::Table)]
    format: Form,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Form {
    /// For a terminal
    Table,
    /// One JSON object
    Json,
}

fn day(text: &str) -> Result<i32, String> {
    civil_date(text).filter(|day| *day > 0).ok_or_else(|| "it is no date like 2026-11-01".to_owned())
}

fn command() -> Command {
    let command = Command::new("buildings")
        .about("Check and import the list of networks and buildings")
        .subcommand_required(true)
        .arg_required_else_help(true);
    Action::augment_subcommands(command)
}

fn run(matches: &ArgMatches, context: &Context) -> Result<ExitCode, Failure> {
    let config = &context.config;
    let (form, page, object) =
        match Action::from_arg_matches(matches).expect("clap has checked these matches against the same arguments") {
            Action::Import(args) => {
                if let (Some(from), Some(until)) = (args.from, args.until)
                    && until <= from
                {
                    return Err(Failure::new(ExitCode::Usage, "--until is not after --from")
                        .hint("--until is the first day on which the file no longer holds"));
                }
                let imported = import(&ImportSetup {
                    publishing: RepublishSetup {
                        store: config.store.clone(),
                        command: IMPORT,
                        zone: config.timezone.clone(),
                        user_id_type: config.user_id_type.as_str().to_owned(),
                        custom_limits: config.thresholds.clone(),
                        database: config.database(),
                        now_us: Arc::new(now_us),
                    },
                    file: args.file.clone(),
                    from: args.from,
                    until: args.until,
                })?;
                (args.format, import_page(&args, &imported), import_object(&args, &imported))
            }
            Action::Check(CheckArgs { file: Some(file), format }) => {
                let judged = judge(&file)?;
                (format, judged_page(&file, &judged), judged_object(&file, &judged))
            }
            Action::Check(CheckArgs { file: None, format }) => {
                let options = DatabaseOptions { threads: config.threads, ..config.database() };
                let reach = reach(&config.store, options)?;
                (format, reach_page(&config.store, &reach), reach_object(&reach))
            }
        };
    let text = match form {
        Form::Table => page,
        Form::Json => in_json(&format!("{object:#}\n")),
    };
    context.output.print(&text)?;
    Ok(ExitCode::Complete)
}

fn shown(path: &Path) -> String {
    on_one_line(&path.display().to_string())
}

fn networks(count: usize) -> String {
    counted(count as u64, "network")
}

/// `12 networks (1 IPv6) in 4 buildings, on 14 lines`.
fn extent(judgement: &Judgement) -> String {
    let of_ipv6 = match judgement.ipv6 {
        0 => String::new(),
        ipv6 => format!(" ({} IPv6)", thousands(ipv6 as u64)),
    };
    let on_lines = match judgement.rows > judgement.networks {
        true => format!(", on {}", counted(judgement.rows as u64, "line")),
        false => String::new(),
    };
    let buildings = counted(judgement.buildings as u64, "building");
    format!("{}{of_ipv6} in {buildings}{on_lines}", networks(judgement.networks))
}

fn facts(page: &mut Page, file: &Path, judged: &Judged) {
    let Judged { form, judgement, duplicates } = judged;
    page.fact("File", &shown(file));
    page.fact("Form", form.words());
    page.fact("Holds", &extent(judgement));
    if !duplicates.is_empty() {
        let lines = counted(duplicates.len() as u64, "line");
        page.fact("Duplicates", &format!("{lines} repeated, which is harmless"));
    }
    if !judgement.overlaps.is_empty() {
        let count = networks(judgement.overlaps.len());
        page.fact("Overlaps", &format!("{count} inside another; the longest prefix wins"));
    }
    if !judgement.home.is_empty() {
        let count = networks(judgement.home.len());
        page.fact(
            "Home ranges",
            &format!("{count} that home routers hand out, without egress_cidr: nobody is put into their buildings"),
        );
    }
    if !judgement.around_home.is_empty() {
        let count = networks(judgement.around_home.len());
        page.fact("", &format!("{count} around such a range: its addresses in that range are in no building"));
    }
}

fn import_page(args: &ImportArgs, imported: &Imported) -> String {
    let mut page = Page::default();
    facts(&mut page, &args.file, &imported.judged);
    let earlier = |rows: usize| counted(rows as u64, "line");
    let ended = imported.earlier_rows - imported.kept_rows;
    match args.from.map(civil_date_text) {
        Some(from) => {
            let until = args.until.map(|until| format!(" until {}", civil_date_text(until))).unwrap_or_default();
            page.fact("Holds from", &format!("{from}{until}"));
            if imported.earlier_rows > 0 {
                let gone =
                    if ended > 0 { format!("; {} of later days are gone", earlier(ended)) } else { String::new() };
                page.fact(
                    "Before",
                    &format!("{} of earlier imports hold until then{gone}", earlier(imported.kept_rows)),
                );
            }
        }
        None => {
            if let Some(until) = args.until {
                page.fact("Holds until", &civil_date_text(until));
            }
            if imported.earlier_rows > 0 {
                page.fact("Before", &format!("{} of earlier imports are replaced", earlier(imported.earlier_rows)));
            }
        }
    }
    page.fact(
        "Published",
        &match imported.generation {
            Some(generation) => format!("generation {generation}; vcq-etl buildings check tells how far it reaches"),
            None => "with the next sync or rebuild".to_owned(),
        },
    );
    page.text()
}

/// Adds a list: its heading, some of it, and how much is left out.
fn list(page: &mut Page, heading: &str, lines: impl ExactSizeIterator<Item = String>) {
    if lines.len() == 0 {
        return;
    }
    let more = lines.len().saturating_sub(SHOWN);
    page.line("");
    page.line(heading);
    lines.take(SHOWN).for_each(|line| page.line(&format!("  {line}")));
    if more > 0 {
        page.line(&format!("  and {} more; --format json has all", thousands(more as u64)));
    }
}

fn judged_page(file: &Path, judged: &Judged) -> String {
    let Judged { judgement, duplicates, .. } = judged;
    let mut page = Page::default();
    facts(&mut page, file, judged);
    list(
        &mut page,
        "Duplicates",
        duplicates.iter().map(|(line, earlier)| format!("line {line} says what line {earlier} says")),
    );
    list(&mut page, "Overlaps", judgement.overlaps.iter().map(|(inner, outer)| format!("{inner} in {outer}")));
    list(&mut page, "Home ranges without egress_cidr", judgement.home.iter().map(Network::to_string));
    list(&mut page, "Around home ranges", judgement.around_home.iter().map(Network::to_string));
    page.line("");
    page.line("The file is sound. Nothing was changed.");
    page.text()
}

/// `7,000 of 8,271 (84.6 %)`, rounded down, so that all is all.
fn share(part: u64, of: u64) -> String {
    let permille = (u128::from(part) * 1_000).checked_div(u128::from(of)).unwrap_or_default();
    format!("{} of {} ({}.{} %)", thousands(part), thousands(of), permille / 10, permille % 10)
}

fn reach_page(store: &Path, reach: &Reach) -> String {
    let mut page = Page::default();
    page.fact("Store", &format!("{}, generation {}", shown(store), reach.generation));
    page.fact("Building file", &extent(&reach.judgement));
    page.line("");
    let row = |name: &str, of: fn(&Tally) -> u64| {
        let [participants, addresses] = [&reach.participants, &reach.addresses].map(of);
        vec![name.to_owned(), thousands(participants), thousands(addresses)]
    };
    let mut rows = vec![
        ["where", "participants", "addresses"].map(str::to_owned).to_vec(),
        row("in a building", |tally| tally.in_building),
        row("in a range of home routers", |tally| tally.home),
        row("elsewhere", |tally| tally.elsewhere),
    ];
    if reach.participants.without_address > 0 {
        rows.push(row("without an address", |tally| tally.without_address));
        // No address, no count of them.
        rows.last_mut().into_iter().for_each(|row| row[2].clear());
    }
    page.table(&[Side::Left, Side::Right, Side::Right], &rows);
    page.line("");
    let (participants, addresses) = (reach.participants, reach.addresses);
    page.fact(
        "Participants",
        &format!("{} in a building", share(participants.in_building, participants.with_address())),
    );
    page.fact("Addresses", &format!("{} in a building", share(addresses.in_building, addresses.with_address())));
    if !reach.missing.is_empty() {
        page.line("");
        page.line("Subnets without a building, most participants first");
        let mut rows = vec![["subnet", "participants", "addresses"].map(str::to_owned).to_vec()];
        rows.extend(reach.missing.iter().take(SHOWN).map(|missing| {
            vec![missing.subnet.to_string(), thousands(missing.participants), thousands(missing.addresses)]
        }));
        page.table(&[Side::Left, Side::Right, Side::Right], &rows);
        let more = reach.missing.len().saturating_sub(SHOWN);
        if more > 0 {
            page.line(&format!("and {} more; vcq-etl report run missing-subnets tells all", thousands(more as u64)));
        }
    }
    let width =
        reach.unmatched.iter().take(SHOWN).map(|(network, _)| network.to_string().len()).max().unwrap_or_default();
    list(
        &mut page,
        "Networks that nobody was in",
        reach
            .unmatched
            .iter()
            .map(|(network, building)| format!("{:width$}  {}", network.to_string(), on_one_line(building))),
    );
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
        "form": form.words(),
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
