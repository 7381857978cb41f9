use super::*;
use proptest::prelude::*;
use std::io::Write;

const COMPRESSED: [Codec; 4] = [Codec::Gzip, Codec::Snappy, Codec::Lz4, Codec::Zstd];

fn unpack(codec: Codec, input: &[u8], cap: u64) -> Result<Vec<u8>, BatchError> {
    let mut reader = Decompressor::new(codec, input, cap)?;
    let (mut out, mut chunk) = (Vec::new(), [0; 1000]);
    loop {
        match reader.read(&mut chunk)? {
            0 => return Ok(out),
            count => out.extend_from_slice(&chunk[..count]),
        }
    }
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
            let head = [4, 0x22, 0x4d, 0x18, 0x60, 0x70];
            let mut out = [&head[..], &[(xxh32::xxh32(&head[4..]) >> 8) as u8]].concat();
            while out.len() < 10_000_000 {
                out.extend_from_slice(&(block.len() as u32).to_le_bytes());
                out.extend_from_slice(&block);
            }
            out
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
        let mut chunk = [0; 4096];
        let error = loop {
            match reader.read(&mut chunk) {
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
    let input = b"the quick brown fox, the quick brown fox, the quick brown fox".repeat(50);
    let raw = snap::raw::Encoder::new().compress_vec(&input).unwrap();
    assert_eq!(unpack(Codec::Snappy, &raw, 1 << 20).unwrap(), input);

    // Declares 1 MiB under a cap of 2 MiB, out of ten bytes: refused before any memory is taken.
    let lie = [0x80, 0x80, 0x40, 0, b'a', 0, b'a', 0, b'a', 0];
    let mut reader = Decompressor::new(Codec::Snappy, &lie, 2 << 20).unwrap();
    assert!(matches!(reader.read(&mut [0; 10]), Err(BatchError::Decompress { .. })));
    let Source::Snappy(reader) = &reader.source else { panic!("not snappy") };
    assert_eq!(reader.capacity(), 0);
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
fn two_zstd_readers_of_one_thread_do_not_meet() {
    let (one, two) = (pack(Codec::Zstd, &[1; 5000]), pack(Codec::Zstd, &[2; 5000]));
    let mut first = Decompressor::new(Codec::Zstd, &one, 5000).unwrap();
    let mut second = Decompressor::new(Codec::Zstd, &two, 5000).unwrap();
    for _ in 0..50 {
        let mut chunk = [0; 100];
        assert_eq!((first.read(&mut chunk).unwrap(), chunk), (100, [1; 100]));
        assert_eq!((second.read(&mut chunk).unwrap(), chunk), (100, [2; 100]));
    }
}
