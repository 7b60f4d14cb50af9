//! The results as Markdown.

/// The results of one part.
pub struct Section {
    pub name: &'static str,
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
        self.rows.push(cells.to_vec());
    }

    pub fn markdown(&self) -> String {
        let line = |cells: &[String]| format!("| {} |\n", cells.join(" | "));
        let rule = vec!["---".to_owned(); self.head.len()];
        let rows: String = self.rows.iter().map(|cells| line(cells)).collect();
        format!("{}\n\n{}{}{rows}", self.method, line(&self.head), line(&rule))
    }
}
