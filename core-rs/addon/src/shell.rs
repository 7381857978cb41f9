//! What surrounds one node: its threads, their wakes, its listeners and the wake of JavaScript. It carries out what
//! the node asks for and decides nothing.

use std::fs::File;
use std::hash::{BuildHasher, RandomState};
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;

use millrace_engine::boundary::NodeOptions;
use millrace_engine::node::{Node, Reactor, ShellAction, Wakes};
use millrace_engine::panics;
use millrace_engine::storage::FileStorage;
use mio::Waker;
use mio::net::{TcpListener, TcpStream};
use parking_lot::Mutex;

use crate::append::append_into;
use crate::disk_pool::{self, PoolSignal};
use crate::failure::failure;
use crate::io_thread::IoThread;
use crate::wake::JsWake;
use crate::worker::WorkerWake;
use crate::{clock, folder_lock, listening, scheduling};

/// What another thread hands to an I/O thread.
pub enum Handed {
    Connection { socket: TcpStream, listener: Arc<str>, peer: SocketAddr },
    Listener { name: Arc<str>, socket: TcpListener },
    Unlisten { name: String },
    StopAccepting,
}

/// One I/O thread as the others see it.
pub struct Lane {
    waker: Waker,
    inbox: Mutex<Vec<Handed>>,
}

impl Lane {
    pub fn new(waker: Waker) -> Self {
        Self { waker, inbox: Mutex::default() }
    }

    pub fn hand(&self, handed: Handed) {
        self.inbox.lock().push(handed);
        self.wake();
    }

    pub fn take(&self) -> Vec<Handed> {
        std::mem::take(&mut *self.inbox.lock())
    }

    fn wake(&self) {
        // An eventfd write fails only when its counter is full: then the thread is about to wake anyway.
        let _ = self.waker.wake();
    }
}

pub struct Shell {
    pub node: Arc<Node>,
    pub lanes: Vec<Lane>,
    pub pool: PoolSignal,
    pub workers: Vec<WorkerWake>,
    js: JsWake,
    /// Threads leave without further ado.
    ended: AtomicBool,
    /// Held as long as the shell is there.
    _locks: Vec<File>,
}

impl Shell {
    /// Locks the folders, opens the node and starts its threads. The error is a sentence.
    pub fn start(options: NodeOptions, js: JsWake) -> Result<(Arc<Shell>, Vec<JoinHandle<()>>), String> {
        let locks = options
            .log_dirs
            .iter()
            .map(|folder| folder_lock::lock(Path::new(folder)))
            .collect::<Result<Vec<_>, _>>()
            .map_err(|error| error.to_string())?;
        let disk_threads = options.io_threads;
        let (network_threads, workers) = (options.network_threads, options.coordinator_threads);
        let storage = Arc::new(FileStorage::default());
        // Seeded by the operating system; in a container the process id is always the same.
        let seed = RandomState::new().hash_one(std::process::id());
        let node = Node::open(options, storage, seed, clock::now()).map_err(|error| error.to_string())?;
        node.set_stopwatch(clock::nanos);
        node.set_most_connections(listening::descriptors_for_connections());

        let failed = |error: std::io::Error| format!("the broker's threads could not be started: {error}");
        let mut polls = Vec::new();
        let mut lanes = Vec::new();
        for _ in 0..network_threads {
            let poll = mio::Poll::new().map_err(failed)?;
            lanes.push(Lane::new(Waker::new(poll.registry(), crate::io_thread::WAKE).map_err(failed)?));
            polls.push(poll);
        }
        let pool = PoolSignal::default();
        let workers = (0..workers).map(|_| WorkerWake::default()).collect();
        let shell =
            Arc::new(Shell { node, lanes, pool, workers, js, ended: AtomicBool::new(false), _locks: locks });
        let mut threads = disk_pool::start(&shell, disk_threads).map_err(failed)?;
        for (index, poll) in polls.into_iter().enumerate() {
            let index = index as u16;
            let shell = shell.clone();
            let body = move || {
                let guarded = shell.clone();
                shell.guard("an I/O thread", move || {
                    scheduling::prefer_short_turns();
                    let reactor = Reactor::new(guarded.node.clone(), index);
                    IoThread::new(index, guarded, reactor, poll).run();
                });
            };
            let name = format!("millrace-io-{index}");
            threads.push(std::thread::Builder::new().name(name).spawn(body).map_err(failed)?);
        }
        shell.carry_out_wakes();
        Ok((shell, threads))
    }

    /// Runs a thread's body; a panic is a fault of the node, never an abort and never silence.
    pub fn guard(&self, what: &str, body: impl FnOnce()) {
        if let Err(text) = panics::catch(body) {
            self.node.fault(&format!("{what} panicked: {text}"));
            self.carry_out_wakes();
        }
    }

    /// Wakes whom the node wants woken. To be called after every call into the node from outside an I/O thread.
    pub fn carry_out_wakes(&self) {
        let wakes = self.node.take_wakes();
        if !wakes.is_empty() {
            self.carry_out(wakes, None);
        }
    }

    /// As [`carry_out_wakes`](Self::carry_out_wakes) for an I/O thread; true when it has mail itself, for which it
    /// needs no wake.
    pub fn carry_out_wakes_on(&self, thread: u16) -> bool {
        let wakes = self.node.take_wakes();
        !wakes.is_empty() && self.carry_out(wakes, Some(thread))
    }

    fn carry_out(&self, wakes: Wakes, own: Option<u16>) -> bool {
        let mut own_mail = false;
        for thread in wakes.thread_ids() {
            if own == Some(thread) {
                own_mail = true;
            } else if let Some(lane) = self.lanes.get(usize::from(thread)) {
                lane.wake();
            }
        }
        if wakes.disk_pool {
            self.pool.wake();
        }
        if wakes.js {
            self.js.wake();
        }
        for worker in wakes.worker_ids() {
            if let Some(wake) = self.workers.get(usize::from(worker)) {
                wake.wake();
            }
        }
        own_mail
    }

    /// Carries out a batch of packed commands, and what follows from it. On an error nothing of it was.
    pub fn submit(&self, batch: &[u8]) -> napi::Result<()> {
        let submitted = self.node.submit(batch, clock::now());
        self.carry_out_actions();
        self.carry_out_wakes();
        submitted.map_err(failure)
    }

    /// Appends to a coordinator partition: packed request; the packed reply fills `reply`.
    pub fn append(&self, request: &[u8], reply: &mut [u8]) -> napi::Result<()> {
        let appended = append_into(reply, || self.node.append(request, clock::now()).map_err(failure));
        self.carry_out_wakes();
        appended
    }

    /// A worker's isolate has ended: what it had is lost.
    pub fn worker_lost(&self, worker: u16) {
        if let Some(wake) = self.workers.get(usize::from(worker)) {
            wake.disconnect();
        }
        self.node.worker_lost(worker);
        self.carry_out_wakes();
    }

    /// Opens and closes listeners as the node asks. For a thread that submits.
    fn carry_out_actions(&self) {
        for action in self.node.take_shell_actions() {
            match action {
                ShellAction::Listen { name, host, port, .. } => self.listen(&name, &host, port),
                ShellAction::Unlisten { name } => self.hand_to_first(Handed::Unlisten { name }),
                ShellAction::StopAccepting => self.hand_to_first(Handed::StopAccepting),
                ShellAction::Stopped => {}
            }
        }
    }

    fn hand_to_first(&self, handed: Handed) {
        if let Some(lane) = self.lanes.first() {
            lane.hand(handed);
        }
    }

    fn listen(&self, name: &str, host: &str, port: i32) {
        match listening::bind(host, port) {
            Ok((socket, address)) => {
                self.hand_to_first(Handed::Listener { name: name.into(), socket });
                self.node.listener_up(name, host, i32::from(address.port()));
            }
            Err(error) => self.node.listener_failed(name, &error.to_string()),
        }
    }

    pub fn has_ended(&self) -> bool {
        self.ended.load(Ordering::Acquire)
    }

    /// Every thread leaves; JavaScript is not woken any more.
    pub fn end(&self) {
        self.ended.store(true, Ordering::Release);
        self.pool.end();
        for lane in &self.lanes {
            lane.wake();
        }
        self.js.release();
    }
}
