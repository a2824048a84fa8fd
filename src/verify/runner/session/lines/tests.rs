use super::*;

fn lines(text: &[u8]) -> Vec<Line> {
    let mut lines = Vec::new();
    assert!(!read(text, |line| {
        lines.push(line);
        true
    }));
    lines
}

#[test]
fn a_line_that_is_too_long_is_passed_over_and_still_says_its_case() {
    let mut text = br#"{"event": "proof", "case": "dev.a", "file": ""#.to_vec();
    text.resize(LONGEST + 1, b'x');
    text.extend_from_slice(b"\n{\"event\": \"end\"}\nhalf a li");
    let lines = lines(&text);
    let [long, end] = &lines[..] else {
        panic!("{} lines", lines.len());
    };
    assert_eq!(long.case().as_deref(), Some("dev.a"));
    assert_eq!(
        long.event(),
        Err(format!("{} B > {LONGEST} B", LONGEST + 1))
    );
    assert!(long.bytes.len() <= KEPT);
    assert_eq!(end.event(), Ok(Event::End));
}

#[test]
fn the_case_is_seen_whatever_else_is_said() {
    let case = |text: &str| {
        let line = Line {
            bytes: text.into(),
            too_long: None,
        };
        line.case()
    };
    assert_eq!(case(r#"{"a": "\ud800", "case": "c""#).as_deref(), Some("c"));
    assert_eq!(case(r#"{"case": "c", "a": 1e999"#).as_deref(), Some("c"));
    assert_eq!(case(r#"{"a": {"case": "c"}}"#), None);
    assert_eq!(case("hello"), None);
}

#[test]
fn there_is_an_end_to_what_is_taken() {
    let mut count = 0;
    let endless = io::repeat(b'\n');
    assert!(read_most(1000, endless, |_| {
        count += 1;
        true
    }));
    assert_eq!(count, 1000);
}
