//! The line a shell is given for a command and its arguments, quoted as VS Code quotes them.

use crate::project::document::{Node, Value};

/// What a command or an argument says, quoted or not.
pub(super) fn value(node: &Node) -> &str {
    match &node.value {
        Value::Text(text) | Value::Number(text) => text,
        Value::Object(_) => match node.get("value").map(|value| &value.node.value) {
            Some(Value::Text(text)) => text,
            _ => "",
        },
        Value::Boolean(_) | Value::Null | Value::List(_) => "",
    }
}

/// The whole line. A command without arguments is taken as it stands.
pub(super) fn line(
    command: &Node,
    args: &[Node],
    expand: &dyn Fn(&str) -> Result<String, String>,
) -> Result<String, String> {
    // A list of words is one command.
    if let Some(words) = command.list() {
        let words: Result<Vec<String>, String> = words.iter().map(|word| expand(value(word))).collect();
        return with_args(words?.join(" "), args, expand);
    }
    let text = expand(value(command))?;
    let quoted = match style(command) {
        None if args.is_empty() => text,
        style => quote(&text, style),
    };
    with_args(quoted, args, expand)
}

fn with_args(
    mut line: String,
    args: &[Node],
    expand: &dyn Fn(&str) -> Result<String, String>,
) -> Result<String, String> {
    for arg in args {
        line.push(' ');
        line.push_str(&quote(&expand(value(arg))?, style(arg)));
    }
    Ok(line)
}

fn style(node: &Node) -> Option<&str> {
    node.get("quoting").and_then(|quoting| quoting.node.text())
}

fn quote(text: &str, style: Option<&str>) -> String {
    match style {
        Some("escape") => {
            let special = |c: char| c.is_whitespace() || "\"'\\$`&|;<>()*?[]{}#~!".contains(c);
            let escaped = text.chars().flat_map(|c| special(c).then_some('\\').into_iter().chain([c]));
            escaped.collect()
        }
        Some("strong") => strong(text),
        Some("weak") => format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\"")),
        // Only a space that is in no quotes makes it more than one word.
        _ if has_bare_space(text) => strong(text),
        _ => text.to_owned(),
    }
}

fn strong(text: &str) -> String {
    format!("'{}'", text.replace('\'', "'\\''"))
}

fn has_bare_space(text: &str) -> bool {
    let mut quote = None;
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match (quote, c) {
            (Some(mark), _) if c == mark => quote = None,
            (Some(_), _) => {}
            (None, '"' | '\'') => quote = Some(c),
            (None, '\\') => drop(chars.next()),
            (None, ' ') => return true,
            _ => {}
        }
    }
    false
}
