//! `scripts/load.sh` and `scripts/drill.sh` find the bundle on the ports of `.env` or the shell, as Compose does, and say which
//! address did not answer and which variable sets it.
#![cfg(unix)]

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::files::Bundle;

/// The scripts in a folder of their own, with an `.env` and a `curl` that reaches only addresses with the text `answers`.
struct Clone(PathBuf);

impl Clone {
    fn new(environment: &str, answers: &str) -> Self {
        static NUMBER: AtomicUsize = AtomicUsize::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let clone =
            Self(PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("ports-{}-{number}", std::process::id())));
        std::fs::create_dir_all(clone.0.join("scripts")).expect("the folder can be made");
        for script in ["scripts/load.sh", "scripts/drill.sh", "scripts/port.sh"] {
            std::fs::copy(Bundle::repository().root().join(script), clone.0.join(script)).expect("it can be copied");
        }
        std::fs::write(clone.0.join(".env"), environment).expect("the file can be written");
        let curl = format!(
            "#!/bin/sh\ncase \" $* \" in *' --version '*) echo 'curl 8.5.0 (x86_64) libcurl' ;; *{answers}*) echo '{{}}' ;; *) exit 7 ;; esac\n"
        );
        executable(&clone.0.join("curl"), &curl);
        clone
    }

    /// What the script says before it gives up, with these variables in the shell.
    fn says(&self, script: &str, shell: &[(&str, &str)]) -> String {
        self.says_with(script, &[], shell)
    }

    fn says_with(&self, script: &str, arguments: &[&str], shell: &[(&str, &str)]) -> String {
        let path = format!("{}:{}", self.0.display(), std::env::var("PATH").unwrap_or_default());
        let mut command = Command::new("sh");
        command.arg(self.0.join("scripts").join(script)).args(arguments).env("PATH", path);
        for name in ["API_PORT", "GRAFANA_PORT", "LOKI_PORT", "URL", "GRAFANA_URL", "LOKI_URL"] {
            command.env_remove(name);
        }
        let output = command.envs(shell.iter().copied()).output().expect("sh starts");
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(64), "{script}: {said}");
        assert_eq!(said.lines().count(), 1, "{said}");
        said
    }
}

impl Drop for Clone {
    fn drop(&mut self) {
        drop(std::fs::remove_dir_all(&self.0));
    }
}

fn executable(file: &Path, text: &str) {
    use std::os::unix::fs::PermissionsExt;
    std::fs::write(file, text).expect("the file can be written");
    std::fs::set_permissions(file, std::fs::Permissions::from_mode(0o755)).expect("it has modes");
}

#[test]
fn scripts_take_the_ports_of_the_environment_file_and_the_shell() {
    let clone = Clone::new("# API_PORT=1\nGRAFANA_PORT=13000\nAPI_PORT=18000 # mine\n", "nothing");
    let quoted = Clone::new("API_PORT=\"18001\"\n", "nothing");
    let none = Clone::new("", "nothing");
    for script in ["load.sh", "drill.sh"] {
        for (clone, shell, port) in [
            (&clone, vec![], "localhost:18000/"),
            (&quoted, vec![], "localhost:18001/"),
            (&none, vec![], "localhost:8000/"),
            (&clone, vec![("API_PORT", "18002")], "localhost:18002/"),
            // Compose takes the shell's variable first, and the default for an empty one.
            (&clone, vec![("API_PORT", "")], "localhost:8000/"),
            (&clone, vec![("URL", "http://other.test:7")], "http://other.test:7/"),
        ] {
            let said = clone.says(script, &shell);
            assert!(said.contains(port) && said.contains("API_PORT"), "{script} {shell:?}: {said}");
        }
    }
}

#[test]
fn the_drill_of_payment_says_what_it_lacks() {
    let clone = Clone::new("", "/faults");
    for (docker, expected) in [
        ("exit 1", "docker compose ps payment grafana"),
        // What answers is asked for by its name, from inside of the bundle and of this folder's project.
        (
            "case \" $* \" in *'/.. exec -T grafana curl '*' http://payment:8000/faults '*) echo '{}' ;; *) exit 1 ;; esac",
            "GRAFANA_PORT",
        ),
    ] {
        executable(&clone.0.join("docker"), &format!("#!/bin/sh\n{docker}\n"));
        let said = clone.says_with("drill.sh", &["payment"], &[]);
        assert!(said.contains(expected), "{docker}: {said}");
    }
    for wrong in [&["stock"][..], &["payment", "api"]] {
        let said = clone.says_with("drill.sh", wrong, &[]);
        assert!(said.contains("nothing, or payment"), "{wrong:?}: {said}");
    }
}

#[test]
fn the_drill_names_the_address_and_the_variable_of_what_does_not_answer() {
    let environment = "API_PORT=18000\nGRAFANA_PORT=13000\nLOKI_PORT=13100\n";
    let said = Clone::new(environment, "/faults").says("drill.sh", &[]);
    assert!(said.contains("http://localhost:13000") && said.contains("GRAFANA_PORT"), "{said}");
    let said = Clone::new(environment, "/faults*|*/api/user").says("drill.sh", &[]);
    assert!(said.contains("http://localhost:13100/ready") && said.contains("LOKI_PORT"), "{said}");
}
