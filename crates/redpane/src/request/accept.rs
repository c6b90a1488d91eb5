//! What a client accepts (RFC 9110, section 12.5).

use http::{HeaderMap, HeaderName, header};

/// Whether `Accept-Encoding` takes gzip.
pub(crate) fn accepts_gzip(headers: &HeaderMap) -> bool {
    let (mut named, mut any) = (None, None);
    for range in list(headers, &header::ACCEPT_ENCODING) {
        if range.name.eq_ignore_ascii_case("gzip") || range.name.eq_ignore_ascii_case("x-gzip") {
            named = Some(range.weight());
        } else if range.name == "*" {
            any = Some(range.weight());
        }
    }
    named.or(any).is_some_and(|weight| weight > 0.0)
}

/// An item of such a list: a name, and what is said of it.
pub(crate) struct Range<'a> {
    pub(crate) name: &'a str,
    parameters: &'a str,
}

impl<'a> Range<'a> {
    pub(crate) fn parameter(&self, name: &str) -> Option<&'a str> {
        let mut pairs = self.parameters.split(';').filter_map(|pair| pair.split_once('='));
        pairs.find(|(key, _)| key.trim().eq_ignore_ascii_case(name)).map(|(_, value)| value.trim().trim_matches('"'))
    }

    /// Its quality: 1 where nothing is said, 0 where it is refused.
    pub(crate) fn weight(&self) -> f32 {
        self.parameter("q").map_or(1.0, |weight| weight.parse().unwrap_or(0.0))
    }
}

/// The items of a header whose value is a list.
pub(crate) fn list<'a>(headers: &'a HeaderMap, name: &HeaderName) -> impl Iterator<Item = Range<'a>> {
    let values = headers.get_all(name).into_iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',')).map(|range| {
        let (name, parameters) = range.split_once(';').unwrap_or((range, ""));
        Range { name: name.trim(), parameters }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(name: HeaderName, value: &str) -> HeaderMap {
        HeaderMap::from_iter([(name, value.parse().unwrap())])
    }

    #[test]
    fn gzip_only_where_it_is_taken() {
        for (encodings, taken) in
            [("gzip", true), ("br, gzip;q=0.5", true), ("*", true), ("*, gzip;q=0", false), ("br", false)]
        {
            assert_eq!(accepts_gzip(&headers(header::ACCEPT_ENCODING, encodings)), taken, "{encodings}");
        }
        assert!(!accepts_gzip(&HeaderMap::new()));
    }
}
