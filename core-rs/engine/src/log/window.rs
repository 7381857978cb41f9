//! A movable window of bounded size over one file, and the walk over batch headers through it.
//! It checks what a header says against the file's size and order; checksums only when asked.

use std::io;
use std::path::Path;
use std::sync::Arc;

use millrace_record::batch::CRC_START;
use millrace_record::crc::RunningCrc;
use millrace_record::{BatchHeader, HEADER_LEN};

use super::LogError;
use crate::storage::StorageFile;

/// Window of a lookup: one page of the file per `pread`.
pub(super) const LOOKUP_WINDOW: usize = 4096;
/// Window of a scan.
pub(super) const SCAN_WINDOW: usize = 256 * 1024;

#[derive(Debug)]
pub(super) struct Window {
    file: Arc<dyn StorageFile>,
    buffer: Vec<u8>,
    capacity: usize,
    /// Position in the file of the buffer's first byte.
    start: u64,
}

impl Window {
    pub(super) fn new(file: Arc<dyn StorageFile>, capacity: usize) -> Window {
        Window { file, buffer: Vec::new(), capacity, start: 0 }
    }

    /// The bytes from `position` on: `len` at least (the window's capacity at most), fewer where the file ends.
    fn at(&mut self, position: u64, len: usize) -> io::Result<&[u8]> {
        let have = |start: u64, buffer: &[u8]| -> Option<usize> {
            let skip = usize::try_from(position.checked_sub(start)?).ok()?;
            (buffer.len().checked_sub(skip)? >= len.max(1)).then_some(skip)
        };
        if have(self.start, &self.buffer).is_none() {
            self.buffer.resize(self.capacity, 0);
            let read = self.file.read_at(position, &mut self.buffer);
            self.buffer.truncate(*read.as_ref().unwrap_or(&0));
            self.start = position;
            read?;
        }
        let skip = usize::try_from(position - self.start).unwrap_or(usize::MAX);
        Ok(self.buffer.get(skip..).unwrap_or(&[]))
    }

    /// Whether a header may begin at `position`: of our magic, with offsets from `least` to below `end`.
    pub(super) fn looks_like_a_batch(&mut self, position: u64, least: i64, end: i64) -> io::Result<bool> {
        let header = BatchHeader::parse(self.at(position, HEADER_LEN)?);
        Ok(header.is_ok_and(|header| header.base_offset >= least && header.next_offset() <= end))
    }

    /// CRC-32C of `len` bytes from `position`.
    fn crc32c(&mut self, mut position: u64, mut len: u64) -> io::Result<u32> {
        let mut crc = RunningCrc::default();
        while len > 0 {
            let bytes = self.at(position, 1)?;
            let bytes = bytes.get(..usize::try_from(len).unwrap_or(usize::MAX)).unwrap_or(bytes);
            if bytes.is_empty() {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            crc.update(bytes);
            position += bytes.len() as u64;
            len -= bytes.len() as u64;
        }
        Ok(crc.value())
    }

    /// Copies `len` bytes from `position` out, through the window where they fit it.
    pub(super) fn copy(&mut self, position: u64, len: usize) -> io::Result<Vec<u8>> {
        if len <= self.capacity
            && let Some(bytes) = self.at(position, len)?.get(..len)
        {
            return Ok(bytes.to_vec());
        }
        let mut bytes = vec![0; len];
        match self.file.read_at(position, &mut bytes)? {
            read if read == len => Ok(bytes),
            _ => Err(io::ErrorKind::UnexpectedEof.into()),
        }
    }
}

/// A batch's header and where it stands in its segment.
#[derive(Clone, Copy, Debug)]
pub(super) struct Batch {
    pub(super) position: u64,
    pub(super) header: BatchHeader,
}

impl Batch {
    pub(super) fn len(&self) -> u64 {
        self.header.total_len() as u64
    }

    pub(super) fn end(&self) -> u64 {
        self.position + self.len()
    }
}

#[derive(Debug)]
pub(super) enum WalkError {
    Io(io::Error),
    /// What stands at `position` is no batch that belongs there.
    Bad {
        position: u64,
        reason: String,
    },
}

impl WalkError {
    /// Blamed on the file that was walked over.
    pub(super) fn of(self, path: &Path) -> LogError {
        let path = path.to_path_buf();
        match self {
            WalkError::Io(source) => LogError::Io { path, source },
            WalkError::Bad { position, reason } => LogError::Corrupt { path, position, reason },
        }
    }
}

impl From<io::Error> for WalkError {
    fn from(error: io::Error) -> WalkError {
        WalkError::Io(error)
    }
}

/// Walks from batch to batch of one segment.
#[derive(Debug)]
pub(super) struct Walk {
    pub(super) window: Window,
    position: u64,
    end: u64,
    /// No batch may begin below it.
    next_offset: i64,
}

impl Walk {
    /// From the batch border `position` to `end`; the first batch begins at `least_offset` or above.
    pub(super) fn new(
        file: Arc<dyn StorageFile>,
        window: usize,
        position: u64,
        end: u64,
        least_offset: i64,
    ) -> Walk {
        // No larger than what there is to walk over.
        let window = usize::try_from(end.saturating_sub(position)).unwrap_or(window).min(window);
        Walk { window: Window::new(file, window), position, end, next_offset: least_offset }
    }

    /// Where the next batch begins.
    pub(super) fn position(&self) -> u64 {
        self.position
    }

    /// One above the last offset seen.
    pub(super) fn next_offset(&self) -> i64 {
        self.next_offset
    }

    pub(super) fn next(&mut self) -> Result<Option<Batch>, WalkError> {
        let position = self.position;
        let bad = |reason: String| Err(WalkError::Bad { position, reason });
        let left = self.end.saturating_sub(position);
        if left == 0 {
            return Ok(None);
        }
        let window = self.window.at(position, HEADER_LEN)?;
        let window = window.get(..usize::try_from(left).unwrap_or(usize::MAX)).unwrap_or(window);
        let header = match BatchHeader::parse(window) {
            Ok(header) => header,
            Err(error) => return bad(error.to_string()),
        };
        let batch = Batch { position, header };
        if batch.len() > left {
            return bad(format!("a batch of {} bytes where {left} are left", batch.len()));
        }
        if header.base_offset < self.next_offset || header.last_offset_delta < 0 {
            let (base, delta) = (header.base_offset, header.last_offset_delta);
            return bad(format!("offsets {base} + {delta} where {} is next", self.next_offset));
        }
        self.position = batch.end();
        self.next_offset = header.next_offset();
        Ok(Some(batch))
    }

    /// Like `next`, with the batch's checksum compared.
    pub(super) fn next_checked(&mut self) -> Result<Option<Batch>, WalkError> {
        let expected = self.next_offset;
        let Some(batch) = self.next()? else {
            return Ok(None);
        };
        let from = batch.position + CRC_START as u64;
        let computed = self.window.crc32c(from, batch.end() - from)?;
        if computed == batch.header.crc {
            return Ok(Some(batch));
        }
        self.position = batch.position;
        self.next_offset = expected;
        let reason = format!("checksum {:08x}, contents give {computed:08x}", batch.header.crc);
        Err(WalkError::Bad { position: batch.position, reason })
    }
}
