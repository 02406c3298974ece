//! `${…}` in tasks: what is known without the editor.

use std::{env, path::Path};

use crate::project::{
    detect::finder::Finder,
    document::{Node, Value},
};

const SETTINGS: &str = ".vscode/settings.json";

/// What variables stand for.
pub(super) struct Variables {
    root: String,
    name: String,
    home: String,
    /// Inputs, and what they ask.
    inputs: Vec<(String, String)>,
    settings: Option<Node>,
}

// === impl Variables ===

impl Variables {
    pub(super) fn read(finder: &mut Finder<'_>, tasks: &Node) -> Self {
        let inputs = tasks.get("inputs").and_then(|inputs| inputs.node.list()).unwrap_or_default();
        let text =
            |node: &Node, key: &str| node.get(key).and_then(|found| found.node.text()).map(str::to_owned);
        let inputs = inputs
            .iter()
            .filter_map(|input| Some((text(input, "id")?, text(input, "description").unwrap_or_default())));
        let inputs = inputs.collect();
        let shown = |path: &Path| path.to_string_lossy().into_owned();
        Self {
            root: shown(finder.root),
            name: finder.root.file_name().unwrap_or_default().to_string_lossy().into_owned(),
            home: env::home_dir().as_deref().map(shown).unwrap_or_default(),
            inputs,
            settings: finder.json(&finder.root.join(SETTINGS)),
        }
    }

    /// The text with its variables replaced. An error says what cannot be known, and what to do.
    pub(super) fn expand(&self, text: &str) -> Result<String, String> {
        let mut out = String::with_capacity(text.len());
        let mut rest = text;
        while let Some(at) = rest.find("${") {
            out.push_str(&rest[..at]);
            let Some(end) = rest[at..].find('}') else {
                rest = &rest[at..];
                break;
            };
            out.push_str(&self.value(&rest[at + 2..at + end])?);
            rest = &rest[at + end + 1..];
        }
        out.push_str(rest);
        Ok(out)
    }

    fn value(&self, variable: &str) -> Result<String, String> {
        let written = "write its command into .brum.toml to run it here";
        if let Some(id) = variable.strip_prefix("input:") {
            let asked = self.inputs.iter().find(|(known, _)| known == id).map(|(_, text)| text.as_str());
            let asked = asked.filter(|text| !text.is_empty()).map(|text| format!(" ({})", one_line(text)));
            return Err(format!("it needs the input {id:?}{}; {written}", asked.unwrap_or_default()));
        }
        if let Some(name) = variable.strip_prefix("env:") {
            // One that is not set is empty, as in VS Code.
            return Ok(env::var(name).unwrap_or_default());
        }
        if let Some(name) = variable.strip_prefix("config:") {
            let setting = self.settings.as_ref().and_then(|settings| settings.get(name));
            return match setting.map(|setting| &setting.node.value) {
                Some(Value::Text(text) | Value::Number(text)) => Ok(text.clone()),
                Some(Value::Boolean(value)) => Ok(value.to_string()),
                _ => Err(format!("{SETTINGS} does not set {}", one_line(name))),
            };
        }
        Ok(match variable {
            "workspaceFolder" | "workspaceRoot" | "cwd" | "fileWorkspaceFolder" => self.root.clone(),
            "workspaceFolderBasename" | "workspaceRootFolderName" => self.name.clone(),
            "userHome" => self.home.clone(),
            "pathSeparator" | "/" => "/".to_owned(),
            other => return Err(format!("only VS Code knows ${{{}}}; {written}", one_line(other))),
        })
    }
}

fn one_line(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(60).collect()
}
