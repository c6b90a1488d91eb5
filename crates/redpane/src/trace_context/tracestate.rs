//! The header `tracestate`: what systems of tracing keep in a trace, as a list of members `key=value`.

use http::HeaderValue;

/// The most members of a list.
const MAX_MEMBERS: usize = 32;
/// The most bytes that are kept: what the standard wants of everybody who passes a list on. It goes into every span too.
const MAX_BYTES: usize = 512;
/// Members that are longer are left out first.
const LONG_MEMBER: usize = 128;

/// What is kept of a list that a caller sent: all of it where it has at most 512 bytes, else whole members of it, in their
/// order. `None` where there are no members, or where the list breaks a rule of the standard: it is discarded then.
pub(crate) fn keep(list: HeaderValue) -> Option<HeaderValue> {
    let count = members(list.as_bytes()).count();
    if count == 0 || count > MAX_MEMBERS || !members(list.as_bytes()).all(is_member) {
        return None;
    }
    if list.len() <= MAX_BYTES {
        return Some(list);
    }
    let mut members: Vec<&[u8]> = members(list.as_bytes()).collect();
    while members.iter().map(|member| member.len() + 1).sum::<usize>() > MAX_BYTES + 1 {
        // The last one has been in the list for the longest time.
        let long = members.iter().rposition(|member| member.len() > LONG_MEMBER);
        members.remove(long.unwrap_or(members.len() - 1));
    }
    HeaderValue::from_bytes(&members.join(&b',')).ok().filter(|list| !list.is_empty())
}

/// Members may be empty; those say nothing.
fn members(list: &[u8]) -> impl Iterator<Item = &[u8]> {
    list.split(|byte| *byte == b',').map(<[u8]>::trim_ascii).filter(|member| !member.is_empty())
}

/// A key of at most 256 characters, and a value of at most 256 that are visible or, but at its end, spaces.
fn is_member(member: &[u8]) -> bool {
    let Some(at) = member.iter().position(|byte| *byte == b'=') else { return false };
    let (key, value) = (&member[..at], &member[at + 1..]);
    let begins = |byte: &u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let is_key = key.first().is_some_and(begins) && key.iter().all(|byte| begins(byte) || b"_-*/@".contains(byte));
    let is_value = !value.is_empty() && value.iter().all(|byte| matches!(byte, b' '..=b'~') && *byte != b'=');
    is_key && is_value && key.len() <= 256 && value.len() <= 256
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept(list: &str) -> Option<String> {
        keep(list.parse().unwrap()).map(|kept| kept.to_str().unwrap().to_owned())
    }

    #[test]
    fn what_the_standard_allows_is_kept_as_it_came() {
        let many = (0..32).map(|at| format!("k{at}={at}")).collect::<Vec<_>>().join(",");
        let long = format!("a={},b={}", "x".repeat(252), "y".repeat(255));
        assert_eq!(long.len(), MAX_BYTES);
        for list in ["a=1", "rojo=00f067aa0ba902b7,congo=t61rcWkgMzE", "a=1 , b=2,,\tc=3", "1a@b-_*/=x y", &many, &long]
        {
            assert_eq!(kept(list).as_deref(), Some(list));
        }
    }

    #[test]
    fn what_breaks_a_rule_is_discarded() {
        let many = (0..33).map(|at| format!("k{at}={at}")).collect::<Vec<_>>().join(",");
        let [key, value] = [("k", "="), ("a=", "")].map(|(one, end)| format!("{one}{}{end}1", "x".repeat(256)));
        for list in ["", " , ", "a", "=1", "a=", "A=1", "@a=1", "a=1=2", "a b=1", "a=1,b", "a=\t1", &many, &key, &value]
        {
            assert_eq!(kept(list), None, "{list:?}");
        }
        assert_eq!(keep(HeaderValue::from_bytes(b"a=\xe4").unwrap()), None);
    }

    #[test]
    fn a_long_list_loses_whole_members_the_long_and_the_last_first() {
        let [long, short] = [200, 100].map(|length| "x".repeat(length));
        assert_eq!(kept(&format!("a={long},b=1,c={long},d={long}")), Some(format!("a={long},b=1,c={long}")));
        let list = ["a", "b", "c", "d", "e", "f"].map(|key| format!("{key}={short}"));
        assert_eq!(kept(&format!("z={long},{}", list.join(","))), Some(list[..4].join(",")));
    }
}
