//! What a page does that nobody sees: its requests, what they weigh, and what goes wrong.

use serde_json::{Value, json};

use super::Browser;

const EVENTS: &[&str] = &[
    "Log.entryAdded",
    "Network.loadingFinished",
    "Network.requestWillBeSent",
    "Runtime.consoleAPICalled",
    "Runtime.exceptionThrown",
];

/// What was recorded.
#[derive(Debug, Default)]
pub struct Records {
    /// All requests, in their order.
    pub requests: Vec<Asked>,
    /// Exceptions, errors and warnings: of scripts, of the network, of the content security policy.
    pub problems: Vec<String>,
}

/// A request of a page.
#[derive(Debug)]
pub struct Asked {
    /// Where it went.
    pub url: String,
    /// Bytes of its answer over the wire, headers included; 0 while that is not whole.
    pub bytes: u64,
    id: String,
}

impl Browser {
    /// Records from now on what pages do.
    pub fn record(&mut self) {
        self.connection.keep(EVENTS);
        for domain in ["Log.enable", "Network.enable", "Runtime.enable"] {
            self.connection.ask(domain, json!({}));
        }
    }

    /// What was recorded since the last time.
    pub fn records(&mut self) -> Records {
        // Events come with answers.
        self.ask("0");
        let mut records = Records::default();
        for event in self.connection.take_events() {
            let about = &event["params"];
            match event["method"].as_str().unwrap_or_default() {
                "Network.requestWillBeSent" => records.requests.push(Asked {
                    url: text(&about["request"]["url"]),
                    bytes: 0,
                    id: text(&about["requestId"]),
                }),
                "Network.loadingFinished" => {
                    let id = text(&about["requestId"]);
                    if let Some(asked) = records.requests.iter_mut().find(|asked| asked.id == id) {
                        // A whole number that the protocol writes as it likes.
                        asked.bytes = about["encodedDataLength"].as_f64().map_or(0, |bytes| bytes as u64);
                    }
                }
                "Runtime.exceptionThrown" => records.problems.push(about["exceptionDetails"].to_string()),
                "Runtime.consoleAPICalled"
                    if matches!(about["type"].as_str(), Some("error" | "warning" | "assert")) =>
                {
                    records.problems.push(about["args"].to_string());
                }
                "Log.entryAdded" if matches!(about["entry"]["level"].as_str(), Some("error" | "warning")) => {
                    records.problems.push(about["entry"].to_string());
                }
                _ => {}
            }
        }
        records
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}
