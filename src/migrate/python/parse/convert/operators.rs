//! Operators that are the same under both names.

use ruff_python_ast as ruff;

use crate::migrate::python::ast;

pub(super) fn binary(operator: ruff::Operator) -> ast::Operator {
    match operator {
        ruff::Operator::Add => ast::Operator::Add,
        ruff::Operator::Sub => ast::Operator::Sub,
        ruff::Operator::Mult => ast::Operator::Mult,
        ruff::Operator::MatMult => ast::Operator::MatMult,
        ruff::Operator::Div => ast::Operator::Div,
        ruff::Operator::Mod => ast::Operator::Mod,
        ruff::Operator::Pow => ast::Operator::Pow,
        ruff::Operator::LShift => ast::Operator::LShift,
        ruff::Operator::RShift => ast::Operator::RShift,
        ruff::Operator::BitOr => ast::Operator::BitOr,
        ruff::Operator::BitXor => ast::Operator::BitXor,
        ruff::Operator::BitAnd => ast::Operator::BitAnd,
        ruff::Operator::FloorDiv => ast::Operator::FloorDiv,
    }
}

pub(super) fn comparison(operator: &ruff::CmpOp) -> ast::CmpOp {
    match operator {
        ruff::CmpOp::Eq => ast::CmpOp::Eq,
        ruff::CmpOp::NotEq => ast::CmpOp::NotEq,
        ruff::CmpOp::Lt => ast::CmpOp::Lt,
        ruff::CmpOp::LtE => ast::CmpOp::LtE,
        ruff::CmpOp::Gt => ast::CmpOp::Gt,
        ruff::CmpOp::GtE => ast::CmpOp::GtE,
        ruff::CmpOp::Is => ast::CmpOp::Is,
        ruff::CmpOp::IsNot => ast::CmpOp::IsNot,
        ruff::CmpOp::In => ast::CmpOp::In,
        ruff::CmpOp::NotIn => ast::CmpOp::NotIn,
    }
}
