//! What a command prints: JSON lines on standard output, `{"progress":{…}}` at most once a second, `{"result":{…}}`
//! last. Values are flat numbers whose unit is in their name.

use serde_json::{Map, Value};

/// Figures by name, in the order they were added.
pub type Figures = Map<String, Value>;
pub type Outcome = Result<Figures, Box<dyn std::error::Error + Send + Sync>>;

/// Figures out of names and numbers.
pub fn figures<const N: usize>(of: [(&str, f64); N]) -> Figures {
    of.into_iter().map(|(name, number)| (name.to_string(), Value::from(number))).collect()
}

pub fn result(figures: &Figures) {
    println!("{}", serde_json::json!({ "result": figures }));
}

pub fn progress(figures: &Figures) {
    println!("{}", serde_json::json!({ "progress": figures }));
}
