//! Bytes on a socket, for clients that do what no HTTP library would.

use std::net::SocketAddr;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// Connects and sends; the connection stays open until the stream is dropped.
pub async fn send(address: SocketAddr, bytes: impl AsRef<[u8]>) -> TcpStream {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(bytes.as_ref()).await.unwrap();
    stream
}

/// Sends, and reads until the server closes. The request should ask for that: `Connection: close`.
pub async fn exchange(address: SocketAddr, bytes: impl AsRef<[u8]>) -> String {
    read_to_end(&mut send(address, bytes).await).await
}

/// Reads until the server closes.
pub async fn read_to_end(stream: &mut TcpStream) -> String {
    let mut answer = Vec::new();
    // A server that closes before it has read everything resets the connection: what came until then counts.
    let _ = stream.read_to_end(&mut answer).await;
    String::from_utf8_lossy(&answer).into_owned()
}

/// Reads until what came ends with `end`.
pub async fn read_until(stream: &mut TcpStream, end: &str) -> String {
    try_read_until(stream, end).await.unwrap_or_else(|error| panic!("{error}"))
}

/// As [`read_until`], where the server may close before. The error says what came until then.
pub async fn try_read_until(stream: &mut TcpStream, end: &str) -> Result<String, String> {
    let mut answer = Vec::new();
    while !answer.ends_with(end.as_bytes()) {
        let byte = stream
            .read_u8()
            .await
            .map_err(|error| format!("{error} instead of {end:?} after {:?}", String::from_utf8_lossy(&answer)))?;
        answer.push(byte);
    }
    Ok(String::from_utf8_lossy(&answer).into_owned())
}
