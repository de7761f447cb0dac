//! How fast bytes may be read by what is in no hurry, so that readers do not wait for it.

use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};

use tokio::time::Instant;

/// Short waits are saved up: a sleep of a millisecond takes longer than that.
const WORTH: Duration = Duration::from_millis(50);

/// A speed that those who share it keep together.
#[derive(Debug)]
pub struct Pace {
    /// Bytes a second; 0 is without a limit.
    rate: u64,
    /// When all that was spent so far is paid for.
    paid: Mutex<Option<Instant>>,
}

impl Pace {
    pub fn unlimited() -> Self {
        Self::bytes_per_second(0)
    }

    /// 0: without a limit.
    pub fn bytes_per_second(rate: u64) -> Self {
        Self {
            rate,
            paid: Mutex::new(None),
        }
    }

    /// Waits until so many more bytes may be read.
    pub async fn spend(&self, bytes: u64) {
        if self.rate == 0 {
            return;
        }
        let wait = {
            let mut paid = self.paid.lock().unwrap_or_else(PoisonError::into_inner);
            let now = Instant::now();
            let from = paid.map_or(now, |at| at.max(now));
            let until = from + Duration::from_secs_f64(bytes as f64 / self.rate as f64);
            *paid = Some(until);
            until - now
        };
        if wait > WORTH {
            tokio::time::sleep(wait).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn bytes_take_the_time_they_are_given() {
        let pace = Pace::bytes_per_second(10_000_000);
        let begun = Instant::now();
        for _ in 0..40 {
            pace.spend(100_000).await;
        }
        // Saved up: at most what is not worth a sleep.
        assert!(begun.elapsed() >= Duration::from_millis(340));
        let begun = Instant::now();
        Pace::unlimited().spend(u64::MAX).await;
        assert!(begun.elapsed() < Duration::from_millis(100));
    }
}
