//! Compresses the files of the pane's page, which the library holds in no other form: a browser takes them as they are.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    #[cfg(feature = "pane")]
    page::pack();
}

#[cfg(feature = "pane")]
mod page {
    use std::fmt::Write as _;
    use std::hash::{DefaultHasher, Hash, Hasher};
    use std::io::Write as _;
    use std::path::{Path, PathBuf};
    use std::{env, fs};

    use flate2::Compression;
    use flate2::write::GzEncoder;

    const PAGE: &str = "src/pane/page";
    const FOLDERS: [&str; 4] = ["css", "icons", "js", "vendor/uplot"];
    /// What is served, by the end of its name.
    const KINDS: [(&str, &str); 3] =
        [("css", "text/css; charset=utf-8"), ("js", "text/javascript; charset=utf-8"), ("svg", "image/svg+xml")];

    /// Writes `files.rs`: the hash of all files together, and each one's name, media type and content.
    pub(super) fn pack() {
        println!("cargo::rerun-if-changed={PAGE}");
        let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets OUT_DIR"));
        let (mut hasher, mut list) = (DefaultHasher::new(), String::new());
        for (number, name) in names().into_iter().enumerate() {
            let content = fs::read(Path::new(PAGE).join(&name)).expect("a file of the page is read");
            (&name, &content).hash(&mut hasher);
            let end = name.rsplit('.').next().unwrap_or_default();
            let (_, kind) = KINDS.iter().find(|(extension, _)| *extension == end).expect("its kind is known");
            fs::write(out.join(format!("{number}.gz")), gzip(&content)).expect("it is written");
            let include = format!("include_bytes!(concat!(env!(\"OUT_DIR\"), \"/{number}.gz\"))");
            writeln!(list, "    File {{ name: {name:?}, media_type: {kind:?}, gzip: {include} }},")
                .expect("it is a text");
        }
        for page in ["index.html", "login.html"] {
            fs::read(Path::new(PAGE).join(page)).expect("a page is read").hash(&mut hasher);
        }
        let hash = hasher.finish();
        let text = format!("const HASH: &str = \"{hash:016x}\";\nconst FILES: &[File] = &[\n{list}];\n");
        fs::write(out.join("files.rs"), text).expect("the list is written");
    }

    /// All files that are served, always in the same order.
    fn names() -> Vec<String> {
        let mut names = Vec::new();
        for folder in FOLDERS {
            for entry in fs::read_dir(Path::new(PAGE).join(folder)).expect("a folder of the page is read") {
                let name = entry.expect("a file is there").file_name().into_string().expect("its name is plain");
                if KINDS.iter().any(|(extension, _)| name.ends_with(&format!(".{extension}"))) {
                    names.push(format!("{folder}/{name}"));
                }
            }
        }
        names.sort();
        names
    }

    fn gzip(content: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(content).and_then(|()| encoder.finish()).expect("writing to memory does not fail")
    }
}
