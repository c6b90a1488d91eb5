//! Turns. A connection that has more to read or to answer than others should wait for goes on behind them.

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use tokio::task::yield_now;
use tokio::time::sleep;

use super::account::Account;

/// Connections that go on after their first turn at once. Each is a task that has much to do; one that comes waits for few.
pub(super) const AT_ONCE: usize = 16;
/// Requests of HTTP/1 that are a turn, where they have come in one packet.
pub(super) const TURN_REQUESTS: u32 = 16;
/// While far too much is held for clients: pause in which the keeper can make room.
pub(super) const RELIEF_PAUSE: Duration = Duration::from_millis(2);
/// What a connection may hold, in bytes, and go on while far too much is held.
const LITTLE: usize = 4096;

/// Ready when it is the connection's turn again.
pub(in crate::server) type NextTurn = Pin<Box<dyn Future<Output = ()> + Send>>;

/// The turn of this connection is over. The next one lasts until its task gives way, or until it is over too.
pub(in crate::server) fn next_turn(account: &Arc<Account>) -> NextTurn {
    account.end_turn();
    let waits = Waits::begin(Arc::clone(account));
    Box::pin(async move {
        let Waits(account) = &waits;
        let clients = &account.clients;
        // Behind all that can be done now.
        yield_now().await;
        let turn = clients.turns.acquire().await.expect("the semaphore is never closed");
        while clients.is_far_over() && account.held() > LITTLE {
            clients.call_keeper();
            sleep(RELIEF_PAUSE).await;
        }
        if account.begin_turn() {
            turn.forget();
        }
    })
}

/// A connection that waits for its next turn.
struct Waits(Arc<Account>);

impl Waits {
    fn begin(account: Arc<Account>) -> Self {
        account.clients.change_waiting(true);
        Self(account)
    }
}

impl Drop for Waits {
    fn drop(&mut self) {
        self.0.clients.change_waiting(false);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_connection_has_one_turn_however_it_asks_and_gives_it_back() {
        let account = Account::alone();
        let clients = &account.clients;
        for _ in 0..2 {
            let (reading, answering) = (next_turn(&account), next_turn(&account));
            tokio::join!(reading, answering);
            assert_eq!(clients.turns.available_permits(), AT_ONCE - 1);
            account.end_turn();
            account.end_turn();
            assert_eq!(clients.turns.available_permits(), AT_ONCE);
        }
        drop(next_turn(&account));
        assert_eq!(clients.turns.available_permits(), AT_ONCE);
    }
}
