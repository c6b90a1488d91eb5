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

/// Whether this is a list that section 3.3.1 of W3C Trace Context (level 2) allows, with at least one member.
pub fn is_tracestate(list: &[u8]) -> bool {
    let Ok(list) = std::str::from_utf8(list) else { return false };
    let members: Vec<&str> = list.split(',').map(|member| member.trim_matches([' ', '\t'])).collect();
    let is_key_character = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "_-*/@".contains(c);
    let is_member = |member: &str| {
        let Some((key, value)) = member.split_once('=') else { return false };
        (1..=256).contains(&key.len())
            && !key.starts_with(['_', '-', '*', '/', '@'])
            && key.chars().all(is_key_character)
            && (1..=256).contains(&value.len())
            && value.chars().all(|c| c == ' ' || c.is_ascii_graphic() && c != '=')
    };
    let members: Vec<&str> = members.into_iter().filter(|member| !member.is_empty()).collect();
    (1..=32).contains(&members.len()) && members.into_iter().all(is_member)
}
