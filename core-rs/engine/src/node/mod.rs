//! A broker without threads or sockets: what its I/O threads, its disk pool and its control plane share ([`Node`]), and
//! what each I/O thread does with its connections ([`Reactor`]). The addon and the simulator drive both alike.
//!
//! The driver's duties, in order: every thread calls [`Node::take_wakes`] after every call into a node or reactor and
//! carries the wakes out; the thread of the control plane also takes [`Node::take_shell_actions`] after `submit`. An
//! I/O thread that was woken calls [`Reactor::on_mail`]; before each read it asks for [`Reactor::read_target`], and
//! reports the bytes with [`Reactor::received`] before any other call; when the next deadline has passed it calls
//! [`Reactor::on_deadline`]. After each of these it goes through [`Reactor::next_dirty`]: it writes the output,
//! reports [`Reactor::sent`], closes what [`Reactor::closing`] names, and reads only while
//! [`Reactor::wants_read`]. Where many sockets are ready it may read them first, between [`Reactor::start_gathering`] and
//! [`Reactor::serve_gathered`]. A disk pool takes effects while there are any and runs each once. Somebody calls
//! [`Node::tick`] every 100 ms.

mod admission;
mod authorizer;
mod authorizer_rules;
mod boot;
mod budget;
mod cleaning;
mod closing;
mod deadlines;
mod describe;
mod effects;
mod event_ring;
mod gathered;
mod histogram;
mod idle;
mod image;
mod lanes;
mod load;
mod loading;
mod log_dirs;
mod mail;
mod metadata;
mod moving;
mod opening;
mod parked;
mod periodic;
mod produce_runs;
mod producer_expiry;
mod quotas;
mod reactor;
mod request_metrics;
mod requests;
mod retention;
mod room;
mod scrubbing;
mod shared;
mod stalls;
mod stats;
mod stopping;
mod strays;
mod submit;
mod summaries;
mod wakes;

#[cfg(test)]
mod authorizer_tests;
#[cfg(test)]
mod boot_tests;
#[cfg(test)]
mod closing_tests;
#[cfg(test)]
mod flipped_tests;
#[cfg(test)]
mod gathered_tests;
#[cfg(test)]
mod image_tests;
#[cfg(test)]
mod limits_tests;
#[cfg(test)]
mod loading_tests;
#[cfg(test)]
mod moving_tests;
#[cfg(test)]
mod node_tests;
#[cfg(test)]
mod produce_runs_tests;
#[cfg(test)]
mod reactor_tests;
#[cfg(test)]
mod retention_tests;
#[cfg(test)]
mod room_tests;
#[cfg(test)]
mod scrubbing_tests;
#[cfg(test)]
mod summaries_tests;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod unopened_tests;

pub use admission::{AcceptError, ConnectionLimits, Gate, ListenerLimits};
pub use effects::Effect;
pub use load::Load;
pub use log_dirs::OpenError;
pub use quotas::{Quotas, Used};
pub use reactor::Reactor;
pub use shared::Node;
pub use wakes::{ShellAction, Wakes};
