//! A list that forgets its oldest entries.

use std::collections::VecDeque;

/// At most `capacity` entries; a further one evicts the oldest, which is counted.
#[derive(Clone, Debug)]
pub struct Ring<T> {
    entries: VecDeque<T>,
    capacity: usize,
    evicted: u64,
}

// === impl Ring ===

impl<T> Ring<T> {
    /// An empty ring. A capacity of 0 is taken as 1.
    pub fn new(capacity: usize) -> Self {
        // Grows as it fills: many rings never do.
        Self { entries: VecDeque::new(), capacity: capacity.max(1), evicted: 0 }
    }

    /// Adds the newest entry; returns the one it evicted.
    pub fn push(&mut self, entry: T) -> Option<T> {
        let evicted = if self.entries.len() == self.capacity { self.entries.pop_front() } else { None };
        self.evicted += u64::from(evicted.is_some());
        self.entries.push_back(entry);
        evicted
    }

    /// Entries evicted so far: the position, among all ever pushed, of the oldest one kept.
    pub fn evicted(&self) -> u64 {
        self.evicted
    }

    /// Entries kept.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The most it keeps.
    pub fn capacity(&self) -> usize {
        self.capacity
    }

    /// The entry at this position among all ever pushed; `None` when evicted or not there yet.
    pub fn get(&self, position: u64) -> Option<&T> {
        let index = position.checked_sub(self.evicted)?;
        self.entries.get(usize::try_from(index).ok()?)
    }

    /// The newest entry.
    pub fn last(&self) -> Option<&T> {
        self.entries.back()
    }

    /// Oldest first.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = &T> + ExactSizeIterator {
        self.entries.iter()
    }
}

#[cfg(test)]
#[cfg(not(any(feature = "loom", feature = "shuttle")))]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_make_room_and_are_counted() {
        let mut ring = Ring::new(3);
        assert!(ring.is_empty());
        let evicted: Vec<_> = (0..5).filter_map(|n| ring.push(n)).collect();
        assert_eq!(evicted, [0, 1]);
        assert_eq!(ring.iter().copied().collect::<Vec<_>>(), [2, 3, 4]);
        assert_eq!((ring.len(), ring.capacity(), ring.evicted()), (3, 3, 2));
        assert_eq!((ring.get(1), ring.get(2), ring.get(4), ring.get(5)), (None, Some(&2), Some(&4), None));
        assert_eq!(ring.last(), Some(&4));
    }

    #[test]
    fn no_capacity_is_one() {
        let mut ring = Ring::new(0);
        assert_eq!(ring.push('a'), None);
        assert_eq!(ring.push('b'), Some('a'));
    }
}
