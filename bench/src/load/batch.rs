//! Says what a shape of batches comes to, without a broker: what floors need to do the same work.

use serde::Deserialize;

use crate::client::batches::{Shape, build};
use crate::options::parse;
use crate::output::{Outcome, figures};

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Options {
    #[serde(default)]
    batch: Shape,
    core: Option<usize>,
}

/// Result, means over the batches: `batchBytes` as sent, `uncompressedBytes`, `records`, `ratio` of the two.
pub fn run(json: &str) -> Outcome {
    let options: Options = parse(json)?;
    crate::options::pin(options.core)?;
    let batches = build(&options.batch, None)?;
    let mean = |of: fn(&crate::client::batches::Batch) -> f64| {
        batches.iter().map(of).sum::<f64>() / batches.len() as f64
    };
    let (bytes, uncompressed) =
        (mean(|batch| batch.bytes.len() as f64), mean(|batch| batch.uncompressed as f64));
    Ok(figures([
        ("batchBytes", bytes),
        ("uncompressedBytes", uncompressed),
        ("records", mean(|batch| f64::from(batch.records))),
        ("ratio", uncompressed / bytes),
    ]))
}
