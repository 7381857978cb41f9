//! Broker CPU-seconds per GiB for produce and fetch, beside the floors (receive + CRC + write; sendfile) of the same run.
//! Method and figures: bench/README.md. Loopback only; everything it starts, it ends.

mod broker;
mod client;
mod floors;
mod warm;

use std::process::ExitCode;
use std::time::Instant;

const GIB: u64 = 1 << 30;

/// What one round measured: CPU-seconds per GiB of record batches, milliseconds, MiB.
struct Round {
    floor_produce: f64,
    produce: f64,
    floor_fetch: f64,
    fetch: f64,
    node_start: f64,
    first_ack: f64,
    idle: f64,
    loaded: f64,
}

struct Options {
    rounds: usize,
    gib: u64,
    folder: std::path::PathBuf,
}

fn options() -> Result<Options, String> {
    let mut options = Options { rounds: 5, gib: 2, folder: std::env::temp_dir() };
    let mut args = std::env::args().skip(1);
    while let Some(flag) = args.next() {
        let value = args.next().ok_or_else(|| format!("{flag} wants a value"))?;
        let number = || value.parse::<u64>().map_err(|_| format!("{flag}: {value} is not a number"));
        match flag.as_str() {
            "--rounds" => options.rounds = number()? as usize,
            "--gib" => options.gib = number()?,
            "--folder" => options.folder = value.into(),
            _ => return Err(format!("unknown flag {flag}; there are --rounds N, --gib N and --folder PATH")),
        }
    }
    options.folder = options.folder.join(format!("millrace-bench-{}", std::process::id()));
    if options.rounds == 0 || options.gib == 0 {
        return Err("--rounds and --gib start at 1".to_string());
    }
    Ok(options)
}

fn round(options: &Options) -> std::io::Result<Round> {
    let bytes = options.gib * GIB;
    let per_gib = |seconds: f64| seconds / options.gib as f64;
    let (batch, records) = client::batch_of_one_mebibyte();

    warm::touch(4 * GIB as usize);
    let file = options.folder.join("floor.log");
    let floor_produce = per_gib(floors::receive_crc_write(&batch, bytes, &file)?);
    let floor_fetch = per_gib(floors::sendfile(&file, bytes)?);
    std::fs::remove_file(&file)?;

    warm::touch(4 * GIB as usize);
    let data = options.folder.join("data");
    let node_start = broker::bare_node_milliseconds()?;
    let started = Instant::now();
    let broker = broker::Broker::start(&data)?;
    let mut connection = client::Connection::open(&broker.address)?;
    let idle = broker.resident_mib()?;
    connection.create_topic("first")?;
    connection.produce("first", &batch, records, 1)?;
    let first_ack = started.elapsed().as_secs_f64() * 1e3;
    connection.create_topic("bench")?;
    let before = broker.cpu_seconds()?;
    connection.produce("bench", &batch, records, bytes)?;
    let between = broker.cpu_seconds()?;
    connection.fetch("bench", bytes)?;
    let after = broker.cpu_seconds()?;
    let loaded = broker.resident_mib()?;
    drop(broker);
    std::fs::remove_dir_all(&data)?;
    let (produce, fetch) = (per_gib(between - before), per_gib(after - between));
    Ok(Round { floor_produce, produce, floor_fetch, fetch, node_start, first_ack, idle, loaded })
}

fn median(values: impl Iterator<Item = f64>) -> (f64, f64, f64) {
    let mut sorted: Vec<f64> = values.collect();
    sorted.sort_by(f64::total_cmp);
    let at = |index: usize| sorted.get(index).copied().unwrap_or(f64::NAN);
    (at(sorted.len() / 2), at(0), at(sorted.len().saturating_sub(1)))
}

fn report(name: &str, values: impl Iterator<Item = f64>) -> f64 {
    let (middle, least, most) = median(values);
    println!("{name:<44} {middle:>7.3}   {least:>6.3} – {most:<6.3}");
    middle
}

fn measure(options: &Options) -> std::io::Result<()> {
    std::fs::create_dir_all(&options.folder)?;
    let mut rounds = Vec::with_capacity(options.rounds);
    for number in 1..=options.rounds {
        let done = round(options)?;
        eprintln!(
            "round {number}/{}: produce {:.3} (floor {:.3}), fetch {:.3} (floor {:.3})",
            options.rounds, done.produce, done.floor_produce, done.fetch, done.floor_fetch
        );
        rounds.push(done);
    }
    std::fs::remove_dir_all(&options.folder)?;
    println!("CPU-seconds per GiB, {} rounds of {} GiB        median   range", options.rounds, options.gib);
    let floor_produce = report("floor: receive + CRC + write, 1 MiB", rounds.iter().map(|r| r.floor_produce));
    let produce = report("produce: 1 KiB records, 1 MiB batches", rounds.iter().map(|r| r.produce));
    let floor_fetch = report("floor: sendfile, 1 MiB", rounds.iter().map(|r| r.floor_fetch));
    let fetch = report("fetch from page cache", rounds.iter().map(|r| r.fetch));
    report("node -e 0, ms", rounds.iter().map(|r| r.node_start));
    report("process start to first acked produce, ms", rounds.iter().map(|r| r.first_ack));
    report("resident memory idle, MiB", rounds.iter().map(|r| r.idle));
    report("resident memory after the load, MiB", rounds.iter().map(|r| r.loaded));
    println!("ratio to the floor: produce {:.2}, fetch {:.2}", produce / floor_produce, fetch / floor_fetch);
    Ok(())
}

fn main() -> ExitCode {
    match options().and_then(|options| measure(&options).map_err(|error| error.to_string())) {
        Ok(()) => ExitCode::SUCCESS,
        Err(sentence) => {
            eprintln!("bench: {sentence}");
            ExitCode::FAILURE
        }
    }
}
