//! Talking to another Kho over HTTP: small texts, bounded in size and time. For addresses that an operator types;
//! not for those of strangers, which need a guarded client.

use std::time::Duration;

use crate::error::{Error, Result};

/// Most bytes of an answer.
const MOST: usize = 1 << 20;
/// How long a whole exchange may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// A client that follows no redirects: what was typed is what is asked.
#[derive(Debug, Clone)]
pub struct Remote {
    client: reqwest::Client,
    base: String,
}

impl Remote {
    /// For the site at this address, `https://data.example.vn`.
    pub fn new(base: &str) -> Result<Self> {
        let client = reqwest::Client::builder()
            .timeout(PATIENCE)
            .redirect(reqwest::redirect::Policy::none())
            .user_agent(concat!("kho/", env!("CARGO_PKG_VERSION")))
            .build()
            .map_err(|e| Error::internal("no HTTP client", e))?;
        Ok(Self {
            client,
            base: base.trim_end_matches('/').to_owned(),
        })
    }

    /// The body of an answer with status 200.
    pub async fn get(&self, path: &str) -> Result<Vec<u8>> {
        let request = self.client.get(format!("{}{path}", self.base));
        self.send(path, request).await
    }

    /// Posts a text and gives the body of a good answer.
    pub async fn post(&self, path: &str, text: String) -> Result<Vec<u8>> {
        let request = self
            .client
            .post(format!("{}{path}", self.base))
            .header("content-type", "text/plain; charset=utf-8")
            .body(text);
        self.send(path, request).await
    }

    async fn send(&self, path: &str, request: reqwest::RequestBuilder) -> Result<Vec<u8>> {
        let failed = |why: String| Error::Unavailable(format!("{}{path}: {why}", self.base));
        let mut answer = request.send().await.map_err(|e| failed(e.to_string()))?;
        let status = answer.status();
        let mut body = Vec::new();
        while let Some(part) = answer.chunk().await.map_err(|e| failed(e.to_string()))? {
            body.extend_from_slice(&part);
            if body.len() > MOST {
                return Err(failed("the answer is too long".to_owned()));
            }
        }
        if status.is_success() {
            return Ok(body);
        }
        let told: String = String::from_utf8_lossy(&body).chars().take(300).collect();
        Err(failed(format!("{status} {told}")))
    }
}
