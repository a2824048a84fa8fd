//! Members of enumerations: `Path.ALERT` is not a string unless its class is one too, and
//! `Path.ALERT.value` is.

use std::path::Path;

use crate::migrate::edit::ByteRange;
use crate::migrate::python::ast::Expr;
use crate::migrate::python::names::resolver::Resolver;
use crate::migrate::python::names::scope::{BindingKind, Scope};
use crate::migrate::python::names::value::{Budget, Member, MemberKind, Value};
use crate::migrate::python::tree;

/// What a class is, as far as enumerations matter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    NoEnum,
    Enum(MemberKind),
    Unknown,
}

/// What makes the value of a member something else than what is assigned.
const CHANGE_VALUES: &[&str] = &["__new__", "_generate_next_value_", "value"];

/// What makes a member print as something else than its value.
const CHANGE_PRINT: &[&str] = &["__str__", "__format__"];

impl Resolver<'_> {
    /// An attribute of a class, whose resolver is `self`: a constant, or a member of an enumeration.
    pub(super) fn class_attribute(
        &self,
        bases: &[Expr],
        scope: &Scope,
        attribute: &str,
        budget: &Budget,
    ) -> Value {
        let [binding] = scope.bindings(attribute) else {
            return Value::Unknown;
        };
        if self.sets_attribute(attribute) {
            return Value::Unknown;
        }
        // Names of the class itself come before those of the module, but in `plugin = plugin`.
        let in_class = match &binding.kind {
            BindingKind::Value(value) => tree::names(value)
                .into_iter()
                .any(|name| name != attribute && !scope.bindings(name).is_empty()),
            _ => false,
        };
        let value = if in_class {
            let locals = [scope.clone()];
            let inside = Resolver {
                workspace: self.workspace,
                loaded: self.loaded,
                locals: &locals,
            };
            inside.binding(binding, attribute, budget)
        } else {
            self.binding(binding, attribute, budget)
        };
        match self.enum_kind(bases, scope, budget) {
            Kind::NoEnum => value,
            Kind::Unknown => Value::Unknown,
            Kind::Enum(kind) => match (&binding.kind, value) {
                (BindingKind::Value(_), value @ (Value::Text(_) | Value::Number(_))) => {
                    Value::Member(Member {
                        name: attribute.to_owned(),
                        value: Box::new(value),
                        kind,
                    })
                }
                (BindingKind::Value(_), _) => Value::Unknown,
                (_, value) => value,
            },
        }
    }

    /// An attribute of a member of an enumeration.
    pub(super) fn member_attribute(member: Member, attribute: &str) -> Value {
        match attribute {
            "value" | "_value_" => *member.value,
            "name" | "_name_" => Value::Text(member.name),
            _ => Value::Unknown,
        }
    }

    fn enum_kind(&self, bases: &[Expr], scope: &Scope, budget: &Budget) -> Kind {
        let mut is_text = false;
        let mut kind = Kind::NoEnum;
        for base in bases {
            if matches!(base, Expr::Name(name) if name.id.as_str() == "str" && self.is_builtin("str"))
            {
                is_text = true;
                continue;
            }
            let of_base = match self.evaluate(base, budget) {
                Value::External(name) => external_kind(&name),
                Value::Class(path, range) => self.enum_kind_of(&path, range, budget),
                // `int`, `object`, and what cannot be told.
                _ => Kind::NoEnum,
            };
            kind = match (kind, of_base) {
                (kind, Kind::NoEnum) => kind,
                (Kind::NoEnum, of_base) => of_base,
                _ => Kind::Unknown,
            };
        }
        let binds = |names: &[&str]| names.iter().any(|name| !scope.bindings(name).is_empty());
        if kind != Kind::NoEnum && binds(CHANGE_VALUES) {
            return Kind::Unknown;
        }
        match kind {
            Kind::Enum(MemberKind::Plain) if is_text => Kind::Enum(MemberKind::Str),
            Kind::Enum(MemberKind::StrEnum) if binds(CHANGE_PRINT) => Kind::Enum(MemberKind::Str),
            kind => kind,
        }
    }

    fn enum_kind_of(&self, path: &Path, range: ByteRange, budget: &Budget) -> Kind {
        let Ok(loaded) = self.workspace.load(path) else {
            return Kind::Unknown;
        };
        if !budget.spend() {
            return Kind::Unknown;
        }
        let inside = Resolver::of_module(self.workspace, &loaded);
        match loaded.scope.class_at(range) {
            Some((bases, scope)) => inside.enum_kind(bases, scope, budget),
            None => Kind::Unknown,
        }
    }

    /// Whether the module sets an attribute of this name on anything, so that the one of a class
    /// need not be what its body says.
    pub(crate) fn sets_attribute(&self, attribute: &str) -> bool {
        let text = self.loaded.module.source().text();
        let needle = format!(".{attribute}");
        memchr::memmem::find_iter(text.as_bytes(), needle.as_bytes()).any(|at| {
            let after = text[at + needle.len()..].trim_start_matches([' ', '\t']);
            let is_set = after.starts_with('=') && !after.starts_with("==");
            is_set || after.starts_with("+=")
        }) || text.contains("setattr(")
            && (text.contains(&format!("\"{attribute}\""))
                || text.contains(&format!("'{attribute}'")))
    }
}

fn external_kind(name: &str) -> Kind {
    match name {
        "enum.Enum" | "enum.IntEnum" => Kind::Enum(MemberKind::Plain),
        "enum.StrEnum" => Kind::Enum(MemberKind::StrEnum),
        _ if name.contains("Enum") || name.contains("Flag") || name.contains("Choices") => {
            Kind::Unknown
        }
        _ => Kind::NoEnum,
    }
}
