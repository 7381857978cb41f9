//! The reply of an append goes into memory of the caller's: a Buffer made for each, with its finalizer, cost more than
//! all of the append but its write.

use millrace_engine::boundary::records::AppendReply;

use crate::failure::failure;

/// Fills `reply` with what `append` answers. Error: that of `append`, or a `reply` of another length than the answer's.
pub fn append_into(reply: &mut [u8], append: impl FnOnce() -> napi::Result<AppendReply>) -> napi::Result<()> {
    let length = reply.len();
    let Ok(reply) = <&mut [u8; AppendReply::BYTES]>::try_from(reply) else {
        return Err(failure(format!("append: a reply has {} bytes, not {length}", AppendReply::BYTES)));
    };
    *reply = append()?.to_bytes();
    Ok(())
}
