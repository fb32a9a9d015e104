//! The `drbook` program: arguments in, exit code out.

fn main() -> std::process::ExitCode {
    drbook::cli::main()
}
