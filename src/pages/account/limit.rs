//! How often somebody may try to sign in: per address of the account, whoever tries, and per peer, whatever
//! they try. Counted in this process; replicas count for themselves.

use std::{
    net::{IpAddr, Ipv6Addr},
    num::NonZeroU32,
    time::Duration,
};

use governor::{
    DefaultKeyedRateLimiter, Quota, RateLimiter,
    clock::{Clock, DefaultClock},
};

use crate::error::{Error, Result};

/// Tries for one account: at once, and how long until the next is given back (10 in 5 minutes).
const ACCOUNT: (NonZeroU32, Duration) = (tries(10), Duration::from_secs(30));
/// Tries of one peer: behind one address there may be a whole university.
const PEER: (NonZeroU32, Duration) = (tries(50), Duration::from_secs(6));
/// Keys kept before those that are at rest are forgotten.
const KEYS: usize = 20_000;

#[derive(Debug)]
pub struct Limits {
    accounts: DefaultKeyedRateLimiter<String>,
    peers: DefaultKeyedRateLimiter<IpAddr>,
    clock: DefaultClock,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            accounts: RateLimiter::keyed(quota(ACCOUNT)),
            peers: RateLimiter::keyed(quota(PEER)),
            clock: DefaultClock::default(),
        }
    }
}

const fn tries(n: u32) -> NonZeroU32 {
    match NonZeroU32::new(n) {
        Some(n) => n,
        None => NonZeroU32::MIN,
    }
}

fn quota((burst, each): (NonZeroU32, Duration)) -> Quota {
    Quota::with_period(each)
        .unwrap_or(Quota::per_minute(burst))
        .allow_burst(burst)
}

impl Limits {
    /// Counts a try, and refuses it when there were too many. An address that has no account counts as well:
    /// a difference would tell which have one.
    pub fn count(&self, email: &str, peer: Option<IpAddr>) -> Result<()> {
        self.forget();
        let email: String = email.trim().to_lowercase().chars().take(254).collect();
        let now = self.clock.now();
        let refused = |wait: Duration| Error::TooMany {
            retry_after: u32::try_from(wait.as_secs())
                .unwrap_or(u32::MAX)
                .saturating_add(1),
        };
        if let Some(peer) = peer {
            self.peers
                .check_key(&network(peer))
                .map_err(|not| refused(not.wait_time_from(now)))?;
        }
        self.accounts
            .check_key(&email)
            .map_err(|not| refused(not.wait_time_from(now)))
    }

    fn forget(&self) {
        if self.accounts.len() > KEYS {
            self.accounts.retain_recent();
            self.accounts.shrink_to_fit();
        }
        if self.peers.len() > KEYS {
            self.peers.retain_recent();
            self.peers.shrink_to_fit();
        }
    }
}

/// Whoever has an IPv6 address has 2^64 of them.
fn network(peer: IpAddr) -> IpAddr {
    match peer.to_canonical() {
        IpAddr::V6(six) => {
            let bits = u128::from(six) & !u128::from(u64::MAX);
            IpAddr::V6(Ipv6Addr::from(bits))
        }
        four @ IpAddr::V4(_) => four,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_account_is_tried_ten_times_from_anywhere() {
        let limits = Limits::default();
        for n in 0..10 {
            let peer = IpAddr::from([10, 0, 0, n]);
            limits.count(" A@example.org", Some(peer)).unwrap();
        }
        let refused = limits.count("a@EXAMPLE.org ", None).unwrap_err();
        assert!(
            matches!(refused, Error::TooMany { retry_after } if (1..=31).contains(&retry_after))
        );
        limits.count("b@example.org", None).unwrap();
    }

    #[test]
    fn a_peer_is_one_network() {
        let limits = Limits::default();
        for n in 0..50_u16 {
            let peer = IpAddr::from([0x2001, 0xdb8, 0, 1, n, 0, 0, n]);
            limits
                .count(&format!("{n}@example.org"), Some(peer))
                .unwrap();
        }
        let same: IpAddr = "2001:db8:0:1::1".parse().unwrap();
        assert!(limits.count("x@example.org", Some(same)).is_err());
        let other: IpAddr = "2001:db8:0:2::1".parse().unwrap();
        limits.count("x@example.org", Some(other)).unwrap();
    }
}
