//! What no HTTP library would do: pipelines, and clients that leave or send bytes of their own.

use std::time::Duration;

use test_support::client::Failure;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::Client;
use super::head::Head;
use crate::mix::{Asked, Leaving, Odd};
use crate::seen::{Ending, Fate};

const ECHO: &str = "content-type: application/json\r\n";

impl Client {
    /// Connects and sends.
    async fn send(&self, bytes: impl AsRef<[u8]>) -> Result<TcpStream, Failure> {
        let mut stream = TcpStream::connect(self.address).await?;
        stream.write_all(bytes.as_ref()).await?;
        Ok(stream)
    }

    pub(super) async fn pipeline(&mut self, asked: &[Asked], leaves: bool) -> Result<(), Failure> {
        let ids: Vec<_> = asked.iter().map(|_| self.id()).collect();
        let mut bytes = Vec::new();
        for (number, (one, id)) in asked.iter().zip(&ids).enumerate() {
            let is_last = number + 1 == asked.len();
            bytes.extend(head(one, id, if is_last { "connection: close\r\n\r\n" } else { "\r\n" }));
        }
        let uncertain = |from: usize| {
            for (one, id) in asked.iter().zip(&ids).skip(from) {
                self.report(id.clone(), one, Fate::Uncertain(one.or_aborted()), None);
            }
        };
        let mut stream = match self.send(bytes).await {
            Ok(stream) => stream,
            Err(error) => {
                uncertain(0);
                return Err(error);
            }
        };
        let mut read = Vec::new();
        if leaves {
            let ended = until_empty_line(&mut stream, &mut read).await;
            let first = Head::find(&read).first().cloned();
            if let Some(first) = &first {
                self.answered(&asked[0], &ids[0], first, Ending::Left);
            }
            uncertain(usize::from(first.is_some()));
            return ended;
        }
        let ended = stream.read_to_end(&mut read).await;
        let heads = Head::find(&read);
        for ((one, id), head) in asked.iter().zip(&ids).zip(&heads) {
            self.answered(one, id, head, head.ending(&read));
        }
        uncertain(heads.len());
        if heads.len() < asked.len() {
            let text = String::from_utf8_lossy(&read);
            return Err(format!("{} answers to {} requests, {ended:?}: {text}", heads.len(), asked.len()).into());
        }
        Ok(())
    }

    pub(super) async fn leave(&mut self, leaving: Leaving) -> Result<(), Failure> {
        let id = self.id();
        let delay = Asked { statuses: vec![200, 503], ..Asked::get("/faults/delay/20", "/faults/delay/{ms}") };
        let chunked = Asked::get("/faults/chunked/3000", "/faults/chunked/{n}");
        let echo = Asked { statuses: vec![400, 503], ..Asked::new("POST", "/echo", "/echo", 400) };
        let asked = match leaving {
            Leaving::InTheHead | Leaving::InTheBody => echo,
            Leaving::InTheAnswer => chunked,
            Leaving::WithHalfAConnection => Asked::get("/hello/half", "/hello/{name}"),
            Leaving::BeforeTheAnswer | Leaving::WithAReset => delay,
        };
        let rest = match leaving {
            Leaving::InTheHead => "content-le".to_owned(),
            Leaving::InTheBody => format!("{ECHO}content-length: 100\r\n\r\n\"so far"),
            _ => "\r\n".to_owned(),
        };
        let sent = self.send(head(&asked, &id, &rest)).await;
        let aborted = asked.or_aborted();
        let (mut stream, mut read) = match sent {
            Ok(stream) => (stream, Vec::new()),
            Err(error) => {
                self.report(id, &asked, Fate::Uncertain(aborted), None);
                return Err(error);
            }
        };
        match leaving {
            Leaving::InTheHead => self.report(id, &asked, Fate::Never, None),
            Leaving::InTheBody | Leaving::BeforeTheAnswer => self.report(id, &asked, self.arrived(aborted), None),
            Leaving::WithAReset => {
                stream.set_zero_linger().unwrap();
                self.report(id, &asked, Fate::Uncertain(aborted), None);
            }
            Leaving::WithHalfAConnection => {
                let _ = stream.shutdown().await;
                // hyper takes it for a client that left, unless the answer was faster.
                let _ = stream.read_to_end(&mut read).await;
                match Head::find(&read).first() {
                    Some(head) => self.answered(&asked, &id, head, head.ending(&read)),
                    None => self.report(id, &asked, self.arrived(aborted), None),
                }
            }
            Leaving::InTheAnswer => {
                let ended = until_empty_line(&mut stream, &mut read).await;
                match Head::find(&read).first() {
                    Some(head) => self.answered(&asked, &id, head, Ending::Left),
                    None => {
                        self.report(id, &asked, Fate::Uncertain(aborted), None);
                        return ended;
                    }
                }
            }
        }
        Ok(())
    }

    pub(super) async fn odd(&mut self, odd: Odd) -> Result<(), Failure> {
        let id = self.id();
        let (headers, status) = match odd {
            Odd::Unfinished => ("content-length: 5\r\n\r\n1", 503),
            Odd::BrokenChunk => ("transfer-encoding: chunked\r\n\r\nZZ\r\n", 400),
            Odd::Expecting => ("content-length: 4\r\nexpect: 100-continue\r\n\r\n", 200),
        };
        let asked = Asked { statuses: vec![status, 503], ..Asked::new("POST", "/echo", "/echo", status) };
        let bytes = head(&asked, &id, &format!("connection: close\r\n{ECHO}{headers}"));
        let (mut read, mut ended) = (Vec::new(), Ok(()));
        match self.send(bytes).await {
            Ok(mut stream) => {
                if let Odd::Expecting = odd {
                    ended = until_empty_line(&mut stream, &mut read).await;
                    if read.starts_with(b"HTTP/1.1 100 ") {
                        read.clear();
                        ended = stream.write_all(b"true").await.map_err(Failure::from);
                    }
                }
                let rest = stream.read_to_end(&mut read).await;
                ended = ended.and(rest.map(drop).map_err(Failure::from));
            }
            Err(error) => ended = Err(error),
        }
        match Head::find(&read).iter().find(|head| head.status >= 200) {
            Some(head) => self.answered(&asked, &id, head, head.ending(&read)),
            None => {
                self.report(id, &asked, Fate::Uncertain(asked.or_aborted()), None);
                return ended.and(Err("no answer".into()));
            }
        }
        Ok(())
    }

    /// A request that was sent whole and then closed in order has arrived, as long as the service accepts connections.
    pub(super) fn arrived(&self, statuses: Vec<u16>) -> Fate {
        if self.trust == super::Trust::Answers { Fate::Arrived(statuses) } else { Fate::Uncertain(statuses) }
    }

    fn answered(&self, asked: &Asked, id: &str, head: &Head, ending: Ending) {
        assert!(asked.statuses.contains(&head.status), "{asked:?} was answered with {head:?}");
        assert_eq!(head.request_id, id, "{asked:?}");
        self.report(id.to_owned(), asked, Fate::Answered(head.status, ending), Some(head.trace_id.clone()));
    }
}

/// The head of a request up to its own headers, and then `rest`.
fn head(asked: &Asked, id: &str, rest: &str) -> Vec<u8> {
    let mut bytes =
        format!("{} {} HTTP/1.1\r\nhost: a\r\nx-request-id: {id}\r\n", asked.method, asked.path).into_bytes();
    for (name, value) in &asked.headers {
        bytes.extend([name.as_bytes(), b": ", value, b"\r\n"].concat());
    }
    bytes.extend_from_slice(rest.as_bytes());
    bytes
}

/// Reads a head to its empty line; what follows it may come too.
async fn until_empty_line(stream: &mut TcpStream, read: &mut Vec<u8>) -> Result<(), Failure> {
    while !read.windows(4).any(|window| window == b"\r\n\r\n") {
        let reading = tokio::time::timeout(Duration::from_secs(60), stream.read_buf(read));
        if reading.await?? == 0 {
            return Err("the end of the connection instead of an answer".into());
        }
    }
    Ok(())
}
