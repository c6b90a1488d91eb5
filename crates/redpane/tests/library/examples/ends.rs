//! Programs that end by themselves, with all that they had to say.

use std::process::Command;

use test_support::process::run;
use test_support::{Line, client};

use super::{program, start};

#[tokio::test]
async fn testing() {
    let (code, output, errors) = run(Command::new(program("testing"))).await;
    assert_eq!((code, &*errors), (0, ""));
    let (counted, line) = output.split_once("\nlogged: ").unwrap();
    assert_eq!(counted, "counted: 1");
    let line = Line::parse(line.trim_end());
    assert_eq!((line.str("level"), line.str("route"), line.str("error")), ("WARN", "/orders", "no stock"));
}

#[tokio::test]
async fn graceful() {
    for signal in ["TERM", "INT"] {
        let (mut process, address) = start("graceful").await;
        let asked = tokio::spawn(async move { client::get(address, "/work/300").await });
        process.line("working").await;
        process.signal(signal);
        let answer = asked.await.unwrap();
        assert_eq!((answer.text(), answer.whole), ("done\n", true));
        assert_eq!((process.exit_code().await, &*process.errors()), (0, ""));
        let lines = process.lines();
        let messages: Vec<_> = lines.iter().map(|line| line.str("message")).collect();
        assert_eq!(messages, ["working", "stopping", "request", "stopped"]);
        answer.belongs_to(&lines[2]);
    }
}
