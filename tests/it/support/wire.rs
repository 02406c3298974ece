//! msgpack-RPC, as both sides of a test speak it.

use std::io::{self, Read, Write};

use rmpv::Value;

/// One message.
#[derive(Clone, Debug, PartialEq)]
pub enum Message {
    Request { id: u64, method: String, params: Vec<Value> },
    Response { id: u64, error: Value, result: Value },
    Notification { method: String, params: Vec<Value> },
}

impl Message {
    pub fn read(from: &mut impl Read) -> io::Result<Self> {
        let value = rmpv::decode::read_value(from).map_err(io::Error::other)?;
        Self::parse(value).ok_or_else(|| io::Error::other("not a msgpack-RPC message"))
    }

    pub fn write(&self, to: &mut impl Write) -> io::Result<()> {
        let mut bytes = Vec::new();
        rmpv::encode::write_value(&mut bytes, &self.value()).map_err(io::Error::other)?;
        to.write_all(&bytes)?;
        to.flush()
    }

    fn parse(value: Value) -> Option<Self> {
        let Value::Array(parts) = value else { return None };
        let mut parts = parts.into_iter();
        let list = |value: Value| if let Value::Array(list) = value { Some(list) } else { None };
        let text = |value: Value| value.as_str().map(str::to_owned);
        Some(match parts.next()?.as_u64()? {
            0 => Self::Request {
                id: parts.next()?.as_u64()?,
                method: text(parts.next()?)?,
                params: list(parts.next()?)?,
            },
            1 => Self::Response { id: parts.next()?.as_u64()?, error: parts.next()?, result: parts.next()? },
            2 => Self::Notification { method: text(parts.next()?)?, params: list(parts.next()?)? },
            _ => return None,
        })
    }

    fn value(&self) -> Value {
        Value::Array(match self.clone() {
            Self::Request { id, method, params } => vec![0.into(), id.into(), method.into(), params.into()],
            Self::Response { id, error, result } => vec![1.into(), id.into(), error, result],
            Self::Notification { method, params } => vec![2.into(), method.into(), params.into()],
        })
    }
}

/// A value as JSON: what assertions are written against. Bytes become text, lossily; extension types null.
pub fn json(value: &Value) -> serde_json::Value {
    use serde_json::Value as Json;
    match value {
        Value::Nil | Value::Ext(..) => Json::Null,
        Value::Boolean(flag) => Json::Bool(*flag),
        Value::Integer(number) => {
            number.as_i64().map(Json::from).or_else(|| number.as_u64().map(Json::from)).unwrap_or(Json::Null)
        }
        Value::F32(number) => Json::from(*number),
        Value::F64(number) => Json::from(*number),
        Value::String(text) => Json::from(String::from_utf8_lossy(text.as_bytes()).into_owned()),
        Value::Binary(bytes) => Json::from(String::from_utf8_lossy(bytes).into_owned()),
        Value::Array(items) => items.iter().map(json).collect(),
        Value::Map(pairs) => Json::Object(
            pairs
                .iter()
                .map(|(key, value)| {
                    (key.as_str().map_or_else(|| key.to_string(), str::to_owned), json(value))
                })
                .collect(),
        ),
    }
}

/// JSON as a value, for parameters.
pub fn value(json: &serde_json::Value) -> Value {
    use serde_json::Value as Json;
    match json {
        Json::Null => Value::Nil,
        Json::Bool(flag) => Value::Boolean(*flag),
        Json::Number(number) => number
            .as_i64()
            .map(Value::from)
            .or_else(|| number.as_u64().map(Value::from))
            .unwrap_or_else(|| Value::from(number.as_f64().unwrap_or_default())),
        Json::String(text) => Value::from(text.as_str()),
        Json::Array(items) => Value::Array(items.iter().map(value).collect()),
        Json::Object(pairs) => {
            Value::Map(pairs.iter().map(|(key, item)| (Value::from(key.as_str()), value(item))).collect())
        }
    }
}
