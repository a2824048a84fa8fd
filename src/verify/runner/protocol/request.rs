//! A request as a result has it: what was sent, and what it is called.

use serde::Deserialize;
use serde_json::Value;

use crate::verify::requests::Bytes;

/// A request as it was sent.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub(crate) struct Request {
    /// What it is called.
    #[serde(default)]
    pub(crate) about: Option<About>,
    /// The method.
    pub(crate) method: String,
    /// The old URL.
    pub(crate) path: String,
    /// What follows the question mark.
    #[serde(default)]
    pub(crate) query: Bytes,
    /// The headers in order.
    #[serde(default)]
    pub(crate) headers: Vec<(String, Bytes)>,
    /// The body, when it is text.
    #[serde(default)]
    pub(crate) body: Option<String>,
    /// The body in base64, when it is not text.
    #[serde(default)]
    pub(crate) base64: Option<String>,
    /// Settings of the plugin that differ from its own.
    #[serde(default)]
    pub(crate) settings: serde_json::Map<String, Value>,
}

/// What a request is called, in parts (`request_label.py`).
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub(crate) enum About {
    /// One that plugins get whatever they ask for.
    Known {
        /// Which one.
        kind: Kind,
        /// The method, where the same is sent by several; else empty.
        #[serde(default)]
        method: String,
        /// Whether it has the headers that the plugin looks for.
        #[serde(default)]
        looked_for: bool,
    },
    /// One with a value that may be answered differently.
    Tried {
        /// Where the value is.
        part: Place,
        /// Its name there, or the keys to it; empty where there is none.
        name: String,
        /// The value, as Python writes it.
        value: String,
    },
    /// One of the user's, as the user calls it.
    #[serde(rename = "given")]
    UserRequest(String),
}

/// The requests that plugins get whatever they ask for: a few to begin with, and the bodies of
/// `message.py`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Kind {
    Plain,
    OnlyMethod,
    OtherMethod,
    Query,
    Object,
    EmptyObject,
    ObjectWithCharset,
    ObjectTypeAmongOthers,
    ObjectVendorType,
    ObjectTypeInUpperCase,
    NotJsonVendorType,
    NotJsonWithCharset,
    NotJsonTypeInUpperCase,
    ObjectKeyTwice,
    ObjectWithNan,
    ObjectWithHugeNumber,
    ObjectInUtf16,
    ObjectAfterBom,
    HalfObject,
    NothingAsJson,
    BlanksAsJson,
    List,
    Number,
    String,
    Null,
    True,
    NotUtf8AsJson,
    NestedTooDeeply,
    ObjectAsText,
    ListAsText,
    NumberAsText,
    StringAsText,
    NullAsText,
    ObjectAfterBomAsText,
    ObjectInUtf16AsText,
    NestedTooDeeplyAsText,
    Text,
    TextNotUtf8,
    TextWithNullByte,
    EmptyText,
    ObjectWithoutType,
    TextWithoutType,
    Nothing,
    Form,
    FormWithFile,
    TypeTwiceJsonLast,
    TypeTwiceJsonFirst,
    HeadersTwice,
    AcceptEnglish,
}

/// A part of a request that has values (`Place` in `hints.py`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Place {
    /// A header.
    Header,
    /// A parameter of the query.
    Query,
    /// The name of a parameter of the query.
    QueryName,
    /// A field of a form.
    Form,
    /// A value in a body of JSON.
    Body,
    /// The body as bytes.
    RawBody,
    /// The method.
    Method,
    /// A setting of the plugin.
    Setting,
}
