//! Questions to Docker, over its socket.

use std::fmt;
use std::path::{Path, PathBuf};

use http::{Response, StatusCode};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use serde_json::Value;
use tokio::net::UnixStream;

use super::http_client::{self, DEADLINE};

/// The daemon behind a socket. Each question has a connection of its own.
#[derive(Debug, Clone)]
pub(super) struct Docker {
    socket: PathBuf,
}

/// Docker gave no answer that can be used.
#[derive(Debug)]
pub(super) enum DockerError {
    /// Nobody answers at the socket.
    Unreachable {
        /// Where it was looked for.
        socket: PathBuf,
        /// What the system or the connection said.
        reason: String,
    },
    /// It answered, but not with what was asked for.
    Refused(StatusCode, String),
}

impl fmt::Display for DockerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreachable { socket, reason } => write!(
                f,
                "Docker cannot be reached at {} ({reason}): set DOCKER_SOCKET in .env to the path of the daemon's socket, which \
                 `docker context inspect` shows; with rootless Docker it is like /run/user/1000/docker.sock, with Podman like \
                 /run/user/1000/podman/podman.sock",
                socket.display()
            ),
            Self::Refused(status, message) => write!(f, "Docker answered {status}: {message}"),
        }
    }
}

impl Docker {
    pub(super) fn at(socket: &Path) -> Self {
        Self { socket: socket.to_owned() }
    }

    /// `GET path_and_query`; an answer of any status.
    pub(super) async fn get(&self, path_and_query: &str) -> Result<Response<Incoming>, DockerError> {
        let answer = tokio::time::timeout(DEADLINE, self.ask(path_and_query)).await;
        let answer = answer.unwrap_or_else(|_| Err(format!("no answer within {} s", DEADLINE.as_secs())));
        answer.map_err(|reason| DockerError::Unreachable { socket: self.socket.clone(), reason })
    }

    /// The JSON of an answer with status 200.
    pub(super) async fn json(&self, path_and_query: &str) -> Result<Value, DockerError> {
        let read = async {
            let answer = self.get(path_and_query).await?;
            let status = answer.status();
            let bytes = answer.into_body().collect().await.map_err(|error| self.unreachable(&error))?.to_bytes();
            match serde_json::from_slice::<Value>(&bytes) {
                Ok(value) if status == StatusCode::OK => Ok(value),
                Ok(value) => {
                    Err(DockerError::Refused(status, value["message"].as_str().unwrap_or_default().to_owned()))
                }
                Err(error) => Err(DockerError::Refused(status, format!("no JSON: {error}"))),
            }
        };
        let late = || self.unreachable(&format!("no whole answer within {} s", DEADLINE.as_secs()));
        tokio::time::timeout(DEADLINE, read).await.unwrap_or_else(|_| Err(late()))
    }

    async fn ask(&self, path_and_query: &str) -> Result<Response<Incoming>, String> {
        let stream = UnixStream::connect(&self.socket).await.map_err(|error| error.to_string())?;
        http_client::get(stream, "docker", path_and_query).await
    }

    fn unreachable(&self, reason: &dyn fmt::Display) -> DockerError {
        DockerError::Unreachable { socket: self.socket.clone(), reason: reason.to_string() }
    }
}
