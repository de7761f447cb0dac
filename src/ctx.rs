//! What every capability is given first: `Env` (the handles of the running program, its clock, its
//! randomness) and `Ctx` (`Env` + who is asking, in which language, under which request id).
//!
//! Invariant: time and randomness come from here and from nowhere else, so that a test can hold
//! both still. Not here: opening anything (`cli::open`), deciding anything (`access`).

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
};

use chrono::{DateTime, NaiveDate, Utc};
use tokio::sync::Notify;

use crate::{
    archive::Archive,
    config::Config,
    error::{Error, Result},
    ids::{RecordId, UserId},
    store::{db::Db, doi::Registrar, http::Http, object::Objects},
    text::Locale,
};

/// Handles of the running program; cheap to clone.
#[derive(Debug, Clone)]
pub struct Env {
    pub config: Arc<Config>,
    pub db: Db,
    pub objects: Objects,
    pub archive: Archive,
    pub index: Arc<search_index::Index>,
    /// Held by whoever writes the index.
    pub index_turn: Arc<tokio::sync::Mutex<()>>,
    pub registrar: Registrar,
    /// For what strangers name.
    pub http: Http,
    pub clock: Clock,
    /// Rung when a job was committed, so that a worker need not wait for its next look.
    pub work: Arc<Notify>,
}

impl Env {
    pub fn now(&self) -> DateTime<Utc> {
        self.clock.now()
    }

    /// Random bytes from the operating system.
    #[expect(clippy::unused_self, reason = "callers must hold an Env")]
    pub fn random<const N: usize>(&self) -> Result<[u8; N]> {
        random()
    }

    /// A secret of 256 bits in URL-safe base64, for links, cookies and tokens.
    pub fn secret(&self) -> Result<String> {
        use base64::Engine;
        Ok(base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(self.random::<32>()?))
    }

    pub fn new_record_id(&self) -> Result<RecordId> {
        Ok(RecordId::from_random(u64::from_le_bytes(self.random()?)))
    }

    /// The acting context of the program itself: jobs, sweeps, the command line.
    pub fn system(&self) -> Ctx {
        Ctx {
            env: self.clone(),
            actor: Actor::System,
            locale: Locale::default(),
            request_id: String::new(),
        }
    }
}

/// Random bytes from the operating system, for commands that open no store. Everybody else asks the Env.
#[expect(
    clippy::disallowed_methods,
    reason = "the one place that asks for randomness"
)]
pub fn random<const N: usize>() -> Result<[u8; N]> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(|e| Error::internal("no randomness", e))?;
    Ok(bytes)
}

/// Where time comes from.
#[derive(Clone, Default)]
pub enum Clock {
    #[default]
    System,
    /// Microseconds since 1970, moved by a test.
    Fixed(Arc<AtomicI64>),
}

impl Clock {
    #[expect(
        clippy::disallowed_methods,
        reason = "the one place that asks the operating system"
    )]
    pub fn now(&self) -> DateTime<Utc> {
        match self {
            Clock::System => Utc::now(),
            Clock::Fixed(at) => DateTime::from_timestamp_micros(at.load(Ordering::SeqCst))
                .unwrap_or(DateTime::UNIX_EPOCH),
        }
    }
}

impl fmt::Debug for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.now())
    }
}

/// What an account may do beyond its own deposits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    Depositor,
    Curator,
    Admin,
}

impl Role {
    pub fn name(self) -> &'static str {
        match self {
            Role::Depositor => "depositor",
            Role::Curator => "curator",
            Role::Admin => "admin",
        }
    }
    pub fn from_name(name: &str) -> Option<Role> {
        [Role::Depositor, Role::Curator, Role::Admin]
            .into_iter()
            .find(|r| r.name() == name)
    }
}

/// Who is asking.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Actor {
    Anonymous,
    Person(Person),
    /// The program itself.
    System,
}

/// A signed-in person, as far as rules need to know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    pub id: UserId,
    pub name: String,
    pub email: String,
    pub role: Role,
    /// The scopes of the token used; `None` for a browser session or a token without limits.
    pub scopes: Option<Vec<String>>,
}

#[derive(Debug, Clone)]
pub struct Ctx {
    pub env: Env,
    pub actor: Actor,
    pub locale: Locale,
    pub request_id: String,
}

impl Ctx {
    pub fn now(&self) -> DateTime<Utc> {
        self.env.now()
    }
    /// Now, as tables hold it.
    pub fn micros(&self) -> i64 {
        self.env.now().timestamp_micros()
    }
    pub fn today(&self) -> NaiveDate {
        self.env.now().date_naive()
    }
    pub fn person(&self) -> Option<&Person> {
        match &self.actor {
            Actor::Person(person) => Some(person),
            Actor::Anonymous | Actor::System => None,
        }
    }
    /// The person asking, or the error that asks for sign-in.
    pub fn require_person(&self) -> Result<&Person> {
        self.person().ok_or(Error::Unauthenticated)
    }
}

/// A moment as tables hold it, back as a time.
pub fn moment(micros: i64) -> DateTime<Utc> {
    DateTime::from_timestamp_micros(micros).unwrap_or(DateTime::UNIX_EPOCH)
}
