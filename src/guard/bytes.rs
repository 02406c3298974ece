//! Fields to bytes and back.

use std::time::Duration;

use super::message::Malformed;

/// A frame in the making.
pub(super) struct Out(Vec<u8>);

/// What is left of a frame.
pub(super) struct In<'a>(pub(super) &'a [u8]);

// === impl Out ===

impl Default for Out {
    /// With room for the length.
    fn default() -> Self {
        Self(vec![0; 4])
    }
}

impl Out {
    pub(super) fn byte(&mut self, byte: u8) {
        self.0.push(byte);
    }

    pub(super) fn number(&mut self, number: i32) {
        self.0.extend_from_slice(&number.to_le_bytes());
    }

    pub(super) fn word(&mut self, word: u32) {
        self.0.extend_from_slice(&word.to_le_bytes());
    }

    pub(super) fn long(&mut self, long: u64) {
        self.0.extend_from_slice(&long.to_le_bytes());
    }

    /// To the millisecond.
    pub(super) fn time(&mut self, time: Duration) {
        self.long(u64::try_from(time.as_millis()).unwrap_or(u64::MAX));
    }

    pub(super) fn text(&mut self, text: &[u8]) {
        self.length(text.len());
        self.0.extend_from_slice(text);
    }

    pub(super) fn list<T>(&mut self, list: &[T], each: impl Fn(&mut Self, &T)) {
        self.length(list.len());
        for item in list {
            each(self, item);
        }
    }

    pub(super) fn frame(mut self) -> Vec<u8> {
        let length = u32::try_from(self.0.len() - 4).unwrap_or(u32::MAX);
        self.0[..4].copy_from_slice(&length.to_le_bytes());
        self.0
    }

    /// A longer text makes the frame too long, which its reader refuses.
    fn length(&mut self, length: usize) {
        self.word(u32::try_from(length).unwrap_or(u32::MAX));
    }
}

// === impl In ===

impl In<'_> {
    fn take<const N: usize>(&mut self) -> Result<[u8; N], Malformed> {
        let (taken, rest) = self.0.split_first_chunk::<N>().ok_or(Malformed)?;
        self.0 = rest;
        Ok(*taken)
    }

    pub(super) fn byte(&mut self) -> Result<u8, Malformed> {
        self.take().map(u8::from_le_bytes)
    }

    pub(super) fn number(&mut self) -> Result<i32, Malformed> {
        self.take().map(i32::from_le_bytes)
    }

    pub(super) fn word(&mut self) -> Result<u32, Malformed> {
        self.take().map(u32::from_le_bytes)
    }

    pub(super) fn long(&mut self) -> Result<u64, Malformed> {
        self.take().map(u64::from_le_bytes)
    }

    pub(super) fn time(&mut self) -> Result<Duration, Malformed> {
        self.long().map(Duration::from_millis)
    }

    pub(super) fn text(&mut self) -> Result<Vec<u8>, Malformed> {
        let length = self.word()? as usize;
        let text = self.0.get(..length).ok_or(Malformed)?;
        self.0 = &self.0[length..];
        Ok(text.to_vec())
    }

    pub(super) fn list<T>(
        &mut self,
        each: impl Fn(&mut Self) -> Result<T, Malformed>,
    ) -> Result<Vec<T>, Malformed> {
        // Not reserved: the length is what somebody says.
        (0..self.word()?).map(|_| each(self)).collect()
    }

    /// Everything was read.
    pub(super) fn end<T>(&self, message: T) -> Result<T, Malformed> {
        if self.0.is_empty() { Ok(message) } else { Err(Malformed) }
    }
}
