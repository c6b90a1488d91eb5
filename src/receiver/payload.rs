//! A webhook, whose alerts are read one by one: one that cannot be used does not take the others with it.
//!
//! Nothing here is parsed into a tree: `{"":0}` would take a hundred times its size.

use std::fmt;

use serde::de::{SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

/// Most alerts in one payload.
pub(super) const ALERT_LIMIT: usize = 10_000;

/// One webhook.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Payload<'a> {
    #[serde(borrow)]
    pub(super) alerts: Alerts<'a>,
    #[serde(default)]
    pub(super) receiver: Option<String>,
    #[serde(default, deserialize_with = "null_as_default")]
    pub(super) truncated_alerts: u64,
}

/// The alerts of a payload.
#[derive(Debug)]
pub(super) struct Alerts<'a> {
    /// The first [`ALERT_LIMIT`] of them.
    pub(super) first: Vec<&'a RawValue>,
    /// How many there are.
    pub(super) count: usize,
}

impl<'de: 'a, 'a> Deserialize<'de> for Alerts<'a> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct List;
        impl<'de> Visitor<'de> for List {
            type Value = Alerts<'de>;

            fn expecting(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
                to.write_str("a sequence")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
                let mut alerts = Alerts { first: Vec::new(), count: 0 };
                while let Some(alert) = list.next_element()? {
                    if alerts.count < ALERT_LIMIT {
                        alerts.first.push(alert);
                    }
                    alerts.count += 1;
                }
                Ok(alerts)
            }
        }
        from.deserialize_seq(List)
    }
}

fn null_as_default<'de, D: Deserializer<'de>, T: Deserialize<'de> + Default>(from: D) -> Result<T, D::Error> {
    Option::deserialize(from).map(Option::unwrap_or_default)
}
