use super::*;
use proptest::prelude::*;
use std::io::Write;

const COMPRESSED: [Codec; 4] = [Codec::Gzip, Codec::Snappy, Codec::Lz4, Codec::Zstd];

fn unpack(codec: Codec, input: &[u8], cap: u64) -> Result<Vec<u8>, BatchError> {
    let mut reader = Decompressor::new(codec, input, cap)?;
    let mut out = Vec::new();
    // No more than is asked for: what is left of a window stays.
    while reader.copy(1000, &mut out)? > 0 {}
    Ok(out)
}

fn pack(codec: Codec, input: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    compress(codec, None, input, &mut out).unwrap();
    out
}

#[test]
fn ids_and_names_are_kafkas() {
    let names: Vec<_> = Codec::ALL.iter().map(|codec| (codec.id(), codec.name())).collect();
    assert_eq!(names, [(0, "none"), (1, "gzip"), (2, "snappy"), (3, "lz4"), (4, "zstd")]);
    assert_eq!(Codec::from_name("uncompressed"), Some(Codec::None));
    assert_eq!((Codec::from_id(5), Codec::from_name("brotli")), (None, None));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn packed_bytes_come_back(input in proptest::collection::vec(0..7u8, 0..40_000), level in -5..12i32) {
        for codec in Codec::ALL {
            let mut packed = vec![];
            compress(codec, Some(level), &input, &mut packed).unwrap();
            prop_assert_eq!(&unpack(codec, &packed, input.len() as u64).unwrap(), &input);
        }
    }

    #[test]
    fn garbage_never_panics(input in proptest::collection::vec(any::<u8>(), 0..500), magic: bool) {
        for (codec, head) in COMPRESSED.into_iter().zip([
            &[0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0][..], b"\x82SNAPPY\0\0\0\0\x01\0\0\0\x01",
            &[4, 0x22, 0x4d, 0x18, 0x60, 0x40, 0x82], &[0x28, 0xb5, 0x2f, 0xfd],
        ]) {
            let input = if magic { [head, &input].concat() } else { input.clone() };
            let _ = unpack(codec, &input, 1 << 16);
        }
    }

    #[test]
    fn a_mutated_stream_never_panics_or_passes_the_cap(at in 0..4000usize, byte: u8, seed in 0..9u32) {
        let input: Vec<u8> = (0..9000u32).map(|i| (i * seed / 7 % 31) as u8).collect();
        for codec in COMPRESSED {
            let mut packed = pack(codec, &input);
            let at = at % packed.len();
            packed[at] = byte;
            if let Ok(out) = unpack(codec, &packed, 10_000) {
                prop_assert!(out.len() <= 10_000);
            }
        }
    }
}

#[test]
fn a_stream_cut_short_is_an_error() {
    let input: Vec<u8> = (0..100_000u32).map(|i| (i % 251 * (i % 7)) as u8).collect();
    for codec in COMPRESSED {
        let packed = pack(codec, &input);
        for cut in [1, 3, 10, packed.len() / 2] {
            let error = unpack(codec, &packed[..packed.len() - cut], 1 << 20).unwrap_err();
            assert!(matches!(error, BatchError::Decompress { .. }), "{codec} cut by {cut}");
        }
    }
}

#[test]
fn the_cap_is_exact() {
    let input = vec![b'x'; 70_000];
    for codec in COMPRESSED {
        let packed = pack(codec, &input);
        assert_eq!(unpack(codec, &packed, 70_000).unwrap(), input);
        for cap in [0, 1, 69_999] {
            assert_eq!(unpack(codec, &packed, cap), Err(BatchError::DecompressedTooLarge { cap }), "{codec}");
        }
    }
}

/// 10 GB of zeros, or as much of it as a codec can hide in ten megabytes.
fn bomb(codec: Codec) -> Vec<u8> {
    const TOTAL: usize = 10 << 30;
    match codec {
        Codec::Zstd => {
            // A window of 128 KiB, then blocks that each repeat one zero 128 Ki times: 4 bytes a block.
            let head = [0x28, 0xb5, 0x2f, 0xfd, 0, 0x38];
            let [a, b, c, _] = ((128u32 << 10) << 3 | 1 << 1).to_le_bytes();
            [&head[..], &[a, b, c, 0].repeat(TOTAL >> 17)].concat()
        }
        Codec::Gzip => {
            // One member of 16 MiB, over and over: a bomb as good as a single one, and quick to make.
            let member = pack(Codec::Gzip, &vec![0; 16 << 20]);
            member.repeat(TOTAL >> 24)
        }
        Codec::Lz4 => {
            // A frame whose one 4 MiB block of zeros repeats as often as 10 MB of input allow.
            let block = lz4_flex::block::compress(&vec![0; 4 << 20]);
            let blocks = 10_000_000usize.div_ceil(block.len() + 4);
            lz4_frame(0x70, &vec![(block.len() as u32, &block[..]); blocks])
        }
        Codec::Snappy => {
            // A raw block that declares 4 GiB, and little else.
            let mut out = vec![0xff, 0xff, 0xff, 0xff, 0x0f];
            out.extend([0; 1000]);
            out
        }
        Codec::None => Vec::new(),
    }
}

#[test]
fn bombs_stop_at_the_cap() {
    let cap = 1 << 20;
    for codec in COMPRESSED {
        let bomb = bomb(codec);
        assert!(bomb.len() < 12_000_000, "{codec}: {} bytes", bomb.len());
        let mut reader = Decompressor::new(codec, &bomb, cap).unwrap();
        let error = loop {
            match reader.skip(4096) {
                Ok(0) => panic!("{codec}: the bomb ended"),
                Ok(_) => {}
                Err(error) => break error,
            }
        };
        assert_eq!(error, BatchError::DecompressedTooLarge { cap }, "{codec}");
        assert!(reader.produced() <= cap);
    }
}

#[test]
fn raw_snappy_is_read_and_its_declared_length_is_not_trusted() {
    // Declares 1 MiB under a cap of 2 MiB, out of ten bytes: refused before any memory is taken.
    let lie = [0x80, 0x80, 0x40, 0, b'a', 0, b'a', 0, b'a', 0];
    let mut reader = Decompressor::new(Codec::Snappy, &lie, 2 << 20).unwrap();
    assert!(matches!(reader.window(), Err(BatchError::Decompress { .. })));
    assert!(reader.scratch.bytes().is_empty());

    let input = b"the quick brown fox, the quick brown fox, the quick brown fox".repeat(50);
    let raw = snap::raw::Encoder::new().compress_vec(&input).unwrap();
    assert_eq!(unpack(Codec::Snappy, &raw, 1 << 20).unwrap(), input);
}

#[test]
fn xerial_frames_may_be_joined_and_are_written_like_java() {
    let input = vec![b'y'; 100_000];
    let packed = pack(Codec::Snappy, &input);
    assert!(packed.starts_with(b"\x82SNAPPY\0\0\0\0\x01\0\0\0\x01"));
    let first = u32::from_be_bytes(packed[16..20].try_into().unwrap()) as usize;
    assert_eq!(snap::raw::decompress_len(&packed[20..20 + first]).unwrap(), 32 * 1024);
    let twice = [&packed[..], &packed].concat();
    assert_eq!(unpack(Codec::Snappy, &twice, 200_000).unwrap().len(), 200_000);
}

#[test]
fn joined_gzip_members_and_zstd_frames_are_one_stream() {
    for codec in [Codec::Gzip, Codec::Zstd] {
        let twice = [pack(codec, b"one,"), pack(codec, b"two")].concat();
        assert_eq!(unpack(codec, &twice, 100).unwrap(), b"one,two");
    }
}

#[test]
fn lz4_frames_of_all_block_sizes_checksums_and_stored_blocks_are_read() {
    use lz4_flex::frame::{BlockMode, BlockSize, FrameEncoder, FrameInfo};
    let mut noise = 1u32;
    let mut input: Vec<u8> = std::iter::repeat_with(|| {
        noise = noise.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (noise >> 24) as u8
    })
    .take(100_000)
    .collect();
    input.extend([0; 100_000]);
    for block in [BlockSize::Max64KB, BlockSize::Max256KB, BlockSize::Max1MB, BlockSize::Max4MB] {
        for checks in [false, true] {
            let info = FrameInfo::new()
                .block_size(block)
                .block_mode(BlockMode::Independent)
                .block_checksums(checks)
                .content_checksum(checks)
                .content_size(checks.then_some(input.len() as u64));
            let mut writer = FrameEncoder::with_frame_info(info, Vec::new());
            writer.write_all(&input).unwrap();
            let mut packed = writer.finish().unwrap();
            assert_eq!(unpack(Codec::Lz4, &packed, 1 << 20).unwrap(), input);
            packed.push(0);
            assert!(unpack(Codec::Lz4, &packed, 1 << 20).is_err());
        }
    }
}

#[test]
fn dependent_lz4_blocks_are_refused_as_java_does() {
    use lz4_flex::frame::{BlockMode, FrameEncoder, FrameInfo};
    let info = FrameInfo::new().block_mode(BlockMode::Linked);
    let mut writer = FrameEncoder::with_frame_info(info, Vec::new());
    writer.write_all(&[1; 1000]).unwrap();
    assert!(unpack(Codec::Lz4, &writer.finish().unwrap(), 2000).is_err());
}

/// A frame of these blocks, each a length word and its bytes, without checksums.
fn lz4_frame(block_descriptor: u8, blocks: &[(u32, &[u8])]) -> Vec<u8> {
    let head = [4, 0x22, 0x4d, 0x18, 0x60, block_descriptor];
    let mut out = [&head[..], &[(xxh32::xxh32(&head[4..]) >> 8) as u8]].concat();
    for (word, bytes) in blocks {
        out.extend_from_slice(&word.to_le_bytes());
        out.extend_from_slice(bytes);
    }
    out
}

#[test]
fn an_lz4_block_gives_no_more_than_the_frame_allows() {
    let full = lz4_flex::block::compress(&[7; 64 << 10]);
    let over = lz4_flex::block::compress(&[7; (64 << 10) + 1]);
    let frame = |block: &[u8]| lz4_frame(0x40, &[(block.len() as u32, block), (0, &[])]);
    assert_eq!(unpack(Codec::Lz4, &frame(&full), 1 << 20).unwrap(), [7; 64 << 10]);
    assert!(unpack(Codec::Lz4, &frame(&over), 1 << 20).is_err());
}

#[test]
fn corrupt_lz4_blocks_are_errors() {
    // A match that reaches before the block, one of distance 0, literals and a match cut short, a token alone.
    for block in [&[0x10, b'a', 2, 0][..], &[0x10, b'a', 0, 0], &[0x50, b'a'], &[0x1f, b'a', 1, 0], &[0xf0]] {
        let frame = lz4_frame(0x40, &[(block.len() as u32, block), (0, &[])]);
        assert!(unpack(Codec::Lz4, &frame, 1 << 20).is_err(), "{block:?}");
    }
}

#[test]
fn a_wrong_lz4_block_checksum_is_an_error() {
    use lz4_flex::frame::{BlockMode, FrameEncoder, FrameInfo};
    let info = FrameInfo::new().block_mode(BlockMode::Independent).block_checksums(true);
    let mut writer = FrameEncoder::with_frame_info(info, Vec::new());
    writer.write_all(&[1; 1000]).unwrap();
    let mut packed = writer.finish().unwrap();
    assert_eq!(unpack(Codec::Lz4, &packed, 1000).unwrap(), [1; 1000]);
    // Before the mark of the end stands the sum of the only block.
    let sum = packed.len() - 4 - 1;
    packed[sum] ^= 1;
    assert!(unpack(Codec::Lz4, &packed, 1000).is_err());
}

#[test]
fn a_stored_lz4_block_of_nothing_ends_the_frame_as_in_java() {
    let stored = (3 | 0x8000_0000, &b"abc"[..]);
    let ended = lz4_frame(0x40, &[stored, (0x8000_0000, &[])]);
    assert_eq!(unpack(Codec::Lz4, &ended, 10).unwrap(), b"abc");
    let more = lz4_frame(0x40, &[stored, (0x8000_0000, &[]), stored, (0, &[])]);
    assert!(unpack(Codec::Lz4, &more, 10).is_err(), "Java would not see the second block");
    // A block that unpacks to nothing is no end.
    let empty = lz4_frame(0x40, &[stored, (1, &[0]), stored, (0, &[])]);
    assert_eq!(unpack(Codec::Lz4, &empty, 10).unwrap(), b"abcabc");
}

/// A frame as a stream writes it: its length is not declared, and its window is what the level asks for.
fn zstd_stream(input: &[u8]) -> Vec<u8> {
    let mut writer = zstd::stream::Encoder::new(Vec::new(), 3).unwrap();
    writer.write_all(input).unwrap();
    writer.finish().unwrap()
}

#[test]
fn zstd_frames_small_and_large_declared_and_not_follow_each_other() {
    let mut noise = 1u32;
    let mut text = |len: usize| -> Vec<u8> {
        let next = || {
            noise = noise.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            b"abcdefgh"[(noise >> 29) as usize]
        };
        std::iter::repeat_with(next).take(len).collect()
    };
    let parts = [100, 3 << 20, 0, 130_000, 1 << 20, (1 << 20) + 1, 7].map(&mut text);
    let skippable = [&[0x50, 0x2a, 0x4d, 0x18, 3, 0, 0, 0][..], b"abc"].concat();
    let (mut packed, mut all) = (Vec::new(), Vec::new());
    for part in &parts {
        packed.extend([pack(Codec::Zstd, part), skippable.clone(), zstd_stream(part)].concat());
        all.extend([&part[..], part].concat());
    }
    assert!(unpack(Codec::Zstd, &packed, all.len() as u64).unwrap() == all);
    let one_less = all.len() as u64 - 1;
    assert_eq!(
        unpack(Codec::Zstd, &packed, one_less).unwrap_err(),
        BatchError::DecompressedTooLarge { cap: one_less }
    );
    packed.truncate(packed.len() - 1);
    assert!(matches!(unpack(Codec::Zstd, &packed, 1 << 30), Err(BatchError::Decompress { .. })));
}

#[test]
fn a_small_zstd_frame_may_ask_for_a_window_of_128_mib_and_no_more() {
    for (window, fits) in [(0x88, true), (0x89, false), (0x90, false), (0xff, false)] {
        // One stored block of three bytes, the last.
        let frame = [&[0x28, 0xb5, 0x2f, 0xfd, 0, window, 3 << 3 | 1, 0, 0][..], b"abc"].concat();
        let unpacked = unpack(Codec::Zstd, &frame, 100);
        assert_eq!(unpacked.as_deref().ok(), fits.then_some(&b"abc"[..]), "{window:#x}");
    }
}

#[test]
fn a_small_zstd_frame_that_unpacks_to_more_than_it_declares_is_an_error() {
    let mut packed = pack(Codec::Zstd, &[b'z'; 200]);
    // Single segment, length in one byte: 200 declared.
    assert_eq!(packed[4..6], [0x20, 200]);
    for declared in [199, 201] {
        packed[5] = declared;
        assert!(unpack(Codec::Zstd, &packed, 1000).is_err());
    }
}

#[test]
fn a_thread_keeps_one_window_and_none_that_is_large() {
    let small = pack(Codec::Lz4, &[1; 100_000]);
    let large = lz4_flex::block::compress(&vec![0; 4 << 20]);
    let large = lz4_frame(0x70, &[(large.len() as u32, &large[..]), (0, &[])]);
    let kept = || scratch::Scratch::take().bytes().len();
    assert_eq!(unpack(Codec::Lz4, &small, 1 << 20).unwrap(), [1; 100_000]);
    let spare = scratch::Scratch::take();
    assert_eq!(spare.bytes().len(), 64 << 10);
    drop(spare);
    assert_eq!(unpack(Codec::Lz4, &large, 4 << 20).unwrap().len(), 4 << 20);
    assert_eq!(kept(), 0);
}

#[test]
fn a_zstd_context_that_broke_off_serves_the_next_stream() {
    let input = vec![b'z'; 500_000];
    let packed = pack(Codec::Zstd, &input);
    for cut in [0, 1, 5, packed.len() / 2] {
        assert!(unpack(Codec::Zstd, &packed[..packed.len() - cut], 1000).is_err());
        assert!(unpack(Codec::Zstd, &[&packed[..6], &[0xff; 20]].concat(), 1 << 20).is_err());
        assert_eq!(unpack(Codec::Zstd, &packed, 1 << 20).unwrap(), input);
    }
}

#[test]
fn two_readers_of_one_thread_do_not_meet() {
    for codec in COMPRESSED {
        // Several windows each, for zstd out of the library's own.
        let (one, two) = (pack(codec, &vec![1; 2 << 20]), pack(codec, &vec![2; 2 << 20]));
        let mut first = Decompressor::new(codec, &one, 2 << 20).unwrap();
        let mut second = Decompressor::new(codec, &two, 2 << 20).unwrap();
        for _ in 0..(2 << 20) / 4096 {
            for (reader, byte) in [(&mut first, 1), (&mut second, 2)] {
                let mut chunk = Vec::new();
                assert_eq!(reader.copy(4096, &mut chunk), Ok(4096));
                assert!(chunk.iter().all(|&b| b == byte), "{codec}");
            }
        }
    }
}
