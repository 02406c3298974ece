//! Rows and what they are printed as.

use std::{fs, process::Command, time::Duration};

use crate::support::nvim;

/// Prints each row as soon as it is measured, or keeps all for the end when machines are to read them.
pub struct Table {
    json: bool,
    group: String,
    rows: Vec<serde_json::Value>,
}

// === impl Table ===

impl Table {
    pub fn new(json: bool) -> Self {
        Self { json, group: String::new(), rows: Vec::new() }
    }

    pub fn is_json(&self) -> bool {
        self.json
    }

    /// What the next rows are about, and what their columns mean.
    pub fn head(&mut self, group: &str, columns: [&str; 3]) {
        group.clone_into(&mut self.group);
        if !self.json {
            println!("\n{group:<56} {:>10} {:>10} {:>10}", columns[0], columns[1], columns[2]);
        }
    }

    /// Several measurements of one thing: median, least and most.
    pub fn row(&mut self, name: &str, values: &mut [f64]) {
        let middle = median(values);
        let (least, most) = (values[0], values[values.len() - 1]);
        if !self.json {
            println!("{name:<56} {middle:>10.1} {least:>10.1} {most:>10.1}");
        }
        self.keep(name, serde_json::json!({ "median": middle, "least": least, "most": most }));
    }

    /// Up to three figures of one thing, under the columns of the head.
    pub fn figures(&mut self, name: &str, values: [f64; 3], note: &str) {
        if !self.json {
            println!("{name:<56} {:>10.2} {:>10.2} {:>10.2}  {note}", values[0], values[1], values[2]);
        }
        self.keep(name, serde_json::json!({ "median": values[0], "figures": values }));
    }

    /// One figure that follows from others.
    pub fn figure(&mut self, name: &str, value: f64, note: &str) {
        if !self.json {
            println!("{name:<56} {value:>10.2}  {note}");
        }
        self.keep(name, serde_json::json!({ "median": value }));
    }

    fn keep(&mut self, name: &str, mut row: serde_json::Value) {
        row["group"] = self.group.as_str().into();
        row["name"] = name.trim().into();
        self.rows.push(row);
    }

    pub fn to_json(&self) -> String {
        serde_json::json!({ "machine": machine(), "rows": self.rows }).to_string()
    }
}

pub fn machine() -> String {
    let cpu = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = cpu
        .lines()
        .find_map(|line| line.strip_prefix("model name")?.split_once(": "))
        .map_or("?", |pair| pair.1);
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let first = |program: &str, args: &[&str]| {
        let out = Command::new(program).args(args).output().map(|out| out.stdout).unwrap_or_default();
        String::from_utf8_lossy(&out).lines().next().unwrap_or("?").to_owned()
    };
    let profile = if cfg!(debug_assertions) { "debug" } else { "release" };
    format!(
        "{model}, {cores} cores, {} · {} · npm {} · brummer {} ({profile})",
        first("uname", &["-sr"]),
        first(nvim::binary().to_str().unwrap(), &["--version"]),
        first("npm", &["--version"]),
        env!("CARGO_PKG_VERSION"),
    )
}

/// Sorts them.
pub fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

pub fn ms(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1000.0
}
