//! Creates a topic and waits until its first partition answers.

use serde::Deserialize;

use crate::client::connection::Connection;
use crate::options::parse;
use crate::output::{Figures, Outcome};

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Options {
    bootstrap: String,
    topic: String,
}

/// Result: nothing.
pub fn run(json: &str) -> Outcome {
    let options: Options = parse(json)?;
    Connection::open(&options.bootstrap)?.create_topic(&options.topic)?;
    Ok(Figures::new())
}
