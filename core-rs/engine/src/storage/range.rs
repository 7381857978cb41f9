//! A stretch of an open file that is about to leave the process; owning the handle, it outlives deletion and truncation.

use std::io;
use std::sync::Arc;

use super::StorageFile;

/// `len` bytes of `file` from `offset` on.
#[derive(Clone, Debug)]
pub struct FileRange {
    pub file: Arc<dyn StorageFile>,
    pub offset: u64,
    pub len: u64,
}

impl FileRange {
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
