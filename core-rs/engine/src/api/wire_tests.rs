//! What the wire reader refuses and what the writer writes.

use proptest::prelude::*;

use super::wire::*;

#[test]
fn a_length_beyond_the_frame_is_refused_in_both_forms() {
    let classic = [0x7f, 0xff, b'a'];
    let mut reader = Reader::new(&classic, 0, false);
    let refused = WireError::Short { what: "name", position: 2, needed: 0x7fff, available: 1 };
    assert_eq!(reader.string("name"), Err(refused));
    let compact = [0x05, b'a'];
    let mut reader = Reader::new(&compact, 0, true);
    let refused = WireError::Short { what: "name", position: 1, needed: 4, available: 1 };
    assert_eq!(reader.string("name"), Err(refused));
}

#[test]
fn negative_lengths_other_than_null_are_refused() {
    let mut reader = Reader::new(&[0xff, 0xfe], 0, false);
    assert_eq!(reader.nullable_string("s"), Err(WireError::Length { what: "s", position: 0, length: -2 }));
    let mut reader = Reader::new(&[0xff, 0xff], 0, false);
    assert_eq!(reader.nullable_string("s"), Ok(None));
    let mut reader = Reader::new(&[0xff, 0xff], 0, false);
    assert_eq!(reader.string("s"), Err(WireError::Null { what: "s", position: 0 }));
}

#[test]
fn an_array_count_is_capped_by_the_bytes_that_follow() {
    let bytes = [0, 0, 0, 3, 1, 2, 3, 4, 5, 6];
    assert_eq!(Reader::new(&bytes, 0, false).array(2, "a"), Ok(3));
    let refused = WireError::Short { what: "a", position: 4, needed: 9, available: 6 };
    assert_eq!(Reader::new(&bytes, 0, false).array(3, "a"), Err(refused));
    let huge = [0x7f, 0xff, 0xff, 0xff];
    assert!(Reader::new(&huge, 0, false).array(8, "a").is_err());
}

#[test]
fn varints_longer_than_32_bits_are_refused() {
    let mut reader = Reader::new(&[0xff, 0xff, 0xff, 0xff, 0x0f], 0, true);
    assert_eq!(reader.uvarint("v"), Ok(u32::MAX));
    let mut reader = Reader::new(&[0xff, 0xff, 0xff, 0xff, 0x1f], 0, true);
    assert_eq!(reader.uvarint("v"), Err(WireError::Varint { position: 0 }));
    let mut reader = Reader::new(&[0x80, 0x80, 0x80, 0x80, 0x80, 0x00], 0, true);
    assert_eq!(reader.uvarint("v"), Err(WireError::Varint { position: 0 }));
}

#[test]
fn known_tags_are_read_and_unknown_ones_skipped() {
    // Tag 1 = i32 7, tag 9 = two unknown bytes, then an i8.
    let bytes = [2, 1, 4, 0, 0, 0, 7, 9, 2, 0xaa, 0xbb, 5];
    let mut reader = Reader::new(&bytes, 0, true);
    let mut seen = 0;
    let read = reader.tagged(|tag, inside| {
        if tag == 1 {
            seen = inside.i32("seven")?;
        }
        Ok(tag == 1)
    });
    assert_eq!((read, seen), (Ok(()), 7));
    assert_eq!(reader.i8("after"), Ok(5));
    assert_eq!(reader.finish(), Ok(()));
}

#[test]
fn a_tag_cannot_read_past_its_declared_size() {
    let bytes = [1, 1, 2, 0, 0, 0, 7];
    let mut reader = Reader::new(&bytes, 0, true);
    let read = reader.tagged(|_, inside| inside.i32("seven").map(|_| true));
    assert_eq!(read, Err(WireError::Short { what: "seven", position: 3, needed: 4, available: 2 }));
    let repeated = [2, 1, 0, 1, 0];
    assert_eq!(
        Reader::new(&repeated, 0, true).skip_tagged(),
        Err(WireError::TagOrder { tag: 1, position: 3 })
    );
}

proptest! {
    #[test]
    fn no_input_makes_the_reader_panic(
        bytes in proptest::collection::vec(any::<u8>(), 0..64),
        flexible: bool,
        steps in proptest::collection::vec(0u8..8, 0..12),
    ) {
        let mut reader = Reader::new(&bytes, 0, flexible);
        for step in steps {
            let _ = match step {
                0 => reader.i8("x").is_ok(),
                1 => reader.i64("x").is_ok(),
                2 => reader.nullable_string("x").is_ok(),
                3 => reader.nullable_bytes_range("x").is_ok(),
                4 => reader.nullable_array(3, "x").is_ok(),
                5 => reader.skip_tagged().is_ok(),
                6 => reader.uvarint("x").is_ok(),
                _ => reader.uuid("x").is_ok(),
            };
            prop_assert!(reader.position() <= bytes.len());
        }
    }

    #[test]
    fn what_the_writer_writes_the_reader_reads(value: u32, text in ".{0,40}", flexible: bool) {
        let mut writer = Writer::new(flexible, 0);
        writer.uvarint(value);
        writer.string(&text);
        writer.nullable_string(None);
        writer.array(0);
        writer.null_array();
        writer.no_tags();
        let bytes = writer.into_bytes();
        let mut reader = Reader::new(&bytes, 0, flexible);
        prop_assert_eq!(reader.uvarint("v"), Ok(value));
        prop_assert_eq!(reader.string("s"), Ok(text.as_str()));
        prop_assert_eq!(reader.nullable_string("n"), Ok(None));
        prop_assert_eq!(reader.array(1, "a"), Ok(0));
        prop_assert_eq!(reader.nullable_array(1, "a"), Ok(None));
        prop_assert_eq!(reader.skip_tagged(), Ok(()));
        prop_assert_eq!(reader.finish(), Ok(()));
    }
}
