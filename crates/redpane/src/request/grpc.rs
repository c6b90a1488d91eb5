//! gRPC's codes: their numbers, their names, and whose fault they are.

use std::time::Duration;

use http::{HeaderMap, HeaderValue, StatusCode};

/// The names of the codes as go-grpc-prometheus spells them, by number.
pub(crate) const CODES: [&str; 17] = [
    "OK",
    "Canceled",
    "Unknown",
    "InvalidArgument",
    "DeadlineExceeded",
    "NotFound",
    "AlreadyExists",
    "PermissionDenied",
    "ResourceExhausted",
    "FailedPrecondition",
    "Aborted",
    "OutOfRange",
    "Unimplemented",
    "Internal",
    "Unavailable",
    "DataLoss",
    "Unauthenticated",
];

/// The same as gRPC's own documents spell them, and with them OpenTelemetry's conventions.
#[cfg(feature = "otlp")]
const STATUS_CODES: [&str; 17] = [
    "OK",
    "CANCELLED",
    "UNKNOWN",
    "INVALID_ARGUMENT",
    "DEADLINE_EXCEEDED",
    "NOT_FOUND",
    "ALREADY_EXISTS",
    "PERMISSION_DENIED",
    "RESOURCE_EXHAUSTED",
    "FAILED_PRECONDITION",
    "ABORTED",
    "OUT_OF_RANGE",
    "UNIMPLEMENTED",
    "INTERNAL",
    "UNAVAILABLE",
    "DATA_LOSS",
    "UNAUTHENTICATED",
];

/// A code of gRPC, from 0 to 16.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct GrpcCode(u8);

impl GrpcCode {
    pub(crate) const OK: Self = Self(0);
    pub(crate) const CANCELED: Self = Self(1);
    pub(crate) const UNKNOWN: Self = Self(2);
    pub(crate) const DEADLINE_EXCEEDED: Self = Self(4);
    pub(crate) const INTERNAL: Self = Self(13);

    /// What `grpc-status` says in headers or trailers. A value that is no code is unknown, as clients see it.
    pub(crate) fn of(headers: &HeaderMap) -> Option<Self> {
        let text = headers.get("grpc-status")?.to_str().ok();
        let code = text.and_then(|text| text.parse().ok()).filter(|code| usize::from(*code) < CODES.len());
        Some(code.map_or(Self::UNKNOWN, Self))
    }

    /// What clients make of an HTTP status that comes in place of a code (gRPC's http-grpc-status-mapping).
    pub(crate) fn of_status(status: StatusCode) -> Self {
        Self(match status.as_u16() {
            400 => 13,
            401 => 16,
            403 => 7,
            404 => 12,
            429 | 502..=504 => 14,
            _ => 2,
        })
    }

    pub(crate) fn number(self) -> usize {
        self.0.into()
    }

    pub(crate) fn name(self) -> &'static str {
        CODES[self.number()]
    }

    /// As `rpc.status_code` has it.
    #[cfg(feature = "otlp")]
    pub(crate) fn status_code(self) -> &'static str {
        STATUS_CODES[self.number()]
    }

    /// Whether the server is to blame, as OpenTelemetry's conventions for RPC servers see it: Unknown, DeadlineExceeded,
    /// Unimplemented, Internal, Unavailable, DataLoss.
    pub(crate) fn is_servers_fault(self) -> bool {
        matches!(self.0, 2 | 4 | 12..=15)
    }
}

/// The value of `grpc-timeout`: at most eight digits and a unit.
pub(crate) fn timeout(value: &HeaderValue) -> Option<Duration> {
    let text = value.to_str().ok()?;
    let (digits, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    let count: u64 = digits.parse().ok().filter(|_| digits.len() <= 8)?;
    Some(match unit {
        "H" => Duration::from_secs(count * 3600),
        "M" => Duration::from_secs(count * 60),
        "S" => Duration::from_secs(count),
        "m" => Duration::from_millis(count),
        "u" => Duration::from_micros(count),
        "n" => Duration::from_nanos(count),
        _ => return None,
    })
}

/// Counts the messages in the body of an answer, each with five bytes before it: a flag and its length.
#[derive(Debug, Default)]
pub(crate) struct Messages {
    /// Of messages that have begun.
    pub(crate) count: u64,
    head: [u8; 5],
    /// Bytes of the head that have come.
    filled: usize,
    /// Bytes of the message that have not.
    missing: u64,
}

impl Messages {
    /// Whether the last message has come whole, or none has begun.
    pub(crate) fn is_whole(&self) -> bool {
        self.filled == 0 && self.missing == 0
    }

    /// Takes the next bytes of the body.
    pub(crate) fn read(&mut self, mut bytes: &[u8]) {
        loop {
            let skipped = self.missing.min(bytes.len() as u64);
            self.missing -= skipped;
            bytes = &bytes[skipped as usize..];
            if bytes.is_empty() {
                return;
            }
            self.count += u64::from(self.filled == 0);
            let taken = bytes.len().min(self.head.len() - self.filled);
            self.head[self.filled..][..taken].copy_from_slice(&bytes[..taken]);
            bytes = &bytes[taken..];
            self.filled += taken;
            if self.filled == self.head.len() {
                let [_, length @ ..] = self.head;
                self.missing = u32::from_be_bytes(length).into();
                self.filled = 0;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_have_their_names_and_what_is_none_is_unknown() {
        let code = |text: &'static str| {
            GrpcCode::of(&HeaderMap::from_iter([("grpc-status".parse().unwrap(), HeaderValue::from_static(text))]))
        };
        assert_eq!(code("0"), Some(GrpcCode::OK));
        assert_eq!(code("16").map(GrpcCode::name), Some("Unauthenticated"));
        for none in ["17", "-1", "OK", ""] {
            assert_eq!(code(none), Some(GrpcCode::UNKNOWN), "{none}");
        }
        assert_eq!(GrpcCode::of(&HeaderMap::new()), None);
        assert_eq!(GrpcCode::of_status(StatusCode::SERVICE_UNAVAILABLE).name(), "Unavailable");
    }

    #[test]
    fn timeouts_have_a_unit_and_at_most_eight_digits() {
        let of = |text: &'static str| timeout(&HeaderValue::from_static(text));
        assert_eq!(of("100m"), Some(Duration::from_millis(100)));
        assert_eq!(of("99999999H"), Some(Duration::from_secs(99_999_999 * 3600)));
        for bad in ["", "m", "1", "1x", "100000000S", "-1S"] {
            assert_eq!(of(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_message_is_whole_with_its_last_byte() {
        let mut messages = Messages::default();
        let wholes = b"\0\0\0\0\x02ab\0\0\0\0\0".map(|byte| {
            messages.read(&[byte]);
            messages.is_whole()
        });
        assert_eq!(wholes.map(u8::from), [0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1]);
    }

    #[test]
    fn messages_are_counted_however_they_are_cut() {
        let body: Vec<u8> = [&b"\0\0\0\0\x02ab"[..], b"\0\0\0\0\0", b"\0\0\0\0\x01c"].concat();
        for size in 1..=body.len() {
            let mut messages = Messages::default();
            body.chunks(size).for_each(|chunk| messages.read(chunk));
            assert_eq!((messages.count, messages.is_whole()), (3, true), "in pieces of {size}");
        }
    }
}
