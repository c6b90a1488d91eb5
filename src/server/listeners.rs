//! Sockets that listen, opened with an error that says what to do.

use std::fmt;
use std::io;
use std::net::SocketAddr;

use tokio::net::{TcpListener, TcpSocket};

/// Connections the system may hold until they are accepted. The system lowers this to its own limit (`somaxconn`).
const BACKLOG: u32 = 4096;
/// Bytes that the system takes of an answer before it can send them. Without this bound it takes up to four megabytes, and asks
/// for more only when a third of them is sent: a slow client that reads all the time would look like one that takes nothing.
#[cfg(target_os = "linux")]
const UNSENT: u32 = 32 * 1024;

/// The open sockets of a service.
#[derive(Debug)]
pub struct Listeners {
    /// For the API, and for metrics without a socket of their own.
    pub api: TcpListener,
    /// For metrics and probes.
    pub metrics: Option<TcpListener>,
    /// For the pane, which a thread of its own serves.
    pub pane: Option<std::net::TcpListener>,
}

impl Listeners {
    /// Where the API listens, with the port the system chose for port 0.
    ///
    /// # Panics
    /// Never: the system knows the address of a socket that it has bound.
    #[must_use]
    pub fn api_address(&self) -> SocketAddr {
        self.api.local_addr().expect("a bound socket has an address")
    }

    /// Where `/metrics` listens, if it has an address of its own.
    #[must_use]
    pub fn metrics_address(&self) -> Option<SocketAddr> {
        self.metrics.as_ref().and_then(|listener| listener.local_addr().ok())
    }
}

/// Listens on `address`. Must be called inside a runtime.
///
/// # Errors
/// [`BindError`] when the system refuses.
pub fn bind(address: SocketAddr) -> Result<TcpListener, BindError> {
    let open = || {
        let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
        // A restart must not wait for the TIME_WAIT of old connections. On Windows this option would let two processes
        // share a port.
        #[cfg(not(windows))]
        socket.set_reuseaddr(true)?;
        socket.bind(address)?;
        let listener = socket.listen(BACKLOG)?;
        // Its connections inherit it. A system that refuses the option still works.
        #[cfg(target_os = "linux")]
        drop(socket2::SockRef::from(&listener).set_tcp_notsent_lowat(UNSENT));
        Ok(listener)
    };
    open().map_err(BindError)
}

/// The same for a socket that another thread serves.
///
/// # Errors
/// [`BindError`] when the system refuses.
pub fn bind_for_thread(address: SocketAddr) -> Result<std::net::TcpListener, BindError> {
    bind(address)?.into_std().map_err(BindError)
}

/// Why an address could not be opened. Displays a reason and, where there is one, a remedy; not the address, which the
/// caller knows.
#[derive(Debug)]
pub struct BindError(io::Error);

impl fmt::Display for BindError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.0.kind() {
            io::ErrorKind::AddrInUse => "the address is in use; stop the program that has it or choose another port",
            io::ErrorKind::PermissionDenied => {
                "permission denied; choose a port of 1024 or above, or give the process the right to use this one"
            }
            io::ErrorKind::AddrNotAvailable => {
                "this machine has no such address; 0.0.0.0 and [::] stand for all it has"
            }
            _ => return self.0.fmt(f),
        })
    }
}

impl std::error::Error for BindError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.0)
    }
}
