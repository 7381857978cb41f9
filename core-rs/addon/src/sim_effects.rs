//! Disk work under way in a simulated node: each piece on a thread of its own, of which one runs at a time and only
//! while the simulator says so. Between two calls on the disk it can be left standing; what happens meanwhile is the
//! simulator's choice, and so the same seed gives the same order.

use std::cell::RefCell;
use std::sync::{Arc, OnceLock, Weak};
use std::thread::JoinHandle;

use millrace_engine::node::{Effect, Node};
use millrace_engine::partition::Partition;
use millrace_engine::storage::Pause;
use millrace_engine::time::Now;
use parking_lot::{Condvar, Mutex};

thread_local! {
    /// Set on the threads of effects alone.
    static TURN: RefCell<Option<Arc<Turn>>> = const { RefCell::new(None) };
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Whose {
    Simulator,
    /// Until the next call on the disk, or to the end.
    Effect {
        to_the_end: bool,
    },
    Nobody,
}

/// Who may run.
struct Turn {
    whose: Mutex<Whose>,
    changed: Condvar,
}

impl Turn {
    /// Gives the turn away and waits until it comes back, or until the other has ended.
    fn pass(&self, to: Whose, back: impl Fn(Whose) -> bool) -> Whose {
        let mut whose = self.whose.lock();
        *whose = to;
        self.changed.notify_all();
        while !back(*whose) {
            self.changed.wait(&mut whose);
        }
        *whose
    }

    fn end(&self) {
        *self.whose.lock() = Whose::Nobody;
        self.changed.notify_all();
    }
}

/// Ends the turn however the thread ends.
struct AtEnd(Arc<Turn>);

impl Drop for AtEnd {
    fn drop(&mut self) {
        self.0.end();
    }
}

struct Running {
    turn: Arc<Turn>,
    thread: JoinHandle<()>,
}

/// What is under way in one node.
#[derive(Default)]
pub struct UnderWay {
    running: Vec<Running>,
    watched: Arc<Watched>,
}

/// Whose locks must be free when the turn passes: nobody could run on against them.
#[derive(Default)]
struct Watched {
    node: OnceLock<Weak<Node>>,
    partitions: Mutex<Vec<Weak<Partition>>>,
}

impl Watched {
    fn is_locked(&self) -> bool {
        let Some(node) = self.node.get().and_then(Weak::upgrade) else { return false };
        // A partition that was deleted is in no table any more, but a parked fetch may still hold it.
        let mut known = self.partitions.lock();
        known.retain(|partition| partition.strong_count() > 0);
        node.is_locked()
            || known.iter().filter_map(Weak::upgrade).any(|partition| partition.is_locked())
            || partitions_of(&node).any(|partition| partition.is_locked())
    }
}

fn partitions_of(node: &Node) -> impl Iterator<Item = Arc<Partition>> {
    node.topics().all().into_iter().flat_map(|topic| {
        let partitions: Vec<_> = topic.partitions.iter().flatten().cloned().collect();
        partitions
    })
}

impl UnderWay {
    /// What the node's storage calls before each change.
    pub fn pause(&self) -> Pause {
        let watched = Arc::clone(&self.watched);
        Arc::new(move || {
            let turn = TURN.with_borrow(|turn| turn.clone());
            let Some(turn) = turn else { return };
            let stands = *turn.whose.lock() == Whose::Effect { to_the_end: false };
            if stands && !watched.is_locked() {
                turn.pass(Whose::Simulator, |whose| whose != Whose::Simulator);
            }
        })
    }

    pub fn watch(&self, node: &Arc<Node>) {
        // Set once: an `UnderWay` belongs to one node.
        let _ = self.watched.node.set(Arc::downgrade(node));
    }

    pub fn len(&self) -> usize {
        self.running.len()
    }

    /// Starts an effect and runs it up to its first call that changes the disk. Errors: the thread, a panic.
    pub fn begin(&mut self, node: &Arc<Node>, effect: Effect, now: Now) -> Result<(), String> {
        self.watched
            .partitions
            .lock()
            .extend(partitions_of(node).map(|partition| Arc::downgrade(&partition)));
        let turn = Arc::new(Turn { whose: Mutex::new(Whose::Simulator), changed: Condvar::new() });
        let (node, own) = (Arc::clone(node), Arc::clone(&turn));
        let thread = std::thread::Builder::new().name("millrace-sim-effect".to_owned()).spawn(move || {
            let _end = AtEnd(Arc::clone(&own));
            TURN.set(Some(Arc::clone(&own)));
            let mut whose = own.whose.lock();
            while *whose == Whose::Simulator {
                own.changed.wait(&mut whose);
            }
            drop(whose);
            node.run_effect(effect, now);
        });
        let thread = thread.map_err(|error| error.to_string())?;
        self.running.push(Running { turn, thread });
        self.step(self.running.len() - 1, false)
    }

    /// Runs the effect at this place up to its next call that changes the disk, or to its end. An error: its panic.
    pub fn step(&mut self, index: usize, to_the_end: bool) -> Result<(), String> {
        let Some(running) = self.running.get(index) else { return Ok(()) };
        let is_back = |whose| matches!(whose, Whose::Simulator | Whose::Nobody);
        if running.turn.pass(Whose::Effect { to_the_end }, is_back) == Whose::Simulator {
            return Ok(());
        }
        self.running.remove(index).thread.join().map_err(|_| "disk work panicked".to_owned())
    }

    /// The process is dead and its disk refuses everything: lets every thread run out.
    pub fn abandon(&mut self) {
        while !self.running.is_empty() {
            // What fails or panics now, fails in a process that is no more.
            let _ = self.step(0, true);
        }
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.abandon();
    }
}
