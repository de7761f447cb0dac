//! What happens when the bucket fails: a proxy between it and Kho answers wrongly, late, by half or not at all.

use std::{
    sync::{Arc, Mutex},
    time::Instant,
};

use bytes::Bytes;
use futures::TryStreamExt;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

use super::{
    super::{Commit, Entry, EntrySource, Note},
    tests::{endpoint, noise, open, put, settings},
    *,
};

#[derive(Debug, Clone, Copy)]
enum Fault {
    /// Answers with this status, without asking the server.
    Status(u16),
    /// Closes the connection without asking the server.
    Refuse,
    /// Lets the server act, and loses its answer.
    Lose,
    /// Cuts the answer off after so many bytes.
    Cut(usize),
    /// Asks the server after a while.
    Wait(Duration),
    /// Says nothing until the client goes away.
    Hang,
}

/// What befalls the next `times` requests with `method` and, in the target, `part`.
#[derive(Debug)]
struct Rule {
    method: &'static str,
    part: &'static str,
    times: usize,
    fault: Fault,
}

struct Proxy {
    url: String,
    rules: Arc<Mutex<Vec<Rule>>>,
}

impl Proxy {
    async fn start(server: &str) -> Self {
        let server = server.trim_start_matches("http://").to_owned();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let rules = Arc::<Mutex<Vec<Rule>>>::default();
        let shared = rules.clone();
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let (server, rules) = (server.clone(), shared.clone());
                // A client that goes away in the middle is part of the test.
                tokio::spawn(async move { pass(client, &server, &rules).await.ok() });
            }
        });
        Self { url, rules }
    }

    fn befalls(&self, method: &'static str, part: &'static str, times: usize, fault: Fault) {
        self.rules.lock().unwrap().push(Rule {
            method,
            part,
            times,
            fault,
        });
    }

    /// Everything that was to happen happened.
    fn used_up(&self) {
        let rules = self.rules.lock().unwrap();
        assert!(rules.iter().all(|rule| rule.times == 0), "{rules:?}");
    }
}

/// One request a connection: the server is told to close it, so the end of the answer is the end of the stream.
async fn pass(
    mut client: TcpStream,
    server: &str,
    rules: &Mutex<Vec<Rule>>,
) -> std::io::Result<()> {
    let mut request = Vec::new();
    let head = loop {
        if client.read_buf(&mut request).await? == 0 {
            return Ok(());
        }
        if let Some(at) = request.windows(4).position(|w| w == b"\r\n\r\n") {
            break at;
        }
    };
    let text = String::from_utf8_lossy(&request[..head]).into_owned();
    let length = text.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        let ours = name.eq_ignore_ascii_case("content-length");
        ours.then(|| value.trim().parse::<usize>().unwrap())
    });
    let line = text.lines().next().unwrap_or_default();
    let fault = rules.lock().unwrap().iter_mut().find_map(|rule| {
        let hit = rule.times > 0 && line.starts_with(rule.method) && line.contains(rule.part);
        hit.then(|| {
            rule.times -= 1;
            rule.fault
        })
    });
    if matches!(fault, Some(Fault::Refuse)) {
        return Ok(());
    }
    while request.len() < head + 4 + length.unwrap_or(0) {
        if client.read_buf(&mut request).await? == 0 {
            return Ok(());
        }
    }
    match fault {
        Some(Fault::Status(status)) => {
            let answer =
                format!("HTTP/1.1 {status} x\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
            return client.write_all(answer.as_bytes()).await;
        }
        Some(Fault::Hang) => {
            client.read_u8().await.ok();
            return Ok(());
        }
        Some(Fault::Wait(time)) => tokio::time::sleep(time).await,
        _ => {}
    }
    let mut upstream = TcpStream::connect(server).await?;
    upstream.write_all(&request[..head]).await?;
    upstream.write_all(b"\r\nconnection: close").await?;
    upstream.write_all(&request[head..]).await?;
    match fault {
        Some(Fault::Lose) => {
            upstream.read_to_end(&mut Vec::new()).await?;
        }
        Some(Fault::Cut(most)) => {
            let mut answer = upstream.take(most as u64);
            tokio::io::copy(&mut answer, &mut client).await?;
        }
        _ => {
            tokio::io::copy(&mut upstream, &mut client).await?;
        }
    }
    client.shutdown().await
}

/// A bucket behind a proxy, and the same without it.
async fn behind_a_proxy(patience: Patience) -> Option<(Proxy, Bucket, Bucket, tempfile::TempDir)> {
    let direct = settings(endpoint()?);
    let folder = tempfile::tempdir().unwrap();
    let proxy = Proxy::start(direct.endpoint.as_ref().unwrap()).await;
    let through = Settings {
        endpoint: Some(proxy.url.clone()),
        patience,
        ..direct.clone()
    };
    let direct = open(direct, folder.path()).await;
    let through = open(through, folder.path()).await;
    Some((proxy, through, direct, folder))
}

async fn staged(bucket: &Bucket, name: &str, size: u64) -> Vec<u8> {
    let reading = bucket.read_staged(name, 0..size).await.unwrap();
    let chunks: Vec<Bytes> = reading.try_collect().await.unwrap();
    chunks.concat()
}

#[tokio::test]
async fn bursts_of_errors_and_cut_connections_cost_time_and_nothing_else() {
    let Some((proxy, bucket, direct, _dir)) = behind_a_proxy(Patience::default()).await else {
        return;
    };
    proxy.befalls("POST", "uploads", 2, Fault::Status(503));
    proxy.befalls("PUT", "partNumber=1", 2, Fault::Status(500));
    proxy.befalls("PUT", "partNumber=2", 1, Fault::Refuse);
    proxy.befalls("PUT", "partNumber=3", 1, Fault::Lose);
    proxy.befalls("POST", "uploadId", 1, Fault::Status(503));
    proxy.befalls("GET", "staging/large", 2, Fault::Status(500));
    let bytes = noise((20 << 20) + 7);
    let got = put(&bucket, "large", &bytes).await;
    assert_eq!(got.sha256, put::digest(&bytes).await.unwrap());
    assert!(staged(&bucket, "large", got.size).await == bytes);
    assert!(staged(&direct, "large", got.size).await == bytes);

    proxy.befalls("PUT", "staging/small", 2, Fault::Status(503));
    let bytes = noise(1000);
    put(&bucket, "small", &bytes).await;
    assert!(staged(&direct, "small", 1000).await == bytes);
    proxy.used_up();
}

#[tokio::test]
async fn a_download_goes_on_where_it_was_cut() {
    let patience = Patience {
        answer: Duration::from_secs(2),
        ..Patience::default()
    };
    let Some((proxy, bucket, direct, _dir)) = behind_a_proxy(patience).await else {
        return;
    };
    let bytes = noise(9_000_001);
    put(&direct, "t", &bytes).await;
    proxy.befalls("GET", "staging/t", 1, Fault::Cut(3_000_000));
    proxy.befalls("GET", "staging/t", 1, Fault::Cut(700));
    proxy.befalls("GET", "staging/t", 1, Fault::Cut(2_000_000));
    proxy.befalls("GET", "staging/t", 1, Fault::Wait(Duration::from_secs(1)));
    assert!(staged(&bucket, "t", 9_000_001).await == bytes);
    proxy.used_up();

    // Cut each time at once: an error in the end, and never fewer bytes in silence.
    proxy.befalls("GET", "staging/t", 1, Fault::Cut(1_000_000));
    proxy.befalls("GET", "staging/t", 1000, Fault::Cut(600));
    let reading = bucket.read_staged("t", 0..9_000_001).await.unwrap();
    let broken: std::io::Result<Vec<Bytes>> = reading.try_collect().await;
    assert_eq!(broken.unwrap_err().kind(), std::io::ErrorKind::TimedOut);
}

#[tokio::test]
async fn a_lost_answer_is_asked_about() {
    let Some((proxy, bucket, direct, _dir)) = behind_a_proxy(Patience::default()).await else {
        return;
    };
    // All tries lose their answers, but what was asked for was done.
    proxy.befalls("PUT", "staging/small", 4, Fault::Lose);
    proxy.befalls("POST", "uploadId", 4, Fault::Lose);
    let (small, large) = (noise(5000), noise((9 << 20) + 1));
    let mut got = Vec::new();
    for (name, bytes) in [("small", &small), ("large", &large)] {
        let received = put(&bucket, name, bytes).await;
        assert_eq!(received.sha256, put::digest(bytes).await.unwrap());
        assert!(staged(&direct, name, received.size).await == *bytes);
        got.push((name, received));
    }
    proxy.befalls("PUT", "archive/a/o/x", 1, Fault::Lose);
    proxy.befalls("PUT", "note-n", 1, Fault::Lose);
    let entries = got.iter().zip(["x/small", "x/large"]);
    let entries = entries.map(|((name, received), path)| Entry {
        path: path.parse().unwrap(),
        source: EntrySource::Staged {
            name: (*name).to_owned(),
            size: received.size,
            sha256: received.sha256,
        },
    });
    let commit = Commit {
        folder: "a/o".parse().unwrap(),
        entries: entries.collect(),
        heads: vec![("a/head".parse().unwrap(), "1".into())],
        note: Some(Note {
            name: "n".to_owned(),
            text: "v1 o".to_owned(),
        }),
    };
    bucket.commit(commit).await.unwrap();
    let at: ContentPath = "a/o/x/large".parse().unwrap();
    let reading = direct.read(&at, 0..large.len() as u64).await.unwrap();
    let chunks: Vec<Bytes> = reading.try_collect().await.unwrap();
    assert!(chunks.concat() == large);
    proxy.used_up();
}

#[tokio::test]
async fn a_bucket_that_stays_down_is_an_error_in_time_and_in_nobody_elses_way() {
    let patience = Patience {
        answer: Duration::from_millis(700),
        ..Patience::default()
    };
    let Some((proxy, bucket, direct, _dir)) = behind_a_proxy(patience).await else {
        return;
    };
    let bytes = noise(100_000);
    put(&direct, "t", &bytes).await;
    proxy.befalls("HEAD", "staging/t", 1000, Fault::Hang);
    proxy.befalls("PUT", "staging/u", 1000, Fault::Status(503));
    let began = Instant::now();
    let (hung, refused, others) = tokio::join!(
        bucket.staged("t"),
        async {
            let mut receiver = bucket.receive("u");
            receiver.write(bytes.clone()).await.unwrap();
            receiver.finish().await
        },
        async {
            for _ in 0..5 {
                assert!(staged(&bucket, "t", 100_000).await == bytes);
            }
            began.elapsed()
        }
    );
    assert!(matches!(hung, Err(Error::Unavailable(_))), "{hung:?}");
    assert!(matches!(refused, Err(Error::Unavailable(_))), "{refused:?}");
    assert!(
        began.elapsed() < Duration::from_secs(10),
        "{:?}",
        began.elapsed()
    );
    assert!(others < began.elapsed(), "others did not wait");
    assert_eq!(direct.staged("u").await.unwrap(), None);

    // Half of a commit is taken away again.
    proxy.befalls("PUT", "archive/a/o/y", 1000, Fault::Status(503));
    let entry = |path: &str| Entry {
        path: path.parse().unwrap(),
        source: EntrySource::Bytes("b".into()),
    };
    let commit = Commit {
        folder: "a/o".parse().unwrap(),
        entries: vec![entry("x"), entry("y"), entry("z")],
        heads: Vec::new(),
        note: None,
    };
    let failed = bucket.commit(commit).await;
    assert!(matches!(failed, Err(Error::Unavailable(_))), "{failed:?}");
    assert_eq!(direct.list(&"a".parse().unwrap()).await.unwrap(), []);
}

#[tokio::test]
async fn a_full_bucket_is_full() {
    let Some((proxy, bucket, direct, _dir)) = behind_a_proxy(Patience::default()).await else {
        return;
    };
    proxy.befalls("PUT", "staging/t", 1, Fault::Status(507));
    let mut receiver = bucket.receive("t");
    receiver.write(noise(10)).await.unwrap();
    assert!(matches!(receiver.finish().await, Err(Error::Full)));
    proxy.befalls("PUT", "partNumber=2", 1, Fault::Status(507));
    let mut receiver = bucket.receive("t");
    let full = async {
        for _ in 0..40 {
            receiver.write(noise(1 << 20)).await?;
        }
        receiver.finish().await
    };
    assert!(matches!(full.await, Err(Error::Full)));
    assert_eq!(direct.staged("t").await.unwrap(), None);
    proxy.used_up();
}
