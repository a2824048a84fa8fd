//! Memory for the bodies of requests: pages of their own, straight from the system.
//!
//! Why not the heap: its allocator keeps what many large bodies have needed, in pieces, for bodies to come
//! that may never come, and what it has beside them; after a burst the process would stay as large as it was.
//! Pages are given back the moment they are not needed.
//!
//! Invariant: no more is touched, and so taken from the system, than there are bytes.

use memmap2::MmapMut;

use crate::shim::http::rejection::Rejection;

/// The least that is asked for; that much is kept for the next request.
const SMALLEST: usize = 64 << 10;

/// A body that is being read, or has been.
#[derive(Debug, Default)]
pub(super) struct BodyBuffer {
    pages: Option<MmapMut>,
    length: usize,
}

impl BodyBuffer {
    /// How much there is of it.
    pub(super) fn len(&self) -> usize {
        self.length
    }

    /// What there is of it.
    pub(super) fn bytes(&self) -> &[u8] {
        let pages = self.pages.as_deref().unwrap_or_default();
        pages.get(..self.length).unwrap_or_default()
    }

    /// Makes room for `more` bytes.
    ///
    /// # Errors
    /// When the system has no memory for them.
    pub(super) fn reserve(&mut self, more: usize) -> Result<(), Rejection> {
        let needed = self
            .length
            .checked_add(more)
            .ok_or(Rejection::BodyTooLarge)?;
        let there = self.pages.as_ref().map_or(0, |pages| pages.len());
        if needed <= there {
            return Ok(());
        }
        // Twice as much, so that a body of n bytes that comes in pieces moves log n times.
        let doubled = if self.length == 0 { 0 } else { there * 2 };
        let size = needed.max(doubled).max(SMALLEST);
        let mut pages = MmapMut::map_anon(size).map_err(|_| Rejection::Busy)?;
        pages[..self.length].copy_from_slice(self.bytes());
        self.pages = Some(pages);
        Ok(())
    }

    /// Adds `bytes`, for which there has to be room: what there is none for is left out.
    pub(super) fn put(&mut self, bytes: &[u8]) {
        let room = self.room();
        let length = bytes.len().min(room.len());
        room[..length].copy_from_slice(&bytes[..length]);
        self.length += length;
    }

    /// The room behind what there is.
    pub(super) fn room(&mut self) -> &mut [u8] {
        let pages = self.pages.as_deref_mut().unwrap_or_default();
        pages.get_mut(self.length..).unwrap_or_default()
    }

    /// Says that `more` bytes were written into the room.
    pub(super) fn filled(&mut self, more: usize) {
        let room = self.room().len();
        self.length += more.min(room);
    }

    /// Forgets what there is, and gives back what only a large body needs.
    pub(super) fn clear(&mut self) {
        self.length = 0;
        self.pages = self.pages.take().filter(|pages| pages.len() <= SMALLEST);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_grows_and_is_given_back() {
        let mut body = BodyBuffer::default();
        assert!(body.bytes().is_empty() && body.room().is_empty());
        body.put(b"no room");
        assert_eq!(body.len(), 0);
        let mut expected = Vec::new();
        for number in 0..40u32 {
            let part = vec![number as u8; 10_000];
            body.reserve(part.len()).unwrap();
            body.put(&part);
            expected.extend(part);
            assert_eq!(body.bytes(), expected);
        }
        let room = body.room().len();
        body.filled(room + 1);
        assert_eq!(body.len(), expected.len() + room);
        body.clear();
        assert_eq!((body.len(), body.room().len()), (0, 0));
        body.reserve(1).unwrap();
        body.room()[..2].copy_from_slice(b"ab");
        body.filled(2);
        assert_eq!(body.bytes(), b"ab");
        body.clear();
        assert_eq!(body.room().len(), SMALLEST, "kept for the next");
    }

    #[test]
    fn what_the_system_does_not_have_is_refused() {
        let mut body = BodyBuffer::default();
        assert_eq!(body.reserve(1 << 60), Err(Rejection::Busy));
        body.reserve(1).unwrap();
        body.put(b"a");
        assert_eq!(body.reserve(usize::MAX), Err(Rejection::BodyTooLarge));
        assert_eq!(body.bytes(), b"a");
    }
}
