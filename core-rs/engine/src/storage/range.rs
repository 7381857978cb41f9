//! A stretch of an open file that is about to leave the process; owning the handle, it outlives deletion and truncation.

use std::io::{self, IoSlice};
use std::os::fd::BorrowedFd;
use std::path::Path;
use std::sync::Arc;

use super::StorageFile;

/// `len` bytes of `file` from `offset` on.
#[derive(Clone, Debug)]
pub struct FileRange {
    pub file: Arc<dyn StorageFile>,
    pub offset: u64,
    pub len: u64,
    /// The directory that the file was opened in, to blame when it cannot be read; `None` for a range of no file.
    pub folder: Option<Arc<Path>>,
}

/// The file of a range of nothing: a reader that waits at the end of an idle log costs no descriptor.
#[derive(Debug)]
struct NoFile;

impl StorageFile for NoFile {
    fn write_at(&self, _offset: u64, _bufs: &[IoSlice<'_>]) -> io::Result<()> {
        Err(io::ErrorKind::Unsupported.into())
    }

    fn read_at(&self, _offset: u64, _buf: &mut [u8]) -> io::Result<usize> {
        Ok(0)
    }

    fn len(&self) -> io::Result<u64> {
        Ok(0)
    }

    fn truncate(&self, _len: u64) -> io::Result<()> {
        Err(io::ErrorKind::Unsupported.into())
    }

    fn sync(&self) -> io::Result<()> {
        Ok(())
    }

    fn fd(&self) -> Option<BorrowedFd<'_>> {
        None
    }
}

impl FileRange {
    /// A range of no bytes, of no file.
    pub fn empty() -> FileRange {
        FileRange { file: Arc::new(NoFile), offset: 0, len: 0, folder: None }
    }

    /// Copies the range out; `UnexpectedEof` if the file is shorter than the range says.
    pub fn read(&self) -> io::Result<Vec<u8>> {
        let len = usize::try_from(self.len).map_err(io::Error::other)?;
        let mut bytes = vec![0; len];
        if self.file.read_at(self.offset, &mut bytes)? != len {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        Ok(bytes)
    }
}
