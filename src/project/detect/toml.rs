//! TOML as a tree whose parts know their line, in the order of the file.

use toml::{Spanned, de::DeTable, de::DeValue};

use crate::project::document::{Bad, Member, Node, Value};

/// Reads a text.
pub(super) fn parse(text: &str) -> Result<Node, Bad> {
    let lines = Lines(memchr::memchr_iter(b'\n', text.as_bytes()).collect());
    match DeTable::parse(text) {
        Ok(table) => Ok(Node { line: 1, value: lines.table(table.into_inner()) }),
        Err(error) => {
            let line = lines.at(error.span().map_or(0, |span| span.start));
            // Some messages have a second line with what was expected; one line must do.
            let message = error.message().lines().next().unwrap_or("syntax error");
            Err(Bad { line, message: format!("{message}: correct the TOML there") })
        }
    }
}

/// The offsets of the newlines of a text.
struct Lines(Vec<usize>);

// === impl Lines ===

impl Lines {
    fn at(&self, offset: usize) -> usize {
        self.0.partition_point(|newline| *newline < offset) + 1
    }

    fn table(&self, table: DeTable<'_>) -> Value {
        let mut members: Vec<(usize, Member)> = table
            .into_iter()
            .map(|(key, value)| {
                let (start, line) = (key.span().start, self.at(key.span().start));
                let node = self.node(value);
                (start, Member { name: key.into_inner().into_owned(), line, node })
            })
            .collect();
        members.sort_by_key(|(start, _)| *start);
        Value::Object(members.into_iter().map(|(_, member)| member).collect())
    }

    fn node(&self, value: Spanned<DeValue<'_>>) -> Node {
        let line = self.at(value.span().start);
        let value = match value.into_inner() {
            DeValue::String(text) => Value::Text(text.into_owned()),
            DeValue::Integer(number) => Value::Number(number.as_str().to_owned()),
            DeValue::Float(number) => Value::Number(number.as_str().to_owned()),
            DeValue::Boolean(value) => Value::Boolean(value),
            DeValue::Datetime(date) => Value::Text(date.to_string()),
            DeValue::Array(values) => Value::List(values.into_iter().map(|value| self.node(value)).collect()),
            DeValue::Table(table) => self.table(table),
        };
        Node { line, value }
    }
}
