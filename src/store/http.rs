//! Fetching what strangers name: a client that cannot be led into our own network.
//!
//! Invariants: only `http` and `https`; every address is looked at after its name was resolved and on every
//! redirect, and connected to as it was looked at, so that a name that changes its mind meanwhile changes
//! nothing; no proxy, no cookies, no credentials. silence is bounded here, size by the caller.
//! Not here: what becomes of the bytes (`files`).

use std::{
    collections::BTreeSet,
    io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use bytes::Bytes;
use futures::{Stream, TryStreamExt};
use reqwest::{
    StatusCode,
    dns::{Addrs, Name, Resolve, Resolving},
    header,
    redirect::Policy,
};
use url::{Host, Url};

use crate::error::{Error, Problem, Result};

/// Redirects followed.
const HOPS: usize = 5;
/// How long a connection may take to stand.
const CONNECT: Duration = Duration::from_secs(10);
/// How long a server may be silent.
const SILENCE: Duration = Duration::from_mins(1);
/// Longest URL taken.
const MOST_URL: usize = 4_096;

/// A guarded client; cheap to clone.
#[derive(Debug, Clone)]
pub struct Http {
    client: reqwest::Client,
    allowed: Arc<BTreeSet<String>>,
}

/// What a fetch gave: the head of the answer, and its body on its way.
pub struct Fetched<S> {
    /// Bytes, where the server says so.
    pub length: Option<u64>,
    /// Where the redirects ended.
    pub url: Url,
    pub body: S,
}

impl<S> std::fmt::Debug for Fetched<S> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // Without the URL, which may hold a secret.
        f.debug_struct("Fetched")
            .field("length", &self.length)
            .finish_non_exhaustive()
    }
}

impl Http {
    /// `allowed`: hosts (names or addresses, as they stand in URLs) that may be asked although their
    /// address is not public.
    pub fn new(allowed: impl IntoIterator<Item = String>) -> Result<Self> {
        let allowed: Arc<BTreeSet<String>> = Arc::new(allowed.into_iter().collect());
        let client = reqwest::Client::builder()
            .redirect(Policy::none())
            .no_proxy()
            .connect_timeout(CONNECT)
            .read_timeout(SILENCE)
            .user_agent(concat!("kho/", env!("CARGO_PKG_VERSION")))
            .dns_resolver(Arc::new(Guard(Arc::clone(&allowed))))
            .build()
            .map_err(|e| Error::internal("HTTP client", e))?;
        Ok(Self { client, allowed })
    }

    /// A URL that may be asked for, as far as can be told without asking: its scheme, no name and password
    /// in it, no address that is not public.
    pub fn parse(&self, text: &str) -> Result<Url> {
        let refused = |code| Err(Error::BadRequest(Problem::new(code, "url")));
        if text.len() > MOST_URL {
            return refused("fetch-url");
        }
        let Ok(url) = Url::parse(text) else {
            return refused("fetch-url");
        };
        if !matches!(url.scheme(), "http" | "https")
            || !url.username().is_empty()
            || url.password().is_some()
        {
            return refused("fetch-url");
        }
        let literal = match url.host() {
            None => return refused("fetch-url"),
            Some(Host::Domain(_)) => None,
            Some(Host::Ipv4(address)) => Some(IpAddr::V4(address)),
            Some(Host::Ipv6(address)) => Some(IpAddr::V6(address)),
        };
        let named = url.host_str().unwrap_or_default();
        if literal.is_some_and(|ip| !is_public(ip)) && !self.allowed.contains(named) {
            return refused("fetch-private");
        }
        Ok(url)
    }

    /// Asks for a URL and gives the body of a 200 answer.
    ///
    /// # Errors
    /// `BadRequest` with what the person who named the URL can do something about: `fetch-url`,
    /// `fetch-private`, `fetch-redirects`, `fetch-status`; `Unavailable` when the server does not answer.
    pub async fn get(
        &self,
        url: Url,
    ) -> Result<Fetched<impl Stream<Item = io::Result<Bytes>> + Unpin + use<>>> {
        let mut url = url;
        for _ in 0..=HOPS {
            let asked = self.client.get(url.clone());
            let answer = asked
                // A body that is unpacked on the way has another length and another digest.
                .header(header::ACCEPT_ENCODING, "identity")
                .send()
                .await
                .map_err(|e| told(&e))?;
            let status = answer.status();
            if status.is_redirection() && status != StatusCode::NOT_MODIFIED {
                let to = answer
                    .headers()
                    .get(header::LOCATION)
                    .and_then(|v| v.to_str().ok())
                    .and_then(|to| url.join(to).ok());
                let Some(to) = to else {
                    return Err(status_problem(status));
                };
                url = self.parse(to.as_str())?;
                continue;
            }
            if status != StatusCode::OK {
                return Err(status_problem(status));
            }
            return Ok(Fetched {
                length: answer.content_length(),
                url,
                body: answer.bytes_stream().map_err(io::Error::other),
            });
        }
        Err(Error::BadRequest(
            Problem::new("fetch-redirects", "url").with("most", HOPS),
        ))
    }
}

fn status_problem(status: StatusCode) -> Error {
    Error::BadRequest(Problem::new("fetch-status", "url").with("status", status.as_u16()))
}

/// A refusal of our own resolver is the URL's fault; anything else the network's.
fn told(e: &reqwest::Error) -> Error {
    let mut source = std::error::Error::source(e);
    while let Some(inner) = source {
        if inner.is::<Private>() {
            return Error::BadRequest(Problem::new("fetch-private", "url"));
        }
        source = inner.source();
    }
    // Without the URL, which may hold a signature that nobody else should read in a log.
    Error::Unavailable(format!("fetching: {}", root(e)))
}

fn root(e: &dyn std::error::Error) -> String {
    let mut last = e;
    while let Some(inner) = last.source() {
        last = inner;
    }
    last.to_string()
}

/// Every address of this name is one of ours.
#[derive(Debug, thiserror::Error)]
#[error("the address is not public")]
struct Private;

/// Resolves names, and leaves out addresses that are not public.
struct Guard(Arc<BTreeSet<String>>);

impl Resolve for Guard {
    fn resolve(&self, name: Name) -> Resolving {
        let allowed = self.0.contains(name.as_str());
        Box::pin(async move {
            let found: Vec<SocketAddr> = tokio::net::lookup_host((name.as_str(), 0))
                .await?
                .filter(|a| allowed || is_public(a.ip()))
                .collect();
            if found.is_empty() {
                return Err(Private.into());
            }
            Ok(Box::new(found.into_iter()) as Addrs)
        })
    }
}

/// May this address be somebody else's on the internet? The registries of special addresses (RFC 6890 and
/// what came after it) name those that may not.
fn is_public(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => is_public_v4(ip),
        IpAddr::V6(ip) => is_public_v6(ip),
    }
}

fn is_public_v4(ip: Ipv4Addr) -> bool {
    let [a, b, c, _] = ip.octets();
    !matches!(
        (a, b, c),
        (0 | 10 | 127 | 224..=255, _, _)
            | (100, 64..=127, _)
            | (169, 254, _)
            | (172, 16..=31, _)
            | (192, 0, 0 | 2)
            | (192, 88, 99)
            | (192, 168, _)
            | (198, 18 | 19, _)
            | (198, 51, 100)
            | (203, 0, 113)
    )
}

fn is_public_v6(ip: Ipv6Addr) -> bool {
    if let Some(inner) = embedded(ip) {
        return is_public_v4(inner);
    }
    let [a, b, ..] = ip.segments();
    // Global unicast, less what is in it for documentation, tunnels and benchmarks.
    (0x2000..=0x3fff).contains(&a)
        && !(a == 0x2001 && (b < 0x200 || b == 0x0db8))
        && a != 0x2002
        && !(a == 0x3fff && b < 0x1000)
}

/// The IPv4 address that an IPv6 address stands for: mapped (`::ffff:0:0/96`) or translated (`64:ff9b::/96`).
fn embedded(ip: Ipv6Addr) -> Option<Ipv4Addr> {
    let s = ip.segments();
    let translated = s[..6] == [0x64, 0xff9b, 0, 0, 0, 0];
    ip.to_ipv4_mapped().or_else(|| {
        let bits = u32::from(s[6]) << 16 | u32::from(s[7]);
        translated.then(|| Ipv4Addr::from_bits(bits))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn our_own_network_is_not_public() {
        for ip in [
            "0.0.0.0",
            "10.1.2.3",
            "100.64.0.1",
            "127.0.0.1",
            "127.9.9.9",
            "169.254.169.254",
            "172.16.0.1",
            "172.31.255.255",
            "192.168.1.1",
            "192.0.0.8",
            "198.18.0.1",
            "224.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::ffff:127.0.0.1",
            "::ffff:10.0.0.1",
            "64:ff9b::7f00:1",
            "fc00::1",
            "fd12::1",
            "fe80::1",
            "ff02::1",
            "2001:db8::1",
            "2002:7f00:1::",
            "100::1",
        ] {
            assert!(!is_public(ip.parse().unwrap()), "{ip}");
        }
        for ip in [
            "1.1.1.1",
            "100.128.0.1",
            "172.32.0.1",
            "2606:4700::1111",
            "2001:4860:4860::8888",
            "::ffff:8.8.8.8",
        ] {
            assert!(is_public(ip.parse().unwrap()), "{ip}");
        }
    }

    #[test]
    fn only_what_may_be_asked_is_parsed() {
        let http = Http::new(["localhost".to_owned(), "127.0.0.1".to_owned()]).unwrap();
        for bad in [
            "",
            "nonsense",
            "file:///etc/passwd",
            "ftp://a.example/x",
            "http://",
            "gopher://a/",
            "http://user:pw@a.example/",
            "http://10.0.0.1/",
            "http://[::1]/",
            "http://0x0a000001/",
            "http://2130706434/",
            "http://169.254.169.254/latest/meta-data",
        ] {
            assert!(http.parse(bad).is_err(), "{bad}");
        }
        for good in [
            "https://zenodo.org/records/1/files/a.zip",
            "http://localhost:9/x",
            "http://127.0.0.1:9/x",
        ] {
            assert!(http.parse(good).is_ok(), "{good}");
        }
    }

    #[tokio::test]
    async fn a_name_that_leads_to_us_is_refused_when_it_is_resolved() {
        let http = Http::new([]).unwrap();
        let url = http.parse("http://localhost:9/x").unwrap();
        match http.get(url).await.map(|f| f.length) {
            Err(Error::BadRequest(p)) => assert_eq!(p.code, "fetch-private"),
            other => panic!("{other:?}"),
        }
    }
}
