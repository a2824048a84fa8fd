//! Patterns for the names of modules: `*`, `?`, `[abc]`, `[a-c]` and `[!abc]`.

/// Whether `pattern` matches the whole of `text`.
pub(super) fn matches(pattern: &str, text: &str) -> bool {
    let pattern: Vec<char> = pattern.chars().collect();
    let text: Vec<char> = text.chars().collect();
    // Where to go on when what follows the last star does not fit.
    let mut retry: Option<(usize, usize)> = None;
    let (mut p, mut t) = (0, 0);
    while t < text.len() {
        let step = match pattern.get(p) {
            Some('*') => {
                retry = Some((p + 1, t));
                p += 1;
                continue;
            }
            Some('?') => Some(1),
            Some('[') => set(&pattern[p..], text[t]),
            Some(&c) => (c == text[t]).then_some(1),
            None => None,
        };
        match (step, retry) {
            (Some(step), _) => {
                p += step;
                t += 1;
            }
            (None, Some((after, from))) => {
                retry = Some((after, from + 1));
                (p, t) = (after, from + 1);
            }
            (None, None) => return false,
        }
    }
    pattern[p..].iter().all(|&c| c == '*')
}

/// How long the set at the start of `pattern` is, when `c` is in it.
fn set(pattern: &[char], c: char) -> Option<usize> {
    let negated = pattern.get(1) == Some(&'!');
    let start = 1 + usize::from(negated);
    // A bracket right at the start is one of the characters.
    let end = (start + 1..pattern.len()).find(|&at| pattern[at] == ']')?;
    let mut at = start;
    let mut found = false;
    while at < end {
        if pattern.get(at + 1) == Some(&'-') && at + 2 < end {
            found |= (pattern[at]..=pattern[at + 2]).contains(&c);
            at += 3;
        } else {
            found |= pattern[at] == c;
            at += 1;
        }
    }
    (found != negated).then_some(end + 1)
}

#[cfg(test)]
mod tests {
    use super::matches;

    #[test]
    fn patterns_match_whole_names() {
        let yes = [
            ("a", "a"),
            ("a*c", "abbc"),
            ("*", ""),
            ("a?", "ab"),
            ("[a-c]x", "bx"),
            ("[!a]", "b"),
        ];
        let no = [
            ("a", "ab"),
            ("a*c", "abb"),
            ("a?", "a"),
            ("[a-c]", "d"),
            ("[a", "a"),
            ("", "a"),
        ];
        for (pattern, text) in yes {
            assert!(matches(pattern, text), "{pattern} {text}");
        }
        for (pattern, text) in no {
            assert!(!matches(pattern, text), "{pattern} {text}");
        }
    }
}
