//! `throttle_time_ms` set in a reply that is encoded already: it is known only once the size of the reply is.

use super::Part;

/// The size prefix, the correlation id and the time.
const WORD: usize = 4;

/// Sets the time in a reply of the data plane. Versions that have no such field stay as they are.
pub fn set_throttle_time(
    reply: &mut [Part],
    (api_key, version): (i16, i16),
    flexible: bool,
    throttle_ms: u32,
) {
    let tags = usize::from(flexible);
    let bytes = match api_key {
        // Produce ends in it.
        0 => reply.last_mut(),
        2 if version < 2 => None,
        _ => reply.first_mut(),
    };
    let Some(Part::Bytes(bytes)) = bytes else { return };
    let at = match api_key {
        0 => bytes.len().checked_sub(WORD + tags),
        _ => Some(2 * WORD + tags),
    };
    let field = at.and_then(|at| bytes.get_mut(at..)).and_then(<[u8]>::first_chunk_mut::<WORD>);
    if let Some(field) = field {
        *field = i32::try_from(throttle_ms).unwrap_or(i32::MAX).to_be_bytes();
    }
}
