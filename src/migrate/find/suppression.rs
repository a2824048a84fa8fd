//! `# rehook: ignore[RH301]`: advice that a comment in the source switches off.
//!
//! A comment holds for the line that it ends, and for the statement that begins or ends there (of a
//! compound one, for its head). Only advice can be switched off: what needs a manual change stays
//! reported and counted, whatever a comment says.
//!
//! Invariant: a comment that cannot do what it says is reported, with the reason.

use std::collections::BTreeMap;

use crate::migrate::diagnostic::{Code, Diagnostic, Severity};
use crate::migrate::edit::ByteRange;
use crate::migrate::python::names::Loaded;
use crate::migrate::python::tokens::{Token, TokenKind};
use crate::text;

/// What every such comment has in it.
const MARK: &str = "rehook:";

/// The comments of one module.
#[derive(Debug, Default)]
pub(crate) struct Suppressions {
    /// The codes that are switched off on a line.
    by_line: BTreeMap<usize, Vec<Code>>,
    /// What is wrong with comments.
    pub wrong: Vec<Diagnostic>,
}

impl Suppressions {
    /// Those of `loaded`.
    pub(crate) fn of(loaded: &Loaded) -> Self {
        let mut this = Self::default();
        let source = loaded.module.source();
        if memchr::memmem::find(source.text().as_bytes(), MARK.as_bytes()).is_none() {
            return this;
        }
        for token in loaded.module.tokens().all() {
            if token.kind == TokenKind::Comment {
                this.read(loaded, *token);
            }
        }
        this
    }

    /// Whether a diagnostic of the module is switched off.
    pub(crate) fn cover(&self, loaded: &Loaded, diagnostic: &Diagnostic) -> bool {
        let Some((line, column)) = diagnostic.position() else {
            return false;
        };
        if self.by_line.is_empty() || diagnostic.code().severity() != Severity::Advice {
            return false;
        }
        let covers = |line| {
            self.by_line
                .get(&line)
                .is_some_and(|codes: &Vec<Code>| codes.contains(&diagnostic.code()))
        };
        let source = loaded.module.source();
        let statement = source
            .offset(line, column)
            .map(|offset| lines_of_statement(loaded, offset));
        covers(line) || statement.is_some_and(|(first, last)| covers(first) || covers(last))
    }

    fn read(&mut self, loaded: &Loaded, comment: Token) {
        let source = loaded.module.source();
        let written = source.slice(comment.range);
        let Some(listed) = listed(written) else {
            return;
        };
        let mut wrong = |range, detail| {
            let diagnostic = loaded.diagnostic_at(Code::IgnoreComment, range, detail);
            self.wrong.push(diagnostic);
        };
        let place = |start: usize, length: usize| {
            let start = comment.range.start() + start;
            ByteRange::new(start, start + length)
        };
        let Listed::Codes { start, text: codes } = listed else {
            let detail = text!(
                "this comment names no code, so it has no effect",
                "该注释没有写明代码，不起作用"
            );
            wrong(comment.range, detail);
            return;
        };
        let (line, _) = source.position(comment.range.start());
        if is_alone(loaded, comment) {
            let detail = text!(
                "this comment stands on a line of its own, so it has no effect",
                "该注释独占一行，不起作用"
            );
            wrong(comment.range, detail);
            return;
        }
        let mut at = start;
        for piece in codes.split(',') {
            let typed = piece.trim();
            let here = place(at + (piece.len() - piece.trim_start().len()), typed.len());
            at += piece.len() + 1;
            match Code::from_typed(typed) {
                Some(code) if code.severity() == Severity::Advice => {
                    self.by_line.entry(line).or_default().push(code);
                }
                Some(_) => wrong(
                    here,
                    text!(
                        "{typed} is not advice: it cannot be ignored",
                        "{typed} 不是建议，不能忽略"
                    ),
                ),
                None if typed.is_empty() => wrong(
                    comment.range,
                    text!(
                        "this comment names no code, so it has no effect",
                        "该注释没有写明代码，不起作用"
                    ),
                ),
                None => wrong(
                    here,
                    text!("`{typed}` is not a code", "`{typed}` 不是诊断代码"),
                ),
            }
        }
    }
}

/// What a comment says.
enum Listed<'c> {
    /// What is between the brackets, and where that starts in the comment.
    Codes { start: usize, text: &'c str },
    /// There are no brackets.
    Nothing,
}

/// What a comment wants to be switched off; none for any other comment. It may stand behind another
/// one on the line, as in `# noqa: E501  # rehook: ignore[RH301]`.
fn listed(comment: &str) -> Option<Listed<'_>> {
    let (at, rest) = comment.match_indices('#').find_map(|(at, _)| {
        let rest = comment[at + 1..].trim_start().strip_prefix(MARK)?;
        let rest = rest.trim_start();
        let word = rest.get(..6)?;
        word.eq_ignore_ascii_case("ignore")
            .then(|| (comment.len() - rest.len() + 6, &rest[6..]))
    })?;
    // Another word, as in `# rehook: ignored by us`.
    if rest.starts_with(|c: char| c.is_alphanumeric() || c == '_') {
        return None;
    }
    let inside = rest.trim_start().strip_prefix('[');
    Some(match inside.and_then(|inside| inside.split_once(']')) {
        Some((text, _)) => Listed::Codes {
            start: at + (rest.len() - rest.trim_start().len()) + 1,
            text,
        },
        None => Listed::Nothing,
    })
}

/// Whether nothing but the comment is on its line.
fn is_alone(loaded: &Loaded, comment: Token) -> bool {
    let source = loaded.module.source();
    let line = source.line_at(comment.range.start());
    source
        .slice(ByteRange::new(line.start(), comment.range.start()))
        .trim_start_matches('\u{feff}')
        .trim()
        .is_empty()
}

/// The first and the last line of the statement that the byte at `offset` is in; of a compound one,
/// of its head.
fn lines_of_statement(loaded: &Loaded, offset: usize) -> (usize, usize) {
    let tokens = loaded.module.tokens().all();
    let source = loaded.module.source();
    let line = |offset| source.position(offset).0;
    let here = tokens.partition_point(|token| token.range.end() <= offset);
    let is_end = |token: &&Token| token.kind == TokenKind::Newline;
    let first = tokens[..here]
        .iter()
        .rev()
        .take_while(|token| !is_end(token))
        .filter(|token| token.kind != TokenKind::Comment)
        .last();
    let last = tokens[here..].iter().find(is_end);
    (
        line(first.map_or(offset, |token| token.range.start())),
        line(last.map_or(offset, |token| token.range.start())),
    )
}

#[cfg(test)]
mod tests {
    use std::path::{Path, PathBuf};
    use std::sync::Arc;

    use super::*;
    use crate::migrate::python::names::{Files, Workspace};

    struct OneFile(&'static str);

    impl Files for OneFile {
        fn read(&self, _: &Path) -> std::io::Result<Arc<[u8]>> {
            Ok(self.0.as_bytes().into())
        }

        fn is_file(&self, path: &Path) -> bool {
            path == Path::new("/a.py")
        }

        fn python_files(&self, _: &Path) -> Vec<PathBuf> {
            vec![PathBuf::from("/a.py")]
        }
    }

    fn with(text: &'static str, check: impl FnOnce(&Loaded, &Suppressions)) {
        let workspace = Workspace::new(PathBuf::from("/"), Box::new(OneFile(text)));
        let loaded = workspace.load(Path::new("/a.py")).unwrap();
        check(&loaded, &Suppressions::of(&loaded));
    }

    /// The lines on which advice of that code is switched off.
    fn covered(text: &'static str, code: Code) -> Vec<usize> {
        let mut covered = Vec::new();
        with(text, |loaded, suppressions| {
            let lines = text.lines().enumerate();
            let places = lines.filter(|(_, line)| !line.trim().is_empty());
            covered = places
                .filter(|(index, line)| {
                    let column = line.len() - line.trim_start().len() + 1;
                    let one = Diagnostic::new(code, Path::new("/a.py"), text!("", ""))
                        .with_position(index + 1, column);
                    suppressions.cover(loaded, &one)
                })
                .map(|(index, _)| index + 1)
                .collect();
        });
        covered
    }

    fn wrong(text: &'static str) -> Vec<String> {
        let mut said = Vec::new();
        with(text, |_, suppressions| {
            let lines = suppressions.wrong.iter().map(|one| {
                let (line, column) = one.position().unwrap();
                format!("{line}:{column} {}", one.detail())
            });
            said = lines.collect();
        });
        said
    }

    #[test]
    fn a_comment_covers_its_line_and_its_statement() {
        let code = Code::NoAuthentication;
        assert_eq!(
            covered("f()\ng()  # rehook: ignore[RH301]\nh()\n", code),
            [2]
        );
        assert_eq!(
            covered("f(\n  1,\n  2,\n)  # rehook: ignore[RH301]\ng()\n", code),
            [1, 2, 3, 4]
        );
        assert_eq!(
            covered("f(  # rehook: ignore[RH301]\n  1,\n)\ng()\n", code),
            [1, 2, 3]
        );
        assert_eq!(
            covered("def f(\n  a,\n):  # rehook: ignore[RH301]\n  g()\n", code),
            [1, 2, 3]
        );
        // In the middle it is the line's alone.
        assert_eq!(
            covered("f(\n  1,  # rehook: ignore[RH301]\n  2,\n)\n", code),
            [2]
        );
    }

    #[test]
    fn it_is_read_as_people_write_it() {
        let code = Code::NoAuthentication;
        for text in [
            "f()  # rehook: ignore[RH301]\n",
            "f()  #rehook:ignore[RH301]\n",
            "f()  # rehook: Ignore [ rh301 , RH401 ]  because\n",
            "f()  # noqa: E501  # rehook: ignore[401,301]\n",
        ] {
            assert_eq!(covered(text, code), [1], "{text}");
            assert!(wrong(text).is_empty(), "{text}");
        }
        for text in [
            "f()  # see rehook: ignore[RH301]\n",
            "f()  # rehook: ignored[RH301]\n",
            "f('# rehook: ignore[RH301]')\n",
            "f()  # rehook: ignore[RH401]\n",
        ] {
            assert!(covered(text, code).is_empty(), "{text}");
            assert!(wrong(text).is_empty(), "{text}");
        }
    }

    #[test]
    fn only_advice_is_switched_off() {
        let text = "f()  # rehook: ignore[RH103, RH301]\n";
        assert_eq!(covered(text, Code::NoAuthentication), [1]);
        assert!(covered(text, Code::UnknownEndpoint).is_empty());
        assert_eq!(
            wrong(text),
            ["1:23 RH103 is not advice: it cannot be ignored"]
        );
    }

    #[test]
    fn what_has_no_effect_is_reported() {
        assert_eq!(
            wrong("f()  # rehook: ignore[RH999, X]\n"),
            ["1:23 `RH999` is not a code", "1:30 `X` is not a code"]
        );
        let nothing = "names no code, so it has no effect";
        for text in [
            "f()  # rehook: ignore\n",
            "f()  # rehook: ignore[]\n",
            "f()  # rehook: ignore[RH301\n",
            "f()  # rehook: ignore: RH301\n",
        ] {
            let said = wrong(text);
            assert!(
                said.len() == 1 && said[0].ends_with(nothing),
                "{text}: {said:?}"
            );
            assert!(said[0].starts_with("1:6 "), "{said:?}");
        }
        assert_eq!(
            wrong("# rehook: ignore[RH301]\nf()\n"),
            ["1:1 this comment stands on a line of its own, so it has no effect"]
        );
    }
}
