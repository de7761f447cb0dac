//! A browser without scripts: keeps cookies, follows redirects, reads the forms of a page and sends them as
//! they stand there, changed as a person would change them. What a test cannot see on the page it cannot send.

use reqwest::{Method, StatusCode, header, multipart, redirect};

pub struct Browser {
    client: reqwest::Client,
    base: String,
}

/// A page as it came, after redirects.
#[derive(Debug, Clone)]
pub struct Page {
    pub status: StatusCode,
    /// Path and query it came from; a fragment that a redirect named is kept.
    pub at: String,
    pub html: String,
    pub headers: header::HeaderMap,
}

/// A form of a page with its controls as a browser would send them.
#[derive(Debug, Clone)]
pub struct Form {
    pub action: String,
    pub fields: Vec<(String, String)>,
    /// Names and values of its buttons.
    pub buttons: Vec<(String, String)>,
}

impl Browser {
    pub fn new(base: &str) -> Self {
        let client = reqwest::Client::builder()
            .cookie_store(true)
            .default_headers(header::HeaderMap::from_iter([(
                header::ACCEPT,
                header::HeaderValue::from_static("text/html,application/xhtml+xml,*/*;q=0.8"),
            )]))
            .redirect(redirect::Policy::none())
            .build()
            .unwrap();
        Self {
            client,
            base: base.to_owned(),
        }
    }

    pub async fn get(&self, path: &str) -> Page {
        self.follow(self.request(Method::GET, path)).await
    }

    /// Sends a form.
    pub async fn send(&self, form: &Form) -> Page {
        let request = self.request(Method::POST, &form.action).form(&form.fields);
        self.follow(request).await
    }

    /// Sends a form with files, its other controls before them.
    pub async fn send_files(&self, form: &Form, files: &[(&str, &[u8])]) -> Page {
        let mut parts = multipart::Form::new();
        for (name, value) in &form.fields {
            parts = parts.text(name.clone(), value.clone());
        }
        for (name, bytes) in files {
            let part = multipart::Part::bytes(bytes.to_vec()).file_name((*name).to_owned());
            parts = parts.part("file", part);
        }
        let request = self.request(Method::POST, &form.action).multipart(parts);
        self.follow(request).await
    }

    pub fn request(&self, method: Method, path: &str) -> reqwest::RequestBuilder {
        assert!(path.starts_with('/'), "not a path of this site: {path}");
        self.client.request(method, format!("{}{path}", self.base))
    }

    async fn follow(&self, request: reqwest::RequestBuilder) -> Page {
        let mut response = request.send().await.unwrap();
        let mut at = here(response.url());
        for _ in 0..5 {
            let Some(to) = response.headers().get(header::LOCATION) else {
                break;
            };
            at = to.to_str().unwrap().to_owned();
            response = self.request(Method::GET, &at).send().await.unwrap();
        }
        Page {
            status: response.status(),
            headers: response.headers().clone(),
            at,
            html: response.text().await.unwrap(),
        }
    }
}

fn here(url: &reqwest::Url) -> String {
    match url.query() {
        Some(query) => format!("{}?{query}", url.path()),
        None => url.path().to_owned(),
    }
}

impl Page {
    #[track_caller]
    pub fn expect(self, status: u16) -> Page {
        assert_eq!(self.status.as_u16(), status, "{}\n{}", self.at, self.text());
        self
    }

    /// Its words, without tags, with single spaces.
    pub fn text(&self) -> String {
        let body = self.html.split_once("<body>").map_or("", |(_, b)| b);
        let mut out = String::new();
        let mut inside = false;
        for c in body.chars() {
            match c {
                '<' => inside = true,
                '>' => {
                    inside = false;
                    out.push(' ');
                }
                c if !inside => out.push(c),
                _ => {}
            }
        }
        let words: Vec<&str> = out.split_whitespace().collect();
        unescape(&words.join(" "))
    }

    #[track_caller]
    pub fn says(&self, what: &str) -> &Page {
        assert!(
            self.text().contains(what),
            "{what:?} is not in:\n{}",
            self.text()
        );
        self
    }

    /// The form that posts to an address ending so.
    #[track_caller]
    pub fn form(&self, action: &str) -> Form {
        self.forms()
            .into_iter()
            .find(|f| f.action.ends_with(action))
            .unwrap_or_else(|| panic!("no form to {action} on {}", self.at))
    }

    /// The form that has a button of this value.
    #[track_caller]
    pub fn form_with(&self, button: &str) -> Form {
        self.forms()
            .into_iter()
            .find(|f| f.buttons.iter().any(|(_, v)| v == button))
            .unwrap_or_else(|| panic!("no button {button} on {}", self.at))
    }

    pub fn forms(&self) -> Vec<Form> {
        self.html
            .split("<form ")
            .skip(1)
            .filter_map(|rest| {
                let body = rest.split("</form>").next()?;
                let (tag, inside) = body.split_once('>')?;
                (attribute(tag, "method").as_deref() == Some("post")).then(|| read(tag, inside))
            })
            .collect()
    }

    /// What a control says, wherever on the page it is.
    pub fn value(&self, name: &str) -> Option<String> {
        self.forms()
            .iter()
            .flat_map(|f| f.fields.clone())
            .find(|(n, _)| n == name)
            .map(|(_, v)| v)
    }
}

fn read(tag: &str, inside: &str) -> Form {
    let mut form = Form {
        action: attribute(tag, "action").unwrap(),
        fields: Vec::new(),
        buttons: Vec::new(),
    };
    for piece in inside.split('<').skip(1) {
        let Some((tag, after)) = piece.split_once('>') else {
            continue;
        };
        let name = attribute(tag, "name");
        let value = attribute(tag, "value").unwrap_or_default();
        match (tag.split_whitespace().next(), name) {
            (Some("input"), Some(name)) => match attribute(tag, "type").as_deref() {
                Some("checkbox" | "radio") if !tag.contains(" checked") => {}
                Some("file") => {}
                _ => form.fields.push((name, value)),
            },
            (Some("textarea"), Some(name)) => {
                let text = unescape(after.strip_prefix('\n').unwrap_or(after));
                form.fields.push((name, text.replace('\n', "\r\n")));
            }
            (Some("select"), Some(name)) => form.fields.push((name, String::new())),
            (Some("option"), None) if tag.contains(" selected") => {
                form.fields.last_mut().unwrap().1 = value;
            }
            (Some("button"), Some(name)) => form.buttons.push((name, value)),
            _ => {}
        }
    }
    form
}

impl Form {
    /// Writes into a control that is on the page (several of one name: all are replaced by one).
    #[track_caller]
    pub fn set(mut self, name: &str, value: &str) -> Form {
        let at = self.fields.iter().position(|(n, _)| n == name);
        let at = at.unwrap_or_else(|| panic!("no control {name} in {:?}", self.fields));
        value.clone_into(&mut self.fields[at].1);
        self
    }

    /// Ticks a box or chooses a radio button that was not chosen.
    pub fn choose(mut self, name: &str, value: &str) -> Form {
        self.fields.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Chooses this radio button and no other.
    pub fn only(mut self, name: &str, value: &str) -> Form {
        self.fields.retain(|(n, _)| n != name);
        self.choose(name, value)
    }

    /// Presses a button that is in the form.
    #[track_caller]
    pub fn press(self, name: &str, value: &str) -> Form {
        let there = self.buttons.iter().any(|(n, v)| n == name && v == value);
        assert!(there, "no button {name}={value} in {:?}", self.buttons);
        self.choose(name, value)
    }
}

fn attribute(tag: &str, name: &str) -> Option<String> {
    let (_, rest) = format!(" {tag}")
        .split_once(&format!(" {name}=\""))
        .map(|(a, b)| (a.to_owned(), b.to_owned()))?;
    rest.split('"').next().map(unescape)
}

fn unescape(text: &str) -> String {
    text.replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&quot;", "\"")
        .replace("&#39;", "'")
        .replace("&amp;", "&")
}
