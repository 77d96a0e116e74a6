//! The nightly run as a line for cron. The program locks its store itself, so the line needs no `flock`.

use crate::text::shell_word;

/// A line of a crontab. Its output, one JSON object a run, is appended to `log`.
pub(super) fn line(program: &str, config: &str, log: &str) -> String {
    let [program, config, log] = [program, config, log].map(shell_word);
    let line = format!("15 2 * * *  {program} sync --since last --config {config} --quiet --summary json >> {log}");
    // Cron ends the command at a percent sign.
    line.replace('%', "\\%")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_is_absolute_and_quoted() {
        insta::assert_snapshot!(
            line("/usr/bin/vcq-etl", "/srv/vcq/vcq.toml", "/srv/vcq/sync.jsonl"),
            @"15 2 * * *  /usr/bin/vcq-etl sync --since last --config /srv/vcq/vcq.toml --quiet --summary json >> /srv/vcq/sync.jsonl"
        );
        insta::assert_snapshot!(
            line("/opt/my tools/vcq-etl", "/srv/会议's 100%/vcq.toml", "/l"),
            @r"15 2 * * *  '/opt/my tools/vcq-etl' sync --since last --config '/srv/会议'\''s 100\%/vcq.toml' --quiet --summary json >> /l"
        );
    }

    #[test]
    fn a_shell_reads_the_words_that_were_quoted() {
        let odd = r#"/a b/'"$x `y` \ %会议/vcq.toml"#;
        let line = line("printf", odd, "/dev/null").replace("\\%", "%");
        let command = line.replace("15 2 * * *  printf", "printf '%s\\n'").replace(" >> /dev/null", "");
        let output = std::process::Command::new("sh").args(["-c", &command]).output().expect("sh runs");
        let words = String::from_utf8(output.stdout).expect("text");
        assert_eq!(words.lines().collect::<Vec<_>>()[3..5], ["--config", odd]);
    }
}
