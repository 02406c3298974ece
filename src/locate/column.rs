//! A column as a tool counts it, as a byte of the line.

use super::{Column, Unit};

/// The 1-based byte column in `line`, `None` where the number is of no use: a 0 of a tool that counts from
/// 1, or cells of a screen with a tab before them.
pub(super) fn byte(column: Column, line: &str) -> Option<u32> {
    let units = column.value.checked_sub(u32::from(column.base))?;
    let wanted = units as usize;
    let offset = match column.unit {
        Unit::Bytes => floor(line, wanted),
        Unit::Utf16 => seek(line, wanted, char::len_utf16),
        Unit::Chars => seek(line, wanted, |_| 1),
        Unit::Display => {
            let offset = seek(line, wanted, |_| 1);
            if line[..offset].contains('\t') {
                return None;
            }
            offset
        }
    };
    u32::try_from(offset + 1).ok()
}

/// The column where the line could not be read: right wherever the line is ASCII.
pub(super) fn unread(column: Column) -> Option<u32> {
    column.value.checked_sub(u32::from(column.base)).and_then(|units| units.checked_add(1))
}

fn seek(line: &str, wanted: usize, width: impl Fn(char) -> usize) -> usize {
    let mut passed = 0;
    for (offset, character) in line.char_indices() {
        if passed >= wanted {
            return offset;
        }
        passed += width(character);
    }
    line.len()
}

fn floor(line: &str, wanted: usize) -> usize {
    let mut offset = wanted.min(line.len());
    while !line.is_char_boundary(offset) {
        offset -= 1;
    }
    offset
}
