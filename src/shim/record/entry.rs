//! A request on its way into the file.

/// A larger body is not kept.
pub(super) const LARGEST_BODY: usize = 1 << 20;

/// A request that reached an old URL and whose body has arrived, copied.
#[derive(Debug)]
pub(crate) struct Entry {
    /// The old URL as the map has it; with secrets, and when it has parameters, as it came.
    pub(super) path: String,
    pub(super) method: Vec<u8>,
    /// With its `?`.
    pub(super) query: Vec<u8>,
    /// `name:value\n` for each header: neither of them has a line end in it, and no name a colon.
    pub(super) headers: Vec<u8>,
    pub(super) body: Body,
    pub(super) status: u16,
}

/// The body of a recorded request.
#[derive(Debug)]
pub(super) enum Body {
    /// Its bytes.
    Whole(Vec<u8>),
    /// Its length.
    TooLarge(usize),
}

impl Entry {
    /// What it takes while it waits.
    pub(super) fn size(&self) -> usize {
        let body = match &self.body {
            Body::Whole(bytes) => bytes.len(),
            Body::TooLarge(_) => 0,
        };
        size_of::<Self>() + self.path.len() + self.query.len() + self.headers.len() + body
    }
}
