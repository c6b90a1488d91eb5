//! kubeconform: objects against the schemas of a version of Kubernetes, strictly: a field that does not exist is an error.

use std::io::Write;
use std::process::{Command, Stdio};
use std::sync::LazyLock;

use test_support::is_required;

use crate::files;
use crate::helm::{installed, skip};

/// Where a folder holds the schemas of Kubernetes itself, as deploy/test/schemas makes it.
const FOLDER: &str = "REDPANE_KUBERNETES_SCHEMAS";

pub(crate) struct Kubeconform;

impl Kubeconform {
    pub(crate) fn find() -> Option<Self> {
        static HAS_SCHEMAS: LazyLock<bool> = LazyLock::new(|| {
            let known = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: shop}\n";
            Kubeconform.check(known, "1.31.0").is_ok()
        });
        if !installed("kubeconform", "-v") {
            skip("kubeconform");
        } else if !*HAS_SCHEMAS {
            let none =
                "kubeconform finds no schemas of Kubernetes: neither in REDPANE_KUBERNETES_SCHEMAS nor on the internet";
            assert!(!is_required("kubeconform"), "REDPANE_TEST_REQUIRE names kubeconform: {none}");
            eprintln!("skipped: {none}");
        } else {
            return Some(Self);
        }
        None
    }

    /// What it says of these documents; an error where one of them is wrong or has no schema.
    pub(crate) fn check(&self, documents: &str, kubernetes: &str) -> Result<String, String> {
        let core = std::env::var(FOLDER).map_or_else(
            |_| "default".to_owned(),
            |folder| format!("{folder}/{{{{ .NormalizedKubernetesVersion }}}}{{{{ .StrictSuffix }}}}/{{{{ .ResourceKind }}}}{{{{ .KindSuffix }}}}.json"),
        );
        let own =
            format!("{}/{{{{ .ResourceKind }}}}{{{{ .KindSuffix }}}}.json", files::path("deploy/test/crds").display());
        let mut child = Command::new("kubeconform")
            .args(["-strict", "-summary", "-kubernetes-version", kubernetes])
            .args(["-schema-location", &core, "-schema-location", &own])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("kubeconform starts");
        let mut input = child.stdin.take().expect("its input is a pipe");
        let documents = documents.to_owned();
        // Beside the reading of its output, so that neither waits for the other.
        let writer = std::thread::spawn(move || input.write_all(documents.as_bytes()));
        let output = child.wait_with_output().expect("kubeconform ends");
        writer.join().expect("the writer ends").expect("kubeconform reads all of it");
        let said = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        if output.status.success() { Ok(said) } else { Err(said) }
    }
}

#[test]
fn a_field_that_does_not_exist_is_found() {
    let Some(kubeconform) = Kubeconform::find() else { return };
    let service = |field: &str| {
        format!(
            "apiVersion: v1\nkind: Service\nmetadata: {{name: shop}}\nspec: {{ports: [{{port: 80, {field}: http}}]}}\n"
        )
    };
    kubeconform.check(&service("targetPort"), "1.31.0").unwrap_or_else(|said| panic!("{said}"));
    let said = kubeconform.check(&service("targetport"), "1.31.0").expect_err("it has no such field");
    assert!(said.contains("targetport"), "{said}");
    let unknown = "apiVersion: example.org/v1\nkind: Unknown\nmetadata: {name: shop}\n";
    kubeconform.check(unknown, "1.31.0").expect_err("it has no schema");
}
