//! Filter directives of the log. Stricter than `Targets`, which accepts nearly every text as a target.

use tracing_subscriber::filter::{LevelFilter, Targets};

/// Reads directives separated by commas: `level` or `target=level`. White space around their parts and empty directives
/// are ignored.
///
/// # Errors
/// The first directive that is neither: quoted, at most 120 characters of it.
pub(super) fn parse(text: &str) -> Result<Targets, String> {
    let quoted = |bad: &str| format!("{:?}", bad.chars().take(120).collect::<String>());
    let directives: Vec<&str> = text.split(',').map(str::trim).filter(|directive| !directive.is_empty()).collect();
    if directives.is_empty() {
        return Err(quoted(text));
    }
    let normal = directives.iter().map(|directive| normalized(directive).ok_or_else(|| quoted(directive)));
    normal.collect::<Result<Vec<_>, _>>()?.join(",").parse().map_err(|_| quoted(text))
}

/// The directive as `Targets` must get it, or `None` for one that is refused here.
///
/// `Targets` counts white space as part of a target's name, so it is removed. It takes a bare word that is no level for a
/// target and then silences everything else, so a bare word must be a level. It takes `target=` for `target=error`, so the
/// level must be there.
fn normalized(directive: &str) -> Option<String> {
    let (start, level) = match directive.split_once('=') {
        Some((target, level)) => (format!("{}=", target.trim_end()), level.trim_start()),
        None => (String::new(), directive),
    };
    level.parse::<LevelFilter>().ok().filter(|_| !level.is_empty())?;
    let normal = start + level;
    normal.parse::<Targets>().is_ok().then_some(normal)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn same(text: &str, clear: &str) {
        assert_eq!(parse(text), Ok(clear.parse().unwrap()), "{text:?}");
    }

    #[test]
    fn white_space_and_a_comma_too_many_do_not_count() {
        same("info, warn", "info,warn");
        same(" info ,\tredpane::access = warn\n", "info,redpane::access=warn");
        same("info,", "info");
        same(",,debug", "debug");
        same("shop[{user}]=debug", "shop[{user}]=debug");
    }

    #[test]
    fn the_bad_directive_is_named() {
        for (text, bad) in [
            ("info,inof,warn", "\"inof\""),
            ("info, redpane=", "\"redpane=\""),
            ("a=b=info", "\"a=b=info\""),
            ("shop[{user,cart}]=debug", "\"shop[{user\""),
            ("shop[{user=debug", "\"shop[{user=debug\""),
            (" , ", "\" , \""),
        ] {
            assert_eq!(parse(text), Err(bad.to_owned()), "{text:?}");
        }
        assert_eq!(parse(&"x".repeat(500)).unwrap_err().len(), 122);
    }
}
