//! Where processes run: another program on given CPUs, and the CPUs of one that runs already.

use std::os::unix::process::CommandExt;
use std::process::Command;

use rustix::process::{Pid, Signal, set_parent_process_death_signal};
use rustix::thread::{CpuSet, sched_setaffinity};
use serde::Deserialize;

use crate::options::parse;
use crate::output::{Figures, Outcome};

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Exec {
    /// `0`, `0-1`, `0,2`.
    cores: String,
    /// The program and its arguments.
    command: Vec<String>,
}

/// `exec`: becomes that program on those CPUs; it is killed when whoever started this dies. Returns on errors alone.
pub fn exec(json: &str) -> Outcome {
    let options: Exec = parse(json)?;
    let (program, args) = options.command.split_first().ok_or("options: command is empty")?;
    sched_setaffinity(None, &cpu_set(&options.cores)?)?;
    set_parent_process_death_signal(Some(Signal::KILL))?;
    Err(format!("{program}: {}", Command::new(program).args(args).exec()).into())
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Bind {
    cores: String,
    pid: u32,
}

/// `bind`: moves all threads of a process to those CPUs. Result: nothing.
pub fn bind(json: &str) -> Outcome {
    let options: Bind = parse(json)?;
    let set = cpu_set(&options.cores)?;
    for thread in std::fs::read_dir(format!("/proc/{}/task", options.pid))? {
        let id = thread?.file_name().to_str().and_then(|name| name.parse().ok()).and_then(Pid::from_raw);
        match sched_setaffinity(id, &set) {
            // It ended meanwhile.
            Err(rustix::io::Errno::SRCH) => {}
            other => other?,
        }
    }
    Ok(Figures::new())
}

fn cpu_set(cores: &str) -> Result<CpuSet, String> {
    let wrong = || format!("options: cores {cores:?} is none of 0, 0-1, 0,2");
    let mut set = CpuSet::new();
    for piece in cores.split(',') {
        let (first, last) = piece.split_once('-').unwrap_or((piece, piece));
        let number = |text: &str| text.parse().ok().filter(|cpu| *cpu < CpuSet::MAX_CPU).ok_or_else(wrong);
        for cpu in number(first)?..=number(last)? {
            set.set(cpu);
        }
    }
    Ok(set)
}
