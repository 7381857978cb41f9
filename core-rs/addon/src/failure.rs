//! Errors as JavaScript sees them: one sentence, thrown.

pub fn failure(sentence: impl ToString) -> napi::Error {
    napi::Error::from_reason(sentence.to_string())
}

pub fn closed() -> napi::Error {
    failure("the node is closed")
}
