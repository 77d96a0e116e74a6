//! What a run of the program costs: time, CPU and peak memory. Linux.

use std::collections::BTreeMap;
use std::fs;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use rustix::process::{Pid, WaitId, WaitIdOptions, waitid};

use crate::support::test_env::RunOutput;

/// Peak memory of each of these processes, in KiB, sampled until `is_over`.
fn peaks(watched: impl Fn() -> Vec<i32>, is_over: &AtomicBool) -> BTreeMap<i32, u64> {
    let mut peaks = BTreeMap::new();
    while !is_over.load(Ordering::Relaxed) {
        for pid in watched() {
            let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
            let peak =
                status.lines().find_map(|line| line.strip_prefix("VmHWM:")?.trim().strip_suffix(" kB")?.parse().ok());
            let seen = peaks.entry(pid).or_insert(0);
            *seen = peak.unwrap_or(0).max(*seen);
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    peaks
}

/// CPU seconds of a process and of those that it waited for. It has ended, and nobody has waited for it.
fn cpu_s(pid: u32) -> f64 {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).expect("Linux");
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
    // utime, stime, cutime and cstime; the first field here is the third of all.
    fields[11..15].iter().map(|ticks| ticks.parse::<f64>().expect("a number")).sum::<f64>() / 100.0
}

pub(crate) struct Measured {
    pub ran: RunOutput,
    pub peaks_kib: Vec<u64>,
    pub cpu_s: f64,
    pub wall_s: f64,
}

impl Measured {
    /// Peak memory in MB of the process that used most.
    pub(crate) fn peak_mb(&self) -> f64 {
        self.peaks_kib.iter().max().copied().unwrap_or_default() as f64 * 1024.0 / 1e6
    }
}

/// Runs a command to its end.
pub(crate) fn measured_command(mut command: Command) -> Measured {
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("starts");
    measured(child, |parent| vec![parent as i32], |_| {})
}

/// Runs to the end. The memory is that of the processes that `watched` finds; `meanwhile` gets the ID of the parent.
pub(crate) fn measured(
    child: Child,
    watched: impl Fn(u32) -> Vec<i32> + Sync,
    meanwhile: impl FnOnce(u32),
) -> Measured {
    let (parent, began, is_over) = (child.id(), Instant::now(), AtomicBool::new(false));
    std::thread::scope(|scope| {
        let sampler = scope.spawn(|| peaks(|| watched(parent), &is_over));
        let cpu = scope.spawn(move || {
            let id = WaitId::Pid(Pid::from_raw(parent as i32).expect("a process"));
            waitid(id, WaitIdOptions::EXITED | WaitIdOptions::NOWAIT).expect("it is ours");
            cpu_s(parent)
        });
        meanwhile(parent);
        // Reads the output while the process runs; it is waited for only when its times have been read.
        let (stdout, stderr) = (child.stdout.expect("piped"), child.stderr.expect("piped"));
        let text = |mut stream: Box<dyn std::io::Read + Send>| {
            let mut text = String::new();
            stream.read_to_string(&mut text).map(|_| text)
        };
        let stderr = scope.spawn(move || text(Box::new(stderr)));
        let stdout = text(Box::new(stdout)).expect("text");
        let stderr = stderr.join().expect("ends").expect("text");
        let cpu_s = cpu.join().expect("ends");
        let wall_s = began.elapsed().as_secs_f64();
        is_over.store(true, Ordering::Relaxed);
        let status = waitid(WaitId::Pid(Pid::from_raw(parent as i32).expect("a process")), WaitIdOptions::EXITED);
        let code = status.expect("it is ours").and_then(|status| status.exit_status());
        let peaks_kib = sampler.join().expect("ends").into_values().filter(|peak| *peak > 0).collect();
        Measured { ran: RunOutput { code, stdout, stderr }, peaks_kib, cpu_s, wall_s }
    })
}
