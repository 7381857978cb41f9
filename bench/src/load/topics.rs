//! Creates topics, waits until every partition answers, and deletes them.

use std::collections::BTreeMap;
use std::time::Instant;

use serde::Deserialize;

use crate::client::connection::Connection;
use crate::options::{parse, pin};
use crate::output::{Figures, Outcome, figures};

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Create {
    bootstrap: String,
    topic: String,
    #[serde(default = "one")]
    partitions: i32,
    /// Topic configs by Kafka's keys.
    #[serde(default, alias = "config")]
    configs: BTreeMap<String, String>,
    core: Option<usize>,
}

fn one() -> i32 {
    1
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Await {
    bootstrap: String,
    topic: String,
    #[serde(default = "one")]
    partitions: i32,
    core: Option<usize>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Delete {
    bootstrap: String,
    topic: String,
    core: Option<usize>,
}

/// `create-topic`. Result: `seconds` until the broker answered, `readySeconds` until every partition told its end.
pub fn create(json: &str) -> Outcome {
    let options: Create = parse(json)?;
    pin(options.core)?;
    let configs: Vec<(String, String)> = options.configs.into_iter().collect();
    let mut connection = Connection::open(&options.bootstrap)?;
    let started = Instant::now();
    connection.create_topic(&options.topic, options.partitions, &configs)?;
    let answered = started.elapsed().as_secs_f64();
    connection.await_partitions(&options.topic, options.partitions)?;
    Ok(figures([("seconds", answered), ("readySeconds", started.elapsed().as_secs_f64())]))
}

/// `await-topic`. Result: `seconds` until every partition told its end, and the ends' sum as `records`.
pub fn await_all(json: &str) -> Outcome {
    let options: Await = parse(json)?;
    pin(options.core)?;
    let started = Instant::now();
    let ends = Connection::open(&options.bootstrap)?.await_partitions(&options.topic, options.partitions)?;
    let records = ends.iter().sum::<i64>() as f64;
    Ok(figures([("seconds", started.elapsed().as_secs_f64()), ("records", records)]))
}

/// `delete-topic`. Result: nothing.
pub fn delete(json: &str) -> Outcome {
    let options: Delete = parse(json)?;
    pin(options.core)?;
    Connection::open(&options.bootstrap)?.delete_topic(&options.topic)?;
    Ok(Figures::new())
}
