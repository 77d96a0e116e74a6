//! `vcq-etl init`: its arguments, and the order of what it does.

use std::path::{Path, PathBuf};

use clap::{ArgMatches, Args, Command, ValueHint};
use feishu_vc::Secret;

use super::answers::{Answers, AppSecret, Given};
use super::cron;
use super::files::{self, NewFile, Places};
use super::systemd::{Manager, Words, units};
use super::terminal::Terminal;
use crate::cli::buildings::{extent, import_setup};
use crate::cli::command::{Choice, Context, Entry, Example, Run, Unconfigured, one_of, parsed};
use crate::cli::doctor;
use crate::cli::settings::{CONFIG, flag};
use crate::commands::buildings::import;
use crate::config::{Config, SETTINGS, Setting, Sources, template};
use crate::error::{ExitCode, Failure};
use crate::load::StorePaths;
use crate::schema::TenantZone;
use crate::text::{Language, shell_word};

const EXAMPLES: &[Example] = &[("vcq-etl init", "connect a tenant")];

/// The settings that its help shows.
const SHOWN: &[&str] = &["region", "app_id", "app_secret_file", "timezone", "store"];

const MANAGERS: &[Choice<Manager>] = &[
    ("user", "a timer of this user", Manager::User),
    ("system", "a timer of the system, which runs as root", Manager::System),
];

#[derive(Debug, Args)]
struct InitArgs {
    /// Read the app secret from standard input, and write it to the file app-secret beside vcq.toml
    #[arg(long)]
    app_secret_stdin: bool,

    /// Building file to import (vcq-etl buildings --help describes it)
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    buildings: Option<PathBuf>,

    /// Install a systemd timer instead of printing a line for cron [default: system for root, else user]
    #[arg(
        long, value_name = "MANAGER", num_args = 0..=1, require_equals = true,
        default_missing_value = Manager::of_this_user().name(), value_parser = one_of(MANAGERS)
    )]
    timer: Option<Manager>,

    /// Skip the checks that call Feishu
    #[arg(long)]
    no_check: bool,

    /// Print the files instead of writing them
    #[arg(long)]
    dry_run: bool,
}

pub(in crate::cli) const ENTRY: Entry =
    Entry { help_groups: &[], command, examples: EXAMPLES, run: Run::Unconfigured(run) };

fn command() -> Command {
    let config = clap::Arg::new(CONFIG)
        .long(CONFIG)
        .value_name("FILE")
        .value_hint(ValueHint::FilePath)
        .value_parser(clap::value_parser!(PathBuf))
        .help("Configuration file to write [default: ./vcq.toml]");
    let settings = SHOWN.iter().filter_map(|key| Setting::find(key)).map(|setting| {
        let flag = flag(setting).help_heading(None::<&str>).hide_short_help(false);
        match setting.key {
            "timezone" => flag.help(format!("{} [default: that of this machine]", setting.help.trim_end_matches('.'))),
            _ => flag,
        }
    });
    InitArgs::augment_args(Command::new("init").args(settings).arg(config))
        .about("Write vcq.toml for a tenant, and check it")
        .long_about(
            "Write a commented vcq.toml and check it like vcq-etl doctor, with the exit code of vcq-etl doctor. On a \
             terminal it asks for what the flags leave open. Every other setting can be given as a flag or a variable \
             and is written to the file too.\n\nThe app secret is in a file that exists (--app-secret-file), in the \
             variable VCQ_APP_SECRET, or it is typed or read from standard input and written to a file that only its \
             owner can read. An existing file is never changed.",
        )
}

fn run(matches: &ArgMatches, start: &Unconfigured) -> Result<ExitCode, Failure> {
    let args: InitArgs = parsed(matches);
    let (sources, output) = (&start.sources, &start.output);
    let places = Places::new(sources)?;
    let manager = args.timer;
    let unit_places = manager.map(|manager| manager.places(sources)).transpose()?;
    if let Some(manager) = manager.filter(|_| !args.dry_run) {
        manager.check()?;
    }
    // Standard input is the secret.
    let terminal = if args.app_secret_stdin { None } else { Terminal::open(&start.console) };
    let given = Given {
        sources,
        places: &places,
        is_secret_on_stdin: args.app_secret_stdin,
        buildings: args.buildings,
        machine_zone: machine_zone(),
    };
    let answers = given.complete(terminal.as_ref())?;
    if let AppSecret::New(secret) = &answers.secret {
        start.console.redactor().add_secret(secret.expose());
    }
    warn(&answers, start);
    let program = program()?;
    let nightly = Nightly { program: &program, places: &places, sources };
    let language = start.console.language;
    let mut new = new_files(&answers, &places, language);
    if let (Some(manager), Some(unit_places)) = (manager, unit_places) {
        if answers.secret == AppSecret::Variable {
            let message = "the timer cannot read VCQ_APP_SECRET, and nothing was written";
            return Err(Failure::new(ExitCode::Usage, message)
                .hint("put the app secret in a file: unset VCQ_APP_SECRET, and give --app-secret-file FILE"));
        }
        new.extend(nightly.units(manager, unit_places, &answers, language)?);
    }
    if args.dry_run {
        output.print(&files::shown(&new))?;
        if manager.is_none() {
            output.print(&format!("--- crontab\n{}\n", nightly.cron_line()))?;
        }
        return Ok(ExitCode::Complete);
    }
    files::create(&new)?;
    output.print(&language.say_lines(&written(&new)))?;
    let context = configured(start, &places)?;
    if let Some(file) = answers.buildings {
        let imported = import(&import_setup(&context.config, sources.folder.join(&file))).map_err(|error| {
            Failure::from(error).hint(format!("then run: vcq-etl buildings import {}", quoted(&file)))
        })?;
        let text = format!("Buildings: {}\n", extent(&imported.judged.judgement));
        output.print(&language.say_lines(&text))?;
    }
    let timer = match manager {
        None => output.print(&language.say_lines(&nightly.cron_text(&answers.secret))),
        Some(manager) => start_timer(manager, &context),
    };
    output.print("\n")?;
    let exit = doctor::check(&context, !args.no_check)?;
    if exit == ExitCode::Complete {
        let next = format!("Next: vcq-etl sync --since 2d{}\n", nightly.config_flag());
        output.print(&language.say_lines(&next))?;
    }
    match timer {
        Err(failure) if exit != ExitCode::Complete => {
            start.console.failure(&failure);
            Ok(exit)
        }
        other => other.map(|()| exit),
    }
}

/// Notes on answers that nobody confirmed, and on variables that override them.
fn warn(answers: &Answers, start: &Unconfigured) {
    let is_utc = |zone: &&String| ["UTC", "UCT", "GMT", "Zulu", "Universal"].iter().any(|name| zone.ends_with(name));
    if let Some(zone) = answers.assumed_zone.as_ref().filter(is_utc) {
        start.console.warn(&format!(
            "the time zone is that of this machine, {zone}; if the tenant is in another one, set timezone in vcq.toml \
             before the first sync"
        ));
    }
    for setting in SETTINGS.iter().filter(|setting| start.sources.flags.contains_key(setting.key)) {
        let variable = start.sources.environment.get(&setting.variable()).filter(|text| !text.is_empty());
        if variable.is_some_and(|text| Some(text) != start.sources.flags.get(setting.key)) {
            start.console.warn(&format!("{} takes precedence over vcq.toml while it is set", setting.variable()));
        }
    }
}

fn new_files(answers: &Answers, places: &Places, language: Language) -> Vec<NewFile> {
    let secret = |secret: &Secret| NewFile {
        path: places.secret(),
        text: format!("{}\n", secret.expose()),
        is_public: false,
        stands_for: Some("[hidden]"),
    };
    let secret = match &answers.secret {
        AppSecret::New(text) => Some(secret(text)),
        AppSecret::File | AppSecret::Variable => None,
    };
    // Runs at night have no locale: without this, alerts and comments in the database would be in English.
    let mut settings = answers.settings.clone();
    if language == Language::Chinese {
        settings.entry("language").or_insert_with(|| "zh".to_owned());
    }
    let text = template(&settings, language);
    let config = NewFile { path: places.file.clone(), text, is_public: false, stands_for: None };
    secret.into_iter().chain([config]).collect()
}

fn written(new: &[NewFile]) -> String {
    let line = |file: &NewFile| {
        let note = if file.stands_for.is_some() { " (the app secret; only you can read it)" } else { "" };
        format!("Written: {}{note}\n", file.path.display())
    };
    new.iter().map(line).collect()
}

/// The context of the commands that follow, with the new file.
fn configured(start: &Unconfigured, places: &Places) -> Result<Context, Failure> {
    let sources = &start.sources;
    let sources = Sources {
        flags: Default::default(),
        config_flag: Some(places.file.clone()),
        environment: sources.environment.clone(),
        folder: sources.folder.clone(),
    };
    let terminal = sources.environment.get("TERM").cloned();
    let config = Config::load(&sources)?;
    config.access().set();
    Ok(Context::new(config, start.console.clone(), start.output.clone(), terminal).with_locale(&sources.environment))
}

fn start_timer(manager: Manager, context: &Context) -> Result<(), Failure> {
    // The service may write to these directories only, so they must exist.
    StorePaths::open(&context.config.store)?;
    if let Some(folder) = &context.config.state_folder {
        crate::files::create_folders(folder).map_err(|error| crate::cli::output::write_error(folder, &error))?;
    }
    manager.enable()?;
    let command = manager.command();
    let journal = command.replace("systemctl", "journalctl");
    let text = format!(
        "\nIt runs every night at 02:15 of this machine's time:\n  {command} list-timers vcq-etl.timer\n  {journal} --unit vcq-etl\n"
    );
    context.output.print(&context.console.language.say_lines(&text))?;
    manager.linger()
}

/// The program as it was started, without links.
fn program() -> Result<String, Failure> {
    let program = std::env::current_exe().map_err(|error| {
        Failure::new(ExitCode::Unexpected, "could not determine the path of the program").cause(&error)
    })?;
    files::check_text(&program)?;
    Ok(program.to_string_lossy().into_owned())
}

/// `None` if the machine's time zone has no name.
fn machine_zone() -> Option<String> {
    let zone = jiff::tz::TimeZone::try_system().ok()?;
    zone.iana_name().filter(|name| TenantZone::parse(name).is_ok()).map(str::to_owned)
}

fn quoted(path: &Path) -> String {
    shell_word(&path.to_string_lossy())
}

/// What the nightly run needs to know.
struct Nightly<'a> {
    program: &'a str,
    places: &'a Places,
    sources: &'a Sources,
}

impl Nightly<'_> {
    fn cron_line(&self) -> String {
        let log = self.places.folder.join("sync.jsonl");
        cron::line(self.program, &self.places.file.to_string_lossy(), &log.to_string_lossy())
    }

    fn cron_text(&self, secret: &AppSecret) -> String {
        let variable = match secret {
            AppSecret::Variable => {
                "Cron does not read VCQ_APP_SECRET from your shell: set it in a line above this one.\n"
            }
            AppSecret::File | AppSecret::New(_) => "",
        };
        format!(
            "\nTo run it every night, add this line with crontab -e:\n\n{}\n\n\
             Cron mails errors to you; a line MAILTO=ADDRESS above it sends them elsewhere.\n{variable}",
            self.cron_line()
        )
    }

    fn units(
        &self,
        manager: Manager,
        places: [PathBuf; 3],
        answers: &Answers,
        language: Language,
    ) -> Result<[NewFile; 3], Failure> {
        let store = self.places.folder.join(answers.settings.get("store").map_or("", String::as_str));
        let is_foreign = |path: &Path| {
            let owner = std::fs::metadata(path).map(|found| std::os::unix::fs::MetadataExt::uid(&found));
            owner.is_ok_and(|owner| owner != rustix::process::geteuid().as_raw())
        };
        if is_foreign(&store) {
            let message = format!("the store {} belongs to another user, and nothing was written", store.display());
            return Err(Failure::new(ExitCode::Usage, message).hint("run vcq-etl init --timer as that user"));
        }
        let state_folder = self.sources.state_folder().ok_or_else(|| {
            Failure::new(ExitCode::Usage, "neither HOME nor XDG_STATE_HOME is set, and nothing was written")
                .hint("set HOME")
        })?;
        files::check_text(&state_folder)?;
        Ok(units(
            manager,
            places,
            &Words {
                program: self.program,
                config: &self.places.file.to_string_lossy(),
                store: &store.to_string_lossy(),
                state_folder: &state_folder.to_string_lossy(),
            },
            language,
        ))
    }

    /// For the commands that follow: empty if they find the file without it.
    fn config_flag(&self) -> String {
        match self.places.file == self.sources.folder.join("vcq.toml") {
            true => String::new(),
            false => format!(" --config {}", quoted(&self.places.file)),
        }
    }
}
