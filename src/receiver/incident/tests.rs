use serde_json::{Value, json};

use super::*;

/// Lives as long as the test.
fn alert(value: Value) -> Alert<'static> {
    serde_json::from_str(value.to_string().leak()).expect("an alert")
}

#[test]
fn times_of_rfc_3339() {
    let cases = [
        ("1970-01-01T00:00:00Z", Some(0)),
        ("2026-11-22T10:00:00Z", Some(1_795_341_600_000)),
        ("2026-11-22T11:00:00.25+01:00", Some(1_795_341_600_250)),
        ("2024-02-29T23:59:59.999999999-00:30", Some(1_709_252_999_999)),
        ("2026-11-22T10:00:00+9223372036854775807:00", None),
        ("2026-11-22T10:00:00-9223372036854775:59", None),
        ("2026-11-22T10:00:00+2000000000000000:00", None),
        ("2026-11-22", None),
        ("2026-11-22T10:00:00", None),
        ("yesterday, at ten o'clock", None),
        ("", None),
    ];
    for (text, millis) in cases {
        assert_eq!(unix_millis(text), millis, "{text:?}");
    }
}

#[test]
fn a_link_shows_the_incident_and_its_service() {
    let times = json!({"status": "firing", "labels": {"app": "or ders"}, "startsAt": "2026-11-22T10:00:00Z"});
    let firing = alert(times.clone());
    let of = |url: &str| link(url, &firing);
    assert_eq!(of("http://g/d/x?from=now-1h&to=now"), "http://g/d/x?from=1795338000000&to=now&var-app=or%20ders");
    assert_eq!(of("http://g/d/x?var-app=a"), "http://g/d/x?var-app=a");
    assert_eq!(of("http://g/d/x"), "http://g/d/x?var-app=or%20ders");
    let explore = format!("http://g/explore?panes=%7B{ENCODED}%7D");
    assert_eq!(of(&explore), "http://g/explore?panes=%7B%22from%22%3A%221795338000000%22%2C%22to%22%3A%22now%22%7D");

    let mut ended = times;
    ended["status"] = json!("resolved");
    ended["endsAt"] = json!("2026-11-22T13:00:00Z");
    let resolved = alert(ended);
    let whole = "http://g/d/x?from=1795338000000&to=1795352700000&var-app=or%20ders";
    assert_eq!(link("http://g/d/x?from=now-1h&to=now", &resolved), whole);
}

#[test]
fn a_link_without_times_or_service_stays_as_it_is() {
    let bare = alert(json!({"startsAt": "soon"}));
    let url = "http://g/d/x?from=now-1h&to=now";
    assert_eq!(link(url, &bare), url);
}

#[test]
fn a_name_that_is_too_long_for_each_link_is_left_out() {
    let long = alert(json!({"labels": {"app": "\u{7f}".repeat(129)}}));
    assert_eq!(link("http://g/d/x", &long), "http://g/d/x");
}
