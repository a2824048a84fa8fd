//! What requests are called, in words. The runner says it in parts.

use crate::text;
use crate::text::Text;
use crate::verify::runner::protocol::{About, Kind, Place};

/// What a request is called. What the user calls it is the same in both languages.
pub(crate) fn text(about: &About) -> Text {
    match about {
        About::UserRequest(name) => Text::verbatim(name),
        About::Known {
            kind,
            method,
            looked_for,
        } => {
            let kind = kind_text(*kind);
            let (en, zh) = kind.both();
            let by = match method.as_str() {
                "" => Text::verbatim(""),
                method => text!(", by {method}", "，用 {method} 发送"),
            };
            let with = match looked_for {
                true => text!(
                    ", with the headers that are looked for",
                    "，带有插件会查看的请求头"
                ),
                false => Text::verbatim(""),
            };
            let (by_en, by_zh) = by.both();
            let (with_en, with_zh) = with.both();
            Text::new(
                format!("{en}{by_en}{with_en}"),
                format!("{zh}{by_zh}{with_zh}"),
            )
        }
        About::Tried { part, name, value } => {
            // There is one method, whose name says nothing.
            let name = match part {
                Place::Method => String::new(),
                _ if name.is_empty() => String::new(),
                _ => format!(" {name}"),
            };
            let part = place(*part);
            let (en, zh) = part.both();
            Text::new(
                format!("{en}{name} = {value}"),
                format!("{zh}{name} = {value}"),
            )
        }
    }
}

fn kind_text(kind: Kind) -> Text {
    match kind {
        Kind::Plain => text!("a plain request", "普通请求"),
        Kind::OnlyMethod => text!("nothing but the method", "只有请求方法"),
        Kind::OtherMethod => text!("another method", "其他请求方法"),
        Kind::Query => text!("a query", "带查询参数的请求"),
        Kind::Object => text!("an object", "JSON 对象"),
        Kind::EmptyObject => text!("an empty object", "空的 JSON 对象"),
        Kind::ObjectWithCharset => text!("an object, with a charset", "JSON 对象，类型带字符集"),
        Kind::ObjectTypeAmongOthers => text!(
            "an object, the type among others",
            "JSON 对象，类型与其他类型并列"
        ),
        Kind::ObjectVendorType => text!(
            "an object, as a JSON type of a vendor",
            "JSON 对象，类型是厂商自定义的 JSON 类型"
        ),
        Kind::ObjectTypeInUpperCase => {
            text!("an object, the type in upper case", "JSON 对象，类型用大写")
        }
        Kind::NotJsonVendorType => text!(
            "not JSON, as a JSON type of a vendor",
            "不是 JSON，类型却是厂商自定义的 JSON 类型"
        ),
        Kind::NotJsonWithCharset => text!(
            "not JSON, with a charset",
            "不是 JSON，类型却是带字符集的 JSON"
        ),
        Kind::NotJsonTypeInUpperCase => text!(
            "not JSON, the type in upper case",
            "不是 JSON，类型却是大写的 JSON"
        ),
        Kind::ObjectKeyTwice => text!("an object with a key twice", "键有重复的 JSON 对象"),
        Kind::ObjectWithNan => text!("an object with NaN", "含 NaN 的 JSON 对象"),
        Kind::ObjectWithHugeNumber => {
            text!("an object with a huge number", "含超大数字的 JSON 对象")
        }
        Kind::ObjectInUtf16 => text!("an object in UTF-16", "UTF-16 编码的 JSON 对象"),
        Kind::ObjectAfterBom => text!(
            "an object after a byte order mark",
            "开头有字节顺序标记的 JSON 对象"
        ),
        Kind::HalfObject => text!("half an object", "不完整的 JSON 对象"),
        Kind::NothingAsJson => text!("nothing, but called JSON", "请求体为空，类型却是 JSON"),
        Kind::BlanksAsJson => text!("blanks, but called JSON", "只有空白，类型却是 JSON"),
        Kind::List => text!("a list", "JSON 数组"),
        Kind::Number => text!("a number", "JSON 数字"),
        Kind::String => text!("a string", "JSON 字符串"),
        Kind::Null => text!("null", "JSON 的 null"),
        Kind::True => text!("true", "JSON 的 true"),
        Kind::NotUtf8AsJson => text!("not UTF-8, but called JSON", "不是 UTF-8，类型却是 JSON"),
        Kind::NestedTooDeeply => text!("nested too deeply", "嵌套过深的 JSON"),
        Kind::ObjectAsText => text!("an object as text", "JSON 对象，类型是文本"),
        Kind::ListAsText => text!("a list as text", "JSON 数组，类型是文本"),
        Kind::NumberAsText => text!("a number as text", "JSON 数字，类型是文本"),
        Kind::StringAsText => text!("a string as text", "JSON 字符串，类型是文本"),
        Kind::NullAsText => text!("null as text", "JSON 的 null，类型是文本"),
        Kind::ObjectAfterBomAsText => text!(
            "an object as text after a byte order mark",
            "开头有字节顺序标记的 JSON 对象，类型是文本"
        ),
        Kind::ObjectInUtf16AsText => text!(
            "an object in UTF-16 as text",
            "UTF-16 编码的 JSON 对象，类型是文本"
        ),
        Kind::NestedTooDeeplyAsText => {
            text!("nested too deeply, as text", "嵌套过深的 JSON，类型是文本")
        }
        Kind::Text => text!("text", "普通文本"),
        Kind::TextNotUtf8 => text!("text that is not UTF-8", "不是 UTF-8 的文本"),
        Kind::TextWithNullByte => text!("text with a null byte", "含空字节的文本"),
        Kind::EmptyText => text!("an empty text", "空文本"),
        Kind::ObjectWithoutType => text!("an object without a type", "没有注明类型的 JSON 对象"),
        Kind::TextWithoutType => text!("text without a type", "没有注明类型的文本"),
        Kind::Nothing => text!("nothing at all", "没有请求体"),
        Kind::Form => text!("a form", "表单"),
        Kind::FormWithFile => text!("a form with a file", "带文件的表单"),
        Kind::TypeTwiceJsonLast => {
            text!("the type given twice, JSON last", "类型写了两次，JSON 在后")
        }
        Kind::TypeTwiceJsonFirst => text!(
            "the type given twice, JSON first",
            "类型写了两次，JSON 在前"
        ),
        Kind::HeadersTwice => text!(
            "headers given twice, and bytes in them",
            "请求头有重复，且含非 ASCII 字节"
        ),
        Kind::AcceptEnglish => text!(
            "a request with `Accept-Language: en`",
            "带 `Accept-Language: en` 的请求"
        ),
    }
}

fn place(place: Place) -> Text {
    match place {
        Place::Header => text!("header", "请求头"),
        Place::Query => text!("query", "查询参数"),
        Place::QueryName => text!("query name", "查询参数名"),
        Place::Form => text!("form", "表单字段"),
        Place::Body => text!("body", "请求体"),
        Place::RawBody => text!("raw body", "原始请求体"),
        Place::Method => text!("method", "请求方法"),
        Place::Setting => text!("setting", "设置项"),
    }
}

#[cfg(test)]
mod tests;
