//! The program: parse the command line, run one command, say what went wrong in one sentence.

use std::process::ExitCode;

fn main() -> ExitCode {
    kho::cli::run()
}
