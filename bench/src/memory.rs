//! Resident memory of the broker's process, from Linux's `/proc`.

use std::fs;

use anyhow::{Context, Result};

/// What is resident now, in megabytes.
pub(crate) fn resident(pid: u32) -> Result<f64> {
    megabytes(pid, "VmRSS:")
}

/// The most that was resident since [`forget_peak`], in megabytes.
pub(crate) fn peak(pid: u32) -> Result<f64> {
    megabytes(pid, "VmHWM:")
}

/// What was resident until now counts no more for the peak (`proc_pid_clear_refs(5)`).
pub(crate) fn forget_peak(pid: u32) -> Result<()> {
    fs::write(format!("/proc/{pid}/clear_refs"), "5").context("the peak of memory cannot be reset")
}

fn megabytes(pid: u32, field: &str) -> Result<f64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).context("the broker has ended")?;
    let line = status.lines().find_map(|line| line.strip_prefix(field)).with_context(|| format!("no {field}"))?;
    let kibibytes: f64 = line.trim().trim_end_matches(" kB").parse()?;
    Ok(kibibytes * 1.024 / 1000.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_peak_is_no_less_than_what_is_resident() {
        let own = std::process::id();
        let (now, most) = (resident(own).unwrap(), peak(own).unwrap());
        assert!(now > 0.5 && most >= now, "{now} {most}");
    }
}
