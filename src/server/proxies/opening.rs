//! The beginning of a connection, before its first request.

use std::net::SocketAddr;
use std::sync::PoisonError;

use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;

use super::header::{Found, Source, V1_LONGEST, find, has_begun};
use super::{Client, Proxies};
use crate::log_targets::SERVER;
use crate::server::health;
use crate::server::rewound::Rewound;

/// A connection that was just accepted.
pub(in crate::server) struct Opening<'a> {
    stream: TcpStream,
    peer: SocketAddr,
    proxies: &'a Proxies,
    /// What was read of it so far; at most the longest header and what came with its last bytes.
    bytes: Vec<u8>,
}

impl<'a> Opening<'a> {
    pub(in crate::server) fn new(stream: TcpStream, peer: SocketAddr, proxies: &'a Proxies) -> Self {
        Self { stream, peer, proxies, bytes: Vec::new() }
    }

    /// Reads the header that a trusted proxy may send, and nothing of anybody else. `None` if there is nothing to serve:
    /// the connection broke, or a line says what is wrong with the header.
    ///
    /// A future that is dropped loses nothing: another call goes on from there.
    pub(in crate::server) async fn read(&mut self) -> Option<Source> {
        if !self.proxies.trusted.may_send_proxy_protocol(self.peer.ip()) {
            return Some(Source::Peer);
        }
        loop {
            match find(&self.bytes) {
                Ok(Found::TooShort) => {}
                Ok(Found::NoHeader) => return Some(Source::Peer),
                Ok(Found::Header(length, source)) => {
                    self.bytes.drain(..length);
                    return Some(source);
                }
                Err(problem) => {
                    self.log(&problem);
                    return None;
                }
            }
            match self.stream.read_buf(&mut self.bytes).await {
                Ok(0) if has_begun(&self.bytes) => {
                    self.log("it ends with the connection, before it is whole");
                    return None;
                }
                // The server makes of it what it makes of any other half request.
                Ok(0) => return Some(Source::Peer),
                Ok(_) => {}
                Err(error) => {
                    tracing::debug!(target: SERVER, client = %self.peer, %error, "connection ended with an error");
                    return None;
                }
            }
        }
    }

    /// Whether its first request asks how the process is. Waits for the first bytes of it, and reads none.
    pub(in crate::server) async fn is_about_health(&self) -> bool {
        if !self.bytes.is_empty() {
            return health::is_asked_by(&self.bytes);
        }
        let mut head = [0; health::LONGEST];
        // Whoever reads it finds out what is wrong with it.
        self.stream.peek(&mut head).await.is_ok_and(|length| health::is_asked_by(&head[..length]))
    }

    /// The time for the first request is over. Writes the line for a header that was not sent to its end.
    pub(in crate::server) fn timed_out(&self) {
        if has_begun(&self.bytes) {
            self.log("it is not whole within the header timeout");
        }
    }

    /// The connection as a server gets it, from its first request on, and its client.
    pub(in crate::server) fn into_parts(self, source: Source) -> (Rewound<TcpStream>, Client) {
        let client = Client::new(self.peer, source, &self.proxies.trusted);
        (Rewound::new(self.bytes, self.stream), client)
    }

    fn log(&self, problem: &str) {
        let connections = self.proxies.unreadable.lock().unwrap_or_else(PoisonError::into_inner).let_through();
        if let Some(connections) = connections {
            let shown = &self.bytes[..self.bytes.len().min(V1_LONGEST)];
            tracing::warn!(
                target: SERVER,
                peer = %self.peer,
                problem,
                header = %shown.escape_ascii(),
                connections,
                "connection closed: the PROXY protocol header of a trusted proxy cannot be read"
            );
        }
    }
}
