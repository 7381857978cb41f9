//! Log directories that lack room: when that begins and ends is told, what waits for room is tried again now and then,
//! and what retention lets go of leaves at once. A full disk takes nothing offline.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use parking_lot::Mutex;

use super::effects::Effect;
use super::shared::Node;
use crate::boundary::Event;
use crate::time::Now;

/// A directory counts as having room again when nothing was refused for so long.
const QUIET_MS: i64 = 5_000;
/// While one has none, retention looks for something to let go of this often.
const CHECK_MS: i64 = 10_000;
/// What waits for room is tried again this often.
const RETRY_MS: i64 = 500;

#[derive(Debug, Default)]
pub(super) struct Room {
    short: Mutex<BTreeMap<PathBuf, Shortage>>,
    later: Mutex<Later>,
}

/// Since when, monotonic ms; `None` until the next tick tells the time.
#[derive(Debug, Default)]
struct Shortage {
    /// Something was refused since the last tick.
    refused: bool,
    last_refused_ms: Option<i64>,
    last_check_ms: Option<i64>,
}

#[derive(Debug, Default)]
struct Later {
    effects: Vec<Effect>,
    due_ms: Option<i64>,
}

impl Node {
    /// A write found no room in this log directory.
    pub(super) fn lacks_room(&self, log_dir: &Path, reason: &str) {
        let mut short = self.room.short.lock();
        if let Some(shortage) = short.get_mut(log_dir) {
            shortage.refused = true;
            return;
        }
        short.insert(log_dir.to_path_buf(), Shortage { refused: true, ..Shortage::default() });
        drop(short);
        self.emit(&Event::LogDirRoom { path: &log_dir.to_string_lossy(), full: true, message: reason });
        self.remove_delayed_files();
        self.check_retention_now();
    }

    pub(super) fn is_short_of_room(&self, log_dir: &Path) -> bool {
        self.room.short.lock().contains_key(log_dir)
    }

    /// Runs `effect` again a little later: what it needs is room.
    pub(super) fn run_later(&self, effect: Effect) {
        self.room.later.lock().effects.push(effect);
    }

    /// Tries what waits for room again, and looks which directories have had some for a while.
    pub(super) fn tick_room(&self, now: Now) {
        let now_ms = now.monotonic_ms;
        let mut later = self.room.later.lock();
        if !later.effects.is_empty() && now_ms >= *later.due_ms.get_or_insert(now_ms + RETRY_MS) {
            later.due_ms = None;
            for effect in later.effects.drain(..) {
                self.push_effect(effect);
            }
        }
        drop(later);
        self.retry_unopened();
        let mut over = Vec::new();
        let mut check = false;
        self.room.short.lock().retain(|log_dir, shortage| {
            if std::mem::take(&mut shortage.refused) {
                shortage.last_refused_ms = Some(now_ms);
            }
            let quiet = now_ms - *shortage.last_refused_ms.get_or_insert(now_ms) >= QUIET_MS;
            if now_ms - *shortage.last_check_ms.get_or_insert(now_ms) >= CHECK_MS {
                shortage.last_check_ms = Some(now_ms);
                check = true;
            }
            if quiet {
                over.push(log_dir.clone());
            }
            !quiet
        });
        for log_dir in over {
            self.emit(&Event::LogDirRoom { path: &log_dir.to_string_lossy(), full: false, message: "" });
        }
        if check {
            self.check_retention_now();
        }
    }
}
