//! Where a log ends after a clean stop: no checksum covers the offset of the last batch and nothing stands behind it,
//! but the recovery point is where the log ended.

use std::io::IoSlice;

use super::checkpoint::RECOVERY_POINT_FILE;
use super::folder::{INDEX, LOG, TIME_INDEX};
use super::log::Log;
use super::window::{Batch, SCAN_WINDOW, Walk, WalkError};
use super::{DamagedPlace, LogError, OpenReport, Opening};

/// Compares the end of a log with the recovery point of the clean stop. True when the offset of the last batch was
/// wrong and has been put right, so that the log is to be opened anew; that happens only where checksum, the batch
/// before and the recovery point agree on what it was.
///
/// Errors: `Corrupt` when the end of the log is not what it was; `Io`.
pub(super) fn settle(log: &Log, opening: Opening, report: &mut OpenReport) -> Result<bool, LogError> {
    let (end, said) = (log.end_offset, opening.recovery_point);
    let Some(active) = log.segments.last().filter(|_| said != i64::MAX && end != said) else {
        return Ok(false);
    };
    let mut walk = Walk::new(active.handle(&log.folder)?, SCAN_WINDOW, 0, active.size, active.base);
    // The batch behind the only gap that there is, and the offset that was expected there.
    let mut jumped: Option<(Batch, i64)> = None;
    let mut last = 0;
    loop {
        let expected = walk.next_offset();
        match walk.next_checked() {
            Ok(None) => break,
            Ok(Some(batch)) => {
                last = batch.position;
                if batch.header.base_offset != expected {
                    jumped.get_or_insert((batch, expected));
                }
            }
            Err(error @ (WalkError::Bad { .. } | WalkError::Io(_))) => {
                return Err(active.blame(&log.folder, error));
            }
        }
    }
    let path = log.folder.path(active.base, LOG);
    match jumped {
        None if end > said => {
            // Batch after batch says the same: it is the checkpoint that is wrong.
            let root = log.folder.dir.parent().unwrap_or(&log.folder.dir);
            let name = log.folder.dir.file_name().unwrap_or_default().to_string_lossy();
            let reason = format!("it says {said} for {name}, which ends at {end}");
            let path = root.join(RECOVERY_POINT_FILE);
            report.damaged.push(DamagedPlace { path, position: 0, offset: -1, reason });
            Ok(false)
        }
        Some((batch, expected))
            if batch.end() == active.size
                && expected + i64::from(batch.header.last_offset_delta) + 1 == said =>
        {
            let file = active.handle(&log.folder)?;
            let put_right = file
                .write_at(batch.position, &[IoSlice::new(&expected.to_be_bytes())])
                .and_then(|()| file.sync());
            put_right.map_err(log.folder.fault(active.base, LOG))?;
            for extension in [INDEX, TIME_INDEX] {
                log.folder.remove_if_present(active.base, extension)?;
            }
            let reason = format!(
                "the last batch said offset {}, but its checksum, the batch before and {RECOVERY_POINT_FILE} \
                 agree on {expected}: put right",
                batch.header.base_offset
            );
            report.damaged.push(DamagedPlace { path, position: batch.position, offset: expected, reason });
            Ok(true)
        }
        _ => {
            let position = jumped.map_or(last, |(batch, _)| batch.position);
            let reason = format!("the log ends at offset {end} and ended at {said} when it was closed");
            Err(LogError::Corrupt { path, position, reason })
        }
    }
}
