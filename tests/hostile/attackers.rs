//! Clients that attack, and what they have sent.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::io::AsyncWriteExt;
use tokio::net::TcpSocket;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::task::JoinSet;

/// Room for what a client does not read, in bytes; the kernel takes the double.
const RECEIVE_BUFFER: u32 = 2048;

/// Bytes that all clients of an attack have sent.
#[derive(Clone, Default)]
pub(crate) struct Sent(Arc<AtomicU64>);

impl Sent {
    pub(crate) fn add(&self, bytes: usize) {
        self.0.fetch_add(bytes as u64, Ordering::Relaxed);
    }

    pub(crate) fn bytes(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// The clients of one attack. They stay connected until this is dropped, unless the service ends that.
pub(crate) struct Attackers {
    address: SocketAddr,
    clients: JoinSet<()>,
    pub(crate) sent: Sent,
}

/// A connection of an attacker, with little room for what it does not read.
pub(crate) struct Socket {
    pub(crate) reader: OwnedReadHalf,
    pub(crate) writer: OwnedWriteHalf,
    pub(crate) sent: Sent,
}

impl Attackers {
    pub(crate) fn new(address: SocketAddr) -> Self {
        Self { address, clients: JoinSet::new(), sent: Sent::default() }
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Connects this many clients; then lets each of them act.
    pub(crate) async fn send<F>(&mut self, count: usize, act: impl Fn(Socket) -> F)
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let mut sockets = Vec::with_capacity(count);
        for _ in 0..count {
            sockets.push(connect(self.address, &self.sent).await);
        }
        sockets.into_iter().for_each(|socket| drop(self.clients.spawn(act(socket))));
    }

    /// Waits until each of them is done.
    pub(crate) async fn finish(&mut self) {
        while let Some(client) = self.clients.join_next().await {
            client.unwrap();
        }
    }
}

pub(crate) async fn connect(address: SocketAddr, sent: &Sent) -> Socket {
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(RECEIVE_BUFFER).unwrap();
    let stream = socket.connect(address).await.unwrap();
    let (reader, writer) = stream.into_split();
    Socket { reader, writer, sent: sent.clone() }
}

impl Socket {
    /// Sends, as far as the service takes it; says whether it took all.
    pub(crate) async fn send(&mut self, mut bytes: &[u8]) -> bool {
        while !bytes.is_empty() {
            let Ok(written) = self.writer.write(bytes).await else { return false };
            self.sent.add(written);
            bytes = &bytes[written..];
        }
        true
    }

    /// Stays connected and reads nothing.
    pub(crate) async fn stay(self) {
        std::future::pending::<()>().await;
    }
}
