//! The calls of the boundary for a node with real threads: open, drain, submit, append, stats, close. Events and
//! commands are packed bytes; their layout is the engine's.

use std::sync::Arc;
use std::thread::JoinHandle;

use millrace_engine::boundary::NodeOptions;
use napi::Env;
use napi::bindgen_prelude::{BufferSlice, Function, Uint8ArraySlice};
use napi_derive::napi;

use crate::failure::{closed, failure};
use crate::shell::Shell;
use crate::wake::JsWake;
use crate::worker;

/// One running node. Dropped or closed, its threads end and its folders are free.
#[napi]
pub struct Node {
    /// `None` once closed.
    shell: Option<Arc<Shell>>,
    threads: Vec<JoinHandle<()>>,
    id: u32,
}

/// Opens a node on its folders. `options_json`: NodeOptions; `on_ready` is called once whenever events gather after a
/// drain. The error is a sentence that names the folder or the option.
#[napi(catch_unwind)]
pub fn open(options_json: String, on_ready: Function<'_, (), ()>) -> napi::Result<Node> {
    let options = NodeOptions::parse(&options_json).map_err(failure)?;
    let (shell, threads) = Shell::start(options, JsWake::new(&on_ready)?).map_err(failure)?;
    let id = worker::register(&shell);
    Ok(Node { shell: Some(shell), threads, id })
}

#[napi]
impl Node {
    /// All events that have gathered, packed; arms the wake again. A closed node has none.
    #[napi(catch_unwind)]
    pub fn drain<'env>(&self, env: &'env Env) -> napi::Result<BufferSlice<'env>> {
        let mut events = Vec::new();
        if let Some(shell) = &self.shell {
            shell.node.drain_events(&mut events);
            shell.carry_out_wakes();
        }
        BufferSlice::from_data(env, events)
    }

    /// Carries out a batch of packed commands. A malformed batch throws and nothing of it is carried out.
    #[napi(catch_unwind)]
    pub fn submit(&self, batch: Uint8ArraySlice<'_>) -> napi::Result<()> {
        self.shell.as_ref().ok_or_else(closed)?.submit(&batch)
    }

    /// Appends to a coordinator partition at once: packed request; the packed reply fills `reply`.
    #[napi(catch_unwind)]
    pub fn append(&self, request: Uint8ArraySlice<'_>, mut reply: BufferSlice<'_>) -> napi::Result<()> {
        self.shell.as_ref().ok_or_else(closed)?.append(&request, &mut reply)
    }

    /// By which workers of this process find the node.
    #[napi(getter)]
    pub fn id(&self) -> u32 {
        self.id
    }

    /// The isolate of a worker has ended: connections whose requests it had are closed.
    #[napi(catch_unwind)]
    pub fn worker_lost(&self, worker: u16) -> napi::Result<()> {
        self.shell.as_ref().map(|shell| shell.worker_lost(worker)).ok_or_else(closed)
    }

    /// Counters and gauges as JSON.
    #[napi(catch_unwind)]
    pub fn stats(&self) -> napi::Result<String> {
        self.shell.as_ref().map(|shell| shell.node.stats()).ok_or_else(closed)
    }

    /// Log directories and the quorum, as JSON.
    #[napi(catch_unwind)]
    pub fn describe(&self) -> napi::Result<String> {
        self.shell.as_ref().map(|shell| shell.node.describe()).ok_or_else(closed)
    }

    /// Ends the threads and lets go of the folders, without flushing what is not flushed. Harmless when repeated.
    #[napi(catch_unwind)]
    pub fn close(&mut self) {
        let Some(shell) = self.shell.take() else { return };
        worker::unregister(self.id);
        shell.end();
        for thread in self.threads.drain(..) {
            let _ = thread.join();
        }
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        self.close();
    }
}
