//! The services that this program can be.

/// What the process does with the requests it gets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// `redpane serve`: the demo API.
    Serve,
    /// `redpane receiver`: writes the alerts it is sent as log lines.
    Receiver,
    /// `redpane docker-reader`: shows a log collector containers and their lines.
    DockerReader,
}

impl Role {
    /// The command that starts it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Serve => "serve",
            Self::Receiver => "receiver",
            Self::DockerReader => "docker-reader",
        }
    }
}
