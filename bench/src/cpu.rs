//! Processor time of a process and everything that it started, from Linux's `/proc`.

use std::collections::HashMap;
use std::fs;

use anyhow::{Context, Result};

/// Clock ticks in a second, as `/proc` counts them: 100 on every Linux that we know (`proc_pid_stat(5)`).
const TICKS: f64 = 100.0;

/// Seconds that the process tree below `pid` has spent, user and system.
pub(crate) fn of_tree(pid: u32) -> Result<f64> {
    let mut processes = HashMap::new();
    for entry in fs::read_dir("/proc").context("figures come from Linux's /proc")? {
        let Some(id) = entry?.file_name().to_str().and_then(|name| name.parse::<u32>().ok()) else { continue };
        // A process may end between the two reads.
        if let Some(process) =
            fs::read_to_string(format!("/proc/{id}/stat")).ok().and_then(|text| Process::parse(&text))
        {
            processes.insert(id, process);
        }
    }
    anyhow::ensure!(processes.contains_key(&pid), "the broker has ended");
    let ticks: u32 = processes.iter().filter(|(id, _)| is_below(&processes, **id, pid)).map(|(_, it)| it.ticks).sum();
    Ok(f64::from(ticks) / TICKS)
}

struct Process {
    parent: u32,
    ticks: u32,
}

impl Process {
    /// Fields 4, 14 and 15. The second, the name, may hold blanks and parentheses.
    fn parse(stat: &str) -> Option<Self> {
        let (_, rest) = stat.rsplit_once(") ")?;
        let mut fields = rest.split(' ').skip(1);
        let parent = fields.next()?.parse().ok()?;
        let mut times = fields.skip(9).map_while(|field| field.parse::<u32>().ok());
        Some(Self { parent, ticks: times.next()? + times.next()? })
    }
}

fn is_below(processes: &HashMap<u32, Process>, mut id: u32, top: u32) -> bool {
    while id != top {
        match processes.get(&id) {
            Some(process) => id = process.parent,
            None => return false,
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stat_line_is_read_past_an_odd_name() {
        let line = "7 (a (b) c) S 3 7 7 0 -1 4194304 100 0 0 0 25 17 1 2 20 0 1 0 5 6 7";
        let process = Process::parse(line).unwrap();
        assert_eq!((process.parent, process.ticks), (3, 42));
    }

    #[test]
    fn a_tree_holds_its_grandchildren_and_nobody_else() {
        let at = |parent| Process { parent, ticks: 1 };
        let processes = HashMap::from([(1, at(0)), (5, at(1)), (6, at(5)), (7, at(6)), (8, at(1))]);
        assert!(is_below(&processes, 7, 5) && is_below(&processes, 5, 5));
        assert!(!is_below(&processes, 8, 5) && !is_below(&processes, 1, 5));
    }
}
