//! Mentions of the method that register nothing where they stand, and uses of the table that it fills.

use crate::migrate::diagnostic::Code;
use crate::migrate::edit::ByteRange;
use crate::migrate::find::model::{Effect, Reference, ReferenceKind, Unclear};
use crate::migrate::find::references::call::callee::Callee;
use crate::migrate::find::references::call::callee::receiver::Receiver;
use crate::migrate::find::references::finder::Finder;
use crate::migrate::find::references::method::{TABLE, attribute_name, by_name};
use crate::migrate::python::ast;
use crate::migrate::python::ast::{Expr, Stmt};
use crate::migrate::python::imports::uses_of_global;
use crate::migrate::python::names::PluginId;
use crate::migrate::python::tree;
use crate::migrate::python::tree::{Descend, Node, range_of};
use crate::text;
use crate::text::Text;

impl Finder<'_> {
    pub(crate) fn other_reference(&mut self, attribute: &ast::ExprAttribute) {
        let place = attribute_name(attribute);
        if self
            .references
            .iter()
            .any(|reference| reference.place == place)
        {
            return;
        }
        let plugin = match self.receiver_of(&attribute.value, &attribute.attr) {
            Receiver::NotOurs => {
                self.references
                    .push(Reference::new(place, ReferenceKind::NotOurs));
                return;
            }
            Receiver::Plugin(id) => Some(id),
            Receiver::Unknown(_) => None,
        };
        if attribute.attr.as_str() != TABLE || !self.is_read(attribute) {
            self.unclear(plugin.clone(), None, range_of(attribute), false);
        } else {
            self.table_is_read(plugin.clone(), range_of(attribute));
        }
        let detail = if attribute.attr.as_str() == TABLE {
            text!(
                "`{TABLE}` is empty once the webhooks are routes",
                "webhook 改为路由之后，`{TABLE}` 将为空"
            )
        } else {
            let method = &attribute.attr;
            text!(
                "`{method}` is mentioned here, but not applied to a function",
                "此处提到了 `{method}`，但没有用它装饰函数"
            )
        };
        let before = self.references.len();
        self.by_hand(place, Code::NotARegistration, range_of(attribute), detail);
        self.say_known(before, plugin.as_ref(), None);
    }

    /// A call of the method, for an endpoint where that is known, whose result goes where it cannot be
    /// followed.
    pub(crate) fn not_applied(
        &mut self,
        callee: &Callee<'_>,
        endpoint: Option<String>,
        range: ByteRange,
        detail: Text,
    ) {
        let plugin = match &callee.plugin {
            Receiver::NotOurs => {
                self.references
                    .push(Reference::new(callee.place, ReferenceKind::NotOurs));
                return;
            }
            Receiver::Plugin(id) => Some(id.clone()),
            Receiver::Unknown(_) => None,
        };
        self.unclear(plugin.clone(), endpoint.clone(), range, false);
        let before = self.references.len();
        self.by_hand(callee.place, Code::NotARegistration, range, detail);
        self.say_known(before, plugin.as_ref(), endpoint.as_deref());
    }

    pub(crate) fn getattr(&mut self, call: &ast::ExprCall) {
        let Some((receiver, name, method)) = by_name(call) else {
            return;
        };
        let plugin = match self.receiver_of(receiver, method) {
            Receiver::NotOurs => return,
            Receiver::Plugin(id) => Some(id),
            Receiver::Unknown(_) => None,
        };
        self.unclear(plugin, None, range_of(call), false);
        self.by_hand(
            range_of(name),
            Code::NotARegistration,
            range_of(call),
            text!(
                "`{method}` is looked up by its name here",
                "此处通过名称字符串获取 `{method}`"
            ),
        );
    }

    /// Remembers that the table is read at `range`, where a reply may show what it holds. What is
    /// looked at while the module is imported shows in none, unless it is given a name.
    fn table_is_read(&mut self, plugin: Option<PluginId>, range: ByteRange) {
        let function = match self.functions.first() {
            Some(outermost) => {
                let definition = &outermost.definition;
                let is_unused = definition.decorators.is_empty()
                    && !outermost.is_method
                    && uses_of_global(self.loaded, definition.name) == 0;
                is_unused.then(|| definition.name.to_owned())
            }
            None if self.in_lambda || self.is_given_a_name(range) => None,
            None => return,
        };
        self.unclear
            .push(Unclear::at_any_time(plugin, range, Effect::Reads(function)));
    }

    /// Whether something is assigned of which `range` is a part.
    fn is_given_a_name(&self, range: ByteRange) -> bool {
        let mut is_assigned = false;
        tree::walk_body(self.loaded.module.suite(), &mut |node| {
            let (place, assigns) = match node {
                Node::Stmt(statement) => (
                    range_of(statement),
                    matches!(
                        statement,
                        Stmt::Assign(_) | Stmt::AnnAssign(_) | Stmt::AugAssign(_)
                    ),
                ),
                Node::Expr(expression) => {
                    let assigns = matches!(expression, Expr::NamedExpr(_));
                    (range_of(expression), assigns)
                }
            };
            let is_around = place.contains(range);
            is_assigned |= is_around && assigns;
            if is_around {
                Descend::Into
            } else {
                Descend::Past
            }
        });
        is_assigned
    }

    /// Whether `plugin.webhook_methods` is only looked at.
    fn is_read(&self, table: &ast::ExprAttribute) -> bool {
        let tokens = self.loaded.module.tokens();
        let text = |token: Option<crate::migrate::python::tokens::Token>| {
            token.map_or("", |token| self.loaded.module.source().slice(token.range))
        };
        let range = range_of(table);
        let after = tokens.next(range.end());
        let before = tokens.previous(range.start());
        match (text(before), text(after)) {
            ("in", "." | ")" | ":" | "]") => true,
            ("(", ")") => {
                let function = before.and_then(|open| tokens.previous(open.range.start()));
                matches!(
                    text(function),
                    "len" | "print" | "sorted" | "list" | "dict" | "set" | "bool" | "str" | "repr"
                )
            }
            (_, ".") => {
                let method = after.and_then(|dot| tokens.next(dot.range.end()));
                matches!(text(method), "items" | "keys" | "values" | "get" | "copy")
            }
            _ => false,
        }
    }
}
