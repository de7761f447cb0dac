//! A lane: work on one upload that must happen in order, beside the caller and beside other lanes.
//!
//! Each piece of work borrows a thread of the blocking pool only while it runs. A thread per upload would
//! be simpler, but a few hundred slow clients would then hold the whole pool and nothing else could run.

use tokio::task::JoinHandle;

use crate::error::{Error, Result};

#[derive(Debug)]
pub(super) struct Lane<S> {
    idle: Option<S>,
    busy: Option<JoinHandle<S>>,
}

impl<S: Send + 'static> Lane<S> {
    pub(super) fn new(state: S) -> Self {
        Self {
            idle: Some(state),
            busy: None,
        }
    }

    /// Waits for the piece before, then starts this one and returns at once.
    pub(super) async fn run(&mut self, work: impl FnOnce(&mut S) + Send + 'static) -> Result<()> {
        let mut state = self.take().await?;
        self.busy = Some(tokio::task::spawn_blocking(move || {
            work(&mut state);
            state
        }));
        Ok(())
    }

    /// Waits for the last piece and gives the state.
    pub(super) async fn take(&mut self) -> Result<S> {
        if let Some(busy) = self.busy.as_mut() {
            let state = busy.await.map_err(|e| Error::internal("upload", e))?;
            self.busy = None;
            return Ok(state);
        }
        self.idle
            .take()
            .ok_or_else(|| Error::internal("upload", "used after it was finished"))
    }
}
