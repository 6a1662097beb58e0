//! Other processes of this program, whose processor time and memory are counted apart.

use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use anyhow::{Context, bail};

/// Another process of this program.
pub(crate) struct Helper {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
}

impl Helper {
    /// Starts it with these arguments.
    pub(crate) fn start(words: &[&str]) -> anyhow::Result<Self> {
        let mut child = Command::new(std::env::current_exe()?)
            .args(words)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let input = child.stdin.take().context("no input")?;
        let output = BufReader::new(child.stdout.take().context("no output")?);
        Ok(Self { child, input, output })
    }

    /// The number of the process.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Says a line to it, and what it answers.
    pub(crate) fn ask(&mut self, line: &str) -> anyhow::Result<String> {
        writeln!(self.input, "{line}")?;
        self.line()
    }

    /// The next line that it says.
    pub(crate) fn line(&mut self) -> anyhow::Result<String> {
        let mut line = String::new();
        self.output.read_line(&mut line)?;
        if line.is_empty() {
            bail!("a process did not start");
        }
        Ok(line.trim().to_owned())
    }

    /// Ends it, and what it said at last.
    pub(crate) fn end(self) -> anyhow::Result<String> {
        let Self { mut child, input, mut output } = self;
        drop(input);
        let mut said = String::new();
        output.read_to_string(&mut said)?;
        child.wait()?;
        Ok(said)
    }
}
