//! The log's key and name. The key comes from the setting, else from a file in the data folder that is made at the
//! first need. The name (origin) comes from the setting, else from the base URL, and is kept once the log has signed.

use base64::{Engine, engine::general_purpose::STANDARD};
use ed25519_dalek::{
    SigningKey,
    pkcs8::{DecodePrivateKey, EncodePrivateKey, spki::der::pem::LineEnding},
};
use sea_orm::EntityTrait;

use super::note::{Purpose, Signer, VerifierKey, is_name};
use crate::{
    ctx::Env,
    error::{Error, Result},
    store::{
        secret,
        table::ledger::{checkpoint, state},
    },
};

/// Reads a private key: PKCS#8 in PEM, or the base64 of its 32 bytes.
pub fn read_key(text: &str) -> Result<SigningKey> {
    let text = text.trim();
    let wrong = || {
        Error::internal(
            "the ledger's key",
            "must be Ed25519: PEM (PKCS#8) or the base64 of 32 bytes",
        )
    };
    if text.starts_with("-----") {
        return SigningKey::from_pkcs8_pem(text).map_err(|_| wrong());
    }
    let bytes = STANDARD.decode(text).map_err(|_| wrong())?;
    Ok(SigningKey::from_bytes(
        &bytes.try_into().map_err(|_| wrong())?,
    ))
}

/// A key of 32 random bytes as PEM.
pub fn generate(random: [u8; 32]) -> Result<String> {
    let key = SigningKey::from_bytes(&random);
    let pem = key
        .to_pkcs8_pem(LineEnding::LF)
        .map_err(|e| Error::internal("cannot write a key", e))?;
    Ok(pem.to_string())
}

async fn own_key(env: &Env) -> Result<SigningKey> {
    let given = &env.config.ledger_key;
    if !given.is_empty() {
        return read_key(given);
    }
    let file = env.config.ledger_key_file();
    let fresh = generate(env.random()?)?;
    let text = tokio::task::spawn_blocking(move || match secret::read(&file)? {
        Some(text) => Ok(text),
        None => secret::keep(&file, &fresh),
    });
    let text = text.await.map_err(|e| Error::internal("key", e))??;
    read_key(&text)
}

/// The name that the settings give the log; none while nobody knows the base URL.
fn named(env: &Env) -> Option<String> {
    let config = &env.config;
    if !config.ledger_origin.is_empty() {
        return Some(config.ledger_origin.clone());
    }
    let (_, bare) = config.base_url.split_once("://")?;
    Some(format!("{bare}/ledger"))
}

pub(super) async fn state(env: &Env) -> Result<Option<state::Model>> {
    Ok(state::Entity::find_by_id(1).one(env.db.read()).await?)
}

/// The name of the log; none when it has none yet.
pub async fn origin(env: &Env) -> Result<Option<String>> {
    let kept = state(env).await?.and_then(|s| s.origin);
    Ok(kept.or_else(|| named(env)))
}

/// What signs for the log here. None while it has no name, which is so in commands that do not know the base URL. An
/// error when this process has another key or name than the log's: two would be two logs.
pub async fn signer(env: &Env) -> Result<Option<Signer>> {
    let Some(name) = origin(env).await? else {
        return Ok(None);
    };
    let signer = make(env, &name).await?;
    let wanted = state(env).await?.and_then(|s| s.vkey);
    if wanted.is_some_and(|v| v != signer.verifier().to_string()) {
        return Err(Error::internal(
            "the ledger is signed with another key",
            "give this process the same ledger_key, or say `kho ledger key --accept`",
        ));
    }
    let set = &env.config.ledger_origin;
    if !set.is_empty() && *set != name {
        return Err(Error::internal(
            &format!("the ledger is named {name}, not {set}"),
            "unset ledger_origin, or say `kho ledger key --accept`",
        ));
    }
    Ok(Some(signer))
}

/// The key of this process under the name that the settings give; for `accept`.
pub(super) async fn own(env: &Env) -> Result<Option<Signer>> {
    let kept = state(env).await?.and_then(|s| s.origin);
    let name = match &env.config.ledger_origin {
        set if !set.is_empty() => Some(set.clone()),
        _ => kept.or_else(|| named(env)),
    };
    match name {
        Some(name) => Ok(Some(make(env, &name).await?)),
        None => Ok(None),
    }
}

async fn make(env: &Env, name: &str) -> Result<Signer> {
    if !is_name(name) {
        let why = "must have no spaces and no plus sign";
        return Err(Error::internal("ledger_origin", why));
    }
    Signer::new(name, Purpose::Log, own_key(env).await?).map_err(|e| Error::internal("ledger", e))
}

/// The witnesses that the settings name.
pub(super) fn witnesses(env: &Env) -> Result<Vec<VerifierKey>> {
    let read = |text: &String| -> Result<VerifierKey> {
        let key: VerifierKey = text
            .parse()
            .map_err(|e| Error::internal(&format!("ledger_witnesses: {text}"), e))?;
        if key.purpose() == Purpose::Cosignature {
            Ok(key)
        } else {
            let why = "is a log's key, not a witness's";
            Err(Error::internal(&format!("ledger_witnesses: {text}"), why))
        }
    };
    env.config.ledger_witnesses.iter().map(read).collect()
}

/// Has the log ever signed?
pub(super) async fn newest(env: &Env) -> Result<Option<checkpoint::Model>> {
    use sea_orm::QueryOrder;
    Ok(checkpoint::Entity::find()
        .order_by_desc(checkpoint::Column::Size)
        .one(env.db.read())
        .await?)
}
