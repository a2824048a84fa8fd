//! What an expression can stand for, and how far the answer may be looked for.

use std::cell::Cell;
use std::path::PathBuf;

use crate::migrate::edit::ByteRange;

/// The call that makes a plugin, which is what tells one plugin from another.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PluginId {
    /// The module in which the call stands.
    pub module: PathBuf,
    /// The call `NekroPlugin(...)`.
    pub call: ByteRange,
}

/// What an expression stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// A string.
    Text(String),
    /// A whole number.
    Number(i64),
    /// A module of the repo.
    Module(PathBuf),
    /// Something outside the repo, by its dotted name.
    External(String),
    /// What a call of something outside the repo gives, by the dotted name of what is called.
    CallOf(String),
    /// A plugin.
    Plugin(PluginId),
    /// A function of the repo.
    Function(PathBuf, ByteRange),
    /// A class of the repo.
    Class(PathBuf, ByteRange),
    /// An instance of a class of the repo that is not a plugin.
    Instance(PathBuf, ByteRange),
    /// A member of an enumeration of the repo.
    Member(Member),
    /// Known to be none of these: a number with a fraction, `None`, a list, a dict.
    Other,
    /// It cannot be told.
    Unknown,
}

/// A member of an enumeration of the repo.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// Its name.
    pub name: String,
    /// Its value.
    pub value: Box<Value>,
    /// What else it is.
    pub kind: MemberKind,
}

/// What a member of an enumeration is besides.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MemberKind {
    /// Nothing.
    Plain,
    /// A string; what it prints depends on the release of Python.
    Str,
    /// A string that prints as its value.
    StrEnum,
}

/// How many expressions, names and imports one question may lead to: names that stand for sums of
/// names could lead to more than there is time for.
const MAX_STEPS: usize = 2_000;

/// How long a string may become, in bytes.
pub(super) const MAX_TEXT: usize = 64 << 10;

/// How deeply expressions, names and imports may lead to each other.
const MAX_DEPTH: usize = 100;

/// The steps that are left for a question, and how deep it has led.
pub(super) struct Budget {
    steps: Cell<usize>,
    depth: Cell<usize>,
    /// Whether a name that may be set again elsewhere is unknown.
    pub(super) only_what_stays: bool,
}

impl Budget {
    pub(super) fn new() -> Self {
        Self {
            steps: Cell::new(MAX_STEPS),
            depth: Cell::new(0),
            only_what_stays: false,
        }
    }

    /// For a question about what a name lastingly stands for.
    pub(super) fn for_what_stays() -> Self {
        Self {
            only_what_stays: true,
            ..Self::new()
        }
    }

    /// Whether another step may be taken; takes it.
    pub(super) fn spend(&self) -> bool {
        let left = self.steps.get();
        self.steps.set(left.saturating_sub(1));
        left > 0
    }

    /// What `step` answers one level deeper; unknown where that is too deep.
    pub(super) fn deeper(&self, step: impl FnOnce() -> Value) -> Value {
        let depth = self.depth.get();
        if depth >= MAX_DEPTH || !self.spend() {
            return Value::Unknown;
        }
        self.depth.set(depth + 1);
        let value = step();
        self.depth.set(depth);
        value
    }
}
