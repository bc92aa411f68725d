//! A program of `tests/python/saml`: a line in, a line out.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use serde_json::Value;

/// The running program.
pub struct Program {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
}

impl Program {
    /// Starts `name`, by the interpreter in `VESTIBULE_TEST_PYTHON`.
    pub fn start(name: &str, arguments: &[&str]) -> Self {
        let python = std::env::var_os("VESTIBULE_TEST_PYTHON");
        let python = python.expect("VESTIBULE_TEST_PYTHON is not set: `cargo xtask test` sets it");
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/python/saml/");
        let mut command = Command::new(python);
        command.arg(format!("{path}{name}")).args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().expect("Python starts");
        let input = child.stdin.take().expect("its input");
        let output = BufReader::new(child.stdout.take().expect("its output"));
        Self { child, input, output }
    }

    /// The next line, in JSON; none at the end.
    pub fn line(&mut self) -> Option<Value> {
        let mut line = String::new();
        let length = self.output.read_line(&mut line).expect("a line");
        (length > 0).then(|| serde_json::from_str(&line).expect("JSON"))
    }

    /// Asks and waits for the answer.
    pub fn ask(&mut self, question: &Value) -> Value {
        writeln!(self.input, "{question}").expect("it listens");
        self.line().expect("an answer")
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
