//! Events and spans whose names are not known before the program runs, which the macros of `tracing` cannot make.

use std::collections::{HashMap, HashSet};
use std::sync::{LazyLock, Mutex};

use tracing::callsite::{Callsite, Identifier};
use tracing::field::FieldSet;
use tracing::metadata::Kind;
use tracing::subscriber::Interest;
use tracing::{Level, Metadata};

/// Everything here says it comes from this one place.
struct Anywhere;

static METADATA: Metadata<'static> =
    Metadata::new("", "", Level::TRACE, None, None, None, FieldSet::new(&[], Identifier(&Anywhere)), Kind::EVENT);

impl Callsite for Anywhere {
    fn set_interest(&self, _: Interest) {}

    fn metadata(&self) -> &Metadata<'_> {
        &METADATA
    }
}

type Known = HashMap<(bool, Level, &'static str, &'static str, Vec<&'static str>), &'static Metadata<'static>>;

/// `tracing` keeps what describes an event for ever: so does this, but each text and each description once.
pub(super) fn metadata(
    is_span: bool,
    level: Level,
    name: &str,
    target: &str,
    fields: &[&str],
) -> &'static Metadata<'static> {
    static KNOWN: LazyLock<Mutex<Known>> = LazyLock::new(Mutex::default);
    let (name, target) = (forever(name), forever(target));
    let fields: Vec<_> = fields.iter().map(|field| forever(field)).collect();
    KNOWN.lock().unwrap().entry((is_span, level, name, target, fields.clone())).or_insert_with(|| {
        let fields = FieldSet::new(fields.leak(), Identifier(&Anywhere));
        let kind = if is_span { Kind::SPAN } else { Kind::EVENT };
        Box::leak(Box::new(Metadata::new(name, target, level, None, None, None, fields, kind)))
    })
}

fn forever(text: &str) -> &'static str {
    static TEXTS: LazyLock<Mutex<HashSet<&'static str>>> = LazyLock::new(Mutex::default);
    let mut texts = TEXTS.lock().unwrap();
    if let Some(known) = texts.get(text) {
        return known;
    }
    let kept: &'static str = text.to_owned().leak();
    texts.insert(kept);
    kept
}
