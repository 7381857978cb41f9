//! One connection as pure state: bytes in, frames, ordered reply slots, barriers, bytes out.
//! It owns no socket, no thread and no clock, and never interprets a request beyond its key.

mod connection;
mod input;
mod output;
mod queue;
mod slots;
mod stage;
mod timing;

pub use connection::{Closing, Connection, Origin};
pub use input::{
    BUFFER_BYTES, COPY_BYTES, FrameError, FrameLimit, Input, Next, READ_BYTES, STASH_BYTES, Work, new_buffer,
};
pub use output::{Front, Output};
pub use slots::{Pending, ReplySlots};
pub use stage::Stage;
pub use timing::Timing;

#[cfg(test)]
mod input_tests;
