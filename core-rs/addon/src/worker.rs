//! The boundary for coordinator workers, which live in isolates of their own: the same drain, submit and append over
//! a ring of their own, and a socket that turns readable when there is something to drain. Node's threads are told
//! nothing through a callback here: an isolate may end at any time.

use std::collections::BTreeMap;
use std::io;
use std::os::fd::{AsFd, IntoRawFd};
use std::os::unix::net::UnixStream;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Weak};

use napi::Env;
use napi::bindgen_prelude::{BufferSlice, Uint8ArraySlice};
use napi_derive::napi;
use parking_lot::Mutex;
use rustix::net::SendFlags;

use crate::failure::{closed, failure};
use crate::shell::Shell;

/// The nodes of this process by id: an isolate cannot be handed an object of another.
static NODES: Mutex<BTreeMap<u32, Weak<Shell>>> = Mutex::new(BTreeMap::new());
static NEXT_ID: AtomicU32 = AtomicU32::new(1);

/// Makes a node known to workers. The id is never used again.
pub fn register(shell: &Arc<Shell>) -> u32 {
    let id = NEXT_ID.fetch_add(1, Ordering::Relaxed);
    NODES.lock().insert(id, Arc::downgrade(shell));
    id
}

pub fn unregister(id: u32) {
    NODES.lock().remove(&id);
}

/// How one worker is woken: our end of its socket pair, while it has one.
#[derive(Default)]
pub struct WorkerWake(Mutex<Option<UnixStream>>);

impl WorkerWake {
    pub fn wake(&self) {
        if let Some(socket) = self.0.lock().as_ref() {
            // A full socket has wakes enough; a broken one belongs to a worker that is gone.
            let _ = rustix::net::send(socket.as_fd(), &[1], SendFlags::NOSIGNAL | SendFlags::DONTWAIT);
        }
    }

    /// A new pair; the end to give away.
    fn connect(&self) -> io::Result<UnixStream> {
        let (ours, theirs) = UnixStream::pair()?;
        theirs.set_nonblocking(true)?;
        *self.0.lock() = Some(ours);
        Ok(theirs)
    }

    pub fn disconnect(&self) {
        self.0.lock().take();
    }
}

/// A node as one of its coordinator workers has it.
#[napi]
pub struct WorkerNode {
    shell: Weak<Shell>,
    worker: u16,
    fd: i32,
}

/// Attaches the calling isolate to a node as its worker of this number, in place of an earlier one.
#[napi(catch_unwind)]
pub fn attach_worker(node_id: u32, worker: u16) -> napi::Result<WorkerNode> {
    let shell = NODES.lock().get(&node_id).and_then(Weak::upgrade).ok_or_else(closed)?;
    let wake = shell.workers.get(usize::from(worker)).ok_or_else(|| failure("there is no such worker"))?;
    let fd = wake.connect().map_err(failure)?.into_raw_fd();
    // What gathered before there was anybody to wake.
    wake.wake();
    Ok(WorkerNode { shell: Arc::downgrade(&shell), worker, fd })
}

#[napi]
impl WorkerNode {
    /// Readable when there is something to drain; its owner reads and closes it.
    #[napi(getter)]
    pub fn fd(&self) -> i32 {
        self.fd
    }

    /// All events that have gathered for this worker, packed; arms the wake again.
    #[napi(catch_unwind)]
    pub fn drain<'env>(&self, env: &'env Env) -> napi::Result<BufferSlice<'env>> {
        let mut events = Vec::new();
        if let Some(shell) = self.shell.upgrade() {
            shell.node.drain_worker(self.worker, &mut events);
            shell.carry_out_wakes();
        }
        BufferSlice::from_data(env, events)
    }

    /// Carries out a batch of packed commands. A malformed batch throws and nothing of it is carried out.
    #[napi(catch_unwind)]
    pub fn submit(&self, batch: Uint8ArraySlice<'_>) -> napi::Result<()> {
        self.shell.upgrade().ok_or_else(closed)?.submit(&batch)
    }

    /// Appends to a coordinator partition at once: packed request; the packed reply fills `reply`.
    #[napi(catch_unwind)]
    pub fn append(&self, request: Uint8ArraySlice<'_>, mut reply: BufferSlice<'_>) -> napi::Result<()> {
        self.shell.upgrade().ok_or_else(closed)?.append(&request, &mut reply)
    }
}
