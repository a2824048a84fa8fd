//! Endpoints with parameters: `/item/{item_id}`, as FastAPI writes them.
//!
//! The document of the old API serves a handler as a FastAPI endpoint, so a parameter of the path is
//! an argument of the function. Such an endpoint becomes a route as it is where every parameter has
//! its argument, of a type that a piece of a path can be, and where the compat server can serve the
//! old URLs too. Anything else with a brace is not a path that a route could have.

use crate::migrate::find::handler::{Handler, Parameter};
use crate::routes::Dialect;
use crate::text;
use crate::text::Text;

/// The parameters of an endpoint; none when its braces are not understood.
fn parameters(endpoint: &str) -> Option<Vec<&str>> {
    let mut names = Vec::new();
    let segments: Vec<&str> = endpoint.split('/').collect();
    for (index, segment) in segments.iter().enumerate() {
        let Some((before, rest)) = segment.split_once('{') else {
            if segment.contains('}') {
                return None;
            }
            continue;
        };
        let (inside, after) = rest.split_once('}')?;
        let (name, convertor) = inside.split_once(':').unwrap_or((inside, "str"));
        let is_name = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
            && name
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
        let is_alone = before.is_empty() && after.is_empty();
        let is_known = match convertor {
            "path" => is_alone && index + 1 == segments.len(),
            convertor => matches!(convertor, "str" | "int" | "float" | "uuid"),
        };
        if !is_name
            || !is_known
            || names.contains(&name)
            || format!("{before}{after}").contains(['{', '}'])
        {
            return None;
        }
        names.push(name);
    }
    Some(names)
}

/// The names of the parameters of an endpoint, as far as they are understood.
pub(super) fn names(endpoint: &str) -> Vec<&str> {
    parameters(endpoint).unwrap_or_default()
}

/// Why an endpoint with braces cannot be the path of a route.
pub(super) fn problem(endpoint: &str, dialect: Option<Dialect>, handler: &Handler) -> Option<Text> {
    if !endpoint.contains(['{', '}']) {
        return None;
    }
    if dialect != Some(Dialect::Request) {
        return Some(text!(
            "the endpoint `{endpoint}` contains a brace, which a route takes for a parameter",
            "端点 `{endpoint}` 含有花括号，路由会把它当作参数"
        ));
    }
    let Some(names) = parameters(endpoint) else {
        return Some(text!(
            "the braces in the endpoint `{endpoint}` are not a parameter that a route can have",
            "端点 `{endpoint}` 中的花括号不是路由支持的路径参数"
        ));
    };
    // FastAPI would take it for a part of the query.
    let is_unclear = |parameter: &&Parameter| {
        parameter.annotation.is_none()
            && !parameter.has_default
            && !names.contains(&parameter.name.as_str())
    };
    if let Some(parameter) = handler.parameters.iter().find(is_unclear) {
        let name = &parameter.name;
        return Some(text!(
            "whether the parameter `{name}` is the Request cannot be known: it has no annotation",
            "无法确定参数 `{name}` 是不是 Request：它没有类型注解"
        ));
    }
    names.into_iter().find_map(|name| {
        let of_name = |parameter: &&Parameter| parameter.name == name;
        let Some(parameter) = handler.parameters.iter().find(of_name) else {
            return Some(text!(
                "the handler has no parameter `{name}` for the one in the endpoint `{endpoint}`",
                "处理函数没有与端点 `{endpoint}` 中的 `{name}` 对应的参数"
            ));
        };
        (!can_be_in_a_path(parameter)).then(|| {
            text!(
                "whether the parameter `{name}` can be a part of the path `{endpoint}` cannot be known",
                "无法确定参数 `{name}` 能否作为路径 `{endpoint}` 的一部分"
            )
        })
    })
}

/// Whether FastAPI takes a parameter of a function from the path.
fn can_be_in_a_path(parameter: &Parameter) -> bool {
    let has_type = parameter.annotation.as_ref().is_none_or(|annotation| {
        annotation.names.iter().all(|name| match &name.external {
            Some(external) => matches!(
                external.as_str(),
                "uuid.UUID"
                    | "decimal.Decimal"
                    | "datetime.date"
                    | "datetime.datetime"
                    | "typing.Annotated"
                    | "typing_extensions.Annotated"
                    | "fastapi.Path"
                    | "fastapi.params.Path"
            ),
            None => {
                !name.is_local && matches!(name.name.as_str(), "bool" | "float" | "int" | "str")
            }
        })
    });
    has_type && (!parameter.has_default || parameter.is_from_path)
}

/// Whether a request can match both paths; where that is not clear, it can.
pub(crate) fn can_match_alike(one: &str, other: &str) -> bool {
    let (mut left, mut right) = (one.split('/'), other.split('/'));
    loop {
        match (left.next(), right.next()) {
            (None, None) => return true,
            (Some(a), Some(b)) => {
                if a.contains(":path}") || b.contains(":path}") {
                    return true;
                }
                if !a.contains('{') && !b.contains('{') && a != b {
                    return false;
                }
                let empty =
                    |literal: &str, pattern: &str| literal.is_empty() && pattern.contains('{');
                if empty(a, b) || empty(b, a) {
                    return false;
                }
            }
            (Some(rest), None) | (None, Some(rest)) => return rest.contains(":path}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_read_as_routes_have_them() {
        assert_eq!(parameters("/a/{b}").as_deref(), Some(&["b"][..]));
        assert_eq!(
            parameters("/{a}/x-{b:int}").as_deref(),
            Some(&["a", "b"][..])
        );
        assert_eq!(parameters("/f/{rest:path}").as_deref(), Some(&["rest"][..]));
        for odd in [
            "/{}",
            "/{a",
            "/a}",
            "/{a}{b}",
            "/{a}/{a}",
            "/{a:path}/b",
            "/{a:any}",
            "/{{a}}",
        ] {
            assert_eq!(parameters(odd), None, "{odd}");
        }
    }

    #[test]
    fn paths_that_could_match_alike_do() {
        assert!(can_match_alike("/a/{b}", "/a/c"));
        assert!(can_match_alike("/a/{b}", "/{c}/d"));
        assert!(can_match_alike("/{rest:path}", "/a/b"));
        assert!(!can_match_alike("/a/{b}", "/c/d"));
        assert!(!can_match_alike("/a/{b}", "/a"));
        assert!(!can_match_alike("/a/{b}", "/a/"));
    }
}
