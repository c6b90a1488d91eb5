//! Clients that attack, and what they have sent.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpSocket;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::task::JoinSet;

/// Room for what a client does not read, in bytes; the kernel takes the double.
const RECEIVE_BUFFER: u32 = 2048;

/// A number that all clients of an attack add to.
#[derive(Clone, Default)]
pub(crate) struct Count(Arc<AtomicU64>);

impl Count {
    pub(crate) fn add(&self, more: usize) {
        self.0.fetch_add(more as u64, Ordering::Relaxed);
    }

    pub(crate) fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// What the clients of an attack did, and what they heard.
#[derive(Clone, Default)]
pub(crate) struct Counts {
    /// Bytes.
    pub(crate) sent: Count,
    /// Clients that were told that they are refused.
    pub(crate) refused: Count,
}

/// The clients of one attack. They stay connected until this is dropped, unless the service ends that.
pub(crate) struct Attackers {
    address: SocketAddr,
    clients: JoinSet<()>,
    pub(crate) counts: Counts,
}

/// A connection of an attacker, with little room for what it does not read.
pub(crate) struct Socket {
    pub(crate) reader: OwnedReadHalf,
    pub(crate) writer: OwnedWriteHalf,
    pub(crate) counts: Counts,
}

impl Attackers {
    pub(crate) fn new(address: SocketAddr) -> Self {
        Self { address, clients: JoinSet::new(), counts: Counts::default() }
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
            sockets.push(connect(self.address, &self.counts).await);
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

pub(crate) async fn connect(address: SocketAddr, counts: &Counts) -> Socket {
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(RECEIVE_BUFFER).unwrap();
    let stream = socket.connect(address).await.unwrap();
    let (reader, writer) = stream.into_split();
    Socket { reader, writer, counts: counts.clone() }
}

impl Socket {
    /// Sends, as far as the service takes it; says whether it took all.
    pub(crate) async fn send(&mut self, bytes: &[u8]) -> bool {
        send(&mut self.writer, bytes, &self.counts.sent).await
    }

    /// Sends, as far as the service takes it, and listens meanwhile. Counts this client where what it heard is a refusal.
    pub(crate) async fn send_and_listen(self, bytes: &[u8], is_refusal: impl Fn(&[u8]) -> bool) {
        let Self { mut reader, mut writer, counts } = self;
        let mut heard = Vec::new();
        let listening = async {
            while reader.read_buf(&mut heard).await.is_ok_and(|read| read > 0) {
                if is_refusal(&heard) {
                    return counts.refused.add(1);
                }
            }
        };
        tokio::join!(listening, send(&mut writer, bytes, &counts.sent));
    }

    /// Stays connected and reads nothing.
    pub(crate) async fn stay(self) {
        std::future::pending::<()>().await;
    }
}

async fn send(writer: &mut OwnedWriteHalf, mut bytes: &[u8], sent: &Count) -> bool {
    while !bytes.is_empty() {
        let Ok(written) = writer.write(bytes).await else { return false };
        sent.add(written);
        bytes = &bytes[written..];
    }
    true
}
