//! The screen as Neovim's UI protocol (`ext_linegrid`) draws it: cells, cursor, and the highlight of each cell.

use std::collections::HashMap;

use rmpv::Value;

/// What a user would see.
#[derive(Debug)]
pub struct Screen {
    width: usize,
    cells: Vec<Vec<Cell>>,
    cursor: (usize, usize),
    highlights: HashMap<u64, Highlight>,
    /// Counts `flush` events: a state of the screen is complete at each.
    pub flushes: u64,
}

#[derive(Clone, Debug)]
struct Cell {
    text: String,
    highlight: u64,
}

/// The colours of a cell, where they are not the default ones.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Highlight {
    pub fg: Option<u32>,
    pub bg: Option<u32>,
    pub bold: bool,
}

impl Screen {
    pub fn new() -> Self {
        Self { width: 0, cells: Vec::new(), cursor: (0, 0), highlights: HashMap::new(), flushes: 0 }
    }

    /// Applies one `redraw` notification: a list of `[name, [args]…]`.
    pub fn apply(&mut self, events: &[Value]) {
        for event in events {
            let Some((name, calls)) = event.as_array().and_then(|parts| parts.split_first()) else {
                continue;
            };
            for call in calls {
                let args = call.as_array().map_or(&[][..], Vec::as_slice);
                self.event(name.as_str().unwrap_or_default(), args);
            }
        }
    }

    fn event(&mut self, name: &str, args: &[Value]) {
        let number = |at: usize| args.get(at).and_then(Value::as_i64).unwrap_or_default();
        let index = |at: usize| usize::try_from(number(at)).unwrap_or_default();
        match name {
            "grid_resize" => {
                self.width = index(1);
                self.cells.resize(index(2), Vec::new());
                for row in &mut self.cells {
                    row.resize(self.width, Cell::blank());
                }
            }
            "grid_clear" => self.cells.iter_mut().for_each(|row| row.fill(Cell::blank())),
            "grid_cursor_goto" => self.cursor = (index(1), index(2)),
            "grid_line" => self.line(index(1), index(2), args.get(3)),
            "grid_scroll" => self.scroll(index(1)..index(2), index(3)..index(4), number(5)),
            "hl_attr_define" => {
                let id = args.first().and_then(Value::as_u64).unwrap_or_default();
                self.highlights.insert(id, Highlight::read(args.get(1)));
            }
            "flush" => self.flushes += 1,
            _ => {}
        }
    }

    fn line(&mut self, row: usize, start: usize, cells: Option<&Value>) {
        let Some(row) = self.cells.get_mut(row) else { return };
        let mut at = start;
        let mut highlight = 0;
        for cell in cells.and_then(Value::as_array).into_iter().flatten() {
            let parts = cell.as_array().map_or(&[][..], Vec::as_slice);
            let text = parts.first().and_then(Value::as_str).unwrap_or_default();
            // A cell without a highlight has that of the cell before it.
            highlight = parts.get(1).and_then(Value::as_u64).unwrap_or(highlight);
            for _ in 0..parts.get(2).and_then(Value::as_u64).unwrap_or(1) {
                if let Some(cell) = row.get_mut(at) {
                    *cell = Cell { text: text.to_owned(), highlight };
                }
                at += 1;
            }
        }
    }

    fn scroll(&mut self, rows: std::ops::Range<usize>, columns: std::ops::Range<usize>, by: i64) {
        let distance = usize::try_from(by.unsigned_abs()).unwrap_or_default();
        let count = rows.len().saturating_sub(distance);
        for step in 0..count {
            let (to, from) = if by > 0 {
                (rows.start + step, rows.start + step + distance)
            } else {
                (rows.end - 1 - step, rows.end - 1 - step - distance)
            };
            let source = self.cells[from][columns.clone()].to_vec();
            self.cells[to][columns.clone()].clone_from_slice(&source);
        }
    }

    /// One row, without the blanks at its end.
    pub fn row(&self, row: usize) -> String {
        let text: String = self.cells.get(row).into_iter().flatten().map(|cell| cell.text.as_str()).collect();
        text.trim_end().to_owned()
    }

    /// All rows.
    pub fn text(&self) -> String {
        (0..self.cells.len()).map(|row| self.row(row) + "\n").collect()
    }

    /// Row and column, from 0.
    pub fn cursor(&self) -> (usize, usize) {
        self.cursor
    }

    /// Where `text` stands first: row and cell.
    pub fn find(&self, text: &str) -> Option<(usize, usize)> {
        self.cells.iter().enumerate().find_map(|(at, row)| {
            let line: String = row.iter().map(|cell| cell.text.as_str()).collect();
            let byte = line.find(text)?;
            let mut before = 0;
            let column = row.iter().position(|cell| {
                let here = before == byte && !cell.text.is_empty();
                before += cell.text.len();
                here
            })?;
            Some((at, column))
        })
    }

    /// How the first cell of `text` is drawn.
    pub fn highlight_of(&self, text: &str) -> Option<Highlight> {
        let (row, column) = self.find(text)?;
        Some(self.highlights.get(&self.cells[row][column].highlight).copied().unwrap_or_default())
    }
}

impl Cell {
    fn blank() -> Self {
        Self { text: " ".to_owned(), highlight: 0 }
    }
}

impl Highlight {
    fn read(attributes: Option<&Value>) -> Self {
        let field = |name: &str| {
            let pairs = attributes.and_then(Value::as_map)?;
            pairs.iter().find(|(key, _)| key.as_str() == Some(name)).map(|(_, value)| value)
        };
        let colour = |name: &str| field(name).and_then(Value::as_u64).and_then(|rgb| u32::try_from(rgb).ok());
        Self {
            fg: colour("foreground"),
            bg: colour("background"),
            bold: field("bold").and_then(Value::as_bool).unwrap_or_default(),
        }
    }
}
