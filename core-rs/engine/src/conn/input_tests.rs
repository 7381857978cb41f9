//! Frames come out whole however the bytes arrive, nothing is copied that need not be, and memory follows what was
//! received.

use proptest::prelude::*;

use super::*;

const MAX_FRAME: i32 = 100 << 20;
const LIMIT: FrameLimit = FrameLimit { bytes: MAX_FRAME, key: "socket.request.max.bytes" };

/// One connection's input with the shared buffer of its thread.
struct Feed {
    input: Input,
    shared: Vec<u8>,
    frames: Vec<Vec<u8>>,
    /// Frames that may be handled before the rest is held back.
    admitted: usize,
    /// Frames that were handled inside the thread's own buffers.
    in_place: usize,
}

impl Feed {
    fn new() -> Feed {
        let shared = new_buffer();
        Feed { input: Input::default(), shared, frames: Vec::new(), admitted: usize::MAX, in_place: 0 }
    }

    /// Gives the bytes over as a socket would, at most `chunk` at a time.
    fn receive(&mut self, mut bytes: &[u8], chunk: usize) -> Result<(), FrameError> {
        while !bytes.is_empty() {
            self.input.make_room(&mut self.shared);
            let target = self.input.read_target(&mut self.shared);
            let count = target.len().min(bytes.len()).min(chunk);
            assert!(count > 0, "no room to read into");
            let (now, later) = bytes.split_at(count);
            target[..count].copy_from_slice(now);
            bytes = later;
            let work = self.input.received(count, &mut self.shared);
            self.handle(work)?;
            if self.admitted == 0 && !bytes.is_empty() {
                // What is held back is handled before anything more is read.
                self.admitted = usize::MAX;
                self.resume();
            }
        }
        Ok(())
    }

    fn handle(&mut self, mut work: Work) -> Result<(), FrameError> {
        while self.admitted > 0 {
            let length = match work.next(LIMIT)? {
                Next::Partial => break,
                Next::Frame(frame) => {
                    self.frames.push(frame.to_vec());
                    frame.len()
                }
            };
            self.admitted -= 1;
            work.advance(length);
        }
        if let Some(buffer) = self.input.keep(work) {
            self.in_place += 1;
            self.shared = buffer;
        }
        if self.shared.capacity() == 0 {
            self.shared = new_buffer();
        }
        Ok(())
    }

    fn resume(&mut self) {
        if let Some(work) = self.input.resume() {
            self.handle(work).unwrap();
        }
    }
}

fn framed(frames: &[Vec<u8>]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for frame in frames {
        bytes.extend((frame.len() as i32).to_be_bytes());
        bytes.extend(frame);
    }
    bytes
}

fn pattern(length: usize, seed: usize) -> Vec<u8> {
    (0..length).map(|at| (at * 31 + seed) as u8).collect()
}

#[test]
fn a_whole_frame_is_handled_where_it_was_received() {
    let mut feed = Feed::new();
    let before = feed.shared.as_ptr();
    feed.receive(&framed(&[pattern(100_000, 1), pattern(10, 2)]), usize::MAX).unwrap();
    assert_eq!(feed.frames, [pattern(100_000, 1), pattern(10, 2)]);
    assert_eq!(feed.shared.as_ptr(), before, "no other buffer was needed");
    assert_eq!(
        (feed.input.held_bytes(), feed.input.held_memory()),
        (0, 0),
        "an idle connection owns nothing"
    );
}

#[test]
fn a_large_partial_frame_takes_the_buffer_over_without_a_copy() {
    let mut feed = Feed::new();
    let before = feed.shared.as_ptr();
    let bytes = framed(&[pattern(1 << 20, 3)]);
    feed.receive(&bytes[..READ_BYTES], usize::MAX).unwrap();
    assert_ne!(feed.shared.as_ptr(), before, "the thread got another buffer");
    assert_eq!(feed.input.held_bytes(), READ_BYTES);
    feed.receive(&bytes[READ_BYTES..], usize::MAX).unwrap();
    assert_eq!(feed.frames, [pattern(1 << 20, 3)]);
    assert_eq!(feed.shared.as_ptr(), before, "and gave the warm one back");
}

#[test]
fn ten_megabytes_declared_and_ten_bytes_sent_hold_ten_bytes() {
    let mut feed = Feed::new();
    let mut bytes = (10i32 << 20).to_be_bytes().to_vec();
    bytes.extend([7; 10]);
    feed.receive(&bytes, usize::MAX).unwrap();
    assert_eq!(feed.input.held_bytes(), 14);
    assert!(feed.input.held_memory() <= STASH_BYTES);
}

#[test]
fn ten_thousand_partial_frames_hold_about_what_was_received_and_the_thread_keeps_its_buffer() {
    let mut feed = Feed::new();
    let before = feed.shared.as_ptr();
    let frame = framed(&[pattern(1 << 20, 5)]);
    let partial = &frame[..9 << 10];
    let mut held = 0;
    for _ in 0..10_000 {
        feed.receive(partial, usize::MAX).unwrap();
        held += std::mem::take(&mut feed.input).held_memory();
    }
    assert_eq!(held, 10_000 * partial.len());
    assert_eq!(feed.shared.as_ptr(), before, "no connection took the buffer away");
    assert!(feed.shared.len() <= READ_BYTES + STASH_BYTES, "and no more of it was touched than reads fill");
}

#[test]
fn what_earlier_frames_touched_of_a_buffer_counts_for_whoever_takes_it_over() {
    let mut feed = Feed::new();
    feed.receive(&framed(&[pattern(1 << 20, 6)]), usize::MAX).unwrap();
    let touched = feed.shared.len();
    assert!(touched >= 1 << 20);
    feed.receive(&framed(&[pattern(1 << 20, 7)])[..COPY_BYTES + 1], usize::MAX).unwrap();
    assert_eq!((feed.input.held_bytes(), feed.input.held_memory()), (COPY_BYTES + 1, touched));
}

#[test]
fn a_partial_frame_in_a_buffer_of_its_own_size_grows_by_doubling_and_is_not_copied_per_read() {
    let mut feed = Feed::new();
    let frame = pattern(50_000, 8);
    let bytes = framed(std::slice::from_ref(&frame));
    feed.receive(&bytes[..9000], usize::MAX).unwrap();
    for (n, byte) in bytes[9000..].iter().enumerate() {
        feed.receive(std::slice::from_ref(byte), 1).unwrap();
        assert!(feed.input.held_memory() <= 2 * (9000 + n + 1));
    }
    assert_eq!(feed.frames, [frame]);
    assert_eq!(
        (feed.in_place, feed.input.held_memory()),
        (1, 0),
        "the thread's buffer came back once, at once"
    );
}

#[test]
fn a_frame_larger_than_a_buffer_grows_with_what_arrived() {
    let mut feed = Feed::new();
    let frame = pattern(9 << 20, 4);
    let bytes = framed(std::slice::from_ref(&frame));
    for (sent, chunk) in bytes.chunks(100_000).enumerate() {
        feed.receive(chunk, usize::MAX).unwrap();
        let received = (sent + 1) * 100_000;
        assert!(feed.input.held_memory() <= BUFFER_BYTES.max(4 * received));
    }
    assert_eq!(feed.frames, [frame]);
    assert_eq!(feed.input.held_memory(), 0, "a buffer that grew is not kept");
    assert_eq!(feed.shared.capacity(), BUFFER_BYTES);
}

#[test]
fn lengths_that_no_request_has_are_refused() {
    for length in [0, -1, i32::MIN, MAX_FRAME + 1, i32::MAX] {
        let mut feed = Feed::new();
        let refused = feed.receive(&length.to_be_bytes(), usize::MAX).unwrap_err();
        let expected = if length <= 0 {
            FrameError::NotPositive(length)
        } else {
            FrameError::TooLarge { length, limit: MAX_FRAME, key: LIMIT.key }
        };
        assert_eq!(refused, expected);
    }
}

#[test]
fn what_is_held_back_comes_later_from_where_it_was_kept() {
    for sizes in [[10, 20, 30], [10, 9_000, 20_000], [20_000, 300_000, 5]] {
        let frames: Vec<_> = sizes.iter().enumerate().map(|(n, size)| pattern(*size, n)).collect();
        let mut feed = Feed::new();
        feed.admitted = 1;
        let bytes = framed(&frames);
        let first = bytes.len().min(READ_BYTES);
        feed.receive(&bytes[..first], usize::MAX).unwrap();
        assert_eq!(feed.frames.len(), 1);
        feed.admitted = 1;
        feed.resume();
        feed.admitted = usize::MAX;
        feed.resume();
        feed.receive(&bytes[first..], usize::MAX).unwrap();
        assert_eq!(feed.frames, frames);
        assert_eq!(feed.input.held_bytes(), 0);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn frames_come_out_as_they_went_in_however_the_bytes_are_cut(
        sizes in proptest::collection::vec(
            prop_oneof![4 => 1usize..64, 3 => 1usize..20_000, 1 => 200_000usize..3_000_000], 1..12),
        chunks in proptest::collection::vec(
            prop_oneof![1usize..9, 1000usize..70_000, Just(usize::MAX)], 1..6),
        admitted in proptest::collection::vec(0usize..3, 0..8),
    ) {
        let frames: Vec<_> = sizes.iter().enumerate().map(|(n, size)| pattern(*size, n)).collect();
        let bytes = framed(&frames);
        let mut feed = Feed::new();
        let mut chunks = chunks.iter().cycle();
        let mut admitted = admitted.into_iter();
        let mut rest = bytes.as_slice();
        while !rest.is_empty() {
            // Tiny chunks of a large frame would only take long.
            let chunk = (*chunks.next().unwrap()).max(bytes.len() / 2000);
            let (now, later) = rest.split_at(rest.len().min(chunk).min(READ_BYTES));
            rest = later;
            feed.admitted = admitted.next().unwrap_or(usize::MAX);
            feed.receive(now, usize::MAX).unwrap();
            feed.admitted = usize::MAX;
            feed.resume();
        }
        prop_assert_eq!(&feed.frames, &frames);
        prop_assert_eq!((feed.input.held_bytes(), feed.input.held_memory()), (0, 0));
    }
}
