//! The threads that run what may block: syncs, recovery, directory work, the write-ahead log. They wait on one
//! condition and take effects from the node; it decides what is in order.

use std::io;
use std::sync::Arc;
use std::thread::JoinHandle;

use parking_lot::{Condvar, Mutex};

use crate::clock;
use crate::shell::Shell;

/// Wakes the pool. A wake that comes while a thread works is not lost.
#[derive(Default)]
pub struct PoolSignal {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    /// Wakes that no thread has answered yet, so that as many threads start as effects wait.
    wakes: usize,
    ended: bool,
}

impl PoolSignal {
    pub fn wake(&self) {
        self.state.lock().wakes += 1;
        self.changed.notify_one();
    }

    /// Every thread leaves after what it is doing.
    pub fn end(&self) {
        self.state.lock().ended = true;
        self.changed.notify_all();
    }

    /// Waits for a wake; false once the pool has ended.
    fn wait(&self) -> bool {
        let mut state = self.state.lock();
        while state.wakes == 0 && !state.ended {
            self.changed.wait(&mut state);
        }
        state.wakes = state.wakes.saturating_sub(1);
        !state.ended
    }
}

pub fn start(shell: &Arc<Shell>, threads: u16) -> io::Result<Vec<JoinHandle<()>>> {
    (0..threads.max(1))
        .map(|index| {
            let shell = shell.clone();
            std::thread::Builder::new().name(format!("millrace-disk-{index}")).spawn(move || {
                let worker = shell.clone();
                shell.guard("a disk thread", move || work(&worker));
            })
        })
        .collect()
}

fn work(shell: &Shell) {
    while shell.pool.wait() {
        while let Some(effect) = shell.node.take_effect() {
            // Let another thread take what waits behind this one.
            if shell.node.pending_effects() > 0 {
                shell.pool.wake();
            }
            shell.node.run_effect(effect, clock::now());
            shell.carry_out_wakes();
        }
    }
}
