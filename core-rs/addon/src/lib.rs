//! The native addon: threads, sockets and the boundary to JavaScript around the engine. The only crate that knows
//! N-API, epoll or a clock; it makes no decision of its own.

mod append;
mod clock;
mod disk_pool;
mod failure;
mod folder_lock;
mod io_thread;
mod listening;
mod node;
mod scheduling;
mod shell;
mod sim_disk;
mod sim_effects;
mod sim_node;
mod transport;
mod wake;
mod worker;
