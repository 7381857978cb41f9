//! What other threads have for an I/O thread. A mailbox holds it until that thread, woken, takes all of it at once.

use std::sync::Arc;

use parking_lot::Mutex;

use super::lanes::Lane;
use crate::boundary::ConnId;

/// A message for the I/O thread that owns a connection or a parked request.
#[derive(Debug)]
pub enum Mail {
    /// The reply of a slot, size prefix included.
    Respond {
        conn: ConnId,
        token: i64,
        reply: Vec<u8>,
    },
    /// The request of a slot has no reply.
    RespondNone {
        conn: ConnId,
        token: i64,
    },
    Close {
        conn: ConnId,
        reason: String,
    },
    /// Who a connection is, from now on.
    Principal {
        conn: ConnId,
        principal: Arc<str>,
    },
    /// A quota of the control plane is exceeded: the connection is muted for so long.
    Throttle {
        conn: ConnId,
        throttle_ms: i32,
    },
    /// A listener was removed: its connections are closed.
    CloseListener {
        listener: Arc<str>,
    },
    /// Evaluate a parked request again.
    Wake {
        waiter: u64,
    },
    /// A limit that held connections back has room again.
    Resume,
    /// Incomplete frames hold the whole budget, and none of them is the sender's.
    Reclaim,
    /// A coordinator worker is gone with the requests that it had.
    LaneLost {
        lane: Lane,
    },
    /// The node stops: no further request is started.
    Drain,
    /// The node stops, and nothing parked can complete any more: answer it as it stands.
    Expire,
}

#[derive(Debug, Default)]
pub struct Mailbox {
    mail: Mutex<Vec<Mail>>,
}

impl Mailbox {
    /// True when the thread must be woken: what was there already has woken it.
    pub fn post(&self, mail: Mail) -> bool {
        let mut box_ = self.mail.lock();
        box_.push(mail);
        box_.len() == 1
    }

    /// Swaps everything into `into`, which must be empty.
    pub fn take(&self, into: &mut Vec<Mail>) {
        std::mem::swap(&mut *self.mail.lock(), into);
    }
}
