//! What a connection has to know of the head of a request.

use http::{HeaderMap, HeaderValue, header};

/// Found in one look at all fields: to ask for each of them takes longer.
pub(super) struct Head<'a> {
    /// Of names and values.
    pub(super) bytes: usize,
    /// The last, where there are more.
    pub(super) host: Option<&'a HeaderValue>,
    /// How many there are.
    pub(super) hosts: usize,
}

impl<'a> Head<'a> {
    pub(super) fn of(headers: &'a HeaderMap) -> Self {
        let mut head = Self { bytes: 0, host: None, hosts: 0 };
        for (name, value) in headers {
            head.bytes += name.as_str().len() + value.len();
            if *name == header::HOST {
                head.host = Some(value);
                head.hosts += 1;
            }
        }
        head
    }
}
