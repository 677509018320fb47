//! What the kernel says of another process: its CPU time.

use anyhow::{Context as _, Result};

/// Clock ticks per second in `/proc` (`USER_HZ`; proc(5)): 100 on every architecture that Rust's
/// standard library supports.
const TICKS: f64 = 100.0;
/// Positions of `utime` and `stime` among the fields behind the name in `/proc/PID/stat`.
const UTIME: usize = 11;
const STIME: usize = 12;

/// Seconds of CPU that a process has used so far, all its threads together, user and kernel.
///
/// # Errors
///
/// The process has ended, or this is not Linux.
pub(crate) fn cpu_seconds(process: u32) -> Result<f64> {
    let path = format!("/proc/{process}/stat");
    let text = std::fs::read_to_string(&path).with_context(|| format!("{path} cannot be read"))?;
    parse(&text).with_context(|| format!("{path} is not as proc(5) says"))
}

/// The name may contain spaces and parentheses, so reading begins behind the last one.
fn parse(stat: &str) -> Option<f64> {
    let (_, fields) = stat.rsplit_once(')')?;
    let fields: Vec<&str> = fields.split_whitespace().collect();
    let ticks = |position: usize| -> Option<f64> { fields.get(position)?.parse().ok() };
    Some((ticks(UTIME)? + ticks(STIME)?) / TICKS)
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn cpu_time_is_read_behind_any_name() {
        let stat = "7 (a ) (b) S 1 7 7 0 -1 4194560 9 0 0 0 150 75 3 4 20 0 2 0 100 9 9";
        assert_eq!(parse(stat), Some(2.25));
        assert_eq!(parse("7 (a) S 1"), None);
    }

    #[test]
    fn this_process_has_used_some() {
        assert!(super::cpu_seconds(std::process::id()).is_ok());
        assert!(super::cpu_seconds(u32::MAX).is_err());
    }
}
