//! The one way to catch a panic: with its message, as a value. Whoever catches decides what may still be trusted.

use std::panic::{AssertUnwindSafe, catch_unwind};

/// Runs `body`; the error is the message of its panic. Locks that `body` held are released, and a partition whose
/// change it interrupted is offline; everything else that it was changing is the caller's to repair or give up.
pub fn catch<R>(body: impl FnOnce() -> R) -> Result<R, String> {
    catch_unwind(AssertUnwindSafe(body)).map_err(|panic| match panic.downcast::<String>() {
        Ok(text) => *text,
        Err(panic) => panic.downcast_ref::<&str>().map_or("no message", |text| *text).to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_becomes_its_message() {
        let number = 7;
        assert_eq!(catch(|| number), Ok(7));
        assert_eq!(catch(|| -> i32 { panic!("formatted {number}") }), Err("formatted 7".to_owned()));
        assert_eq!(catch(|| -> i32 { panic!("plain") }), Err("plain".to_owned()));
        assert_eq!(catch(|| -> i32 { std::panic::panic_any(number) }), Err("no message".to_owned()));
    }
}
