//! What `millrace bench` runs beside `load-latency`: one slice each of producing and of consuming, with progress and
//! percentiles. Which broker leads the partition, and where it ends, the caller knows.

pub mod consume;
pub mod produce;
mod progress;
