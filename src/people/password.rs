//! Passwords: argon2id with the parameters of RFC 9106 section 4's second choice scaled to OWASP's
//! minimum (19 MiB, 2 passes, 1 lane), computed off the async threads.

use argon2::{
    Argon2,
    password_hash::{PasswordHasher, PasswordVerifier, phc::PasswordHash},
};

use tokio::sync::{Semaphore, SemaphorePermit};

use crate::{
    ctx::Env,
    error::{Error, Problem, Result},
};

/// Shortest and longest password accepted, in characters and bytes.
pub const SHORTEST: usize = 10;
const LONGEST: usize = 1024;

/// A hash that no password matches: an unknown account costs a caller the same time as a wrong password.
const NOBODY: &str = "$argon2id$v=19$m=19456,t=2,p=1$c2FsdHNhbHRzYWx0c2FsdA$5m1lGzQ0fhzYtqmOFZkbVXFCMNyLlvvS0Hq1jZvJmsE";

/// Refuses what is too short to protect anybody, or so long that hashing it is an attack.
pub fn check(password: &str, at: &str) -> Result<()> {
    if password.chars().count() < SHORTEST {
        let problem = Problem::new("password-too-short", at).with("least", SHORTEST);
        return Err(Error::Invalid(vec![problem]));
    }
    if password.len() > LONGEST {
        let problem = Problem::new("password-too-long", at).with("most", LONGEST);
        return Err(Error::Invalid(vec![problem]));
    }
    Ok(())
}

/// The PHC string of a password with a new salt.
pub async fn hash(env: &Env, password: String) -> Result<String> {
    let salt = env.random::<16>()?;
    let _turn = turn().await?;
    tokio::task::spawn_blocking(move || {
        Argon2::default()
            .hash_password_with_salt(password.as_bytes(), &salt)
            .map(|hash| hash.to_string())
            .map_err(|e| Error::internal("cannot hash a password", e))
    })
    .await
    .map_err(|e| Error::internal("hashing stopped", e))?
}

/// Each computation takes 19 MiB and a core: a flood of sign-ins waits in line instead of taking all memory.
static TURNS: Semaphore = Semaphore::const_new(4);

async fn turn() -> Result<SemaphorePermit<'static>> {
    TURNS
        .acquire()
        .await
        .map_err(|e| Error::internal("hashing stopped", e))
}

/// Does the password match? `None` stands for an account that is not there; the answer is then no, at
/// the same cost.
pub async fn matches(password: String, stored: Option<String>) -> Result<bool> {
    let _turn = turn().await?;
    tokio::task::spawn_blocking(move || {
        let known = stored.is_some();
        let text = stored.unwrap_or_else(|| NOBODY.to_owned());
        let Ok(hash) = PasswordHash::new(&text) else {
            return false;
        };
        let right = password.len() <= LONGEST
            && Argon2::default()
                .verify_password(password.as_bytes(), &hash)
                .is_ok();
        known && right
    })
    .await
    .map_err(|e| Error::internal("hashing stopped", e))
}
