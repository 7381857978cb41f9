//! What the data plane does for each record and each batch, one thing at a time, without a log: checksums, varints,
//! validation with every codec, and the packing of the boundary.

use std::hint::black_box;
use std::time::Duration;

use millrace_engine::boundary::{ConnId, Event};
use millrace_record::crc::crc32c;
use millrace_record::varint::{read_varlong, write_varlong};
use millrace_record::{BatchView, Origin, ValidateOptions, validate};
use serde::Deserialize;

use crate::client::batches::{Shape, build};
use crate::cpu::thread_seconds;
use crate::options::{parse, pin};
use crate::output::{Figures, Outcome};

/// One measurement takes so long at least, and the cheapest of so many counts: what else runs only adds.
const PIECE: Duration = Duration::from_millis(4);
const PIECES: usize = 14;

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Options {
    core: Option<usize>,
}

/// Result: CPU-nanoseconds of one operation each; `calibrationNs` is a loop of arithmetic that no change of Millrace
/// touches, to hold machines against each other.
pub fn run(json: &str) -> Outcome {
    let options: Options = parse(json)?;
    pin(options.core)?;
    let mut result = Figures::new();
    let mut add = |name: &str, ns: f64| result.insert(name.to_string(), ns.into());
    add("calibrationNs", cheapest(calibration));
    let bytes: Vec<u8> = (0..65_536u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    let sum = || {
        black_box(crc32c(black_box(&bytes)));
    };
    add("crc32cNsPerKiB", cheapest(sum) / 64.0);
    let varints = mixed_varints();
    add("varlongNs", cheapest(|| walk(black_box(&varints))) / 1000.0);
    for (name, value_bytes, batch_bytes) in [("100B", 100, 16_384), ("1KiB", 1024, 1_000_000)] {
        let shape = Shape { value_bytes, batch_bytes, ..Shape::default() };
        add(&format!("validate{name}NsPerRecord"), validation(&shape)?.0);
    }
    for codec in ["gzip", "snappy", "lz4", "zstd"] {
        let shape = Shape { codec: codec.to_string(), text: true, batch_bytes: 262_144, ..Shape::default() };
        add(&format!("validate{}NsPerKiB", capitalised(codec)), validation(&shape)?.1);
    }
    let frame = [7u8; 100];
    let mut packed = Vec::new();
    add(
        "packEventNs",
        cheapest(|| {
            packed.clear();
            event(&frame).write(&mut packed);
            black_box(&packed);
        }),
    );
    Ok(result)
}

/// CPU-nanoseconds of one call of `act`, of the cheapest piece.
fn cheapest(mut act: impl FnMut()) -> f64 {
    let mut calls = 1u32;
    loop {
        let seconds = timed(&mut act, calls);
        if seconds >= PIECE.as_secs_f64() {
            break;
        }
        calls = calls.saturating_mul(if seconds < PIECE.as_secs_f64() / 4.0 { 4 } else { 2 });
    }
    let least = (0..PIECES).map(|_| timed(&mut act, calls)).fold(f64::INFINITY, f64::min);
    least * 1e9 / f64::from(calls)
}

fn timed(act: &mut impl FnMut(), calls: u32) -> f64 {
    let started = thread_seconds();
    for _ in 0..calls {
        act();
    }
    thread_seconds() - started
}

/// A thousand dependent multiplications and shifts.
fn calibration() {
    let mut state = black_box(0x9e37_79b9_7f4a_7c15u64);
    for _ in 0..1000 {
        state ^= state >> 29;
        state = state.wrapping_mul(0xbf58_476d_1ce4_e5b9);
    }
    black_box(state);
}

/// A thousand varlongs of one to ten bytes, most of them short.
fn mixed_varints() -> Vec<u8> {
    let mut out = Vec::new();
    for i in 0..1000i64 {
        write_varlong(&mut out, if i % 10 == 0 { i64::MAX >> (i % 63) } else { i % 300 });
    }
    out
}

fn walk(mut varints: &[u8]) {
    while let Ok(value) = read_varlong(&mut varints) {
        black_box(value);
    }
}

/// Nanoseconds for each record, and for each KiB of records before compression.
fn validation(shape: &Shape) -> Result<(f64, f64), String> {
    let batches = build(shape, None)?;
    let batch = batches.first().ok_or("no batch")?;
    let options = ValidateOptions { origin: Origin::Client, max_decompressed: 1 << 30 };
    let once = || BatchView::parse(black_box(&batch.bytes)).and_then(|view| validate(&view, &options));
    once().map_err(|error| error.to_string())?;
    let ns = cheapest(|| drop(black_box(once())));
    Ok((ns / f64::from(batch.records), ns * 1024.0 / batch.uncompressed as f64))
}

fn event(frame: &[u8]) -> Event<'_> {
    Event::ControlRequest {
        conn: ConnId::new(0, 0, 1),
        token: 2,
        api_key: 12,
        api_version: 4,
        listener: "PLAINTEXT",
        peer: "127.0.0.1:55012",
        principal: "User:ANONYMOUS",
        arrival_monotonic_ms: 1000,
        arrival_wall_ms: 1_700_000_000_000,
        frame,
    }
}

fn capitalised(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}
