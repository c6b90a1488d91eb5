//! Enough of Alloy's syntax to compare configurations: blocks with attributes, whose values are kept as they are written.

/// A block such as `stage.labels { values = { level = "" } }`.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Block {
    pub(crate) name: String,
    attributes: Vec<(String, String)>,
    pub(crate) blocks: Vec<Block>,
}

impl Block {
    /// What stands behind `name =`; empty where it is missing.
    pub(crate) fn value(&self, name: &str) -> &str {
        self.attributes.iter().find(|(found, _)| found == name).map_or("", |(_, value)| value)
    }

    /// The texts in a value, without quotes. Of escapes only the backslash's own is read.
    pub(crate) fn texts(&self, name: &str) -> Vec<String> {
        tokens(self.value(name)).into_iter().filter_map(|token| text(&token)).collect()
    }

    /// The keys of a value that is an object.
    pub(crate) fn keys(&self, name: &str) -> Vec<String> {
        let tokens = tokens(self.value(name));
        tokens.windows(2).filter(|pair| pair[1] == "=").map(|pair| pair[0].clone()).collect()
    }
}

fn text(token: &str) -> Option<String> {
    let raw = token.strip_prefix('`').and_then(|rest| rest.strip_suffix('`'));
    let quoted = token.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
    raw.map(str::to_owned).or_else(|| quoted.map(|quoted| quoted.replace("\\\\", "\\")))
}

/// The blocks of a file.
pub(crate) fn parse(source: &str) -> Vec<Block> {
    let mut root = Block::default();
    let tokens = tokens(source);
    let read = body(&tokens, &mut root);
    assert_eq!(read, tokens.len(), "a brace too many");
    root.blocks
}

/// Reads until the brace that closes `block`, and gives the number of tokens read.
fn body(tokens: &[String], block: &mut Block) -> usize {
    let mut at = 0;
    while let Some(name) = tokens.get(at).filter(|token| *token != "}") {
        at += 1;
        if tokens[at] == "=" {
            let length = value(&tokens[at + 1..]);
            block.attributes.push((name.clone(), tokens[at + 1..at + 1 + length].join(" ")));
            at += 1 + length;
            continue;
        }
        // A label, which tells blocks of one kind apart.
        at += usize::from(tokens[at].starts_with('"'));
        assert_eq!(tokens[at], "{", "{name}");
        let mut inner = Block { name: name.clone(), ..Block::default() };
        at += 1 + body(&tokens[at + 1..], &mut inner);
        assert_eq!(tokens.get(at).map(String::as_str), Some("}"), "{name} is not closed");
        at += 1;
        block.blocks.push(inner);
    }
    at
}

/// How many tokens a value has: it ends where the next token begins another attribute or block, outside of brackets.
fn value(tokens: &[String]) -> usize {
    let mut depth = 0;
    for (at, token) in tokens.iter().enumerate() {
        match token.as_str() {
            "{" | "[" | "(" => depth += 1,
            "}" | "]" | ")" if depth == 0 => return at,
            "}" | "]" | ")" => depth -= 1,
            _ => {}
        }
        let ends = !matches!(tokens.get(at + 1).map(String::as_str), Some("+" | "(" | "[")) && token != "+";
        if depth == 0 && ends {
            return at + 1;
        }
    }
    tokens.len()
}

/// Words, texts with their quotes, and marks. Comments are left out.
fn tokens(source: &str) -> Vec<String> {
    let mut tokens = Vec::new();
    let mut rest = source.trim_start();
    while let Some(first) = rest.chars().next() {
        let length = match first {
            '/' if rest.starts_with("//") => rest.find('\n').unwrap_or(rest.len()),
            '`' => rest[1..].find('`').expect("the text is closed") + 2,
            '"' => quoted(rest),
            _ if is_word(first) => rest.find(|letter| !is_word(letter)).unwrap_or(rest.len()),
            _ => first.len_utf8(),
        };
        if !rest.starts_with("//") {
            tokens.push(rest[..length].to_owned());
        }
        rest = rest[length..].trim_start();
    }
    tokens.retain(|token| token != ",");
    tokens
}

fn is_word(letter: char) -> bool {
    letter.is_ascii_alphanumeric() || letter == '_' || letter == '.'
}

/// The length of a text in quotes, with them.
fn quoted(source: &str) -> usize {
    let mut escaped = false;
    let end = source.char_indices().skip(1).find(|(_, letter)| {
        let closes = *letter == '"' && !escaped;
        escaped = *letter == '\\' && !escaped;
        closes
    });
    end.expect("the text is closed").0 + 1
}

#[test]
fn blocks_attributes_and_texts_are_read() {
    let blocks = parse(
        "// c\na.b \"x\" {\n\tk = [\"u\\\\d\", env(\"V\") + \"w\"]\n\tn = 0\n\tinner {\n\t\tm = { l = \"\", o = `{{ \"q\" }}` }\n\t}\n}\n",
    );
    assert_eq!(blocks.len(), 1);
    assert_eq!((blocks[0].name.as_str(), blocks[0].value("n")), ("a.b", "0"));
    assert_eq!(blocks[0].texts("k"), ["u\\d", "V", "w"]);
    assert_eq!(blocks[0].blocks[0].keys("m"), ["l", "o"]);
    assert_eq!(blocks[0].blocks[0].texts("m"), ["", "{{ \"q\" }}"]);
}
