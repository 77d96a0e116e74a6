//! A channel that is a program: it gets the message as JSON on standard input, and must end within a time limit. Other
//! programs that a user names run in the same way.

use std::io::{Read, Write};
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::Receiver;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process_group};

use super::error::DeliveryError;
use crate::text::on_one_line;

/// How often it is checked whether the program has ended.
const POLL: Duration = Duration::from_millis(10);
/// What it writes to stderr is shown up to this length.
const MAX_SHOWN_BYTES: u64 = 300;

/// What it writes to stdout is read up to this length.
const MAX_OUTPUT_BYTES: u64 = 64 << 10;

/// Blocks until the program has ended.
pub(super) fn run(arguments: &[String], input: &str, limit: Duration) -> Result<(), DeliveryError> {
    output_of(arguments, input, limit).map(drop)
}

/// The same for a program without input; returns what it writes to stdout.
pub(crate) fn program_output(arguments: &[String], limit: Duration) -> Result<String, DeliveryError> {
    output_of(arguments, "", limit)
}

fn output_of(arguments: &[String], input: &str, limit: Duration) -> Result<String, DeliveryError> {
    let Some((program, arguments)) = arguments.split_first() else {
        return Err(DeliveryError::Setup { why: "it names no program".to_owned() });
    };
    let failed = |why: String| DeliveryError::Program { program: program.clone(), why };
    let started = Instant::now();
    let mut child = Command::new(program)
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        // Its children end with it.
        .process_group(0)
        .spawn()
        .map_err(|error| failed(format!("could not be started: {error}")))?;
    // In threads, because a program may neither read its input nor close its output.
    let stdin = child.stdin.take();
    let input = input.to_owned();
    std::thread::spawn(move || stdin.map(|mut stdin| stdin.write_all(input.as_bytes())));
    let printed = read(child.stdout.take(), MAX_OUTPUT_BYTES);
    let written = read(child.stderr.take(), MAX_SHOWN_BYTES);
    // A child that it leaves behind may keep its output open.
    let text = |from: &Receiver<Vec<u8>>| {
        String::from_utf8_lossy(&from.recv_timeout(Duration::from_millis(200)).unwrap_or_default()).into_owned()
    };
    loop {
        match child.try_wait() {
            Ok(Some(status)) if status.success() => return Ok(text(&printed)),
            Ok(Some(status)) => {
                let text = on_one_line(text(&written).trim());
                let text = if text.is_empty() { text } else { format!(": {text}") };
                return Err(failed(format!("ended with {status}{text}")));
            }
            Ok(None) if started.elapsed() < limit => std::thread::sleep(POLL),
            Ok(None) => {
                kill(&mut child);
                return Err(failed(format!("did not end within {} s and was stopped", limit.as_secs())));
            }
            Err(error) => return Err(failed(format!("could not be waited for: {error}"))),
        }
    }
}

/// Reads the begin of what a program writes, in a thread.
fn read(stream: Option<impl Read + Send + 'static>, limit_bytes: u64) -> Receiver<Vec<u8>> {
    let (sender, receiver) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        let mut text = Vec::new();
        let _ = stream.map(|mut stream| {
            let _ = stream.by_ref().take(limit_bytes).read_to_end(&mut text);
            sender.send(text)?;
            // What is left must be read, or the program would wait.
            std::io::copy(&mut stream, &mut std::io::sink()).map_err(|_| std::sync::mpsc::SendError(Vec::new()))
        });
    });
    receiver
}

/// Ends the program with its children.
fn kill(child: &mut Child) {
    let group = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
    if let Some(group) = group {
        let _ = kill_process_group(group, Signal::KILL);
    }
    let _ = child.kill();
    let _ = child.wait();
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str, limit: Duration) -> Result<(), String> {
        let arguments = ["sh", "-c", script].map(str::to_owned);
        run(&arguments, "{\"title\":\"t\"}", limit).map_err(|error| error.to_string())
    }

    #[test]
    fn the_program_reads_the_message_and_its_failure_is_reported() {
        let limit = Duration::from_secs(20);
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("got");
        assert_eq!(shell(&format!("cat > {}", file.display()), limit), Ok(()));
        assert_eq!(std::fs::read_to_string(&file).expect("written"), "{\"title\":\"t\"}");
        let error = shell("echo 'no \x1b[31m route' >&2; exit 3", limit).expect_err("failed");
        assert_eq!(error, "the program sh ended with exit status: 3: no \u{fffd}[31m route");
        let missing = run(&["/no/such/program".to_owned()], "", limit).expect_err("failed").to_string();
        assert!(missing.starts_with("the program /no/such/program could not be started"), "{missing}");
        // It need not read its input, and may write a lot.
        assert_eq!(shell("head -c 300000 /dev/zero >&2", limit), Ok(()));
    }

    #[test]
    fn a_program_that_hangs_is_stopped_with_its_children() {
        let began = Instant::now();
        let error = shell("sleep 60 & sleep 60", Duration::from_millis(300)).expect_err("stopped");
        assert_eq!(error, "the program sh did not end within 0 s and was stopped");
        assert!(began.elapsed() < Duration::from_secs(10));
    }
}
