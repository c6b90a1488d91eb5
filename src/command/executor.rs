//! What the commands run on: a clock, file descriptors, a runtime.

use std::io;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tokio::runtime::{Builder, Runtime};

/// By how much the clock is set before 1970, if it is: the time that a machine without a battery begins with may be so.
pub(super) fn before_1970(now: SystemTime) -> Option<Duration> {
    now.duration_since(UNIX_EPOCH).err().map(|error| error.duration())
}

/// Runs `future` to its end and waits for nothing else: what still blocks a thread then, such as a resolver that does not
/// answer, ends with the process.
///
/// # Errors
/// As [`build`].
pub(super) fn run_alone<T>(future: impl Future<Output = T>) -> io::Result<T> {
    let runtime = build(&mut Builder::new_current_thread())?;
    let output = runtime.block_on(future);
    runtime.shutdown_background();
    Ok(output)
}

/// File descriptors that runtime, signals, listeners, a first connection and the pane with its own runtime take.
const DESCRIPTORS: usize = 16;

/// Raises the soft limit of file descriptors to the hard one: each connection takes one, and 1,024 are the usual soft limit of
/// programs that use `select`. Where the system refuses it stays as it is. Gives what it is now, where that is known.
pub(super) fn raise_descriptor_limit() -> Option<u64> {
    #[cfg(unix)]
    return rlimit::increase_nofile_limit(rlimit::INFINITY).or_else(|_| rlimit::Resource::NOFILE.get_soft()).ok();
    #[cfg(not(unix))]
    None
}

/// Whether so many connections need more descriptors than there may be.
pub(super) fn are_too_many(connections: usize, descriptors: Option<u64>) -> bool {
    descriptors.is_some_and(|descriptors| (connections + DESCRIPTORS) as u64 > descriptors)
}

/// Why nothing can be written to standard output, if it is so. It was closed when the process began (`>&-`): Rust then opens
/// `/dev/null` in its place, for reading too, while whoever throws the log away on purpose mostly opens it for writing alone. Or
/// it is open for reading only. Known on Linux only.
pub(super) fn why_output_is_lost() -> Option<&'static str> {
    let is_null = std::fs::read_link("/proc/self/fd/1").is_ok_and(|path| path.as_os_str() == "/dev/null");
    let info = std::fs::read_to_string("/proc/self/fdinfo/1").unwrap_or_default();
    let flags = info.lines().find_map(|line| line.strip_prefix("flags:"));
    let flags = flags.and_then(|flags| u32::from_str_radix(flags.trim(), 8).ok());
    // The access mode: 0 for reading, 1 for writing, 2 for both.
    match flags? & 3 {
        0 => Some("standard output is open for reading only"),
        2 if is_null => Some("standard output is closed"),
        _ => None,
    }
}

/// Builds a runtime. Makes sure first that there are descriptors: tokio's signal driver panics where there are none, and a
/// service that cannot accept a connection is of no use.
///
/// # Errors
/// When the system refuses descriptors or the runtime.
pub(super) fn build(builder: &mut Builder) -> io::Result<Runtime> {
    let pipes: io::Result<Vec<_>> = (0..DESCRIPTORS / 2).map(|_| io::pipe()).collect();
    drop(pipes.map_err(|error| {
        let what_is_right =
            format!("{error}; it takes {DESCRIPTORS} more file descriptors: raise the limit (ulimit -n)");
        io::Error::new(error.kind(), what_is_right)
    })?);
    builder.enable_all().build()
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    #[test]
    fn a_clock_before_1970_is_seen() {
        let minute = Duration::from_secs(60);
        assert_eq!(before_1970(UNIX_EPOCH - minute), Some(minute));
        assert_eq!([UNIX_EPOCH, SystemTime::now()].map(before_1970), [None; 2]);
    }

    #[test]
    fn a_thread_that_blocks_does_not_hold_up_the_end() {
        let (release, released) = mpsc::channel::<()>();
        let (returned, has_returned) = mpsc::channel();
        std::thread::spawn(move || {
            let blocked = async {
                // As tokio resolves a name; the check gives up before the resolver does.
                let resolving = tokio::task::spawn_blocking(move || released.recv());
                tokio::time::timeout(Duration::from_millis(10), resolving).await.is_err()
            };
            returned.send(run_alone(blocked).expect("a runtime"))
        });
        let gave_up = has_returned.recv_timeout(Duration::from_secs(30));
        drop(release);
        assert_eq!(gave_up, Ok(true), "it ends while the thread still blocks");
    }
}
