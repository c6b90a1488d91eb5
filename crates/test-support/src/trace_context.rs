//! The rules of W3C Trace Context, read a second time.

/// Trace id, parent id and flags of a `traceparent` header, by the rules of W3C Trace Context, section 3.2, read dash by dash.
pub fn read_traceparent(header: &[u8]) -> Option<(String, String, u8)> {
    let hex = |part: &[u8], length: usize| {
        let lowercase = part.iter().all(|digit| matches!(digit, b'0'..=b'9' | b'a'..=b'f'));
        (part.len() == length && lowercase).then(|| String::from_utf8(part.to_vec()).unwrap())
    };
    let mut parts = header.splitn(5, |byte| *byte == b'-');
    let version = hex(parts.next()?, 2).filter(|version| version != "ff")?;
    let trace_id = hex(parts.next()?, 32).filter(|id| id.bytes().any(|digit| digit != b'0'))?;
    let parent_id = hex(parts.next()?, 16).filter(|id| id.bytes().any(|digit| digit != b'0'))?;
    let flags = u8::from_str_radix(&hex(parts.next()?, 2)?, 16).unwrap();
    let ends_here = parts.next().is_none();
    (ends_here || version != "00").then_some((trace_id, parent_id, flags))
}
