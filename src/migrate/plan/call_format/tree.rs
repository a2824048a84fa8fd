//! A statement as pieces of text and what is in brackets, and how that is broken into lines.
//!
//! The rules are those of `ruff format`: of the brackets at the outermost level the last are opened
//! (the first in a `def`); what is in them goes on one line if it can, in a call or a subscript,
//! else each thing has a line, with a comma after the last; a thing that is still too wide is broken
//! in the same way, or before its operators. A comma before a closing bracket asks for lines.

use super::place::Place;
use crate::migrate::python::tokens::{Token, TokenKind, Tokens};

/// What stands in a row.
pub(super) struct Tree<'a> {
    /// The statement as it was written.
    text: &'a str,
    nodes: Vec<Node<'a>>,
}

enum Node<'a> {
    /// A piece of text, and the space before it.
    Text { gap: &'static str, text: &'a str },
    /// What is in brackets.
    Group(Group<'a>),
}

/// What the brackets are there for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Purpose {
    /// A call, or a subscript: what is in them may share a line.
    Arguments,
    /// The parameters of a function.
    Parameters,
    /// A list and its like: each thing has a line.
    Display,
    /// Only to keep together.
    Parentheses,
}

struct Group<'a> {
    gap: &'static str,
    open: &'a str,
    items: Vec<Vec<Node<'a>>>,
    close: &'a str,
    purpose: Purpose,
    /// Whether a comma follows the last thing.
    has_comma: bool,
}

impl<'a> Tree<'a> {
    /// The tree of a statement, or of an expression.
    pub(super) fn of(text: &'a str) -> Self {
        let tokens: Vec<Token> = Tokens::new(text, 0)
            .all()
            .iter()
            .filter(|token| token.kind != TokenKind::Newline)
            .copied()
            .collect();
        let word = |index: usize| tokens.get(index).map(|token| &text[token.range.as_range()]);
        let is_def = word(0) == Some("def") || word(0) == Some("async") && word(1) == Some("def");
        let mut reader = Reader {
            text,
            tokens: &tokens,
            at: 0,
            is_def,
        };
        let nodes = reader.nodes(false);
        Self { text, nodes }
    }

    /// The text on one line.
    pub(super) fn joined(&self) -> String {
        flat(&self.nodes)
    }

    /// The text on the lines that it takes.
    pub(super) fn render(&self, place: &Place<'_>) -> String {
        // On one line the author's own spaces stay.
        if place.style.magic_trailing_comma
            && !self.text.contains(['\n', '\r'])
            && !wants_lines(&self.nodes, true)
            && place.fits(place.indent, self.text, place.suffix)
        {
            return self.text.to_owned();
        }
        lines(&self.nodes, place, place.indent, place.suffix)
    }
}

impl Group<'_> {
    /// Whether there is one thing in it, so that a comma after it makes a tuple and asks for nothing.
    fn is_single(&self) -> bool {
        self.items.len() == 1
            && (self.purpose == Purpose::Parentheses
                || self.purpose == Purpose::Arguments && self.open == "[")
    }

    fn wants_lines(&self, magic: bool) -> bool {
        let mut items = self.items.iter();
        magic && self.has_comma && !self.is_single() || items.any(|item| wants_lines(item, magic))
    }

    fn flat(&self) -> String {
        let items: Vec<String> = self.items.iter().map(|item| flat(item)).collect();
        let comma = if self.has_comma && self.is_single() {
            ","
        } else {
            ""
        };
        let Self {
            gap, open, close, ..
        } = self;
        format!("{gap}{open}{}{comma}{close}", items.join(", "))
    }

    /// The brackets opened: what is in them on lines of its own.
    fn lines(&self, place: &Place<'_>, indent: &str) -> String {
        let magic = place.style.magic_trailing_comma;
        let inner = format!("{indent}{}", place.unit);
        let line_end = place.line_end;
        let joined: Vec<String> = self.items.iter().map(|item| flat(item)).collect();
        let joined = joined.join(", ");
        // A single thing gets no comma, but a single parameter does.
        let is_alone =
            self.items.len() == 1 && !self.has_comma && self.purpose != Purpose::Parameters;
        let may_share = match self.purpose {
            Purpose::Arguments => true,
            Purpose::Parameters => self.items.len() > 1,
            Purpose::Display | Purpose::Parentheses => false,
        };
        let shares = may_share && !self.wants_lines(magic) && place.fits(&inner, &joined, 0);
        let comma = if is_alone { "" } else { "," };
        let body = if shares {
            format!("{inner}{joined}")
        } else {
            let items = self.items.iter().map(|item| {
                let text = item_lines(item, place, &inner, comma.len());
                format!("{inner}{text}{comma}")
            });
            items.collect::<Vec<String>>().join(line_end)
        };
        let Self {
            gap, open, close, ..
        } = self;
        format!("{gap}{open}{line_end}{body}{line_end}{indent}{close}")
    }
}

/// Whether commas before closing brackets ask for lines.
fn wants_lines(nodes: &[Node<'_>], magic: bool) -> bool {
    nodes.iter().any(|node| match node {
        Node::Text { .. } => false,
        Node::Group(group) => group.wants_lines(magic),
    })
}

/// The nodes on one line.
fn flat(nodes: &[Node<'_>]) -> String {
    let texts = nodes.iter().map(|node| match node {
        Node::Text { gap, text } => format!("{gap}{text}"),
        Node::Group(group) => group.flat(),
    });
    texts.collect()
}

/// The nodes on the lines that they take, of which the first starts with `indent`.
fn lines(nodes: &[Node<'_>], place: &Place<'_>, indent: &str, suffix: usize) -> String {
    let whole = flat(nodes);
    let wants_lines = wants_lines(nodes, place.style.magic_trailing_comma);
    if !wants_lines && place.fits(indent, &whole, suffix) {
        return whole;
    }
    let groups: Vec<(usize, &Group<'_>)> = nodes
        .iter()
        .enumerate()
        .filter_map(|(index, node)| match node {
            Node::Group(group) => (!group.items.is_empty()).then_some((index, group)),
            Node::Text { .. } => None,
        })
        .collect();
    let magic = place.style.magic_trailing_comma;
    let is_def = |(_, group): &&(usize, &Group<'_>)| group.purpose == Purpose::Parameters;
    let asks = |(_, group): &&(usize, &Group<'_>)| group.wants_lines(magic);
    // Brackets are opened only where what is before them has room.
    let has_room = |(index, group): &&(usize, &Group<'_>)| {
        let before = flat(&nodes[..*index]) + group.gap + group.open;
        place.fits(indent, &before, 0)
    };
    let opened = (groups.iter().find(is_def))
        .or_else(|| groups.iter().rev().find(asks))
        .or_else(|| groups.iter().rev().find(has_room))
        .or_else(|| groups.first())
        .copied();
    match opened {
        Some((index, group)) => {
            flat(&nodes[..index]) + &group.lines(place, indent) + &flat(&nodes[index + 1..])
        }
        None => whole,
    }
}

/// One of several things in brackets, on its lines: broken before operators where it has some.
fn item_lines(nodes: &[Node<'_>], place: &Place<'_>, indent: &str, suffix: usize) -> String {
    let parts = parts(nodes);
    let wants_lines = wants_lines(nodes, place.style.magic_trailing_comma);
    if parts.len() < 2 || !wants_lines && place.fits(indent, &flat(nodes), suffix) {
        return lines(nodes, place, indent, suffix);
    }
    let last = parts.len() - 1;
    let parts = parts.into_iter().enumerate().map(|(index, part)| {
        let suffix = if index == last { suffix } else { 0 };
        let text = lines(part, place, indent, suffix);
        text.trim_start().to_owned()
    });
    let parts: Vec<String> = parts.collect();
    parts.join(&format!("{}{indent}", place.line_end))
}

/// The parts that start with an operator of the weakest kind that is here.
fn parts<'n, 'a>(nodes: &'n [Node<'a>]) -> Vec<&'n [Node<'a>]> {
    const WEAKEST_FIRST: &[&[&str]] = &[
        &["for", "async", "if"],
        &["if", "else"],
        &["or", "and"],
        &["+", "-"],
    ];
    let is_one_of = |index: usize, words: &[&str]| match nodes.get(index) {
        // A sign touches what it is of, an operator does not.
        Some(Node::Text { gap: " ", text }) => words.contains(text) && gap_after(nodes, index),
        _ => false,
    };
    let is_string = |index: usize| match nodes.get(index) {
        Some(Node::Text { text, .. }) => text.ends_with(['"', '\'']),
        _ => false,
    };
    let follows_string = |index: usize| is_string(index) && is_string(index - 1);
    let is_there = |word: &str| (1..nodes.len()).any(|index| is_one_of(index, &[word]));
    if is_there("lambda") || matches!(nodes.first(), Some(Node::Text { text: "lambda", .. })) {
        return Vec::new();
    }
    let splits = WEAKEST_FIRST.iter().find(|words| match words {
        ["for", ..] => is_there("for"),
        ["if", ..] => is_there("else"),
        words => words.iter().any(|word| is_there(word)),
    });
    let is_start = |&index: &usize| match splits {
        Some(splits) => is_one_of(index, splits) && !is_one_of(index - 1, &["async"]),
        None => follows_string(index),
    };
    let starts: Vec<usize> = [0]
        .into_iter()
        .chain((1..nodes.len()).filter(is_start))
        .collect();
    let ends = starts.iter().skip(1).copied().chain([nodes.len()]);
    let ranges = starts.iter().copied().zip(ends);
    ranges.map(|(start, end)| &nodes[start..end]).collect()
}

/// Whether there is space after the node at `index`.
fn gap_after(nodes: &[Node<'_>], index: usize) -> bool {
    match nodes.get(index + 1) {
        Some(Node::Text { gap, .. } | Node::Group(Group { gap, .. })) => *gap == " ",
        None => false,
    }
}

struct Reader<'t, 'a> {
    text: &'a str,
    tokens: &'t [Token],
    at: usize,
    is_def: bool,
}

impl<'a> Reader<'_, 'a> {
    fn slice(&self, token: Token) -> &'a str {
        &self.text[token.range.as_range()]
    }

    /// The space before the token at `index`: none after an opening bracket and before a closing one.
    fn gap(&self, index: usize) -> &'static str {
        let Some(before) = index.checked_sub(1).and_then(|at| self.tokens.get(at)) else {
            return "";
        };
        let token = self.tokens[index];
        let is_apart = before.range.end() < token.range.start();
        let is_inside = before.kind == TokenKind::Open || token.kind == TokenKind::Close;
        if is_apart && !is_inside { " " } else { "" }
    }

    /// The nodes up to a closing bracket, and up to a comma where `in_brackets`.
    fn nodes(&mut self, in_brackets: bool) -> Vec<Node<'a>> {
        let mut nodes = Vec::new();
        while let Some(&token) = self.tokens.get(self.at) {
            match token.kind {
                TokenKind::Close => break,
                TokenKind::Comma if in_brackets => break,
                TokenKind::Open => {
                    let group = self.group();
                    nodes.push(Node::Group(group));
                }
                _ => {
                    let gap = if nodes.is_empty() && in_brackets {
                        ""
                    } else {
                        self.gap(self.at)
                    };
                    nodes.push(Node::Text {
                        gap,
                        text: self.slice(token),
                    });
                    self.at += 1;
                }
            }
        }
        nodes
    }

    fn group(&mut self) -> Group<'a> {
        let index = self.at;
        let token = self.tokens[index];
        let open = self.slice(token);
        let is_first_thing = index.checked_sub(1).is_none_or(|before| {
            matches!(self.tokens[before].kind, TokenKind::Open | TokenKind::Comma)
        });
        let gap = if is_first_thing { "" } else { self.gap(index) };
        // A bracket that touches a value before it is of a call or a subscript.
        let touches = gap.is_empty()
            && index.checked_sub(1).is_some_and(|before| {
                let before = self.tokens[before];
                before.range.end() == token.range.start()
                    && matches!(
                        before.kind,
                        TokenKind::Name | TokenKind::Close | TokenKind::String | TokenKind::FString
                    )
            });
        self.at += 1;
        let is_outermost = token.depth == 0;
        let mut items = Vec::new();
        let mut has_comma = false;
        loop {
            let nodes = self.nodes(true);
            if !nodes.is_empty() {
                items.push(nodes);
            }
            match self.tokens.get(self.at) {
                Some(token) if token.kind == TokenKind::Comma => {
                    self.at += 1;
                    let next = self.tokens.get(self.at);
                    has_comma = next.is_some_and(|next| next.kind == TokenKind::Close);
                }
                _ => break,
            }
        }
        let close = self
            .tokens
            .get(self.at)
            .map_or("", |&token| self.slice(token));
        self.at += 1;
        let purpose = if touches && self.is_def && is_outermost && open == "(" {
            self.is_def = false;
            Purpose::Parameters
        } else if touches && open != "{" {
            Purpose::Arguments
        } else if open == "(" && items.len() == 1 {
            Purpose::Parentheses
        } else {
            Purpose::Display
        };
        Group {
            gap,
            open,
            items,
            close,
            purpose,
            has_comma,
        }
    }
}
