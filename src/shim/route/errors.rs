//! What can be wrong with a route of the map: each with its line and its remedy.

use std::path::Path;

use crate::routes::{Route, RouteLines};
use crate::shim::config::Config;
use crate::shim::route::pattern::PatternError;
use crate::term;
use crate::text;
use crate::text::Text;
use crate::user_error::UserError;

/// A route that is being read, and where it stands.
#[derive(Clone, Copy)]
pub(super) struct Entry<'m> {
    /// The route.
    pub(super) route: &'m Route,
    /// Its lines.
    pub(super) lines: &'m RouteLines,
    /// The map that it is in.
    pub(super) file: &'m Path,
    /// What holds for routes.
    pub(super) config: &'m Config,
}

impl Entry<'_> {
    /// The line of an old path.
    pub(super) fn line_of(&self, old: usize) -> Option<usize> {
        self.lines.legacy.get(old).copied().flatten()
    }

    fn error(&self, line: Option<usize>, message: Text, help: Text) -> UserError {
        UserError::new(message, help).at(self.file, line.or(self.lines.route))
    }

    /// The parameters of the path in `line` are not understood.
    pub(super) fn not_a_pattern(
        &self,
        path: &str,
        line: Option<usize>,
        error: PatternError,
    ) -> UserError {
        let plugin = &self.route.plugin;
        let (en, zh) = match error {
            PatternError::Braces => (
                "a brace has no partner or no name inside",
                "花括号不成对，或其中没有名称",
            ),
            PatternError::TwoInOneSegment => (
                "two parameters stand between two `/`",
                "两个 `/` 之间有不止一个参数",
            ),
            PatternError::PathNotLast => (
                "a `:path` parameter must be the whole end of the path",
                "`:path` 参数必须独占路径的末尾",
            ),
            PatternError::NamedTwice => ("two parameters have the same name", "有两个参数同名"),
        };
        let message = text!(
            "the path `{path}` of {plugin} cannot be served: {en}",
            "无法提供 {plugin} 的路径 `{path}`：{zh}"
        );
        let help = text!(
            "change the route, or take it out of the map",
            "请修改该路由，或把它从路由表中删除"
        );
        self.error(line, message, help)
    }

    /// It answers no method.
    pub(super) fn no_methods(&self) -> UserError {
        let Route {
            plugin, endpoint, ..
        } = self.route;
        let message = text!(
            "the route `{endpoint}` of {plugin} has no methods",
            "{plugin} 的路由 `{endpoint}` 没有请求方法"
        );
        let help = text!("list at least one", "请至少列出一个");
        self.error(self.lines.methods, message, help)
    }

    /// One of its methods cannot be one.
    pub(super) fn not_a_method(&self, method: &str) -> UserError {
        let (plugin, method) = (&self.route.plugin, term::escaped(method));
        let message = text!(
            "`{method}`, in a route of {plugin}, is not a method",
            "{plugin} 的路由中的 `{method}` 不是请求方法"
        );
        let help = text!("write it like \"POST\"", "请写成 \"POST\" 这样的形式");
        self.error(self.lines.methods, message, help)
    }

    /// The old path with this number lacks a parameter of the new one.
    pub(super) fn no_parameter(&self, number: usize, old: &str, missing: &str) -> UserError {
        let target = &self.route.target;
        let message = text!(
            "the path `{old}` has no parameter `{missing}`, which `{target}` needs",
            "路径 `{old}` 没有 `{target}` 所需的参数 `{missing}`"
        );
        let help = text!("give both the same parameters", "请让两者的参数一致");
        self.error(self.line_of(number), message, help)
    }

    /// The old path with this number matches what `one` matches, under other names.
    pub(super) fn other_names(&self, number: usize, one: &str, other: &str) -> UserError {
        let message = text!(
            "the paths `{one}` and `{other}` match the same URLs",
            "路径 `{one}` 和 `{other}` 匹配相同的 URL"
        );
        let help = text!("give their parameters the same names", "请让它们的参数同名");
        self.error(self.line_of(number), message, help)
    }

    /// The old path with this number is at `first`, in another map, too.
    pub(super) fn shared(&self, number: usize, old: &str, first: &str) -> UserError {
        let message = text!(
            "the old URL {old} is at {first} too: the plugins of both maps are called",
            "旧 URL {old} 在 {first} 中也有：两张路由表中的插件都会被调用"
        );
        let help = text!(
            "delete it from one of the two, if that is not meant",
            "如果不是有意为之，请从其中一张中删除"
        );
        self.error(self.line_of(number), message, help)
    }
}
