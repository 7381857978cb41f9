//! The options of `open`, parsed from the JSON that the control plane sends. Defaults are Kafka's.
//! Which values are sensible is checked by the control plane's table of configs; here only types are.

use std::path::PathBuf;

use serde_json::Value;

use super::wire::{BoundaryError, Parsed};

/// Wakes of coordinator workers share a word with those of I/O threads.
pub const MAX_COORDINATOR_THREADS: u16 = 30;

/// What a node is started with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodeOptions {
    pub node_id: i32,
    /// Kafka's 22-character form.
    pub cluster_id: String,
    pub directory_id: String,
    /// The first one also holds the metadata log and the quorum's write-ahead log.
    pub log_dirs: Vec<PathBuf>,
    /// `num.network.threads`: 1 to 32.
    pub network_threads: u16,
    /// Threads of the disk pool.
    pub io_threads: u16,
    /// Threads of the control plane that groups are spread over; 0: its own thread has them all.
    pub coordinator_threads: u16,
    /// `socket.request.max.bytes`
    pub socket_request_max_bytes: i32,
    /// `sasl.server.max.receive.size`: the same until a connection has authenticated, where it must.
    pub sasl_server_max_receive_size: i32,
    /// `queued.max.request.bytes`: bytes of requests in progress over the whole broker; 0 or less means unlimited.
    pub queued_max_request_bytes: i64,
    /// `max.connections`
    pub max_connections: u32,
    /// `max.connections.per.ip`
    pub max_connections_per_ip: u32,
    /// `connections.max.idle.ms`
    pub connections_max_idle_ms: i64,
    /// `log.retention.check.interval.ms`
    pub log_retention_check_interval_ms: i64,
    /// `millrace.log.scrub.bytes.per.second`: how fast closed segments are looked over; 0 means never.
    pub log_scrub_bytes_per_second: i64,
    /// Kafka topic config keys (`segment.bytes`, …) and the broker's default for each, as text.
    pub defaults: Vec<(String, String)>,
    /// Tells one start of the machine from another; empty when unknown.
    pub boot_id: String,
}

impl NodeOptions {
    /// Options with Kafka's defaults for everything that may be left out.
    pub fn new(node_id: i32, cluster_id: &str, log_dirs: Vec<PathBuf>) -> NodeOptions {
        NodeOptions {
            node_id,
            cluster_id: cluster_id.to_owned(),
            directory_id: String::new(),
            log_dirs,
            network_threads: 1,
            io_threads: 2,
            coordinator_threads: 0,
            socket_request_max_bytes: 100 << 20,
            sasl_server_max_receive_size: 512 << 10,
            queued_max_request_bytes: -1,
            max_connections: i32::MAX as u32,
            max_connections_per_ip: i32::MAX as u32,
            connections_max_idle_ms: 600_000,
            log_retention_check_interval_ms: 300_000,
            log_scrub_bytes_per_second: 2 << 20,
            defaults: Vec::new(),
            boot_id: String::new(),
        }
    }

    /// Reads the `optionsJson` of `open`. Unknown members are left alone.
    pub fn parse(text: &str) -> Result<NodeOptions, BoundaryError> {
        let json: Value = serde_json::from_str(text)
            .map_err(|error| BoundaryError::new(format!("the options are no JSON: {error}")))?;
        if !json.is_object() {
            return Err(BoundaryError::new("the options are no JSON object"));
        }
        let node_id = integer(&json, "nodeId")?.ok_or_else(|| wrong("nodeId", "a number"))?;
        let cluster_id = text_member(&json, "clusterId")?.ok_or_else(|| wrong("clusterId", "a string"))?;
        let mut options = NodeOptions::new(node_id, cluster_id, log_dirs(&json)?);
        options.directory_id = text_member(&json, "directoryId")?.unwrap_or_default().to_owned();
        options.boot_id = text_member(&json, "bootId")?.unwrap_or_default().to_owned();
        set(&json, "networkThreads", &mut options.network_threads)?;
        set(&json, "ioThreads", &mut options.io_threads)?;
        set(&json, "coordinatorThreads", &mut options.coordinator_threads)?;
        set(&json, "socketRequestMaxBytes", &mut options.socket_request_max_bytes)?;
        set(&json, "saslServerMaxReceiveSize", &mut options.sasl_server_max_receive_size)?;
        set(&json, "queuedMaxRequestBytes", &mut options.queued_max_request_bytes)?;
        set(&json, "maxConnections", &mut options.max_connections)?;
        set(&json, "maxConnectionsPerIp", &mut options.max_connections_per_ip)?;
        set(&json, "connectionsMaxIdleMs", &mut options.connections_max_idle_ms)?;
        let interval = &mut options.log_retention_check_interval_ms;
        set(&json, "logRetentionCheckIntervalMs", interval)?;
        set(&json, "logScrubBytesPerSecond", &mut options.log_scrub_bytes_per_second)?;
        if !(1..=super::conn_id::MAX_THREADS).contains(&options.network_threads) {
            return Err(wrong("networkThreads", "between 1 and 32"));
        }
        if options.coordinator_threads > MAX_COORDINATOR_THREADS {
            return Err(wrong("coordinatorThreads", "between 0 and 30"));
        }
        if let Some(defaults) = member(&json, "defaults") {
            options.defaults = read_defaults(defaults)?;
        }
        Ok(options)
    }

    /// The broker's default for a topic config key, as text.
    pub fn default_of(&self, key: &str) -> Option<&str> {
        self.defaults.iter().find(|(name, _)| name == key).map(|(_, value)| value.as_str())
    }
}

fn wrong(name: &str, wanted: &str) -> BoundaryError {
    BoundaryError::new(format!("option {name} must be {wanted}"))
}

/// A member that is there and not null.
fn member<'a>(json: &'a Value, name: &str) -> Option<&'a Value> {
    json.get(name).filter(|value| !value.is_null())
}

fn integer<T: TryFrom<i64>>(json: &Value, name: &str) -> Parsed<Option<T>> {
    let Some(value) = member(json, name) else { return Ok(None) };
    let number = value.as_i64().and_then(|number| T::try_from(number).ok());
    number.map(Some).ok_or_else(|| wrong(name, "a whole number in range"))
}

fn set<T: TryFrom<i64>>(json: &Value, name: &str, target: &mut T) -> Parsed<()> {
    if let Some(value) = integer(json, name)? {
        *target = value;
    }
    Ok(())
}

fn text_member<'a>(json: &'a Value, name: &str) -> Parsed<Option<&'a str>> {
    match member(json, name) {
        None => Ok(None),
        Some(value) => value.as_str().map(Some).ok_or_else(|| wrong(name, "a string")),
    }
}

fn log_dirs(json: &Value) -> Parsed<Vec<PathBuf>> {
    let items = member(json, "logDirs").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let dirs: Option<Vec<PathBuf>> = items.iter().map(|item| item.as_str().map(PathBuf::from)).collect();
    dirs.filter(|dirs| !dirs.is_empty()).ok_or_else(|| wrong("logDirs", "a list of at least one folder"))
}

fn read_defaults(json: &Value) -> Parsed<Vec<(String, String)>> {
    let members = json.as_object().ok_or_else(|| wrong("defaults", "an object"))?;
    let mut defaults = Vec::with_capacity(members.len());
    for (name, value) in members {
        let text = match value {
            Value::String(text) => text.clone(),
            Value::Number(_) | Value::Bool(_) => value.to_string(),
            Value::Null => continue,
            Value::Array(_) | Value::Object(_) => return Err(wrong(name, "text, a number or a boolean")),
        };
        defaults.push((name.clone(), text));
    }
    Ok(defaults)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_are_read_and_the_rest_is_kafkas_default() {
        let options = NodeOptions::parse(
            r#"{"nodeId":1,"clusterId":"abc","directoryId":"dir","logDirs":["/a","/b"],"networkThreads":3,
                "defaults":{"segment.bytes":1048576,"cleanup.policy":"delete","preallocate":false},"future":[]}"#,
        )
        .unwrap();
        assert_eq!((options.node_id, options.network_threads), (1, 3));
        assert_eq!(options.log_dirs, [PathBuf::from("/a"), PathBuf::from("/b")]);
        assert_eq!(options.socket_request_max_bytes, 104_857_600);
        assert_eq!(options.default_of("segment.bytes"), Some("1048576"));
        assert_eq!(options.default_of("preallocate"), Some("false"));
    }

    #[test]
    fn options_of_a_wrong_type_are_refused_by_name() {
        for (text, name) in [
            (r#"{"clusterId":"a","logDirs":["/a"]}"#, "nodeId"),
            (r#"{"nodeId":1,"logDirs":["/a"]}"#, "clusterId"),
            (r#"{"nodeId":1,"clusterId":"a","logDirs":[]}"#, "logDirs"),
            (r#"{"nodeId":1,"clusterId":"a","logDirs":["/a"],"networkThreads":33}"#, "networkThreads"),
            (r#"{"nodeId":1,"clusterId":"a","logDirs":["/a"],"ioThreads":"2"}"#, "ioThreads"),
        ] {
            let error = NodeOptions::parse(text).unwrap_err();
            assert!(error.reason.contains(name), "{error}");
        }
    }
}
