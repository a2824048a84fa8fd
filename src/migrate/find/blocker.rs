//! What stands in the way of a migration: the reason, the place, and what to do about it.

use crate::migrate::diagnostic::{Code, Related};
use crate::migrate::edit::{Applicability, ByteRange};
use crate::migrate::python::names::Loaded;
use crate::text::Text;

/// Something that stands in the way of a migration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Blocker {
    /// The reason.
    pub code: Code,
    /// Where.
    pub range: ByteRange,
    /// [`Applicability::Unsafe`] when the migration can be had with `--unsafe` all the same.
    pub applicability: Applicability,
    /// What is the case there.
    pub detail: Text,
    /// What to do about it, when it is not the code's remedy.
    pub hint: Option<Text>,
    /// Another place that it speaks of.
    pub related: Option<Related>,
}

impl Blocker {
    /// Something that no option overcomes.
    pub fn manual(code: Code, range: ByteRange, detail: Text) -> Self {
        Self {
            code,
            range,
            applicability: Applicability::Manual,
            detail,
            hint: None,
            related: None,
        }
    }

    /// With another place that it speaks of: what is at `range` in `loaded`.
    #[must_use]
    pub fn with_related(self, loaded: &Loaded, range: ByteRange, says: Text) -> Self {
        let source = loaded.module.source();
        let related = Related {
            path: source.path().to_owned(),
            position: source.position(range.start()),
            says,
        };
        Self {
            related: Some(related),
            ..self
        }
    }

    pub(crate) fn with_place(mut self, place: &Related) -> Self {
        self.related = Some(place.clone());
        self
    }

    pub(crate) fn with_hint(mut self, hint: Text) -> Self {
        self.hint = Some(hint);
        self
    }
}
