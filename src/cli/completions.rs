//! `vcq-etl completions`: the scripts of `clap_complete`, with the values of arguments that are data (reports,
//! profiles, commands) and without its mistakes. Leaves out custom reports, because a script is generated once.

use clap::builder::{PossibleValue, PossibleValuesParser};
use clap::{Arg, ArgMatches, Command};
use clap_complete::Shell;

use super::command::{Entry, Run};
use super::output::Output;
use crate::error::{ExitCode, Failure};
use crate::extract::Also;
use crate::report::{Catalogue, PROFILES};
use crate::text::Language;

pub(super) const ENTRY: Entry = Entry {
    help_groups: &[],
    command: || {
        let shell = clap::value_parser!(Shell);
        Command::new("completions")
            .about("Print a shell completion script")
            .arg(Arg::new("shell").value_name("SHELL").required(true).value_parser(shell).help("Name of the shell"))
    },
    examples: &[("vcq-etl completions bash > vcq-etl.bash", "")],
    run: Run::Plain(run),
};

const NAME: &str = env!("CARGO_PKG_NAME");

fn run(matches: &ArgMatches, program: Command, output: &Output, _: Language) -> Result<ExitCode, Failure> {
    let mut program = with_values(program, &Values::new()?);
    let mut script = Vec::new();
    let shell = matches.get_one::<Shell>("shell").copied();
    if let Some(shell) = shell {
        clap_complete::generate(shell, &mut program, NAME, &mut script);
    }
    let script = String::from_utf8_lossy(&script);
    output.print(&match shell {
        Some(Shell::Bash) => corrected_bash(&script),
        Some(Shell::Fish) => script.into_owned() + &fish_positionals(&program),
        _ => script.into_owned(),
    })?;
    Ok(ExitCode::Complete)
}

/// The values of arguments that are data, by the name that the help gives the value.
struct Values {
    reports: Vec<PossibleValue>,
}

impl Values {
    fn new() -> Result<Values, Failure> {
        let catalogue = Catalogue::built_in()?;
        let reports = catalogue.reports().iter();
        let reports = reports.map(|report| PossibleValue::new(report.name.clone()).help(report.header.title.clone()));
        Ok(Values { reports: reports.collect() })
    }

    fn of(&self, arg: &Arg, commands: &[String]) -> Option<Vec<PossibleValue>> {
        if arg.get_id() == "also" {
            return Some(Also::ALL.iter().map(|also| PossibleValue::new(also.name())).collect());
        }
        let [name] = arg.get_value_names()? else { return None };
        Some(match name.as_str() {
            "REPORT" => self.reports.clone(),
            "PROFILE" => PROFILES.iter().map(|(name, help)| PossibleValue::new(*name).help(*help)).collect(),
            "COMMAND" => commands.iter().map(PossibleValue::new).collect(),
            _ => return None,
        })
    }
}

/// Lets the arguments of all commands accept their values only, which is what the generators look at.
fn with_values(program: Command, values: &Values) -> Command {
    fn extend(mut command: Command, values: &Values, commands: &[String]) -> Command {
        let found = command.get_arguments().filter_map(|arg| Some((arg.get_id().clone(), values.of(arg, commands)?)));
        for (id, values) in found.collect::<Vec<_>>() {
            command = command.mut_arg(id, |arg| arg.value_parser(PossibleValuesParser::new(values)));
        }
        command.mut_subcommands(|inner| extend(inner, values, commands))
    }
    let commands: Vec<String> = program.get_subcommands().map(|command| command.get_name().to_owned()).collect();
    extend(program, values, &commands)
}

/// The generator sets `vcq__etl__subcmd__sync` and compares with `vcq__subcmd__etl__subcmd__sync`, because it replaces
/// the hyphen of the program as if it separated commands. And it does not know that bash splits `--flag=value`.
fn corrected_bash(script: &str) -> String {
    let name = NAME.replace('-', "__");
    script.replace(&NAME.replace('-', "__subcmd__"), &name).replacen(
        "    prev=\"$3\"\n",
        "    prev=\"$3\"\n    \
         if [[ \"${prev}\" == \"=\" && ${COMP_CWORD} -ge 2 ]]; then\n        \
             prev=\"${COMP_WORDS[COMP_CWORD-2]}\"\n    \
         fi\n",
        1,
    )
}

/// The generator for fish leaves out the values of positional arguments.
fn fish_positionals(program: &Command) -> String {
    let using = format!("__fish_{}_using_subcommand", NAME.replace('-', "_"));
    let quoted = |text: &str| text.replace('\\', "\\\\").replace('\'', "\\'");
    let mut script = String::new();
    for command in program.get_subcommands() {
        let alone = (format!("{using} {}", command.get_name()), command);
        let nested = command.get_subcommands().map(|inner| {
            (format!("{using} {}; and __fish_seen_subcommand_from {}", command.get_name(), inner.get_name()), inner)
        });
        for (condition, command) in std::iter::once(alone).chain(nested) {
            for value in command.get_positionals().flat_map(Arg::get_possible_values) {
                let help = value.get_help().map(ToString::to_string).unwrap_or_default();
                let (name, help) = (quoted(value.get_name()), quoted(&help));
                script.push_str(&format!("complete -c {NAME} -n \"{condition}\" -f -a '{name}' -d '{help}'\n"));
            }
        }
    }
    script
}
