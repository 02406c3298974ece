//! A panic becomes a text.

use std::{
    any::Any,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
};

/// Runs `work`; a panic in it comes back as what it said. State that `work` shares is the caller's to keep
/// whole: parking_lot locks are released and not poisoned.
///
/// # Errors
/// What the panic said.
pub fn catch_panic<R>(work: impl FnOnce() -> R) -> Result<R, Arc<str>> {
    catch_unwind(AssertUnwindSafe(work)).map_err(|payload| said(payload.as_ref()))
}

fn said(payload: &(dyn Any + Send)) -> Arc<str> {
    if let Some(text) = payload.downcast_ref::<&'static str>() {
        Arc::from(*text)
    } else if let Some(text) = payload.downcast_ref::<String>() {
        Arc::from(text.as_str())
    } else {
        Arc::from("panicked with a value that is not a text")
    }
}
