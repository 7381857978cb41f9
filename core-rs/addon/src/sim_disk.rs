//! The simulated disk as the simulator sees it: it outlives the nodes on it, can lose power, fails on demand, and gives
//! a copy of itself as of any earlier call.

use std::io::ErrorKind;

use millrace_engine::storage::{Fault, SimOperation, SimStorage};
use napi_derive::napi;

use crate::failure::failure;

/// Simulated storage. It outlives the nodes that run on it.
#[napi]
#[derive(Default)]
pub struct SimDisk {
    pub(crate) storage: SimStorage,
}

#[napi]
impl SimDisk {
    #[napi(constructor)]
    pub fn new() -> Self {
        Self::default()
    }

    /// Power loss: what was not synced may survive, vanish or tear, as the seed has it. Open files are gone.
    #[napi(catch_unwind)]
    pub fn crash(&self, seed: i64) {
        self.storage.crash(seed as u64);
    }

    /// A digest of everything on the disk, as text.
    #[napi(catch_unwind)]
    pub fn digest(&self) -> String {
        self.storage.digest().to_string()
    }

    /// From here on every call that changes the disk is remembered.
    #[napi(catch_unwind)]
    pub fn record(&self) {
        self.storage.record();
    }

    /// Calls since `record`.
    #[napi(catch_unwind)]
    pub fn calls(&self) -> u32 {
        self.storage.calls() as u32
    }

    /// What the recorded call at this place does, for people.
    #[napi(catch_unwind)]
    pub fn describe_call(&self, at: u32) -> napi::Result<String> {
        self.storage.describe_call(at as usize).map_err(failure)
    }

    /// A disk as this one was after the first `calls` since `record`; with `amid`, a seed, a write that came next has
    /// got a part of the way.
    #[napi(catch_unwind)]
    pub fn fork(&self, calls: u32, amid: Option<i64>) -> napi::Result<SimDisk> {
        let amid = amid.map(|seed| seed as u64);
        Ok(SimDisk { storage: self.storage.fork(calls as usize, amid).map_err(failure)? })
    }

    /// The next operation of this name fails so: `full` (ENOSPC; a write leaves a part behind) or `broken` (EIO).
    #[napi(catch_unwind)]
    pub fn fail_next(&self, operation: String, fault: String) -> napi::Result<()> {
        let operation = match operation.as_str() {
            "create" => SimOperation::Create,
            "mkdir" => SimOperation::CreateDir,
            "open" => SimOperation::Open,
            "write" => SimOperation::Write,
            "read" => SimOperation::Read,
            "truncate" => SimOperation::Truncate,
            "sync" => SimOperation::Sync,
            "sync-dir" => SimOperation::SyncDir,
            "rename" => SimOperation::Rename,
            "unlink" => SimOperation::Remove,
            other => return Err(failure(format!("there is no operation {other}"))),
        };
        let fault = match (fault.as_str(), operation) {
            ("full", SimOperation::Write) => Fault::Short(7),
            ("full", _) => Fault::Error(ErrorKind::StorageFull),
            ("broken", _) => Fault::Error(ErrorKind::Other),
            (other, _) => return Err(failure(format!("there is no fault {other}"))),
        };
        self.storage.fail_next(operation, fault);
        Ok(())
    }

    /// From now on there is no room on the disk, or there is again.
    #[napi(catch_unwind)]
    pub fn set_full(&self, full: bool) {
        self.storage.set_full(full);
    }

    /// Drops the faults that did not happen yet.
    #[napi(catch_unwind)]
    pub fn forget_faults(&self) {
        self.storage.forget_faults();
    }
}
