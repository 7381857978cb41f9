//! Creates a topic and waits until its partitions answer.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::client::connection::Connection;
use crate::options::parse;
use crate::output::{Figures, Outcome};

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Options {
    bootstrap: String,
    topic: String,
    #[serde(default = "one")]
    partitions: i32,
    /// Topic configs by Kafka's keys.
    #[serde(default)]
    config: BTreeMap<String, String>,
}

fn one() -> i32 {
    1
}

/// Result: nothing.
pub fn run(json: &str) -> Outcome {
    let options: Options = parse(json)?;
    let configs: Vec<(String, String)> = options.config.into_iter().collect();
    Connection::open(&options.bootstrap)?.create_topic(&options.topic, options.partitions, &configs)?;
    Ok(Figures::new())
}
