//! Who reads `/metrics`, so that each of them can read once more before the process ends.

use std::collections::HashMap;
use std::net::IpAddr;
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::middleware::{Next, from_fn};
use axum::response::Response;
use http::{Method, StatusCode};
use redpane::ClientAddr;
use tokio::sync::Notify;
use tokio::time::Instant;

use super::told_body::ToldBody;

/// Who has read for the last time longer ago than this is not expected any more.
const FORGOTTEN: Duration = Duration::from_secs(300);
/// A process that lives for less may end before anybody has read.
const YOUNG: Duration = Duration::from_secs(60);
/// Readers that are remembered. Of more, those who were here last.
const READERS: usize = 64;

/// The readers of a server's metrics. Clones share them.
#[derive(Debug, Clone)]
pub(super) struct Scrapes {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    started: Instant,
    readers: Mutex<HashMap<IpAddr, Reader>>,
    read: Notify,
}

#[derive(Debug, Clone, Copy)]
struct Reader {
    reads: u32,
    /// When its last whole answer was begun.
    last: Instant,
}

impl Scrapes {
    pub(super) fn new() -> Self {
        let shared = Shared { started: Instant::now(), readers: Mutex::default(), read: Notify::new() };
        Self { shared: Arc::new(shared) }
    }

    /// The same router, each of whose answers to `GET` is remembered when all of it was handed over.
    pub(super) fn watch(&self, router: Router) -> Router {
        let shared = Arc::clone(&self.shared);
        router.layer(from_fn(move |request, next| answer(Arc::clone(&shared), request, next)))
    }

    /// Whom a process that ends now should wait for: who has read more than once, and lately. `None` where nobody has, and somebody would
    /// have by now.
    pub(super) fn expected(&self, now: Instant) -> Option<Vec<IpAddr>> {
        let readers = self.shared.readers();
        let lately = |reader: &Reader| now.duration_since(reader.last) < FORGOTTEN;
        let of = |least| readers.iter().filter(move |(_, reader)| reader.reads >= least && lately(reader));
        let scrapers: Vec<_> = of(2).map(|(address, _)| *address).collect();
        (!scrapers.is_empty() || of(1).next().is_some() || now.duration_since(self.shared.started) < YOUNG)
            .then_some(scrapers)
    }

    /// Waits until each of these has read what was there at that moment; anybody, if there are none.
    pub(super) async fn read_by(&self, expected: &[IpAddr], since: Instant) {
        loop {
            let mut read = pin!(self.shared.read.notified());
            read.as_mut().enable();
            if self.missing(expected, since).is_empty() && self.shared.readers().values().any(|it| it.last >= since) {
                return;
            }
            read.await;
        }
    }

    /// Those of `expected` who have not.
    pub(super) fn missing(&self, expected: &[IpAddr], since: Instant) -> Vec<IpAddr> {
        let readers = self.shared.readers();
        let has_read = |address: &IpAddr| readers.get(address).is_some_and(|reader| reader.last >= since);
        expected.iter().filter(|address| !has_read(address)).copied().collect()
    }
}

impl Shared {
    fn readers(&self) -> MutexGuard<'_, HashMap<IpAddr, Reader>> {
        self.readers.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn has_read(&self, address: IpAddr, began: Instant) {
        let mut readers = self.readers();
        if readers.len() >= READERS && !readers.contains_key(&address) {
            let oldest = readers.iter().min_by_key(|(_, reader)| reader.last).map(|(address, _)| *address);
            oldest.and_then(|oldest| readers.remove(&oldest));
        }
        let reads = readers.get(&address).map_or(0, |reader| reader.reads).saturating_add(1);
        readers.insert(address, Reader { reads, last: began });
        drop(readers);
        self.read.notify_waiters();
    }
}

async fn answer(shared: Arc<Shared>, request: Request, next: Next) -> Response {
    let began = Instant::now();
    // HEAD reads nothing.
    let is_read = request.method() == Method::GET;
    let client = request.extensions().get().map(|ClientAddr(client)| *client);
    let response = next.run(request).await;
    match client {
        Some(client) if is_read && response.status() == StatusCode::OK => {
            let tell = move || shared.has_read(client.ip(), began);
            response.map(|body| Body::new(ToldBody::new(body, tell)))
        }
        _ => response,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn addresses(count: u8) -> Vec<IpAddr> {
        (0..count).map(|last| IpAddr::from([10, 0, 0, last])).collect()
    }

    #[test]
    fn who_reads_again_and_again_is_waited_for() {
        let scrapes = Scrapes::new();
        let begun = scrapes.shared.started;
        assert_eq!(scrapes.expected(begun), Some(vec![]), "too young to know");
        let later = begun + YOUNG;
        assert_eq!(scrapes.expected(later), None);
        let (prometheus, person) = (addresses(2)[0], addresses(2)[1]);
        scrapes.shared.has_read(person, later);
        assert_eq!(scrapes.expected(later), Some(vec![]), "who may be the first of many");
        scrapes.shared.has_read(prometheus, begun);
        scrapes.shared.has_read(prometheus, later);
        assert_eq!(scrapes.expected(later), Some(vec![prometheus]));
        assert_eq!(scrapes.expected(later + FORGOTTEN), None);
    }

    #[tokio::test]
    async fn each_of_them_is_waited_for() {
        let scrapes = Scrapes::new();
        let two = addresses(2);
        let since = scrapes.shared.started + Duration::from_secs(1);
        scrapes.shared.has_read(two[0], scrapes.shared.started);
        assert_eq!(scrapes.missing(&two, since), two);
        let waiting = tokio::spawn({
            let (scrapes, two) = (scrapes.clone(), two.clone());
            async move { scrapes.read_by(&two, since).await }
        });
        scrapes.shared.has_read(two[1], since);
        tokio::task::yield_now().await;
        assert_eq!(scrapes.missing(&two, since), two[..1]);
        assert!(!waiting.is_finished());
        scrapes.shared.has_read(two[0], since);
        waiting.await.expect("it was waiting for nobody else");
    }

    #[test]
    fn no_more_readers_are_remembered_than_there_is_room_for() {
        let scrapes = Scrapes::new();
        let all = addresses(READERS as u8 + 3);
        for (place, address) in all.iter().enumerate() {
            scrapes.shared.has_read(*address, scrapes.shared.started + Duration::from_secs(place as u64));
        }
        let readers = scrapes.shared.readers();
        assert_eq!(readers.len(), READERS);
        assert!(all[3..].iter().all(|address| readers.contains_key(address)), "the last ones");
    }
}
