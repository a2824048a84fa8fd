use serde_json::json;

use super::*;

fn endless(seconds: Value, went_on: Value) -> Value {
    let request = json!({"method": "POST", "path": "/api/webhook/ci"});
    json!({"request": request, "seconds": seconds, "went_on": went_on})
}

fn result(endless: Value) -> Result<Event, serde_json::Error> {
    serde_json::from_value(json!({
        "event": "proof", "case": "dev.ci", "plugin": "dev.ci", "endpoint": "ci",
        "verdict": "same", "requests": 9, "endless": endless,
    }))
}

#[test]
fn a_handler_has_no_more_lines_than_a_file() {
    let result = |count: usize| {
        serde_json::from_value::<Event>(json!({
            "event": "proof", "case": "c", "plugin": "p", "endpoint": "e", "verdict": "same",
            "requests": 1, "reached": vec![1; count],
        }))
    };
    assert!(result(MOST_LINES).is_ok());
    let error = result(MOST_LINES + 1).unwrap_err().to_string();
    assert!(error.contains("more lines than a file has"), "{error}");
}

#[test]
fn requests_without_an_end_are_as_the_search_can_have_left_them() {
    let (on, last) = (
        || endless(json!(5), json!(true)),
        || endless(json!(5), json!(false)),
    );
    for good in [
        json!([]),
        json!([on()]),
        json!([last()]),
        json!([on(), on(), last()]),
    ] {
        assert!(result(good.clone()).is_ok(), "{good}");
    }
    for bad in [
        json!(vec![on(); MOST_ENDLESS + 1]),
        json!([last(), on()]),
        json!([endless(json!(0), json!(true))]),
        json!([endless(json!(-5), json!(true))]),
        json!([endless(json!(5.5), json!(true))]),
        json!([endless(json!(5), json!("yes"))]),
        json!([{"seconds": 5, "went_on": true}]),
        json!(on()),
        json!(null),
    ] {
        assert!(result(bad.clone()).is_err(), "{bad}");
    }
}
