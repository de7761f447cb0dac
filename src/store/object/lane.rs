//! Work on the batches of one upload, in order, beside the caller and beside other lanes.
//!
//! A lane borrows a thread of the blocking pool while it has batches and gives it back when it has none. A
//! thread per upload would be simpler, but a few hundred slow clients would then hold the whole pool and
//! nothing else could run. A lane that is behind goes on with its next batch by itself, because waking the
//! caller in between costs about as much as hashing a hundred kilobytes.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use bytes::Bytes;
use tokio::sync::{OwnedSemaphorePermit, oneshot};

use crate::error::{Error, Result};

/// Bytes that all lanes of an upload are to take; the permit bounds how many there are at once.
#[derive(Debug)]
pub(super) struct Batch {
    pub(super) bytes: Vec<Bytes>,
    pub(super) _permit: OwnedSemaphorePermit,
}

#[derive(Debug)]
pub(super) struct Lane<S> {
    shared: Arc<Shared<S>>,
    work: fn(&mut S, &[Bytes]),
}

#[derive(Debug)]
struct Shared<S>(Mutex<Queue<S>>);

#[derive(Debug)]
struct Queue<S> {
    /// `None` while a thread works with it, and for good after that thread panicked.
    state: Option<S>,
    waiting: VecDeque<Arc<Batch>>,
    running: bool,
    finish: Option<oneshot::Sender<S>>,
}

impl<S: Send + 'static> Lane<S> {
    pub(super) fn new(state: S, work: fn(&mut S, &[Bytes])) -> Self {
        let queue = Queue {
            state: Some(state),
            waiting: VecDeque::new(),
            running: false,
            finish: None,
        };
        Self {
            shared: Arc::new(Shared(Mutex::new(queue))),
            work,
        }
    }

    /// Adds a batch and returns at once.
    pub(super) fn push(&self, batch: Arc<Batch>) {
        let mut queue = self.shared.queue();
        queue.waiting.push_back(batch);
        if !queue.running {
            queue.running = true;
            let (shared, work) = (Arc::clone(&self.shared), self.work);
            tokio::task::spawn_blocking(move || shared.run(work));
        }
    }

    /// The state after all batches.
    pub(super) async fn finish(self) -> Result<S> {
        let finished = {
            let mut queue = self.shared.queue();
            if !queue.running
                && let Some(state) = queue.state.take()
            {
                return Ok(state);
            }
            let (send, finished) = oneshot::channel();
            if queue.running {
                queue.finish = Some(send);
            }
            finished
        };
        finished.await.map_err(|e| Error::internal("upload", e))
    }
}

impl<S> Shared<S> {
    fn queue(&self) -> MutexGuard<'_, Queue<S>> {
        // Nothing panics while it is held; a poisoned queue is as it was.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn run(&self, work: fn(&mut S, &[Bytes])) {
        let end = End(self);
        let Some(mut state) = self.queue().state.take() else {
            return;
        };
        loop {
            let mut queue = self.queue();
            let Some(batch) = queue.waiting.pop_front() else {
                match queue.finish.take() {
                    // The caller may be gone; then the state goes too.
                    Some(finish) => drop(finish.send(state)),
                    None => queue.state = Some(state),
                }
                queue.running = false;
                drop(queue);
                std::mem::forget(end);
                return;
            };
            drop(queue);
            work(&mut state, &batch.bytes);
        }
    }
}

/// Should the work panic, whoever waits is told, and what waits to be worked on lets its permits go.
struct End<'a, S>(&'a Shared<S>);

impl<S> Drop for End<'_, S> {
    fn drop(&mut self) {
        let mut queue = self.0.queue();
        queue.running = false;
        queue.waiting.clear();
        queue.finish = None;
    }
}
