//! The results as Markdown: printed, and written to the section of each part in `benches/RESULTS.md`.

use std::path::{Path, PathBuf};
use std::process::Command;

use avinode_ingest::clock::Clock;

use crate::Result;
use crate::database::Database;
use crate::options::Options;

const HEAD: &str = "\
# Results

Written by `make bench`, section by section: a run replaces the sections of the parts that it measures, with their date and
machine. [docs/benchmarks.md](../docs/benchmarks.md) describes the methods. Figures are medians, with the smallest and the largest
value of the rounds in brackets. Compare ratios rather than figures: they are measured in turn.
";

/// The results of one part.
pub struct Section {
    name: &'static str,
    method: String,
    head: Vec<String>,
    rows: Vec<Vec<String>>,
}

impl Section {
    pub fn new(name: &'static str, method: String, head: &[&str]) -> Self {
        Self {
            name,
            method,
            head: head.iter().map(|cell| (*cell).to_owned()).collect(),
            rows: Vec::new(),
        }
    }

    pub fn row<const COLUMNS: usize>(&mut self, cells: [String; COLUMNS]) {
        self.rows.push(Vec::from(cells));
    }

    fn markdown(&self) -> String {
        let line = |cells: &[String]| format!("| {} |\n", cells.join(" | "));
        let rule = vec!["---".to_owned(); self.head.len()];
        let rows: String = self.rows.iter().map(|cells| line(cells)).collect();
        format!("{}\n\n{}{}{rows}", self.method, line(&self.head), line(&rule))
    }
}

/// Where and with what is measured.
pub struct Report {
    circumstances: String,
    file: Option<PathBuf>,
}

impl Report {
    pub async fn new(database: &Database, options: &Options) -> Result<Self> {
        let circumstances = format!(
            "{}, rounds: {}. Version {}. {}. {}. {}.",
            Clock::System.now().format("%Y-%m-%d"),
            options.rounds(),
            first_line("git", &["describe", "--always", "--dirty"]),
            machine()?,
            database.settings().await?,
            first_line("rustc", &["--version"]),
        );
        Ok(Self {
            circumstances,
            file: options.results(),
        })
    }

    /// Prints a section, and writes it to the file.
    pub fn add(&self, section: &Section) -> Result<()> {
        let text = format!("{}\n{}\n", section.markdown(), self.circumstances);
        println!("\n## {}\n\n{text}", section.name);
        match &self.file {
            Some(file) => replace(file, section.name, &text),
            None => Ok(()),
        }
    }
}

/// Replaces a section of the file, or appends it.
fn replace(file: &Path, name: &str, text: &str) -> Result<()> {
    let before = std::fs::read_to_string(file).unwrap_or_else(|_| HEAD.to_owned());
    let mut sections: Vec<&str> = before.split("\n## ").collect();
    let new = format!("{name}\n\n{text}");
    match sections.iter_mut().skip(1).find(|it| it.lines().next() == Some(name)) {
        Some(section) => *section = &new,
        None => sections.push(&new),
    }
    let sections: Vec<&str> = sections.iter().map(|section| section.trim_end()).collect();
    std::fs::write(file, sections.join("\n\n## ") + "\n")?;
    Ok(())
}

fn machine() -> Result<String> {
    let processors = std::fs::read_to_string("/proc/cpuinfo")?;
    let model = processors
        .lines()
        .find_map(|line| line.strip_prefix("model name")?.split(": ").nth(1));
    let memory = std::fs::read_to_string("/proc/meminfo")?;
    let kib = memory
        .lines()
        .next()
        .and_then(|line| line.split_whitespace().nth(1))
        .unwrap_or("0");
    Ok(format!(
        "{} × {}, {:.0} GiB of memory, {}",
        std::thread::available_parallelism()?,
        model.unwrap_or("unknown processor"),
        kib.parse::<f64>()? / f64::from(1 << 20),
        first_line("uname", &["-sr"]),
    ))
}

/// The first line that a program prints; "unknown" if it cannot be run.
fn first_line(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).output();
    let text = output.map(|output| String::from_utf8_lossy(&output.stdout).into_owned());
    let line = text.ok().and_then(|text| text.lines().next().map(str::to_owned));
    line.filter(|line| !line.is_empty())
        .unwrap_or_else(|| "unknown".to_owned())
}
