//! Broker CPU-seconds per GiB for produce and fetch, beside the floors (receive + CRC + write; sendfile) of the same run.
//! Method and figures: bench/README.md. Loopback only; everything it starts, it ends.

mod broker;
mod client;
mod crowd;
mod floors;
mod warm;

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Instant;

use broker::Target;

const GIB: u64 = 1 << 30;

/// What one broker took in one round.
struct Taken {
    /// CPU-seconds of the whole process per GiB of record batches.
    produce: f64,
    fetch: f64,
    /// ms from the start of the process, the topic created in between.
    first_ack: f64,
    /// Resident MiB.
    idle: f64,
    loaded: f64,
}

struct Round {
    /// CPU-seconds of the serving thread per GiB.
    floor_produce: f64,
    floor_fetch: f64,
    /// ms of `node -e 0`.
    node_start: f64,
    millrace: Taken,
    kafka: Option<Taken>,
}

struct Options {
    rounds: usize,
    gib: u64,
    folder: PathBuf,
    /// Where Apache Kafka's jars are, if it is to be measured beside.
    kafka: Option<PathBuf>,
    /// Instead of the rounds: connections beside one producer.
    crowd: Option<usize>,
}

fn options() -> Result<Options, String> {
    let mut options = Options { rounds: 5, gib: 2, folder: std::env::temp_dir(), kafka: None, crowd: None };
    let mut args = std::env::args().skip(1);
    while let Some(flag) = args.next() {
        let value = args.next().ok_or_else(|| format!("{flag} wants a value"))?;
        let number = || value.parse::<u64>().map_err(|_| format!("{flag}: {value} is not a number"));
        match flag.as_str() {
            "--rounds" => options.rounds = number()? as usize,
            "--gib" => options.gib = number()?,
            "--folder" => options.folder = value.into(),
            "--crowd" => options.crowd = Some(number()? as usize),
            "--kafka" => options.kafka = Some(value.into()),
            _ => {
                return Err(format!(
                    "unknown flag {flag}; there are --rounds N, --gib N, --folder PATH, --kafka JARS and --crowd N"
                ));
            }
        }
    }
    options.folder = options.folder.join(format!("millrace-bench-{}", std::process::id()));
    if options.rounds == 0 || options.gib == 0 {
        return Err("--rounds and --gib start at 1".to_string());
    }
    Ok(options)
}

fn round(options: &Options, number: usize) -> std::io::Result<Round> {
    let bytes = options.gib * GIB;
    let (batch, _) = client::batch_of_one_mebibyte();
    warm::touch(4 * GIB as usize);
    let file = options.folder.join("floor.log");
    let floor_produce = floors::receive_crc_write(&batch, bytes, &file)? / options.gib as f64;
    let floor_fetch = floors::sendfile(&file, bytes)? / options.gib as f64;
    std::fs::remove_file(&file)?;
    let node_start = broker::bare_node_milliseconds()?;

    let kafka = || options.kafka.clone().map(|jars| take(options, &Target::Kafka(jars))).transpose();
    // A B, then B A: what a round leaves behind hits both alike.
    let (millrace, kafka) = if number.is_multiple_of(2) {
        let kafka = kafka()?;
        (take(options, &Target::Millrace)?, kafka)
    } else {
        (take(options, &Target::Millrace)?, kafka()?)
    };
    Ok(Round { floor_produce, floor_fetch, node_start, millrace, kafka })
}

fn take(options: &Options, target: &Target) -> std::io::Result<Taken> {
    let bytes = options.gib * GIB;
    let per_gib = |seconds: f64| seconds / options.gib as f64;
    let (batch, records) = client::batch_of_one_mebibyte();
    warm::touch(4 * GIB as usize);
    let data = options.folder.join("data");
    let started = Instant::now();
    let broker = broker::Broker::start(target, &data)?;
    let mut connection = client::Connection::open(&broker.address)?;
    let idle = broker.resident_mib()?;
    connection.create_topic("first")?;
    connection.produce("first", &batch, records, 1)?;
    let first_ack = started.elapsed().as_secs_f64() * 1e3;
    // A first pass warms up what compiles at run time.
    connection.create_topic("warm-up")?;
    connection.produce("warm-up", &batch, records, GIB)?;
    connection.fetch("warm-up", GIB)?;

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
    Ok(Taken { produce, fetch, first_ack, idle, loaded })
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

fn report_broker(name: &str, taken: &[&Taken]) -> (f64, f64) {
    println!("{name}");
    let produce = report("  produce, CPU-s/GiB", taken.iter().map(|t| t.produce));
    let fetch = report("  fetch from page cache, CPU-s/GiB", taken.iter().map(|t| t.fetch));
    report("  process start to first acked produce, ms", taken.iter().map(|t| t.first_ack));
    report("  resident memory idle, MiB", taken.iter().map(|t| t.idle));
    report("  resident memory after the load, MiB", taken.iter().map(|t| t.loaded));
    (produce, fetch)
}

fn measure(options: &Options) -> std::io::Result<()> {
    std::fs::create_dir_all(&options.folder)?;
    let mut rounds = Vec::with_capacity(options.rounds);
    for number in 1..=options.rounds {
        let done = round(options, number)?;
        let (taken, of) = (&done.millrace, options.rounds);
        let (produce, fetch) = (taken.produce, taken.fetch);
        eprintln!(
            "round {number}/{of}: produce {produce:.3} (floor {:.3}), fetch {fetch:.3} (floor {:.3})",
            done.floor_produce, done.floor_fetch
        );
        rounds.push(done);
    }
    std::fs::remove_dir_all(&options.folder)?;
    println!("1 KiB records, 1 MB batches, {} rounds of {} GiB  median   range", options.rounds, options.gib);
    println!("floors");
    let floor_produce = report("  receive + CRC + write, CPU-s/GiB", rounds.iter().map(|r| r.floor_produce));
    let floor_fetch = report("  sendfile, CPU-s/GiB", rounds.iter().map(|r| r.floor_fetch));
    report("  node -e 0, ms", rounds.iter().map(|r| r.node_start));
    let millrace: Vec<&Taken> = rounds.iter().map(|round| &round.millrace).collect();
    let (produce, fetch) = report_broker("Millrace", &millrace);
    println!("  to the floor: produce {:.2}, fetch {:.2}", produce / floor_produce, fetch / floor_fetch);
    let kafka: Vec<&Taken> = rounds.iter().filter_map(|round| round.kafka.as_ref()).collect();
    if !kafka.is_empty() {
        let (kafka_produce, kafka_fetch) = report_broker("Apache Kafka", &kafka);
        println!(
            "Millrace to Kafka: produce {:.2}, fetch {:.2}",
            produce / kafka_produce,
            fetch / kafka_fetch
        );
    }
    Ok(())
}

fn crowd(options: &Options, connections: usize) -> std::io::Result<()> {
    std::fs::create_dir_all(&options.folder)?;
    let target = options.kafka.clone().map_or(Target::Millrace, Target::Kafka);
    let phases = crowd::run(&target, &options.folder.join("data"), connections)?;
    std::fs::remove_dir_all(&options.folder)?;
    println!(
        "ack of one record, {connections} connections           p50      p99    p99.9      max ms  cores  MiB"
    );
    for phase in phases {
        let ms = |wait: std::time::Duration| wait.as_secs_f64() * 1e3;
        let (p50, p99, p999, max) = (ms(phase.p50), ms(phase.p99), ms(phase.p999), ms(phase.max));
        let (name, acks, cpu, mib) = (phase.name, phase.acks, phase.cpu, phase.resident_mib);
        println!(
            "{name:<28} {acks:>6} acks {p50:>8.3} {p99:>8.3} {p999:>8.3} {max:>8.3} {cpu:>8.2} {mib:>6.1}"
        );
    }
    Ok(())
}

fn main() -> ExitCode {
    let run = |options: &Options| match options.crowd {
        Some(connections) => crowd(options, connections),
        None => measure(options),
    };
    match options().and_then(|options| run(&options).map_err(|error| error.to_string())) {
        Ok(()) => ExitCode::SUCCESS,
        Err(sentence) => {
            eprintln!("bench: {sentence}");
            ExitCode::FAILURE
        }
    }
}
