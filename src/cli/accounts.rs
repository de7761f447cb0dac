//! `kho user create` and `kho token create`.

use std::{io::Read, sync::Arc};

use clap::Subcommand;

use crate::{
    cli::open::open,
    config::Config,
    ctx::{Clock, Role},
    error::Error,
    people::{
        account::{self, NewAccount},
        token::{self, NewToken},
    },
    text::{Locale, say_problem},
};

#[derive(Subcommand)]
pub enum User {
    /// Makes an account and prints its id.
    Create {
        #[arg(long)]
        email: String,
        #[arg(long)]
        name: String,
        #[arg(long, default_value = "depositor", value_parser = ["depositor", "curator", "admin"])]
        role: String,
        /// Reads the password from standard input; without it the account cannot sign in with one.
        #[arg(long)]
        password_stdin: bool,
    },
}

#[derive(Subcommand)]
pub enum Token {
    /// Makes a personal access token and prints it, alone.
    Create {
        #[arg(long)]
        email: String,
        #[arg(long)]
        name: String,
        /// Limits the token; may be repeated. Without it, all that the account may do.
        #[arg(long)]
        scope: Vec<String>,
        /// Days until it ends.
        #[arg(long)]
        expires: Option<u32>,
    },
}

#[expect(clippy::print_stdout, reason = "what the command is for")]
pub(super) async fn user(config: Arc<Config>, what: User) -> anyhow::Result<()> {
    let User::Create {
        email,
        name,
        role,
        password_stdin,
    } = what;
    let password = if password_stdin {
        let mut text = String::new();
        std::io::stdin().take(4_096).read_to_string(&mut text)?;
        Some(text.trim_end_matches(['\r', '\n']).to_owned())
    } else {
        None
    };
    let env = open(config, Clock::System).await?;
    let role = Role::from_name(&role).unwrap_or(Role::Depositor);
    let new = NewAccount {
        email,
        name,
        role,
        password,
        locale: Locale::Vi,
    };
    let id = account::create(&env, new).await.map_err(|e| plain(&e))?;
    println!("{id}");
    Ok(())
}

#[expect(clippy::print_stdout, reason = "what the command is for")]
pub(super) async fn token(config: Arc<Config>, what: Token) -> anyhow::Result<()> {
    let Token::Create {
        email,
        name,
        scope,
        expires,
    } = what;
    let env = open(config, Clock::System).await?;
    let owner = account::by_email(&env, &email)
        .await
        .map_err(|e| plain(&e))?;
    let new = NewToken {
        name,
        scopes: scope,
        days: expires,
    };
    let (_, secret) = token::create(&env, owner.id, new)
        .await
        .map_err(|e| plain(&e))?;
    println!("{secret}");
    Ok(())
}

/// An error as one sentence for a terminal.
fn plain(e: &Error) -> anyhow::Error {
    match e {
        Error::Invalid(problems) => anyhow::anyhow!(
            problems
                .iter()
                .map(|p| say_problem(Locale::En, p))
                .collect::<Vec<_>>()
                .join(" ")
        ),
        Error::Conflict(p) => anyhow::anyhow!(say_problem(Locale::En, p)),
        Error::NotFound { id, .. } => anyhow::anyhow!(
            "there is no account with the address {id}; `kho user create` makes one"
        ),
        other => anyhow::anyhow!(other.to_string()),
    }
}
