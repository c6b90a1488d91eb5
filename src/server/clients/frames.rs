//! Frames of HTTP/2 among the bytes of a connection, and how many of them make a turn.

/// Bytes in front of the payload of each frame (RFC 9113, section 4.1).
const HEAD: usize = 9;
const HEADERS: u8 = 1;
const SETTINGS: u8 = 4;

/// Work of a turn, after which other connections have theirs: sixteen requests. Whoever sends a hundred requests in one packet
/// must not have a hundred times the turns of others.
pub(super) const TURN: u32 = 32;
/// The same where many connections wait for their next turn: two requests.
pub(super) const SHORT_TURN: u32 = 4;
/// Bytes of a turn, however few frames they are; of HTTP/1 too.
pub(super) const TURN_BYTES: usize = 16 * 1024;

/// Follows the frames of a connection.
#[derive(Debug)]
pub(super) struct Frames {
    /// The head of a frame, as far as it is known.
    head: [u8; HEAD],
    known: usize,
    /// Bytes of the frame's payload that are yet to come.
    payload: usize,
    /// Work that is left of the turn.
    work: u32,
    bytes: usize,
}

impl Default for Frames {
    fn default() -> Self {
        Self { head: [0; HEAD], known: 0, payload: 0, work: TURN, bytes: 0 }
    }
}

impl Frames {
    /// How many of these bytes, the next of the connection, belong to this turn. All of them, but for those of a frame that
    /// begins when the work of the turn is done.
    pub(super) fn take(&mut self, bytes: &[u8]) -> usize {
        let mut taken = 0;
        while taken < bytes.len() && !(self.is_between() && self.work == 0) {
            if self.payload > 0 {
                let skipped = self.payload.min(bytes.len() - taken);
                self.payload -= skipped;
                taken += skipped;
                continue;
            }
            self.head[self.known] = bytes[taken];
            self.known += 1;
            taken += 1;
            if self.known == HEAD {
                self.begin_frame();
            }
        }
        self.bytes += taken;
        taken
    }

    fn begin_frame(&mut self) {
        let [high, middle, low, kind, ..] = self.head;
        self.payload = u32::from_be_bytes([0, high, middle, low]) as usize;
        self.known = 0;
        let work = match kind {
            // A request.
            HEADERS => 2,
            // It may change the windows of all streams.
            SETTINGS => TURN,
            _ => 1,
        };
        self.work = self.work.saturating_sub(work);
    }

    fn is_between(&self) -> bool {
        self.known == 0 && self.payload == 0
    }

    /// Whether nothing more may come before others had their turn.
    pub(super) fn turn_is_over(&self) -> bool {
        self.bytes >= TURN_BYTES || self.is_between() && self.work == 0
    }

    pub(super) fn begin_turn(&mut self, work: u32) {
        self.work = work;
        self.bytes = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(kind: u8, payload: usize) -> Vec<u8> {
        let length = u32::try_from(payload).expect("short").to_be_bytes();
        let head = [length[1], length[2], length[3], kind, 0, 0, 0, 0, 1];
        [&head[..], &vec![0; payload]].concat()
    }

    #[test]
    fn a_turn_ends_between_two_frames() {
        let request = frame(HEADERS, 20);
        let many = request.repeat(100);
        let mut frames = Frames::default();
        assert_eq!(frames.take(&many), 16 * request.len());
        assert!(frames.turn_is_over());
        assert_eq!(frames.take(&many), 0, "not before the next turn");
        frames.begin_turn(SHORT_TURN);
        assert!(!frames.turn_is_over());
        assert_eq!(frames.take(&many), 2 * request.len());
    }

    #[test]
    fn it_is_the_same_however_the_bytes_come() {
        let many = [frame(HEADERS, 0), frame(9, 300), frame(0, 70), frame(6, 8)].concat().repeat(30);
        let mut frames = Frames::default();
        let whole = frames.take(&many);
        let mut frames = Frames::default();
        let single: usize =
            many.iter().map(|byte| frames.take(std::slice::from_ref(byte))).take_while(|n| *n > 0).sum();
        assert_eq!(whole, single);
        assert!(frames.turn_is_over() && whole < many.len());
    }

    #[test]
    fn settings_are_a_turn_of_their_own_and_so_are_many_bytes() {
        let mut frames = Frames::default();
        let settings = frame(SETTINGS, 6);
        assert_eq!(frames.take(&settings.repeat(2)), settings.len());
        frames.begin_turn(TURN);
        let data = frame(0, TURN_BYTES);
        assert_eq!(frames.take(&data[..TURN_BYTES - 1]), TURN_BYTES - 1);
        assert!(!frames.turn_is_over());
        assert_eq!(frames.take(&data[TURN_BYTES - 1..]), HEAD + 1);
        assert!(frames.turn_is_over());
    }
}
