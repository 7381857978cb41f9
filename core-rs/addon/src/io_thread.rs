//! One I/O thread: an epoll loop over its sockets that moves bytes between them and a `Reactor`. All decisions are
//! the reactor's. The first thread also accepts, deals connections out in turn, and keeps the raft clock.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use millrace_engine::boundary::ConnId;
use millrace_engine::node::{Gate, Reactor};
use millrace_engine::time::Now;
use mio::net::{TcpListener, TcpStream};
use mio::{Events, Interest, Poll, Token};

use crate::clock;
use crate::listening::{self, Spare};
use crate::shell::{Handed, Shell};
use crate::transport::{self, Moved};

/// The token of the waker.
pub const WAKE: Token = Token(usize::MAX);
/// Listeners have tokens from here on; connections have their slot.
const FIRST_LISTENER: usize = 1 << 40;
/// When accepting is tried again after it failed.
const ACCEPT_AGAIN_MS: i64 = 100;
/// Connections that one listener takes in a row before others, and the sockets of this thread, get their turn.
const ACCEPTS_PER_TURN: usize = 32;
/// Reads and sends of one connection before others get their turn.
const MOVES_PER_TURN: usize = 8;
/// Connections that are read before their replies are sent, and the bytes read that end such a round sooner: a reply is
/// never held up by more than some tens of microseconds of work for others.
const ROUND_CONNECTIONS: usize = 16;
const ROUND_BYTES: usize = 64 << 10;
/// Connections of a round where more than `ROUND_CONNECTIONS` are ready: their small produces are written together, and
/// of a longer round more are for the same partition. It holds a reply up by about half a millisecond of work.
const GATHERED_CONNECTIONS: usize = 64;
/// What a connection sends of a file before others get their turn, while some of them wait for short replies: nobody then
/// waits for more than some tens of microseconds.
const SHARED_SEND_BYTES: usize = 256 << 10;
/// Rounds after a short reply for which others like it are reckoned with.
const SHARED_ROUNDS: u32 = 64;
const EVENTS: usize = 1024;

struct Socket {
    conn: ConnId,
    stream: TcpStream,
    /// What epoll reported and no attempt has disproved since (edge-triggered).
    readable: bool,
    writable: bool,
    /// Already in `turn`.
    queued: bool,
}

struct Listening {
    name: Arc<str>,
    socket: TcpListener,
    /// Connections may wait: no attempt has disproved it since epoll reported them (edge-triggered).
    ready: bool,
}

pub struct IoThread {
    index: u16,
    shell: Arc<Shell>,
    reactor: Reactor,
    poll: Poll,
    /// By the slot of the connection.
    sockets: Vec<Option<Socket>>,
    /// Sockets that may have something to do.
    turn: Vec<usize>,
    /// Sockets of this round that were read, with the moves that each has left.
    round: Vec<(usize, usize)>,
    /// Bytes read in this round.
    round_bytes: usize,
    /// Rounds for which files leave in small pieces.
    shared_rounds: u32,
    listeners: Vec<Option<Listening>>,
    next_lane: usize,
    next_tick_ms: i64,
    /// Listeners that are ready must be looked at by then: epoll reported them and will not do so again.
    accept_again_ms: Option<i64>,
    spare: Spare,
    mail: bool,
}

impl IoThread {
    pub fn new(index: u16, shell: Arc<Shell>, reactor: Reactor, poll: Poll) -> Self {
        Self {
            index,
            shell,
            reactor,
            poll,
            sockets: Vec::new(),
            turn: Vec::new(),
            round: Vec::new(),
            round_bytes: 0,
            shared_rounds: 0,
            listeners: Vec::new(),
            next_lane: 0,
            next_tick_ms: 0,
            accept_again_ms: None,
            spare: Spare::new(),
            mail: false,
        }
    }

    /// Runs until the shell has ended or the node has stopped.
    pub fn run(mut self) {
        let mut events = Events::with_capacity(EVENTS);
        while !self.shell.has_ended() && !self.shell.node.is_stopped() {
            let timeout = self.timeout();
            if let Err(error) = self.poll.poll(&mut events, timeout)
                && error.kind() != io::ErrorKind::Interrupted
            {
                self.shell.node.fault(&format!("epoll failed: {error}"));
                self.carry_out_wakes();
                return;
            }
            let now = clock::now();
            for event in &events {
                match event.token() {
                    WAKE => self.mail = true,
                    Token(token) if token >= FIRST_LISTENER => {
                        if let Some(Some(listening)) = self.listeners.get_mut(token - FIRST_LISTENER) {
                            listening.ready = true;
                            self.accept_again_ms = Some(now.monotonic_ms);
                        }
                    }
                    Token(slot) => {
                        let readable = event.is_readable() || event.is_read_closed() || event.is_error();
                        self.ready(slot, readable, event.is_writable() || event.is_error());
                    }
                }
            }
            self.take_handed(now);
            self.keep_time(now);
            if std::mem::take(&mut self.mail) {
                self.reactor.on_mail(now);
            }
            self.take_turns(now);
            self.carry_out_wakes();
            self.take_own_mail(now);
        }
    }

    /// What the turns just now brought this thread itself: taken at once, not after another look at epoll.
    fn take_own_mail(&mut self, now: Now) {
        if !std::mem::take(&mut self.mail) {
            return;
        }
        self.reactor.on_mail(now);
        self.take_turns(now);
        self.carry_out_wakes();
        // A listener may wait for the room that the mail tells of.
        if self.listeners.iter().flatten().any(|listening| listening.ready) {
            self.accept_again_by(now.monotonic_ms);
        }
    }

    /// How long to wait for sockets at most.
    fn timeout(&self) -> Option<Duration> {
        if self.mail || !self.turn.is_empty() {
            return Some(Duration::ZERO);
        }
        let tick = (self.index == 0).then_some(self.next_tick_ms);
        let due =
            [self.reactor.next_deadline_ms(), tick, self.accept_again_ms].into_iter().flatten().min()?;
        Some(Duration::from_millis(u64::try_from(due - clock::monotonic_ms()).unwrap_or(0)))
    }

    fn keep_time(&mut self, now: Now) {
        if self.index == 0 && now.monotonic_ms >= self.next_tick_ms {
            self.next_tick_ms = self.shell.node.tick(now);
        }
        // A listener may wait for the room that the mail tells of.
        if self.mail || self.accept_again_ms.is_some_and(|due| due <= now.monotonic_ms) {
            self.accept_again_ms = None;
            for listener in 0..self.listeners.len() {
                self.accept(listener, now);
            }
        }
        if self.reactor.next_deadline_ms().is_some_and(|due| due <= now.monotonic_ms) {
            self.reactor.on_deadline(now);
        }
    }

    fn carry_out_wakes(&mut self) {
        self.mail |= self.shell.carry_out_wakes_on(self.index);
    }

    fn ready(&mut self, slot: usize, readable: bool, writable: bool) {
        if let Some(Some(socket)) = self.sockets.get_mut(slot) {
            socket.readable |= readable;
            socket.writable |= writable;
            if !std::mem::replace(&mut socket.queued, true) {
                self.turn.push(slot);
            }
        }
    }

    /// Gives each socket that may have something to do its turn, and whatever those turns make dirty. Replies leave
    /// after a round of reads: a client with many connections then finds several of them when it wakes, and is woken,
    /// which is the dearest part of a small send, less often.
    fn take_turns(&mut self, now: Now) {
        self.shared_rounds = self.shared_rounds.saturating_sub(1);
        self.queue_dirty();
        let turn = std::mem::take(&mut self.turn);
        let are_many = turn.len() > ROUND_CONNECTIONS;
        let most = if are_many { GATHERED_CONNECTIONS } else { ROUND_CONNECTIONS };
        for slot in turn {
            if are_many {
                self.reactor.start_gathering();
            }
            if let Some(Some(socket)) = self.sockets.get_mut(slot) {
                socket.queued = false;
                self.take_in(slot, now);
            }
            if self.round.len() >= most || self.round_bytes >= ROUND_BYTES {
                self.reply_to_round(now);
            }
        }
        self.reply_to_round(now);
    }

    fn reply_to_round(&mut self, now: Now) {
        self.reactor.serve_gathered(now);
        self.round_bytes = 0;
        for (slot, moves) in std::mem::take(&mut self.round) {
            self.reply(slot, moves, now);
        }
        self.queue_dirty();
    }

    fn queue_dirty(&mut self) {
        while let Some(conn) = self.reactor.next_dirty() {
            let slot = conn.slot() as usize;
            if self.has_work(slot) {
                self.ready(slot, false, false);
            }
        }
    }

    /// Whether a socket can be sent to, read or closed now.
    fn has_work(&self, slot: usize) -> bool {
        let Some(Some(socket)) = self.sockets.get(slot) else { return false };
        let conn = socket.conn;
        let to_send = socket.writable && self.reactor.output(conn).is_none_or(|output| !output.is_empty());
        let to_read = socket.readable && self.reactor.wants_read(conn);
        to_send || to_read || self.reactor.closing(conn).is_some()
    }

    /// Sends what waits and reads.
    fn take_in(&mut self, slot: usize, now: Now) {
        let mut moves = MOVES_PER_TURN;
        if self.send(slot, &mut moves, now) && self.receive(slot, &mut moves, now) {
            self.round.push((slot, moves));
        }
    }

    /// Sends what the reading brought about. What is left to do queues the socket again.
    fn reply(&mut self, slot: usize, mut moves: usize, now: Now) {
        if !self.send(slot, &mut moves, now) {
            return;
        }
        let Some(Some(socket)) = self.sockets.get(slot) else { return };
        let conn = socket.conn;
        if self.reactor.closing(conn).is_some() {
            self.close(slot, now);
            return;
        }
        if moves == 0 && self.has_work(slot) {
            self.ready(slot, false, false);
        }
    }

    /// False when the connection is gone.
    fn receive(&mut self, slot: usize, moves: &mut usize, now: Now) -> bool {
        while *moves > 0 {
            let Some(Some(socket)) = self.sockets.get_mut(slot) else { return false };
            let conn = socket.conn;
            if !socket.readable {
                return true;
            }
            let target = self.reactor.read_target(conn);
            if target.is_empty() {
                return true;
            }
            *moves -= 1;
            let room = target.len();
            match transport::receive(&socket.stream, target) {
                Moved::Bytes(count) => {
                    // A short read has emptied the socket: epoll reports what comes after.
                    socket.readable = count == room || count == 0;
                    self.round_bytes += count;
                    self.reactor.received(conn, count, now);
                }
                Moved::Blocked => {
                    socket.readable = false;
                    return true;
                }
                Moved::Closed | Moved::Unreadable(_) => {
                    self.close(slot, now);
                    return false;
                }
            }
        }
        true
    }

    /// False when the connection is gone.
    fn send(&mut self, slot: usize, moves: &mut usize, now: Now) -> bool {
        while *moves > 0 {
            let Some(Some(socket)) = self.sockets.get_mut(slot) else { return false };
            let conn = socket.conn;
            let Some(output) = self.reactor.output(conn) else {
                self.close(slot, now);
                return false;
            };
            if output.is_empty() || !socket.writable {
                return true;
            }
            *moves -= 1;
            let is_short = output.only_bytes().is_some();
            let most = if self.shared_rounds > 0 { SHARED_SEND_BYTES } else { transport::SENDFILE_BYTES };
            match transport::send(&socket.stream, output, most) {
                Moved::Bytes(count) => {
                    self.reactor.sent(conn, count as u64, now);
                    if is_short {
                        self.shared_rounds = SHARED_ROUNDS;
                    } else if count >= SHARED_SEND_BYTES && self.shared_rounds > 0 {
                        *moves = 0;
                    }
                }
                Moved::Blocked => socket.writable = false,
                Moved::Unreadable(error) => {
                    self.reactor.unreadable(conn, &error, now);
                    self.close(slot, now);
                    return false;
                }
                Moved::Closed => {
                    self.close(slot, now);
                    return false;
                }
            }
        }
        true
    }

    fn close(&mut self, slot: usize, now: Now) {
        if let Some(mut socket) = self.sockets.get_mut(slot).and_then(Option::take) {
            let _ = self.poll.registry().deregister(&mut socket.stream);
            self.reactor.closed(socket.conn, now);
        }
    }

    fn take_handed(&mut self, now: Now) {
        let shell = self.shell.clone();
        let Some(lane) = shell.lanes.get(usize::from(self.index)) else { return };
        for handed in lane.take() {
            match handed {
                Handed::Connection { socket, listener, peer } => self.enter(socket, &listener, peer, now),
                Handed::Listener { name, socket } => self.add_listener(name, socket),
                Handed::Unlisten { name } => {
                    for place in &mut self.listeners {
                        place.take_if(|listening| *listening.name == *name);
                    }
                }
                Handed::StopAccepting => self.listeners.clear(),
            }
        }
    }

    fn add_listener(&mut self, name: Arc<str>, mut socket: TcpListener) {
        let free = self.listeners.iter().position(Option::is_none);
        let place = free.unwrap_or(self.listeners.len());
        let token = Token(FIRST_LISTENER + place);
        if let Err(error) = self.poll.registry().register(&mut socket, token, Interest::READABLE) {
            self.shell.node.listener_failed(&name, &error.to_string());
            return;
        }
        let listening = Some(Listening { name, socket, ready: false });
        match self.listeners.get_mut(place) {
            Some(free) => *free = listening,
            None => self.listeners.push(listening),
        }
    }

    fn accept_again_by(&mut self, due_ms: i64) {
        self.accept_again_ms = Some(self.accept_again_ms.map_or(due_ms, |before| before.min(due_ms)));
    }

    /// Accepts until there is nothing more or it was enough for one turn; where the caps say that connections wait,
    /// they wait in the kernel's queue.
    fn accept(&mut self, listener: usize, now: Now) {
        for _ in 0..ACCEPTS_PER_TURN {
            let Some(Some(listening)) = self.listeners.get_mut(listener) else { return };
            if !listening.ready {
                return;
            }
            match self.shell.node.gate(&listening.name, now) {
                Gate::Open => {}
                Gate::At(due_ms) => return self.accept_again_by(due_ms),
                // Whoever makes room wakes this thread.
                Gate::WhenRoom => return,
            }
            let (socket, peer) = match listening.socket.accept() {
                Ok((socket, peer)) => (socket, SocketAddr::new(peer.ip().to_canonical(), peer.port())),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) if error.kind() == io::ErrorKind::ConnectionAborted => continue,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    listening.ready = false;
                    return;
                }
                Err(_) => {
                    self.reactor.count_failed_accept();
                    if self.spare.turn_away(&listening.socket) {
                        continue;
                    }
                    return self.accept_again_by(now.monotonic_ms + ACCEPT_AGAIN_MS);
                }
            };
            let name = listening.name.clone();
            let lanes = self.shell.lanes.len();
            let lane = self.next_lane % lanes;
            self.next_lane = (self.next_lane + 1) % lanes;
            if lane == usize::from(self.index) {
                self.enter(socket, &name, peer, now);
            } else if let Some(lane) = self.shell.lanes.get(lane) {
                lane.hand(Handed::Connection { socket, listener: name, peer });
            }
        }
        self.accept_again_by(now.monotonic_ms);
    }

    /// Takes a connection in; one that the reactor refuses, and counts, is dropped, which closes it.
    fn enter(&mut self, mut stream: TcpStream, listener: &Arc<str>, peer: SocketAddr, now: Now) {
        listening::set_up(&stream);
        let Ok(conn) = self.reactor.accept(listener.clone(), peer, now) else { return };
        let slot = conn.slot() as usize;
        let interest = Interest::READABLE | Interest::WRITABLE;
        if self.poll.registry().register(&mut stream, Token(slot), interest).is_err() {
            self.reactor.closed(conn, now);
            return;
        }
        if self.sockets.len() <= slot {
            self.sockets.resize_with(slot + 1, || None);
        }
        if let Some(place) = self.sockets.get_mut(slot) {
            *place = Some(Socket { conn, stream, readable: true, writable: true, queued: false });
        }
        self.ready(slot, true, true);
    }
}
