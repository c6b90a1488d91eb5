//! `redpane`: arguments, then telemetry, then the server, then an exit code. See `redpane --help`.

use std::io::{self, Write};
use std::process::ExitCode;

use clap::Parser;
use redpane_service::command;
use redpane_service::settings::{Arguments, Command, Role};

fn main() -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(message) => return command::refuse_arguments(&message),
    };
    let result = match arguments.command {
        Some(Command::Healthcheck { url }) => command::healthcheck(url, &arguments.flags),
        Some(Command::Pause { duration }) => {
            // A signal ends it as it ends any program: a hook that is taken back has nothing to clean up.
            std::thread::sleep(duration);
            Ok(ExitCode::SUCCESS)
        }
        Some(Command::Receiver) => command::serve(Role::Receiver, &arguments.flags),
        Some(Command::DockerReader) => command::serve(Role::DockerReader, &arguments.flags),
        Some(Command::Serve) | None => command::serve(Role::Serve, &arguments.flags),
    };
    result.unwrap_or_else(|failure| {
        // Stdout is for log lines alone. Where stderr takes nothing either, the exit code still tells.
        let _ = writeln!(io::stderr(), "redpane: {failure}");
        failure.exit_code()
    })
}
