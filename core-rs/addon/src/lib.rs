//! Threads, sockets and N-API.
