//! The payload of a raft entry: one proposal's timestamp and values, in our own compact encoding. It never touches
//! raft, nor Kafka's batch format.

/// The largest payload that is proposed; Kafka's default `metadata.max.batch.size`-like bound of 8 MiB.
pub const MAX_PAYLOAD_BYTES: usize = 8 * 1024 * 1024;

const VERSION: u8 = 1;

/// What one entry holds. An entry without payload is raft's own and becomes a LeaderChange.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Payload {
    /// Milliseconds since the epoch, from the proposer.
    pub timestamp: i64,
    /// At least one.
    pub values: Vec<Vec<u8>>,
}

/// Bytes that `encode` will need.
pub fn encoded_len(values: &[Vec<u8>]) -> usize {
    1 + 8 + 4 + values.iter().map(|value| 4 + value.len()).sum::<usize>()
}

/// version u8, timestamp i64, count u32, then length u32 and bytes of each value. The caller keeps the whole below
/// `MAX_PAYLOAD_BYTES`.
pub fn encode(timestamp: i64, values: &[Vec<u8>]) -> Vec<u8> {
    let mut out = Vec::with_capacity(encoded_len(values));
    out.push(VERSION);
    out.extend_from_slice(&timestamp.to_be_bytes());
    out.extend_from_slice(&(values.len() as u32).to_be_bytes());
    for value in values {
        out.extend_from_slice(&(value.len() as u32).to_be_bytes());
        out.extend_from_slice(value);
    }
    out
}

/// None when the bytes are no payload of ours.
pub fn decode(bytes: &[u8]) -> Option<Payload> {
    let (count, timestamp, mut rest) = head(bytes)?;
    let mut values = Vec::with_capacity(count.min(rest.len() / 4));
    for _ in 0..count {
        let (len, tail) = rest.split_first_chunk::<4>()?;
        let (value, tail) = tail.split_at_checked(u32::from_be_bytes(*len) as usize)?;
        values.push(value.to_vec());
        rest = tail;
    }
    (rest.is_empty() && count > 0).then_some(Payload { timestamp, values })
}

/// Records that the entry becomes in the metadata log, without decoding them: a LeaderChange is one.
pub fn record_count(bytes: &[u8]) -> i64 {
    if bytes.is_empty() { 1 } else { head(bytes).map_or(0, |(count, _, _)| count as i64) }
}

fn head(bytes: &[u8]) -> Option<(usize, i64, &[u8])> {
    let (&version, rest) = bytes.split_first()?;
    let (timestamp, rest) = rest.split_first_chunk::<8>()?;
    let (count, rest) = rest.split_first_chunk::<4>()?;
    (version == VERSION).then_some((
        u32::from_be_bytes(*count) as usize,
        i64::from_be_bytes(*timestamp),
        rest,
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_payload_survives_its_encoding() {
        let values = vec![b"one".to_vec(), Vec::new(), vec![7; 300]];
        let bytes = encode(1_700_000_000_123, &values);
        assert_eq!(bytes.len(), encoded_len(&values));
        assert_eq!(record_count(&bytes), 3);
        assert_eq!(decode(&bytes), Some(Payload { timestamp: 1_700_000_000_123, values }));
    }

    #[test]
    fn cut_grown_or_foreign_bytes_are_no_payload() {
        let bytes = encode(5, &[b"value".to_vec()]);
        for cut in 0..bytes.len() {
            assert_eq!(decode(&bytes[..cut]), None, "cut at {cut}");
        }
        assert_eq!(decode(&[&bytes[..], b"x"].concat()), None);
        assert_eq!(decode(&[&[9], &bytes[1..]].concat()), None);
        assert_eq!(decode(&encode(5, &[])), None);
        // A count that lies must not make room for what is not there.
        let mut lying = bytes.clone();
        lying[9..13].copy_from_slice(&u32::MAX.to_be_bytes());
        assert_eq!(decode(&lying), None);
    }
}
