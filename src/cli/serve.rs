//! `kho serve`: opens everything, finishes what a crash cut off, serves, works, and stops in order.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use tokio::net::TcpListener;

use crate::{
    cli::{demo, open, turn},
    config::Config,
    ctx::{Clock, Env},
    fixity,
    jobs::worker::{self, Lane},
    ledger, people, publish, rebuild, site,
    web::listen,
};

/// Long jobs at the same time: they wait for networks and disks, more would only make them all slow.
const LONG_AT_ONCE: usize = 2;

#[derive(clap::Args)]
pub struct Args {
    /// Loads the sample datasets and accounts into an empty store, and says so on every page.
    #[arg(long)]
    demo: bool,
    /// Address and port; port 0 picks a free one.
    #[arg(long)]
    listen: Option<String>,
    /// Public URL of the site.
    #[arg(long)]
    base_url: Option<String>,
}

impl Args {
    /// Those flags that are settings.
    pub(super) fn settings(&self, flags: &mut BTreeMap<&'static str, String>) {
        for (key, value) in [("listen", &self.listen), ("base_url", &self.base_url)] {
            if let Some(value) = value {
                flags.insert(key, value.clone());
            }
        }
    }
}

pub(super) async fn run(mut config: Config, args: Args) -> anyhow::Result<()> {
    let listener = TcpListener::bind(&config.listen).await.map_err(|e| {
        anyhow::anyhow!(
            "cannot listen on {}: {e}; choose another with --listen",
            config.listen
        )
    })?;
    let address = listener.local_addr()?;
    if config.base_url.is_empty() {
        config.base_url = format!("http://{address}");
    }
    config.demo = args.demo;
    let _turn = turn::shared(&config)?;
    let env = open::open(Arc::new(config), Clock::System).await?;
    if rebuild::is_needed(&env).await? {
        tracing::warn!(
            "the database is empty and the archive is not: stop, and run `kho rebuild` or `kho restore`"
        );
    }
    publish::recover(&env).await?;
    crate::files::upload::recover(&env).await?;
    if args.demo {
        introduce(demo::load(&env).await?);
    }
    let invitation = people::setup::invite(&env).await?;

    let quick = (0..env.config.workers).map(|_| Lane::Quick);
    let workers: Vec<_> = quick
        .chain([Lane::Long; LONG_AT_ONCE])
        .map(|lane| tokio::spawn(worker::work(env.clone(), lane)))
        .collect();
    let sweeper = tokio::spawn(sweep(env.clone()));
    let watch = tokio::spawn(fixity::keep_watch(env.clone()));
    let ledger = tokio::spawn(ledger::keep(env.clone()));
    announce(
        &format!("http://{address}"),
        invitation
            .as_deref()
            .map(|s| format!("{}/setup?key={s}", env.config.base_url)),
    );

    listen::serve(listener, site::router(env.clone()), signal()).await;
    sweeper.abort();
    watch.abort();
    ledger.abort();
    for worker in workers {
        worker.abort();
    }
    Ok(())
}

#[expect(clippy::print_stdout, reason = "the line that says where the site is")]
fn announce(url: &str, setup: Option<String>) {
    println!("Kho is ready at {url}/");
    if let Some(link) = setup {
        println!("No administrator yet. Make one with this link, which works once: {link}");
    }
}

#[expect(
    clippy::print_stdout,
    reason = "a password that is said once and kept nowhere"
)]
fn introduce(loaded: Option<demo::Loaded>) {
    let Some(loaded) = loaded else {
        println!("This store is not empty, so no sample was loaded into it.");
        return;
    };
    println!("{} sample versions were loaded.", loaded.versions.len());
    println!(
        "Sign in as {} with the password {} (said only now).",
        loaded.accounts.join(", "),
        loaded.password
    );
}

/// Ends at SIGINT or SIGTERM.
async fn signal() {
    use tokio::signal::unix::{SignalKind, signal};
    let terminate = async {
        if let Ok(mut term) = signal(SignalKind::terminate()) {
            term.recv().await;
        } else {
            std::future::pending::<()>().await;
        }
    };
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        () = terminate => {}
    }
}

/// Tidies up now and then: expired sessions, finished jobs, staged bytes nobody names, dead claims, and an
/// index that fell behind.
async fn sweep(env: Env) {
    let mut every = tokio::time::interval(Duration::from_mins(10));
    loop {
        every.tick().await;
        let outcomes = [
            ("sessions", people::session::sweep(&env).await),
            ("jobs", worker::sweep(&env).await),
            ("archive", publish::recover(&env).await.map(|_| ())),
            ("fixity", fixity::sweep(&env).await),
            ("staging", crate::files::sweep(&env).await),
            (
                "index",
                crate::catalog::index::follow(&env).await.map(|_| ()),
            ),
        ];
        for (what, outcome) in outcomes {
            if let Err(e) = outcome {
                tracing::warn!(%what, error = %e, "sweeping failed");
            }
        }
    }
}
