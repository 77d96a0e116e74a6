//! CPU time of the calling thread.

use std::fs;
use std::time::Instant;

/// CPU seconds of the calling thread since the start. DuckDB works in this thread if it may use only one.
pub(crate) struct Stopwatch {
    began: Instant,
    began_ns: Option<u64>,
}

impl Stopwatch {
    pub(crate) fn start() -> Stopwatch {
        Stopwatch { began: Instant::now(), began_ns: thread_ns() }
    }

    /// Elapsed time on systems other than Linux, which do not have this file.
    pub(crate) fn cpu_s(&self) -> f64 {
        match (self.began_ns, thread_ns()) {
            (Some(began), Some(now)) => (now - began) as f64 / 1e9,
            _ => self.began.elapsed().as_secs_f64(),
        }
    }
}

fn thread_ns() -> Option<u64> {
    fs::read_to_string("/proc/thread-self/schedstat").ok()?.split_whitespace().next()?.parse().ok()
}
