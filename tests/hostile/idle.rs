//! Clients that keep connections from others.

use std::time::Duration;

use crate::attackers::{Attackers, Socket};
use crate::http2::Connection;
use crate::http2::frame::{get, preface};
use crate::trial::trial;

/// As many as the service serves at once.
const CONNECTIONS: usize = 50;
const PINGS: Duration = Duration::from_millis(200);

/// All connections there are, with one request each, and then nothing but pings both ways.
pub(crate) async fn pings(mut attackers: Attackers) -> Attackers {
    let act = async |socket: Socket| {
        let mut connection = Connection::taking(socket);
        connection.get("/healthz");
        connection.stay(PINGS).await;
    };
    attackers.send(CONNECTIONS, act).await;
    attackers
}

/// The same, and no answer to anything that the service says.
pub(crate) async fn silence(mut attackers: Attackers) -> Attackers {
    let act = async |mut socket: Socket| {
        socket.send(&[preface(&[]), get(1, "/healthz")].concat()).await;
        socket.stay().await;
    };
    attackers.send(CONNECTIONS, act).await;
    attackers
}

#[tokio::test]
async fn connections_of_http_2_that_say_nothing_any_more() {
    let few = [("REDPANE_MAX_CONNECTIONS", "50")];
    trial("HTTP/2: all of 50 connections, idle and silent", &few, silence).await;
}

#[tokio::test]
async fn connections_of_http_2_that_do_nothing_but_ping() {
    let few = [("REDPANE_MAX_CONNECTIONS", "50")];
    trial("HTTP/2: all of 50 connections, idle but for pings", &few, pings).await;
}
