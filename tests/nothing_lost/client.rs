//! A client of the mix: it does what the mix says and reports what became of each request.

mod head;
mod wire;

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::Sender;
use std::time::{Duration, Instant};

use axum::body::Body;
use http::Request;
use hyper::client::conn::{http1, http2};
use hyper_util::rt::{TokioExecutor, TokioIo};
use test_support::client::{self, Answer, Failure};
use test_support::{Scripted, Step};
use tokio::net::TcpStream;

use crate::mix::{Asked, Content, Deed, Mix};
use crate::seen::{Ending, Fate, Seen};

/// Whether a request that should be answered may go without.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Trust {
    /// The service is up: no answer is a failure of the test.
    Answers,
    /// It is ending, or out of descriptors: no answer means that its fate is uncertain.
    MayBreakOff,
}

pub(crate) struct Client {
    address: SocketAddr,
    /// Its ids begin like this.
    name: String,
    requests: u64,
    mix: Mix,
    trust: Trust,
    kept: Option<http1::SendRequest<Body>>,
    report: Sender<Seen>,
}

impl Client {
    pub(crate) fn new(address: SocketAddr, name: String, mix: Mix, trust: Trust, report: Sender<Seen>) -> Self {
        Self { address, name, requests: 0, mix, trust, kept: None, report }
    }

    /// Does this many deeds, or fewer if it is told to stop.
    pub(crate) async fn run(mut self, deeds: usize, stop: Arc<AtomicBool>) {
        for _ in 0..deeds {
            if stop.load(Ordering::Relaxed) {
                return;
            }
            let deed = self.mix.deed();
            let what = format!("{deed:?}");
            if let Err(error) = self.perform(deed).await {
                assert!(self.trust == Trust::MayBreakOff, "{}: {error} at {what}", self.name);
                // Not all at once again.
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
        }
    }

    /// Asks the same again and again until it is told to stop, or for good where the service may break off.
    pub(crate) async fn repeat(mut self, asked: Asked, stop: Arc<AtomicBool>) {
        while !stop.load(Ordering::Relaxed) {
            if let Err(error) = self.ask(&asked, false).await {
                assert!(self.trust == Trust::MayBreakOff, "{}: {error}", self.name);
                return;
            }
        }
    }

    async fn perform(&mut self, deed: Deed) -> Result<(), Failure> {
        match deed {
            Deed::Ask(asked) => self.ask(&asked, false).await,
            Deed::AskOnce(asked) => self.ask(&asked, true).await,
            Deed::Streams(streams) => self.streams(streams).await,
            Deed::Pipeline { asked, leaves } => self.pipeline(&asked, leaves).await,
            Deed::Leave(leaving) => self.leave(leaving).await,
            Deed::Odd(odd) => self.odd(odd).await,
        }
    }

    /// Sends one request and reads the answer. Nothing is reported where there is no connection.
    pub(crate) async fn ask(&mut self, asked: &Asked, once: bool) -> Result<(), Failure> {
        let mut sender = self.connection().await?;
        let id = self.id();
        let mut request = request(asked, &id);
        if once {
            request.headers_mut().insert("connection", "close".parse().unwrap());
        }
        let answered = async { Ok::<_, hyper::Error>(client::read(sender.send_request(request).await?).await) }.await;
        let keep = !once && answered.as_ref().is_ok_and(|answer| answer.whole && answer.status.is_success());
        // After an error the service may close a connection whose request it has not read to its end.
        self.kept = (keep || matches!(asked.content, Content::None) && !once).then_some(sender);
        self.settle(asked, id, answered)
    }

    /// The connection that is kept, or a new one.
    async fn connection(&mut self) -> Result<http1::SendRequest<Body>, Failure> {
        if let Some(mut kept) = self.kept.take()
            && kept.ready().await.is_ok()
        {
            return Ok(kept);
        }
        let mut sender = client::try_keep_alive(self.address).await?;
        sender.ready().await?;
        Ok(sender)
    }

    async fn streams(&mut self, streams: Vec<(Asked, bool)>) -> Result<(), Failure> {
        let stream = TokioIo::new(TcpStream::connect(self.address).await?);
        let (mut sender, connection) = http2::handshake(TokioExecutor::new(), stream).await?;
        tokio::spawn(connection);
        let (mut waiting, mut outcome) = (Vec::new(), Ok(()));
        for (asked, cancelled) in streams {
            // The service may end the connection between two of them: those before have their fate all the same.
            if let Err(error) = sender.ready().await {
                outcome = Err(error.into());
                break;
            }
            let id = self.id();
            let answer = sender.send_request(client::for_http2(self.address, request(&asked, &id)));
            if cancelled {
                drop(answer);
                self.report(id, &asked, Fate::Uncertain(asked.or_aborted()), None);
            } else {
                waiting.push((asked, id, answer));
            }
        }
        for (asked, id, answer) in waiting {
            let answered = async { Ok::<_, hyper::Error>(client::read(answer.await?).await) }.await;
            let settled = match answered {
                // A reset overtakes the head of the answer.
                Err(_) if asked.route == "/faults/cut" => {
                    self.report(id, &asked, self.arrived(asked.statuses.clone()), None);
                    Ok(())
                }
                answered => self.settle(&asked, id, answered),
            };
            outcome = outcome.and(settled);
        }
        outcome
    }

    /// Reports what became of a request that should be answered.
    fn settle(&self, asked: &Asked, id: String, answered: Result<Answer, hyper::Error>) -> Result<(), Failure> {
        let answer = match answered {
            Ok(answer) => answer,
            Err(error) => {
                self.report(id, asked, Fate::Uncertain(asked.or_aborted()), None);
                return Err(error.into());
            }
        };
        let is_unknown = asked.unusable_id.is_some();
        let told = answer.header("x-request-id").to_owned();
        assert!(is_unknown != (told == id), "{asked:?} with the id {id} was answered with {told}");
        let trace = answer.header("x-trace-id").to_owned();
        if let Some(sent) = &asked.trace_id {
            assert_eq!(&trace, sent, "{asked:?} continues its trace");
        }
        let ending = if answer.whole { Ending::Whole(answer.body.len() as u64) } else { Ending::Broken };
        let is_cut = asked.route == "/faults/cut";
        let status = answer.status.as_u16();
        self.report(told, asked, Fate::Answered(status, ending), Some(trace));
        assert!(asked.statuses.contains(&status), "{asked:?} was answered with {answer:?}");
        if answer.whole == is_cut && self.trust == Trust::Answers {
            return Err(format!("the body is not as it should be: {answer:?}").into());
        }
        Ok(())
    }

    fn report(&self, id: String, asked: &Asked, fate: Fate, trace_id: Option<String>) {
        self.report.send(Seen { id, what: asked.what(), fate, trace_id, at: Instant::now() }).unwrap();
    }

    /// The id of the next request.
    fn id(&mut self) -> String {
        self.requests += 1;
        format!("{}-{}", self.name, self.requests)
    }
}

fn request(asked: &Asked, id: &str) -> Request<Body> {
    let body = match &asked.content {
        Content::None => Body::empty(),
        Content::Sized(bytes) => bytes.clone().into(),
        Content::Chunked(chunks) => Scripted::body(chunks.iter().flat_map(|chunk| [Step::Data(chunk), Step::Pause])),
    };
    let mut builder = client::request(asked.method.parse().unwrap(), &asked.path);
    for (name, value) in &asked.headers {
        builder = builder.header(*name, &value[..]);
    }
    builder = match &asked.unusable_id {
        None => builder.header("x-request-id", id),
        Some(None) => builder,
        Some(Some(unusable)) => builder.header("x-request-id", &unusable[..]),
    };
    builder.body(body).unwrap()
}
