//! What no HTTP library would do: pipelines, and clients that leave or send bytes of their own.

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::{Client, Failure};
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
    fn arrived(&self, statuses: Vec<u16>) -> Fate {
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

/// The head of an answer among the bytes of several.
#[derive(Clone, Debug)]
struct Head {
    status: u16,
    request_id: String,
    trace_id: String,
    length: Option<usize>,
    is_chunked: bool,
    /// Where its body begins and the next head, or the end of all, is.
    body: std::ops::Range<usize>,
}

impl Head {
    /// All heads that are whole. No body of the service holds what begins one.
    fn find(bytes: &[u8]) -> Vec<Self> {
        const BEGIN: &[u8] = b"HTTP/1.1 ";
        let text = |part: &[u8]| String::from_utf8_lossy(part).into_owned();
        let starts: Vec<_> = (0..bytes.len()).filter(|&at| bytes[at..].starts_with(BEGIN)).collect();
        let ends = starts.iter().skip(1).copied().chain([bytes.len()]);
        let parse = |(start, end): (usize, usize)| {
            let length = bytes[start..end].windows(4).position(|window| window == b"\r\n\r\n")?;
            let head = text(&bytes[start..start + length + 2]);
            let header = |name: &str| {
                let value = head.split("\r\n").find_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
                value.map(str::to_owned)
            };
            Some(Self {
                status: head[BEGIN.len()..][..3].parse().unwrap(),
                request_id: header("x-request-id").unwrap_or_default(),
                trace_id: header("x-trace-id").unwrap_or_default(),
                length: header("content-length").map(|length| length.parse().unwrap()),
                is_chunked: header("transfer-encoding").is_some_and(|coding| coding == "chunked"),
                body: start + length + 4..end,
            })
        };
        starts.iter().copied().zip(ends).filter_map(parse).collect()
    }

    fn ending(&self, bytes: &[u8]) -> Ending {
        let body = &bytes[self.body.clone()];
        match self.length {
            _ if self.is_chunked && body.ends_with(b"0\r\n\r\n") => Ending::Whole(dechunked(body)),
            Some(length) if body.len() == length => Ending::Whole(length as u64),
            None if !self.is_chunked && body.is_empty() => Ending::Whole(0),
            _ => Ending::Broken,
        }
    }
}

/// The bytes that chunks hold.
fn dechunked(mut rest: &[u8]) -> u64 {
    let mut bytes = 0;
    while let Some(end) = rest.windows(2).position(|window| window == b"\r\n") {
        let size = usize::from_str_radix(str::from_utf8(&rest[..end]).unwrap(), 16).unwrap();
        bytes += size;
        rest = &rest[end + 2 + size + 2..];
    }
    bytes as u64
}
