//! `vcq-etl man`: a man page for the program, for every command and for `vcq.toml`, from the command line and the table
//! of settings.
//!
//! Promises pages that groff and mandoc render without warnings. Leaves out the texts themselves.

use std::path::{Path, PathBuf};

use clap::{Arg, ArgMatches, Command, ValueHint};

use super::command::{Entry, Run};
use super::help;
use super::output::{Output, write_error};
use super::roff::Roff;
use crate::config::{CONFIG_VARIABLE, Group, Kind, SETTINGS, Setting};
use crate::error::{EXIT_CODES, ExitCode, Failure};
use crate::files;
use crate::text::Language;

pub(super) const ENTRY: Entry = Entry {
    help_groups: &[],
    command: || {
        Command::new("man")
            .about("Print a man page, or write all of them")
            .long_about(format!(
                "Print the man page of vcq-etl, of one of its commands (report run) or of its configuration file \
                 ({SETTINGS_PAGE}), or write all pages to a directory that MANPATH can name."
            ))
            .arg(
                Arg::new("command")
                    .value_name("COMMAND")
                    .num_args(1..)
                    .help(format!("Name of a command, or {SETTINGS_PAGE} [default: the program itself]")),
            )
            .arg(
                Arg::new("out")
                    .long("out")
                    .value_name("DIR")
                    .value_hint(ValueHint::DirPath)
                    .value_parser(clap::value_parser!(PathBuf))
                    .conflicts_with("command")
                    .help("Write all pages to DIR/man1 and DIR/man5"),
            )
    },
    examples: &[
        ("vcq-etl man report run | man -l -", "read about a command"),
        ("vcq-etl man --out ~/.local/share/man", "install all pages"),
    ],
    run: Run::Plain(run),
};

const NAME: &str = env!("CARGO_PKG_NAME");

/// The page of the configuration file.
const SETTINGS_PAGE: &str = "vcq.toml";

/// The date of the pages, as the same source must give the same bytes. Changed with each release.
const DATE: &str = "2026-11-26";

struct Page {
    /// What is typed to get it: `report run`; empty for the program.
    words: String,
    /// `vcq-etl-report-run.1`.
    file: String,
    section: u8,
    text: String,
}

fn run(matches: &ArgMatches, program: Command, output: &Output, language: Language) -> Result<ExitCode, Failure> {
    let pages = pages(program, language);
    if let Some(folder) = matches.get_one::<PathBuf>("out") {
        pages.iter().try_for_each(|page| write(page, folder))?;
        return Ok(ExitCode::Complete);
    }
    let words: Vec<&str> = matches.get_many::<String>("command").into_iter().flatten().map(String::as_str).collect();
    let wanted = words.join(" ");
    let page = pages.iter().find(|page| page.words == wanted).ok_or_else(|| {
        let known: Vec<&str> = pages.iter().map(|page| page.words.as_str()).filter(|words| !words.is_empty()).collect();
        Failure::new(ExitCode::Usage, format!("there is no man page for {wanted:?}"))
            .hint(format!("the pages are {}", known.join(", ")))
    })?;
    output.print(&page.text)?;
    Ok(ExitCode::Complete)
}

fn write(page: &Page, folder: &Path) -> Result<(), Failure> {
    let folder = folder.join(format!("man{}", page.section));
    files::create_public_folders(&folder).map_err(|error| {
        Failure::new(ExitCode::Storage, format!("could not create {}", folder.display())).cause(&error)
    })?;
    let path = folder.join(&page.file);
    files::write_public(&path, &page.text).map_err(|error| write_error(&path, &error))
}

fn pages(mut program: Command, language: Language) -> Vec<Page> {
    // Adds the global flags to the commands.
    program.build();
    let mut pages = Vec::new();
    add_pages(&mut pages, &program, &mut Vec::new(), language);
    pages.push(settings_page(language));
    pages
}

/// Adds the page of a command, then those of its commands.
fn add_pages<'a>(pages: &mut Vec<Page>, command: &'a Command, parents: &mut Vec<&'a str>, language: Language) {
    parents.push(command.get_name());
    let name = parents.join("-");
    let text = command_page(command, &name, parents, language);
    pages.push(Page { words: parents[1..].join(" "), file: format!("{name}.1"), section: 1, text });
    visible_commands(command).for_each(|inner| add_pages(pages, inner, parents, language));
    parents.pop();
}

fn visible_commands(command: &Command) -> impl Iterator<Item = &Command> {
    command.get_subcommands().filter(|inner| inner.get_name() != "help" && !inner.is_hide_set())
}

fn page(title: &str, section: u8, about: &str, language: Language) -> Roff {
    let source = concat!(env!("CARGO_PKG_NAME"), " ", env!("CARGO_PKG_VERSION"));
    let mut roff = Roff::new(title, section, DATE, source, language);
    roff.heading("Name");
    roff.name(title, about);
    roff
}

fn command_page(command: &Command, name: &str, parents: &[&str], language: Language) -> String {
    let about = command.get_about().map(ToString::to_string).unwrap_or_default();
    let mut roff = page(name, 1, &about, language);
    roff.heading("Synopsis");
    let usage = command.clone().render_usage().to_string();
    roff.bold_paragraph(&help::usage(language, usage.trim_start_matches("Usage:")));
    roff.heading("Description");
    let long = command.get_long_about().map(ToString::to_string);
    roff.paragraphs(&long.unwrap_or(about));
    arguments(&mut roff, command, language);
    if visible_commands(command).next().is_some() {
        roff.heading("Commands");
        for inner in visible_commands(command) {
            roff.term(&[(&format!("{name}-{}", inner.get_name()), true), ("(1)", false)]);
            roff.text(&inner.get_about().map(ToString::to_string).unwrap_or_default());
        }
    }
    let is_program = parents.len() == 1;
    if is_program {
        environment(&mut roff, language);
        exit_status(&mut roff);
    }
    let after = command.get_after_help().map(ToString::to_string).unwrap_or_default();
    examples(&mut roff, &after);
    roff.heading("See also");
    let parent = parents[..parents.len() - 1].join("-");
    roff.text(&match (is_program, parents.len()) {
        (true, _) => format!("{SETTINGS_PAGE}(5). vcq-etl report list lists the reports, vcq-etl schema the tables."),
        (false, 2) => format!("{parent}(1) for all settings and the exit codes, {SETTINGS_PAGE}(5)"),
        (false, _) => format!("{parent}(1), {NAME}(1) for all settings and the exit codes, {SETTINGS_PAGE}(5)"),
    });
    roff.finish()
}

/// The visible arguments by the heading of the help.
fn arguments(roff: &mut Roff, command: &Command, language: Language) {
    let visible = || command.get_arguments().filter(|arg| !arg.is_hide_set());
    let mut headings: Vec<Option<&str>> = Vec::new();
    for heading in visible().map(Arg::get_help_heading) {
        if !headings.contains(&heading) {
            headings.push(heading);
        }
    }
    headings.sort_by_key(Option::is_some);
    for heading in headings {
        roff.heading(&heading.map_or_else(|| "Options".to_owned(), |heading| format!("{heading} options")));
        for arg in visible().filter(|arg| arg.get_help_heading() == heading) {
            argument(roff, arg, language);
        }
    }
}

fn argument(roff: &mut Roff, arg: &Arg, language: Language) {
    let short = arg.get_short().map(|short| format!("-{short}"));
    let long = arg.get_long().map(|long| format!("--{long}"));
    let names: Vec<String> = short.into_iter().chain(long).collect();
    let takes_value = arg.is_positional() || arg.get_action().takes_values();
    let value =
        arg.get_value_names().unwrap_or_default().iter().map(|name| name.as_str()).collect::<Vec<_>>().join(" ");
    let mut term: Vec<(&str, bool)> = Vec::new();
    for name in &names {
        term.extend(term.last().map(|_| (", ", false)));
        term.push((name, true));
    }
    if takes_value {
        term.extend(term.last().map(|_| (" ", false)));
        term.push((&value, false));
    }
    roff.term(&term);
    let help = arg.get_long_help().or_else(|| arg.get_help()).map(ToString::to_string).unwrap_or_default();
    let defaults: Vec<String> =
        arg.get_default_values().iter().map(|value| value.to_string_lossy().into_owned()).collect();
    let default = match takes_value && !defaults.is_empty() {
        true => format!(" [default: {}]", defaults.join(" ")),
        false => String::new(),
    };
    let values = if takes_value { arg.get_possible_values() } else { Vec::new() };
    let names: Vec<&str> = values.iter().map(|value| value.get_name()).collect();
    let choice = match names.is_empty() || values.iter().any(|value| value.get_help().is_some()) {
        true => String::new(),
        false => format!("; one of {}", names.join(", ")),
    };
    roff.paragraphs_of_term(&match language {
        Language::English => format!("{help}{default}{choice}"),
        Language::Chinese => help::paragraphs(&format!("{help}{default}")) + &choice.replace("; one of ", "；可选："),
    });
    if values.iter().any(|value| value.get_help().is_some()) {
        roff.indented(|roff| {
            for value in &values {
                roff.term(&[(value.get_name(), true)]);
                roff.text(&value.get_help().map(ToString::to_string).unwrap_or_default());
            }
        });
    }
}

/// What a setting means, its default and what it must be.
fn setting_text(setting: &Setting, language: Language) -> String {
    if language == Language::Chinese {
        let help = language.say(setting.help.trim_end_matches('.')).into_owned();
        let form = match setting.kind {
            Kind::Text | Kind::Path => String::new(),
            kind => format!("格式：{}。", language.say(&kind.wants())),
        };
        let default =
            if setting.default.is_empty() { String::new() } else { format!("默认：{}。", setting.default) };
        return format!("{}。{form}{default}", help.trim_end_matches('。'));
    }
    let default = if setting.default.is_empty() { String::new() } else { format!(" Default: {}.", setting.default) };
    let form = match setting.kind {
        Kind::Text | Kind::Path => String::new(),
        kind => format!(" Must be {}.", kind.wants()),
    };
    format!("{}{form}{default}", setting.help)
}

fn environment(roff: &mut Roff, language: Language) {
    roff.heading("Environment");
    roff.paragraphs(&format!(
        "Every setting can be given as a flag, as an environment variable or in {SETTINGS_PAGE}(5). Flags take precedence over \
         variables, variables over the file, the file over the defaults."
    ));
    roff.term(&[(CONFIG_VARIABLE, true)]);
    roff.text("The configuration file, like --config.");
    for setting in SETTINGS {
        roff.term(&[(&setting.variable(), true), ("=", false), (setting.value_name, false)]);
        roff.text(&setting_text(setting, language));
    }
}

fn exit_status(roff: &mut Roff) {
    roff.heading("Exit status");
    for exit in EXIT_CODES {
        roff.term(&[(&exit.code.number().to_string(), true)]);
        roff.text(exit.meaning);
    }
}

/// The lines under `Examples:` at the end of a help text: a command line, then two spaces and what it does.
fn examples(roff: &mut Roff, after_help: &str) {
    let Some((_, lines)) = after_help.split_once("Examples:\n") else { return };
    roff.heading("Examples");
    for line in lines.lines().take_while(|line| line.starts_with("  ")) {
        let (typed, does) = line.trim().split_once("  ").unwrap_or((line.trim(), ""));
        roff.term(&[(typed, true)]);
        roff.text(does);
    }
}

fn settings_page(language: Language) -> Page {
    let mut roff = page(SETTINGS_PAGE, 5, "settings of vcq-etl", language);
    roff.heading("Description");
    roff.paragraphs(
        "A TOML file of keys and values. The file is the one named by --config or VCQ_CONFIG, else ./vcq.toml, else \
         vcq-etl/vcq.toml in $XDG_CONFIG_HOME (default: ~/.config). Flags and environment variables take precedence over it.\n\n\
         Relative paths are relative to the directory of the file. A file that contains a secret must be accessible only to its \
         owner. An unknown key is an error.\n\n\
         Durations are written as 500ms, 90s, 10m, 24h, 2d or 1h30m, sizes as 256MiB, 1GiB or 500MB.",
    );
    for group in Group::ALL {
        roff.heading(&format!("{} keys", group.heading()));
        for setting in SETTINGS.iter().filter(|setting| setting.group == group) {
            roff.term(&[(setting.key, true), (" = ", false), (setting.value_name, false)]);
            roff.text(&setting_text(setting, language));
        }
    }
    roff.heading("Alert rules and channels");
    roff.paragraphs(
        "Each table [[alerts]] is a rule: name, report, where (an SQL condition over the report's columns), since, until, \
         quiet_for, to (names of channels), and parameters of the report.\n\n\
         Each table [channels.NAME] is a channel. kind is feishu (url or url_file, secret or secret_file), webhook (url or \
         url_file), email (host, port, tls, user, password_file, from, to) or command (command, an array). The variables \
         VCQ_CHANNELS_NAME_URL, VCQ_CHANNELS_NAME_SECRET and VCQ_CHANNELS_NAME_PASSWORD take precedence.",
    );
    roff.heading("Examples");
    roff.preformatted(
        "store = \"store\"\napp_id = \"cli_a1b2c3\"\napp_secret_file = \"secret\"\n\n[thresholds]\naudio_loss_pct = 3",
    );
    roff.heading("See also");
    roff.text("vcq-etl(1)");
    Page { words: SETTINGS_PAGE.to_owned(), file: format!("{SETTINGS_PAGE}.5"), section: 5, text: roff.finish() }
}
