//! The data plane as pure state.
