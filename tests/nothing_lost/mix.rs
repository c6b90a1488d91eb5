//! The mix: from one seed, requests of every kind and ways to end them.

mod requests;

use rand::rngs::SmallRng;
use rand::seq::IndexedRandom;
use rand::{Rng, SeedableRng};

pub(crate) use requests::{Asked, Content};

/// How long the service lets a request of the mix take before it answers 503.
pub(crate) const REQUEST_TIMEOUT: &str = "700ms";
/// The largest body it takes.
pub(crate) const BODY_LIMIT: usize = 64 * 1024;

/// Something a client does.
#[derive(Clone, Debug)]
pub(crate) enum Deed {
    /// One request on the connection that the client keeps.
    Ask(Asked),
    /// One request on a connection of its own, which the answer closes.
    AskOnce(Asked),
    /// Requests at once on one HTTP/2 connection, some of them cancelled.
    Streams(Vec<(Asked, bool)>),
    /// Requests in one write; the client reads all the answers, or leaves after the first.
    Pipeline { asked: Vec<Asked>, leaves: bool },
    /// A request that its client does not see through.
    Leave(Leaving),
    /// A request of bytes that no HTTP library would send.
    Odd(Odd),
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum Leaving {
    InTheHead,
    InTheBody,
    BeforeTheAnswer,
    InTheAnswer,
    WithHalfAConnection,
    WithAReset,
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum Odd {
    /// The rest of the body is never sent.
    Unfinished,
    /// A chunk whose size is no number.
    BrokenChunk,
    /// The body comes only after `100 Continue`.
    Expecting,
}

/// What a mix leaves out.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Without {
    /// Requests that end by the request timeout, where that is long.
    pub(crate) timeouts: bool,
    /// Certainty, where the service is ending: answers that tell a request's id may not come, and probes may fail.
    pub(crate) certainty: bool,
}

/// A stream of deeds that its seed decides.
pub(crate) struct Mix {
    random: SmallRng,
    without: Without,
}

impl Mix {
    pub(crate) fn new(seed: u64, without: Without) -> Self {
        Self { random: SmallRng::seed_from_u64(seed), without }
    }

    pub(crate) fn deed(&mut self) -> Deed {
        match self.random.random_range(0..100) {
            0..60 => Deed::Ask(self.dressed(true)),
            60..70 => Deed::AskOnce(self.dressed(true)),
            70..76 => Deed::Streams(self.streams()),
            76..84 => {
                let leaves = self.random.random_bool(0.3);
                Deed::Pipeline { asked: self.pipeline(leaves), leaves }
            }
            84..97 => Deed::Leave(self.leaving()),
            _ => Deed::Odd(self.odd()),
        }
    }

    fn streams(&mut self) -> Vec<(Asked, bool)> {
        let streams = self.random.random_range(1..8);
        let stream = |_| {
            let asked = self.dressed(false);
            let is_cancelled = asked.may_be_left() && self.random.random_bool(0.1);
            (asked, is_cancelled)
        };
        (0..streams).map(stream).collect()
    }

    /// Requests without a body, so that all of them are in the write.
    fn pipeline(&mut self, leaves: bool) -> Vec<Asked> {
        let requests = self.random.random_range(2..7);
        let mut bodiless = std::iter::repeat_with(|| self.dressed(false)).filter(|asked| {
            // After a body that breaks off there is no next answer, and one to HEAD has a length but no body.
            matches!(asked.content, Content::None)
                && asked.route != "/faults/cut"
                && asked.method != "HEAD"
                && (!leaves || asked.may_be_left())
        });
        bodiless.by_ref().take(requests).collect()
    }

    fn leaving(&mut self) -> Leaving {
        use Leaving::{BeforeTheAnswer, InTheAnswer, InTheBody, InTheHead, WithAReset, WithHalfAConnection};
        let all = [InTheHead, InTheBody, BeforeTheAnswer, InTheAnswer, WithHalfAConnection, WithAReset];
        *all.choose(&mut self.random).unwrap()
    }

    fn odd(&mut self) -> Odd {
        let all = [Odd::BrokenChunk, Odd::Expecting, Odd::Unfinished];
        all[self.random.random_range(..all.len() - usize::from(self.without.timeouts))]
    }

    /// A request with the headers of an odd client. Its id may be one that the service has to replace.
    fn dressed(&mut self, may_be_unknown: bool) -> Asked {
        let mut asked = self.asked();
        if self.random.random_bool(0.3) {
            let trace = format!("{:032x}", self.random.random::<u128>() | 1);
            let parent = format!("{:016x}", self.random.random::<u64>() | 1);
            asked.headers.push(("traceparent", format!("00-{trace}-{parent}-01").into()));
            asked.trace_id = Some(trace);
        } else if self.random.random_bool(0.2) {
            let bad = ["", "00-0-0-00", "ff-", "00-00000000000000000000000000000000-0000000000000000-00", "x;y=\"z\""];
            asked.headers.push(("traceparent", (*bad.choose(&mut self.random).unwrap()).into()));
        }
        if self.random.random_bool(0.3) {
            let agents: [&[u8]; 4] = [b"curl/8.0", b"\"quotes\" \\ and\ttabs", b"caf\xc3\xa9 \xff\xfe", b""];
            asked.headers.push(("user-agent", agents.choose(&mut self.random).unwrap().to_vec()));
        }
        if may_be_unknown && !self.without.certainty && self.random.random_bool(0.1) {
            let bad = ["two words", "", "caf\u{e9}", "none"];
            let bad = *bad.choose(&mut self.random).unwrap();
            asked.unusable_id = Some(if bad == "none" { None } else { Some(bad.as_bytes().to_vec()) });
        }
        asked
    }
}
