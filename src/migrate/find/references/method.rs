//! The methods of the old API, their parameters, the table that they fill, and how code names them.

use crate::migrate::edit::ByteRange;
use crate::migrate::find::model::Role;
use crate::migrate::python::ast::{self, Constant, Expr};
use crate::migrate::python::tree;
use crate::migrate::python::tree::range_of;
use crate::text;
use crate::text::Text;

/// The method of the old API.
pub(crate) const METHOD: &str = "mount_webhook_method";

/// The attribute that the method fills.
pub(crate) const TABLE: &str = "webhook_methods";

/// The method as the older edition of the document names it.
pub(crate) const OLDER_METHOD: &str = "mount_webhook";

/// Whether a name is that of the method in either edition.
pub(super) fn is_method(name: &str) -> bool {
    name == METHOD || name == OLDER_METHOD
}

/// `getattr(x, "mount_webhook_method")`: `x`, the string, and the method.
pub(super) fn by_name(call: &ast::ExprCall) -> Option<(&Expr, &Expr, &str)> {
    let (receiver, name) = arguments_of_getattr(call)?;
    match name {
        Expr::Constant(constant) => match &constant.value {
            Constant::Str(method) if is_method(method) => Some((receiver, name, method)),
            _ => None,
        },
        _ => None,
    }
}

/// What `getattr` is called with first.
pub(super) fn arguments_of_getattr(call: &ast::ExprCall) -> Option<(&Expr, &Expr)> {
    let is_getattr = tree::is_named(&call.func, "getattr");
    match call.args.as_slice() {
        [receiver, name, ..] if is_getattr => Some((receiver, name)),
        _ => None,
    }
}

/// Where the name of an attribute stands.
pub(super) fn attribute_name(attribute: &ast::ExprAttribute) -> ByteRange {
    let end = range_of(attribute).end();
    ByteRange::new(end - attribute.attr.as_str().len().min(end), end)
}

/// The parameter at a position (0-based).
pub(super) fn role_at(index: usize) -> Result<Role, Text> {
    match index {
        0 => Ok(Role::Endpoint),
        1 => Ok(Role::Name),
        2 => Ok(Role::Description),
        _ => Err(text!(
            "there are more arguments than `{METHOD}` takes",
            "参数个数多于 `{METHOD}` 所能接收的"
        )),
    }
}

/// The parameter of a name.
pub(super) fn role_of_keyword(keyword: &str) -> Result<Role, Text> {
    match keyword {
        "endpoint" => Ok(Role::Endpoint),
        "name" => Ok(Role::Name),
        "description" => Ok(Role::Description),
        other => Err(text!(
            "`{other}` is not an argument of `{METHOD}`",
            "`{METHOD}` 没有名为 `{other}` 的参数"
        )),
    }
}
