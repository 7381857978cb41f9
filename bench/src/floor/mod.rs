//! The physical limits: each file one program that does the least a broker could do for a kind of work. CPU is that of
//! the serving thread alone, as a broker's CPU leaves its clients out.

pub mod cold_read;
pub mod decompress;
pub mod echo;
pub mod group_commit;
pub mod receive_write;
pub mod round_robin;
pub mod round_trip;
pub mod sendfile;
pub mod sockets;
