//! Creates topics, waiting until every partition answers, and deletes them.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::client::connection::Connection;
use crate::options::{parse, pin};
use crate::output::{Figures, Outcome};

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
struct Delete {
    bootstrap: String,
    topic: String,
    core: Option<usize>,
}

/// `create-topic`. Result: nothing.
pub fn create(json: &str) -> Outcome {
    let options: Create = parse(json)?;
    pin(options.core)?;
    let configs: Vec<(String, String)> = options.configs.into_iter().collect();
    Connection::open(&options.bootstrap)?.create_topic(&options.topic, options.partitions, &configs)?;
    Ok(Figures::new())
}

/// `delete-topic`. Result: nothing.
pub fn delete(json: &str) -> Outcome {
    let options: Delete = parse(json)?;
    pin(options.core)?;
    Connection::open(&options.bootstrap)?.delete_topic(&options.topic)?;
    Ok(Figures::new())
}
