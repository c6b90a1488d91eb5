//! A real browser, driven as somebody with a mouse would: Chromium or Chrome, over its own DevTools protocol, so that no
//! driver has to be installed beside it.
//!
//! What a page shows is asked for in JavaScript; what is done to it are real events of the mouse at a place on the screen,
//! which reach whatever lies on top there.

mod input;
mod protocol;
mod records;

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Value, json};

use self::protocol::Connection;

pub use self::records::{Asked, Records};

/// Names of the program, by distribution.
pub const NAMES: [&str; 4] = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];

/// Above what a page with thirty queries takes on a busy machine with two cores.
const DEADLINE: Duration = Duration::from_secs(90);
const PAUSE: Duration = Duration::from_millis(100);
/// What the browser says to a question about a page that is just being left.
const GOING_AWAY: [&str; 3] = [
    "Inspected target navigated or closed",
    "Execution context was destroyed.",
    "Cannot find default execution context",
];
/// Time in which a click on a link has led somewhere.
const CLICK_AGAIN: Duration = Duration::from_secs(15);

/// A running browser with a page in front. Dropping it ends it.
#[derive(Debug)]
pub struct Browser {
    child: Child,
    profile: PathBuf,
    connection: Connection,
    /// Width and height in pixels that were asked for: a new tab gets them too.
    size: Option<(u32, u32)>,
    /// Pages that were in front, the latest last.
    pages: Vec<String>,
}

/// The installed browser's name.
pub fn installed() -> Option<&'static str> {
    let works = |name: &&str| Command::new(name).arg("--version").output().is_ok_and(|output| output.status.success());
    NAMES.into_iter().find(works)
}

impl Browser {
    /// Starts a browser of this name with an empty page and a profile of its own.
    pub fn start(name: &str) -> Self {
        static STARTED: AtomicUsize = AtomicUsize::new(0);
        let number = STARTED.fetch_add(1, Ordering::Relaxed);
        let profile = std::env::temp_dir().join(format!("redpane-browser-{}-{number}", std::process::id()));
        drop(std::fs::remove_dir_all(&profile));
        let mut command = Command::new(name);
        // Without a sandbox, which needs rights that containers and CI do not give: it opens this machine's pages only.
        command.args(["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run"]);
        command.args(["--disable-background-networking", "--disable-component-update", "--disable-sync"]);
        command.args(["--remote-debugging-port=0", "--hide-scrollbars", "about:blank"]);
        command.arg(format!("--user-data-dir={}", profile.display()));
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let child = command.spawn().unwrap_or_else(|error| panic!("{name} does not start: {error}"));
        let told = profile.join("DevToolsActivePort");
        let address = wait("the browser says where it listens", || {
            let text = std::fs::read_to_string(&told).ok()?;
            let (port, path) = text.split_once('\n')?;
            path.starts_with('/').then(|| format!("ws://127.0.0.1:{port}{path}"))
        });
        let mut browser =
            Self { child, profile, connection: Connection::open(&address), size: None, pages: Vec::new() };
        let page = wait("its first page", || browser.new_page());
        browser.take(page);
        browser
    }

    /// Clicks on a link and waits until it has led to another page, which may be a tab of its own: then that is in front. A page
    /// that is still being drawn may miss a click, so it is clicked again where nothing happens, as a person would.
    ///
    /// # Panics
    /// When three clicks lead nowhere.
    pub fn follow(&mut self, what: &str, link: &str) {
        let before = self.ask("location.pathname");
        for _ in 0..3 {
            self.click(what, link);
            let from = Instant::now();
            while from.elapsed() < CLICK_AGAIN {
                if let Some(page) = self.new_page() {
                    return self.take(page);
                }
                let now = self.ask("location.pathname");
                if !now.is_null() && now != before {
                    return;
                }
                std::thread::sleep(PAUSE);
            }
        }
        let shown = self.ask(&format!("({link})?.outerHTML + ' on ' + location.href"));
        panic!("three clicks on {what} led nowhere: {shown}");
    }

    /// Closes every page but the first.
    pub fn close_new_pages(&mut self) {
        while self.pages.len() > 1 {
            self.close_page();
        }
    }

    /// A page that is not known yet.
    fn new_page(&mut self) -> Option<String> {
        let targets = self.connection.ask("Target.getTargets", json!({}));
        let pages = targets["targetInfos"].as_array()?.iter().filter(|target| target["type"] == "page");
        let ids = pages.filter_map(|target| target["targetId"].as_str());
        ids.map(str::to_owned).find(|id| !self.pages.contains(id))
    }

    /// Makes a page the one in front.
    fn take(&mut self, page: String) {
        self.connection.attach(&page);
        self.pages.push(page);
        if let Some((width, height)) = self.size {
            self.resize(width, height);
        }
    }

    /// Closes the page in front and goes back to the one before it.
    fn close_page(&mut self) {
        let closed = self.pages.pop().unwrap();
        let before = self.pages.last().unwrap().clone();
        self.connection.ask("Target.closeTarget", json!({"targetId": closed}));
        wait("the page is closed", || self.new_page().is_none().then_some(()));
        self.connection.attach(&before);
    }

    /// Gives the page this size in pixels.
    pub fn resize(&mut self, width: u32, height: u32) {
        self.size = Some((width, height));
        let size = json!({"width": width, "height": height, "deviceScaleFactor": 1, "mobile": false});
        self.connection.ask("Emulation.setDeviceMetricsOverride", size);
    }

    /// Makes pages believe that the system is set to dark or to light.
    pub fn prefer(&mut self, scheme: &str) {
        let features = json!([{"name": "prefers-color-scheme", "value": scheme}]);
        self.connection.ask("Emulation.setEmulatedMedia", json!({"features": features}));
    }

    /// Runs this JavaScript in every page that is opened from now on, before anything of its own.
    pub fn before_pages(&mut self, script: &str) {
        self.connection.ask("Page.enable", json!({}));
        self.connection.ask("Page.addScriptToEvaluateOnNewDocument", json!({"source": script}));
    }

    /// Opens an address in the page in front.
    pub fn open(&mut self, url: &str) {
        let error = wait("the machine's networks stay as they are", || {
            let error = self.connection.ask("Page.navigate", json!({"url": url}))["errorText"].take();
            // A container that starts or ends meanwhile is such a change.
            (error != "net::ERR_NETWORK_CHANGED").then_some(error)
        });
        assert!(error.is_null(), "{url}: {error}");
    }

    /// What a JavaScript expression gives, as JSON. Null where it throws, or where its page goes away meanwhile: a page that is
    /// not ready is no failure.
    pub fn ask(&mut self, expression: &str) -> Value {
        let body = json!({"expression": expression, "returnByValue": true, "awaitPromise": true});
        let answer = match self.connection.try_ask("Runtime.evaluate", body) {
            Ok(answer) => answer,
            Err(error) if GOING_AWAY.iter().any(|why| error["message"].as_str() == Some(why)) => return Value::Null,
            Err(error) => panic!("{expression}: {error}"),
        };
        if answer["exceptionDetails"].is_null() { answer["result"]["value"].clone() } else { Value::Null }
    }

    /// Waits until an expression gives something that is true, as JavaScript understands it.
    ///
    /// # Panics
    /// After ninety seconds, with the address and the text of the page.
    pub fn until(&mut self, what: &str, expression: &str) -> Value {
        let from = Instant::now();
        loop {
            let value = self.ask(expression);
            if !matches!(value, Value::Null | Value::Bool(false)) && value != "" && value != 0 {
                return value;
            }
            if from.elapsed() > DEADLINE {
                let shown = self.ask("location.href + '\\n' + document.body.innerText.slice(0, 3000)");
                panic!("waited {DEADLINE:?} in vain until {what}, on {}", shown.as_str().unwrap_or_default());
            }
            std::thread::sleep(PAUSE);
        }
    }

    /// Writes what the page shows as a PNG file.
    pub fn picture(&mut self, file: &Path) {
        let answer = self.connection.ask("Page.captureScreenshot", json!({"format": "png"}));
        let bytes = BASE64_STANDARD.decode(answer["data"].as_str().unwrap()).unwrap();
        std::fs::write(file, bytes).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
        drop(std::fs::remove_dir_all(&self.profile));
    }
}

fn wait<T>(what: &str, mut attempt: impl FnMut() -> Option<T>) -> T {
    let from = Instant::now();
    loop {
        if let Some(found) = attempt() {
            return found;
        }
        assert!(from.elapsed() < DEADLINE, "waited {DEADLINE:?} in vain until {what}");
        std::thread::sleep(PAUSE);
    }
}
