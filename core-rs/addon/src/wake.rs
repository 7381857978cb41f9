//! Waking JavaScript: one ThreadsafeFunction per node, called once when events gather while JS waits for them.
//! It carries no data; JS then drains the events itself. Owned by the main isolate alone.

use napi::Status;
use napi::bindgen_prelude::Function;
use napi::threadsafe_function::{ThreadsafeFunction, ThreadsafeFunctionCallMode};
use parking_lot::Mutex;

type Callback = ThreadsafeFunction<(), (), (), Status, false>;

/// Holds the callback until `release`; a referenced callback keeps the process alive.
pub struct JsWake(Mutex<Option<Callback>>);

impl JsWake {
    pub fn new(on_ready: &Function<'_, (), ()>) -> napi::Result<Self> {
        let callback = on_ready.build_threadsafe_function::<()>().build_callback(|_| Ok(()))?;
        Ok(Self(Mutex::new(Some(callback))))
    }

    pub fn wake(&self) {
        if let Some(callback) = self.0.lock().as_ref() {
            callback.call((), ThreadsafeFunctionCallMode::NonBlocking);
        }
    }

    /// Lets the process end. No wake reaches JS after this.
    pub fn release(&self) {
        self.0.lock().take();
    }
}
