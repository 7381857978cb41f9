//! `millrace-bench COMMAND JSON`: the floors and the loads of the benchmark suite, and the lean client that
//! `millrace bench` runs. Options are one JSON object, output is JSON lines (`output`). Loopback is up to the caller.

mod client;
mod cpu;
mod floor;
mod load;
mod memory;
mod micro;
mod options;
mod output;
mod percentiles;
mod process;
mod user;

use std::process::ExitCode;

use output::Outcome;

type Command = fn(&str) -> Outcome;

/// Every command there is; what it takes and gives stands in its file.
const COMMANDS: &[(&str, Command)] = &[
    ("floor-group-commit", floor::group_commit::run),
    ("floor-receive-write", floor::receive_write::run),
    ("floor-cold-read", floor::cold_read::run),
    ("floor-decompress", floor::decompress::run),
    ("floor-sendfile", floor::sendfile::run),
    ("floor-echo", floor::echo::run),
    ("floor-round-trip", floor::round_trip::run),
    ("floor-round-robin", floor::round_robin::run),
    ("load-produce", load::produce::run),
    ("load-fetch", load::fetch::run),
    ("load-requests", load::requests::run),
    ("load-latency", load::latency::run),
    ("load-heartbeats", load::heartbeats::run),
    ("load-commits", load::commits::run),
    ("load-metadata", load::metadata::run),
    ("load-connects", load::connects::run),
    ("create-topic", load::topics::create),
    ("delete-topic", load::topics::delete),
    ("await-topic", load::topics::await_all),
    ("await-accept", load::first::accept),
    ("first-ack", load::first::ack),
    ("describe-batch", load::batch::run),
    ("load-flush", load::flush::run),
    ("load-spread", load::spread::run),
    ("load-connections", load::connections::run),
    ("load-catch-up", load::catch_up::run),
    ("load-crowd", load::crowd::run),
    ("user-produce", user::produce::run),
    ("user-consume", user::consume::run),
    ("drop-cache", load::drop_cache::run),
    ("prime", memory::prime),
    ("touch", memory::touch),
    ("memory-of", load::broker_process::memory_of),
    ("micro", micro::records::run),
    ("micro-request", micro::request::run),
    ("exec", process::exec),
    ("bind", process::bind),
];

fn main() -> ExitCode {
    let mut args = std::env::args().skip(1);
    let (name, options) = (args.next().unwrap_or_default(), args.next().unwrap_or_else(|| "{}".to_string()));
    let Some((_, command)) = COMMANDS.iter().find(|(known, _)| *known == name) else {
        let names: Vec<&str> = COMMANDS.iter().map(|(known, _)| *known).collect();
        eprintln!("millrace-bench: no command {name:?}; there are {}", names.join(", "));
        return ExitCode::FAILURE;
    };
    match command(&options) {
        Ok(result) => {
            output::result(&result);
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("millrace-bench {name}: {error}");
            ExitCode::FAILURE
        }
    }
}
