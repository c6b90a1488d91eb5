//! CPU time and resident memory of a process and its children, from Linux's `/proc`.

use std::collections::HashMap;
use std::fs;
use std::time::Duration;

use anyhow::{Context, Result};

/// Time on a CPU in nanoseconds, by thread.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct CpuTimes(HashMap<u32, u64>);

impl CpuTimes {
    /// # Errors
    /// If the process has ended, or the kernel keeps no `schedstat`.
    pub(crate) fn of(pid: u32) -> Result<Self> {
        let mut times = HashMap::new();
        for task in tasks(pid)? {
            // A thread may end between the two reads.
            let Ok(text) = fs::read_to_string(format!("/proc/{task}/schedstat")) else { continue };
            times
                .insert(task, parse_schedstat(&text).with_context(|| format!("/proc/{task}/schedstat says {text:?}"))?);
        }
        anyhow::ensure!(
            !times.is_empty(),
            "no thread of process {pid} has a /proc/PID/schedstat: ended, or a kernel without it"
        );
        Ok(Self(times))
    }

    /// By thread, because one that has ended since would take all of its time with it.
    pub(crate) fn since(&self, earlier: &Self) -> Duration {
        let grown = |(task, now): (&u32, &u64)| now.saturating_sub(earlier.0.get(task).copied().unwrap_or(0));
        Duration::from_nanos(self.0.iter().map(grown).sum())
    }
}

/// Resident memory in bytes, as `VmRSS` says.
///
/// # Errors
/// If the process has ended.
pub(crate) fn resident_bytes(pid: u32) -> Result<u64> {
    processes(pid)?
        .into_iter()
        .map(|process| {
            let text = fs::read_to_string(format!("/proc/{process}/status"))?;
            parse_resident(&text).with_context(|| format!("/proc/{process}/status has no VmRSS in kB"))
        })
        .sum()
}

/// Whether none of its threads runs, wants to run, or waits for a device.
///
/// # Errors
/// If the process has ended.
pub(crate) fn sleeps(pid: u32) -> Result<bool> {
    let states = tasks(pid)?.into_iter().map(|task| fs::read_to_string(format!("/proc/{task}/stat")));
    // A thread that has ended between the two reads does nothing.
    Ok(states.flatten().all(|stat| parse_state(&stat) == Some('S')))
}

/// The process and all that descend from it.
fn processes(pid: u32) -> Result<Vec<u32>> {
    let mut found = vec![pid];
    let mut next = 0;
    while let Some(process) = found.get(next).copied() {
        for task in threads(process)? {
            let children = fs::read_to_string(format!("/proc/{process}/task/{task}/children")).unwrap_or_default();
            found.extend(children.split_ascii_whitespace().filter_map(|child| child.parse::<u32>().ok()));
        }
        next += 1;
    }
    Ok(found)
}

fn tasks(pid: u32) -> Result<Vec<u32>> {
    Ok(processes(pid)?.into_iter().map(threads).collect::<Result<Vec<_>>>()?.concat())
}

fn threads(process: u32) -> Result<Vec<u32>> {
    let entries =
        fs::read_dir(format!("/proc/{process}/task")).with_context(|| format!("process {process} has ended"))?;
    Ok(entries.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok()).collect())
}

/// Its first number: nanoseconds on a CPU (Documentation/scheduler/sched-stats of the kernel).
fn parse_schedstat(text: &str) -> Option<u64> {
    text.split_ascii_whitespace().next()?.parse().ok()
}

/// The letter after the command's name, which may have spaces and parentheses itself (proc_pid_stat(5)).
fn parse_state(stat: &str) -> Option<char> {
    stat.rsplit_once(')')?.1.trim_start().chars().next()
}

fn parse_resident(status: &str) -> Option<u64> {
    let value = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    Some(value.trim().strip_suffix("kB")?.trim().parse::<u64>().ok()? * 1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn schedstat_begins_with_time_on_cpu() {
        assert_eq!(parse_schedstat("27478576 103661588 83\n"), Some(27_478_576));
        assert_eq!(parse_schedstat(""), None);
        assert_eq!(parse_schedstat("many 1 2"), None);
    }

    #[test]
    fn resident_memory_is_in_kilobytes() {
        assert_eq!(parse_resident("Name:\tx\nVmHWM:\t  900 kB\nVmRSS:\t    5124 kB\nThreads:\t3\n"), Some(5_246_976));
        assert_eq!(parse_resident("Name:\tx\n"), None);
    }

    #[test]
    fn the_state_follows_the_name() {
        assert_eq!(parse_state("12 (tokio (a) b) S 1 2 3"), Some('S'));
        assert_eq!(parse_state("12 (x) R 1 2 3"), Some('R'));
        assert_eq!(parse_state("12"), None);
    }

    #[test]
    fn who_asks_does_not_sleep() {
        assert!(!sleeps(std::process::id()).unwrap());
    }

    #[test]
    fn ended_threads_do_not_lessen_the_time() {
        let earlier = CpuTimes(HashMap::from([(1, 100), (2, 5_000)]));
        let later = CpuTimes(HashMap::from([(1, 350), (3, 40)]));
        assert_eq!(later.since(&earlier), Duration::from_nanos(290));
    }

    #[test]
    fn this_process_uses_time_and_memory() {
        let pid = std::process::id();
        let before = CpuTimes::of(pid).unwrap();
        let started = std::time::Instant::now();
        while started.elapsed() < Duration::from_millis(50) {
            std::hint::spin_loop();
        }
        let used = CpuTimes::of(pid).unwrap().since(&before);
        assert!(used > Duration::from_millis(1), "{used:?}");
        assert!(resident_bytes(pid).unwrap() > 100_000);
    }
}
