# What is done often, a line each. `just` without a name lists them; each is also a command you can type.

export RUSTDOCFLAGS := env("RUSTDOCFLAGS", "-D warnings")

_list:
    @just --list --unsorted

# Format, lints, docs: what CI asks besides the tests.
check:
    cargo fmt --all --check
    cargo clippy --workspace --all-targets -- -D warnings
    cargo doc --no-deps --workspace

# All tests, or a part: `just test stories`.
test *part:
    tests/run {{part}}

# Format, and apply what clippy can mend by itself.
fix:
    cargo clippy --workspace --all-targets --fix --allow-dirty --allow-staged
    cargo fmt --all

# Serve the demo from a scratch folder, logging what happens.
dev:
    KHO_LOG=${KHO_LOG:-kho=debug,info} cargo run -- serve --demo --data ${KHO_DATA:-target/dev-data}

# Serve the demo as shipped.
demo:
    cargo run --release -- serve --demo

# Kho beside nginx on this machine, as ratios (docs/BENCHMARKS.md).
bench *args:
    bench/run {{args}}

# Outside acceptance checks, where a `shared` folder lies beside the checkout.
acceptance:
    for check in ../shared/acceptance/[0-9]*; do echo "$check"; python3 "$check" || exit 1; done

# Licences, bans and advisories of what is linked in (needs cargo-deny).
deny:
    cargo deny check
