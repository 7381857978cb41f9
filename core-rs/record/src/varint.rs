//! Kafka's variable-length integers: unsigned (LEB128, at most 5 bytes) and zig-zag signed of 32 bits (varint,
//! at most 5 bytes) and 64 bits (varlong, at most 10 bytes). Longer encodings, and bits beyond the type's
//! width, are refused.

/// Why a variable-length integer could not be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum VarintError {
    #[error("varint runs past the end")]
    Truncated,
    #[error("varint is too long")]
    TooLong,
}

/// Longest encoding of a 32-bit value.
pub const MAX_VARINT_LEN: usize = 5;
/// Longest encoding of a 64-bit value.
pub const MAX_VARLONG_LEN: usize = 10;

/// Reads an unsigned 32-bit varint byte by byte; `next` gives the bytes and its own error at their end.
#[inline]
pub fn decode_u32<E: From<VarintError>>(mut next: impl FnMut() -> Result<u8, E>) -> Result<u32, E> {
    let mut value = 0u32;
    for shift in [0, 7, 14, 21] {
        let byte = next()?;
        value |= u32::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            return Ok(value);
        }
    }
    match next()? {
        last @ 0..=0x0f => Ok(value | u32::from(last) << 28),
        _ => Err(VarintError::TooLong.into()),
    }
}

/// Reads an unsigned 64-bit varint byte by byte; `next` gives the bytes and its own error at their end.
#[inline]
pub fn decode_u64<E: From<VarintError>>(mut next: impl FnMut() -> Result<u8, E>) -> Result<u64, E> {
    let mut value = 0u64;
    for shift in [0, 7, 14, 21, 28, 35, 42, 49, 56] {
        let byte = next()?;
        value |= u64::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            return Ok(value);
        }
    }
    match next()? {
        last @ 0..=1 => Ok(value | u64::from(last) << 63),
        _ => Err(VarintError::TooLong.into()),
    }
}

/// Zig-zag to signed: 0, 1, 2, 3 → 0, −1, 1, −2.
#[inline]
pub fn unzigzag32(value: u32) -> i32 {
    (value >> 1) as i32 ^ -((value & 1) as i32)
}

/// Zig-zag to signed, 64 bits.
#[inline]
pub fn unzigzag64(value: u64) -> i64 {
    (value >> 1) as i64 ^ -((value & 1) as i64)
}

/// Signed to zig-zag: 0, −1, 1, −2 → 0, 1, 2, 3.
#[inline]
pub fn zigzag32(value: i32) -> u32 {
    ((value << 1) ^ (value >> 31)) as u32
}

/// Signed to zig-zag, 64 bits.
#[inline]
pub fn zigzag64(value: i64) -> u64 {
    ((value << 1) ^ (value >> 63)) as u64
}

#[inline]
fn take_byte(buf: &mut &[u8]) -> Result<u8, VarintError> {
    let (&byte, rest) = buf.split_first().ok_or(VarintError::Truncated)?;
    *buf = rest;
    Ok(byte)
}

/// Reads an unsigned varint and moves `buf` past it (past the bytes seen, on an error).
#[inline]
pub fn read_unsigned_varint(buf: &mut &[u8]) -> Result<u32, VarintError> {
    decode_u32(|| take_byte(buf))
}

/// Reads a zig-zag varint and moves `buf` past it.
#[inline]
pub fn read_varint(buf: &mut &[u8]) -> Result<i32, VarintError> {
    read_unsigned_varint(buf).map(unzigzag32)
}

/// Reads a zig-zag varlong and moves `buf` past it.
#[inline]
pub fn read_varlong(buf: &mut &[u8]) -> Result<i64, VarintError> {
    decode_u64(|| take_byte(buf)).map(unzigzag64)
}

/// Appends an unsigned varint.
pub fn write_unsigned_varint(out: &mut Vec<u8>, value: u32) {
    write_u64(out, u64::from(value));
}

/// Appends a zig-zag varint.
pub fn write_varint(out: &mut Vec<u8>, value: i32) {
    write_u64(out, u64::from(zigzag32(value)));
}

/// Appends a zig-zag varlong.
pub fn write_varlong(out: &mut Vec<u8>, value: i64) {
    write_u64(out, zigzag64(value));
}

fn write_u64(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

/// Bytes that `write_unsigned_varint` takes for `value`.
pub fn unsigned_varint_len(value: u32) -> usize {
    len_u64(u64::from(value))
}

/// Bytes that `write_varint` takes for `value`.
pub fn varint_len(value: i32) -> usize {
    len_u64(u64::from(zigzag32(value)))
}

/// Bytes that `write_varlong` takes for `value`.
pub fn varlong_len(value: i64) -> usize {
    len_u64(zigzag64(value))
}

fn len_u64(value: u64) -> usize {
    let bits = 64 - (value | 1).leading_zeros() as usize;
    bits.div_ceil(7)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn known_encodings() {
        let cases: [(i32, &[u8]); 9] = [
            (0, &[0]),
            (-1, &[1]),
            (1, &[2]),
            (63, &[0x7e]),
            (-64, &[0x7f]),
            (64, &[0x80, 1]),
            (-65, &[0x81, 1]),
            (i32::MAX, &[0xfe, 0xff, 0xff, 0xff, 0x0f]),
            (i32::MIN, &[0xff, 0xff, 0xff, 0xff, 0x0f]),
        ];
        for (value, bytes) in cases {
            let mut out = Vec::new();
            write_varint(&mut out, value);
            assert_eq!(out, bytes, "{value}");
            assert_eq!(varint_len(value), bytes.len());
            assert_eq!(read_varint(&mut &out[..]), Ok(value));
        }
        let mut longest = Vec::new();
        write_varlong(&mut longest, i64::MIN);
        assert_eq!(longest.len(), MAX_VARLONG_LEN);
    }

    #[test]
    fn too_long_and_truncated_are_told_apart() {
        assert_eq!(read_unsigned_varint(&mut &[0x80; 4][..]), Err(VarintError::Truncated));
        assert_eq!(read_unsigned_varint(&mut &[0x80; 6][..]), Err(VarintError::TooLong));
        assert_eq!(read_unsigned_varint(&mut &[0xff, 0xff, 0xff, 0xff, 0x1f][..]), Err(VarintError::TooLong));
        assert_eq!(read_varlong(&mut &[0x80; 9][..]), Err(VarintError::Truncated));
        assert_eq!(read_varlong(&mut &[0xff; 11][..]), Err(VarintError::TooLong));
        let mut two_bits_over = [0xff; 10];
        two_bits_over[9] = 2;
        assert_eq!(read_varlong(&mut &two_bits_over[..]), Err(VarintError::TooLong));
    }

    proptest! {
        #[test]
        fn every_value_comes_back(a: i32, b: i64, c: u32) {
            let mut out = Vec::new();
            write_varint(&mut out, a);
            write_varlong(&mut out, b);
            write_unsigned_varint(&mut out, c);
            prop_assert_eq!(out.len(), varint_len(a) + varlong_len(b) + unsigned_varint_len(c));
            let mut rest = &out[..];
            prop_assert_eq!(read_varint(&mut rest), Ok(a));
            prop_assert_eq!(read_varlong(&mut rest), Ok(b));
            prop_assert_eq!(read_unsigned_varint(&mut rest), Ok(c));
            prop_assert!(rest.is_empty());
        }
    }
}
