//! Parse the command line, build Env, run one command.
fn main() {}
