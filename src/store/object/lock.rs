//! Who may change an object of the archive: one at a time, over all processes that share a store.
//!
//! A folder has `flock`. A bucket has nothing of the kind that every server keeps to, so there the database
//! that the processes share anyway lends its locks: PostgreSQL's advisory ones, or, where the database is
//! SQLite and there is one machine, files in the data folder.

use std::{
    fmt,
    fs::File,
    io,
    path::{Path, PathBuf},
    str::FromStr,
    sync::Arc,
    time::Duration,
};

use rustix::fs::FlockOperation;
use sea_orm::sqlx::{
    self, ConnectOptions, Connection,
    postgres::{PgConnectOptions, PgConnection},
};
use tokio::sync::{Mutex, OwnedMutexGuard, OwnedSemaphorePermit, Semaphore};

use crate::error::{Error, Result};

/// Where locks are taken.
#[derive(Debug, Clone)]
pub enum Locks {
    /// Files in a folder of this machine.
    Files(Arc<PathBuf>),
    Postgres(Postgres),
}

/// Advisory locks, each on a connection of its own: the pool is for requests, and a publication of large
/// files holds its lock for minutes.
#[derive(Clone)]
pub struct Postgres(Arc<Shared>);

struct Shared {
    options: PgConnectOptions,
    /// Tasks of this process queue here, so that one connection waits for a stripe and not one for each task.
    stripes: Vec<Arc<Mutex<()>>>,
    connections: Arc<Semaphore>,
}

/// Held while an object of the archive is changed; dropping it lets go, and so does the death of the process.
#[derive(Debug)]
pub struct Lock(Held);

#[derive(Debug)]
enum Held {
    File(#[expect(dead_code, reason = "closing it lets the lock go")] File),
    Postgres(Box<Session>),
}

struct Session {
    connection: PgConnection,
    _permit: OwnedSemaphorePermit,
    _stripe: OwnedMutexGuard<()>,
}

/// Connections for locks, beside those of the pool.
const CONNECTIONS: usize = 16;
/// The first half of the key of every lock; the second is the stripe. Kho's other advisory locks have keys of
/// one number, which PostgreSQL keeps apart from these.
const SPACE: i32 = 723_542;
const CONNECT: Duration = Duration::from_secs(10);
/// Between two looks, at least and at most.
const PAUSE: (Duration, Duration) = (Duration::from_millis(1), Duration::from_millis(20));
const FAR_PAUSE: (Duration, Duration) = (Duration::from_millis(5), Duration::from_millis(100));

impl Locks {
    /// In a folder, which is made when it is not there.
    pub fn files(folder: &Path) -> Result<Self> {
        std::fs::create_dir_all(folder)
            .map_err(|e| Error::io(&format!("cannot make {}", folder.display()), &e))?;
        Ok(Self::Files(Arc::new(folder.to_owned())))
    }

    /// In the database behind a `postgres://…`.
    pub fn postgres(url: &str) -> Result<Self> {
        // The URL has a password, so the error does not repeat it.
        let options = PgConnectOptions::from_str(url)
            .map_err(|_| Error::internal("locks", "cannot read the database URL"))?
            .application_name("kho-lock")
            .disable_statement_logging();
        let stripes = (0..=u8::MAX).map(|_| Arc::default()).collect();
        Ok(Self::Postgres(Postgres(Arc::new(Shared {
            options,
            stripes,
            connections: Arc::new(Semaphore::new(CONNECTIONS)),
        }))))
    }

    /// See [`super::Objects::lock`].
    pub(super) async fn lock(&self, stripe: u8) -> Result<Lock> {
        match self {
            Self::Files(folder) => file(folder.join(format!("lock-{stripe:02x}"))).await,
            Self::Postgres(server) => server.lock(stripe).await,
        }
    }
}

/// Waits for the lock on a file, which is made when it is not there.
pub(super) async fn file(path: PathBuf) -> Result<Lock> {
    let open = move || {
        File::options()
            .create(true)
            .truncate(false)
            .write(true)
            .open(path)
    };
    let opened: Result<io::Result<File>, _> = tokio::task::spawn_blocking(open).await;
    let file = opened
        .map_err(|e| Error::internal("lock file", e))?
        .map_err(|e| Error::io("lock file", &e))?;
    // Polling instead of a blocking flock: a waiting thread of the pool could be the one that the
    // holder needs to finish. Each open file has its own lock, so this also orders tasks of one process.
    let (mut pause, longest) = PAUSE;
    loop {
        match rustix::fs::flock(&file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => return Ok(Lock(Held::File(file))),
            Err(rustix::io::Errno::WOULDBLOCK | rustix::io::Errno::INTR) => {
                tokio::time::sleep(pause).await;
                pause = (pause * 2).min(longest);
            }
            Err(e) => return Err(Error::internal("lock", e)),
        }
    }
}

impl Postgres {
    async fn lock(&self, stripe: u8) -> Result<Lock> {
        let turn = Arc::clone(&self.0.stripes[usize::from(stripe)]);
        let turn = turn.lock_owned().await;
        let permit = Arc::clone(&self.0.connections).acquire_owned().await;
        let permit = permit.map_err(|e| Error::internal("lock", e))?;
        let connecting = PgConnection::connect_with(&self.0.options);
        let mut connection = tokio::time::timeout(CONNECT, connecting)
            .await
            .map_err(|_| Error::Unavailable("the database does not answer".to_owned()))?
            .map_err(|e| unavailable(&e))?;
        // Polling again: a session that waits inside the server is not noticed to be gone, and would then hold
        // the lock for nobody.
        let (mut pause, longest) = FAR_PAUSE;
        loop {
            let asked = sqlx::query_scalar("select pg_try_advisory_lock($1, $2)")
                .bind(SPACE)
                .bind(i32::from(stripe))
                .fetch_one(&mut connection);
            if asked.await.map_err(|e| unavailable(&e))? {
                return Ok(Lock(Held::Postgres(Box::new(Session {
                    connection,
                    _permit: permit,
                    _stripe: turn,
                }))));
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(longest);
        }
    }
}

impl Lock {
    /// Is it still held? A file is; the database may have gone away, and its lock with it. Asked before what
    /// was written under the lock is made to count.
    pub async fn check(&mut self) -> Result<()> {
        match &mut self.0 {
            Held::File(_) => Ok(()),
            Held::Postgres(session) => {
                let asked = tokio::time::timeout(CONNECT, session.connection.ping()).await;
                let lost = || Error::Unavailable("the lock on the archive was lost".to_owned());
                asked.map_err(|_| lost())?.map_err(|_| lost())
            }
        }
    }
}

fn unavailable(e: &sqlx::Error) -> Error {
    Error::Unavailable(format!("lock: {e}"))
}

impl fmt::Debug for Postgres {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Not the options: they know the password.
        f.write_str("Postgres")
    }
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Session")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As long as a waiting task is looked at.
    const A_WHILE: Duration = Duration::from_millis(300);

    async fn is_held(locks: &Locks, stripe: u8) -> bool {
        tokio::time::timeout(A_WHILE, locks.lock(stripe))
            .await
            .is_err()
    }

    #[tokio::test]
    async fn processes_that_share_a_database_take_turns() {
        let Ok(url) = std::env::var("KHO_TEST_POSTGRES_URL") else {
            eprintln!("left out on PostgreSQL: KHO_TEST_POSTGRES_URL is not set");
            return;
        };
        let one = Locks::postgres(&url).unwrap();
        let other = Locks::postgres(&url).unwrap();
        let mut held = one.lock(201).await.unwrap();
        held.check().await.unwrap();
        assert!(is_held(&other, 201).await);
        assert!(is_held(&one, 201).await, "tasks of one process, too");
        drop(other.lock(202).await.unwrap());
        // Whoever gave up waiting left nothing behind.
        drop(held);
        let mut held = other.lock(201).await.unwrap();
        assert!(is_held(&one, 201).await);

        // The server ends the session: the holder notices, and another gets on.
        let mut admin = PgConnection::connect(&url).await.unwrap();
        let ended = "select count(pg_terminate_backend(pid)) from pg_locks
            where locktype = 'advisory' and classid::bigint = $1 and objid::bigint = 201";
        let ended: i64 = sqlx::query_scalar(ended)
            .bind(i64::from(SPACE))
            .fetch_one(&mut admin)
            .await
            .unwrap();
        assert_eq!(ended, 1);
        assert!(matches!(held.check().await, Err(Error::Unavailable(_))));
        let mut next = one.lock(201).await.unwrap();
        next.check().await.unwrap();
        assert!(
            matches!(held.check().await, Err(Error::Unavailable(_))),
            "it does not come back"
        );

        // More stripes than connections: they wait for each other and all get their turn.
        drop((held, next));
        let all = (0..40).map(|stripe| {
            let one = one.clone();
            async move {
                let mut held = one.lock(stripe).await?;
                held.check().await
            }
        });
        for got in futures::future::join_all(all).await {
            got.unwrap();
        }

        let nobody = Locks::postgres("postgres://kho:x@127.0.0.1:1/none").unwrap();
        assert!(matches!(nobody.lock(1).await, Err(Error::Unavailable(_))));
    }
}
