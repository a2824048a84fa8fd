//! Paths with parameters, as FastAPI writes them (`/job/{id}`, `/file/{path:path}`), and the tree
//! in which they are looked up.
//!
//! Invariants: looking a path up costs by its own length, not by the number of routes; of
//! two patterns the more literal one wins, segment by segment.

use std::collections::HashMap;

use crate::shim::http::rejection::Rejection;
use crate::shim::http::target;

/// A piece of a pattern between two `/`.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Segment {
    Literal(String),
    /// A parameter in between two literals, which may be empty.
    Parameter {
        before: String,
        name: String,
        after: String,
    },
    /// A parameter that takes all that is left.
    Rest(String),
}

/// A path with parameters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Pattern {
    segments: Vec<Segment>,
}

/// Why a path with braces is not understood.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PatternError {
    /// A brace without its partner, or no name inside.
    Braces,
    /// More than one parameter between two `/`.
    TwoInOneSegment,
    /// `{name:path}` before the end.
    PathNotLast,
    /// The same name for two parameters.
    NamedTwice,
}

impl Pattern {
    /// Reads a path; `None` when it has no parameter.
    pub(crate) fn parse(text: &str) -> Result<Option<Self>, PatternError> {
        if !text.contains(['{', '}']) {
            return Ok(None);
        }
        let mut segments = Vec::new();
        for segment in text.strip_prefix('/').unwrap_or(text).split('/') {
            if matches!(segments.last(), Some(Segment::Rest(_))) {
                return Err(PatternError::PathNotLast);
            }
            segments.push(Segment::parse(segment)?);
        }
        let pattern = Self { segments };
        let names: Vec<&str> = pattern.names().collect();
        let twice = |(index, name)| names[..index].contains(name);
        if names.iter().enumerate().any(twice) {
            return Err(PatternError::NamedTwice);
        }
        Ok(Some(pattern))
    }

    /// The names of the parameters.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.segments.iter().filter_map(|segment| match segment {
            Segment::Literal(_) => None,
            Segment::Parameter { name, .. } | Segment::Rest(name) => Some(name.as_str()),
        })
    }

    /// What two patterns have in common that match the same paths: the names of parameters do not
    /// matter.
    pub(crate) fn shape(&self) -> String {
        let mut shape = String::new();
        for segment in &self.segments {
            shape.push('/');
            match segment {
                Segment::Literal(text) => shape.push_str(text),
                Segment::Parameter { before, after, .. } => {
                    shape.extend([before.as_str(), "{}", after.as_str()]);
                }
                Segment::Rest(_) => shape.push_str("{:path}"),
            }
        }
        shape
    }

    /// Writes the path with `values` (pieces of a path as it came) in place of the parameters.
    pub(super) fn fill(&self, values: &[(&str, &[u8])], out: &mut Vec<u8>) {
        let value = |name: &str| {
            values
                .iter()
                .find(|(other, _)| *other == name)
                .map_or(&b""[..], |(_, value)| value)
        };
        for segment in &self.segments {
            out.push(b'/');
            match segment {
                Segment::Literal(text) => out.extend_from_slice(target::encode(text).as_bytes()),
                Segment::Parameter {
                    before,
                    name,
                    after,
                } => {
                    out.extend_from_slice(target::encode(before).as_bytes());
                    out.extend_from_slice(value(name));
                    out.extend_from_slice(target::encode(after).as_bytes());
                }
                Segment::Rest(name) => out.extend_from_slice(value(name)),
            }
        }
    }
}

impl Segment {
    fn parse(text: &str) -> Result<Self, PatternError> {
        let Some((before, rest)) = text.split_once('{') else {
            return match text.contains('}') {
                true => Err(PatternError::Braces),
                false => Ok(Self::Literal(text.to_owned())),
            };
        };
        let (inside, after) = rest.split_once('}').ok_or(PatternError::Braces)?;
        if after.contains('{') {
            return Err(PatternError::TwoInOneSegment);
        }
        let (name, convertor) = inside.split_once(':').unwrap_or((inside, "str"));
        let is_name = name
            .chars()
            .all(|character| character.is_alphanumeric() || character == '_');
        if name.is_empty() || !is_name || before.contains('}') || after.contains('}') {
            return Err(PatternError::Braces);
        }
        match convertor {
            "path" if before.is_empty() && after.is_empty() => Ok(Self::Rest(name.to_owned())),
            "path" => Err(PatternError::PathNotLast),
            _ => Ok(Self::Parameter {
                before: before.to_owned(),
                name: name.to_owned(),
                after: after.to_owned(),
            }),
        }
    }
}

/// Patterns and what they lead to.
#[derive(Debug)]
pub(crate) struct Tree<T> {
    literals: HashMap<String, Tree<T>>,
    /// In the order in which they were added; what is before and after the parameter is encoded.
    parameters: Vec<(String, String, Tree<T>)>,
    rest: Option<T>,
    here: Option<T>,
}

impl<T> Default for Tree<T> {
    fn default() -> Self {
        Self {
            literals: HashMap::new(),
            parameters: Vec::new(),
            rest: None,
            here: None,
        }
    }
}

/// What was found, and the pieces of the path that stand for its parameters, in their order.
pub(super) type Found<'t, 'p, T> = (&'t T, Vec<&'p [u8]>);

impl<T> Tree<T> {
    /// The place of `pattern`, made when it is not there. Patterns that differ in the names of
    /// their parameters alone have the same place.
    pub(super) fn place(&mut self, pattern: &Pattern) -> &mut Option<T> {
        let mut tree = self;
        for segment in &pattern.segments {
            tree = match segment {
                Segment::Literal(text) => tree.literals.entry(text.clone()).or_default(),
                Segment::Parameter { before, after, .. } => {
                    let (before, after) = (target::encode(before), target::encode(after));
                    let known = tree
                        .parameters
                        .iter()
                        .position(|(b, a, _)| *b == before && *a == after);
                    let index = known.unwrap_or(tree.parameters.len());
                    if known.is_none() {
                        tree.parameters.push((before, after, Self::default()));
                    }
                    &mut tree.parameters[index].2
                }
                Segment::Rest(_) => return &mut tree.rest,
            };
        }
        &mut tree.here
    }

    /// Looks up a path as it came. Rejected when it only matches with a piece in place of a
    /// parameter that servers disagree about.
    pub(super) fn find<'t, 'p>(
        &'t self,
        path: &'p [u8],
    ) -> Result<Option<Found<'t, 'p, T>>, Rejection> {
        let mut values = Vec::new();
        let path = path.strip_prefix(b"/").unwrap_or(path);
        let found = self.search(Some(path), &mut values);
        match found {
            Some(_) if !values.iter().all(|value| target::is_plain(value)) => {
                Err(Rejection::ParameterPath)
            }
            Some(found) => Ok(Some((found, values))),
            None => Ok(None),
        }
    }

    fn search<'t, 'p>(
        &'t self,
        path: Option<&'p [u8]>,
        values: &mut Vec<&'p [u8]>,
    ) -> Option<&'t T> {
        let Some(path) = path else {
            return self.here.as_ref();
        };
        let end = memchr::memchr(b'/', path).unwrap_or(path.len());
        let (segment, after) = (&path[..end], path.get(end + 1..));
        let decoded = target::decode(segment);
        let literal = std::str::from_utf8(&decoded)
            .ok()
            .and_then(|text| self.literals.get(text));
        if let Some(found) = literal.and_then(|tree| tree.search(after, values)) {
            return Some(found);
        }
        let depth = values.len();
        for (before, ending, tree) in &self.parameters {
            let value = segment
                .strip_prefix(before.as_bytes())
                .and_then(|rest| rest.strip_suffix(ending.as_bytes()));
            if let Some(value) = value.filter(|value| !value.is_empty()) {
                values.push(value);
                if let Some(found) = tree.search(after, values) {
                    return Some(found);
                }
                values.truncate(depth);
            }
        }
        let rest = self.rest.as_ref()?;
        values.push(path);
        Some(rest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tree(patterns: &[&'static str]) -> Tree<&'static str> {
        let mut tree = Tree::default();
        for pattern in patterns {
            *tree.place(&Pattern::parse(pattern).unwrap().unwrap()) = Some(*pattern);
        }
        tree
    }

    #[test]
    fn the_more_literal_pattern_wins() {
        let tree = tree(&["/a/{id}", "/a/{id}/log", "/{x}/b", "/f/{p:path}", "/a/v{n}"]);
        let find = |path: &'static str| {
            let found = tree.find(path.as_bytes()).unwrap();
            found.map(|(pattern, values)| {
                let values = values
                    .iter()
                    .map(|v| String::from_utf8_lossy(v).into_owned());
                (*pattern, values.collect::<Vec<_>>().join("|"))
            })
        };
        assert_eq!(find("/a/7"), Some(("/a/{id}", "7".to_owned())));
        assert_eq!(find("/a/7/log"), Some(("/a/{id}/log", "7".to_owned())));
        assert_eq!(find("/c/b"), Some(("/{x}/b", "c".to_owned())));
        assert_eq!(find("/%63/%62"), Some(("/{x}/b", "%63".to_owned())));
        assert_eq!(find("/f/x/y"), Some(("/f/{p:path}", "x/y".to_owned())));
        assert_eq!(find("/a/"), None);
        assert_eq!(find("/a"), None);
        assert_eq!(find("/c/d"), None);
    }

    #[test]
    fn a_parameter_takes_no_encoded_separator() {
        let tree = tree(&["/a/{id}", "/f/{p:path}"]);
        for path in [
            "/a/x%2fy",
            "/a/..",
            "/a/%2e%2E",
            "/a/x%5c",
            "/f/a/../b",
            "/f/a%2fb",
        ] {
            assert_eq!(
                tree.find(path.as_bytes()),
                Err(Rejection::ParameterPath),
                "{path}"
            );
        }
    }

    #[test]
    fn parameters_go_into_the_path_of_the_route() {
        let pattern = Pattern::parse("/plugins/a.m/{p}/x {id:int}")
            .unwrap()
            .unwrap();
        assert_eq!(pattern.names().collect::<Vec<_>>(), ["p", "id"]);
        let mut out = Vec::new();
        pattern.fill(&[("id", b"%207"), ("p", b"q")], &mut out);
        assert_eq!(out, b"/plugins/a.m/q/x%20%207");
    }

    #[test]
    fn braces_that_are_no_parameter_are_an_error() {
        assert_eq!(Pattern::parse("/a/b"), Ok(None));
        for (text, error) in [
            ("/{", PatternError::Braces),
            ("/}", PatternError::Braces),
            ("/{}", PatternError::Braces),
            ("/{a b}", PatternError::Braces),
            ("/{a}-{b}", PatternError::TwoInOneSegment),
            ("/{a:path}/b", PatternError::PathNotLast),
        ] {
            assert_eq!(Pattern::parse(text), Err(error), "{text}");
        }
    }
}
