//! The command to type next: the words of a report or card, with the flags that it has to share with this command.

use super::catalogue::Report;
use crate::text::shell_word;

/// Flags of this command that the next one takes over.
#[derive(Debug, Default)]
pub(crate) struct Carried {
    /// `--since` and `--until` with their values.
    pub window: Vec<String>,
    pub profile: Option<String>,
    /// `--store` or `--tenant`, and its value.
    pub store: Option<[String; 2]>,
}

/// The whole command, quoted for a shell. Flags that the next command does not know are left out.
pub(crate) fn command(mut words: Vec<String>, carried: &Carried) -> String {
    let report = match words.as_slice() {
        [first, second, name, ..] if first == "report" && second == "run" => Some(Report::built_in(name).ok()),
        _ => None,
    };
    let takes = |parameter: &str| match (&report, words.get(1).map(String::as_str)) {
        (Some(report), _) => report.as_ref().is_some_and(|report| report.header.parameter(parameter).is_some()),
        // The window of a meeting or incident is its own.
        (None, Some("user")) => true,
        (None, Some("meeting" | "incident")) => parameter == "profile",
        (None, _) => false,
    };
    let has_window = words.iter().any(|word| word.starts_with("--since") || word.starts_with("--until"));
    let (takes_window, takes_profile) = (takes("since") && !has_window, takes("profile"));
    if takes_window {
        words.extend(carried.window.iter().cloned());
    }
    if let Some(profile) = carried.profile.as_ref().filter(|_| takes_profile) {
        words.extend(["--profile".to_owned(), profile.clone()]);
    }
    if let Some(store) = &carried.store {
        words.extend(store.iter().cloned());
    }
    let words = words.iter().map(|word| shell_word(word));
    std::iter::once(env!("CARGO_PKG_NAME").to_owned()).chain(words).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn next(typed: &str, carried: &Carried) -> String {
        command(typed.split(' ').map(|word| word.replace('~', " ")).collect(), carried)
    }

    #[test]
    fn the_window_the_profile_and_the_store_are_taken_over() {
        let carried = Carried {
            window: vec!["--since".to_owned(), "28d".to_owned()],
            profile: Some("strict".to_owned()),
            store: Some(["--store", "my store"].map(str::to_owned)),
        };
        let same = "--since 28d --profile strict --store 'my store'";
        assert_eq!(next("report user Ann~Lee", &carried), format!("vcq-etl report user 'Ann Lee' {same}"));
        assert_eq!(next("report run by-site", &carried), format!("vcq-etl report run by-site {same}"));
        // The report coverage has no profile, and this window is that of a single meeting.
        assert_eq!(next("report run coverage", &carried), "vcq-etl report run coverage --since 28d --store 'my store'");
        let meeting = next("report meeting 123456789 --until 2026-11-03", &carried);
        assert_eq!(meeting, "vcq-etl report meeting 123456789 --until 2026-11-03 --profile strict --store 'my store'");
        assert_eq!(next("report user O'Neil", &Carried::default()), r"vcq-etl report user 'O'\''Neil'");
        assert_eq!(next("report user 会议室", &Carried::default()), "vcq-etl report user 会议室");
    }
}
