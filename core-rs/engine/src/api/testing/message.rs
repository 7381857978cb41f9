//! A message as a tree, decoded strictly and encoded by its table. Decoding panics on anything unexpected, as tests
//! should.

use std::fmt::Write as _;

use super::schema::{Field, Kind, Message};
use crate::api::wire::{Reader, Writer};
use crate::uuid::Uuid;

#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    Null,
    Int(i64),
    Text(String),
    Bytes(Vec<u8>),
    List(Vec<Value>),
    Struct(Vec<(&'static str, Value)>),
}

fn text(value: &str) -> Value {
    Value::Text(value.to_owned())
}

fn list(values: impl IntoIterator<Item = Value>) -> Value {
    Value::List(values.into_iter().collect())
}

/// `{ name: value, … }` as a tree.
macro_rules! fields {
    ($($name:literal : $value:expr),* $(,)?) => {
        $crate::api::testing::Value::Struct(vec![$(($name, $crate::api::testing::Value::from($value))),*])
    };
}
pub(crate) use fields;

impl From<i64> for Value {
    fn from(value: i64) -> Value {
        Value::Int(value)
    }
}

impl From<&str> for Value {
    fn from(value: &str) -> Value {
        text(value)
    }
}

impl From<Vec<u8>> for Value {
    fn from(value: Vec<u8>) -> Value {
        Value::Bytes(value)
    }
}

impl From<Vec<Value>> for Value {
    fn from(value: Vec<Value>) -> Value {
        Value::List(value)
    }
}

impl Value {
    fn field(&self, name: &str) -> Option<&Value> {
        let Value::Struct(fields) = self else { panic!("{name} of {self:?}") };
        fields.iter().find(|(known, _)| *known == name).map(|(_, value)| value)
    }

    pub fn has(&self, name: &str) -> bool {
        self.field(name).is_some()
    }

    pub fn get(&self, name: &str) -> &Value {
        self.field(name).unwrap_or_else(|| panic!("no {name} in {self:?}"))
    }

    pub fn int(&self, name: &str) -> i64 {
        let Value::Int(value) = self.get(name) else { panic!("{name} is no number in {self:?}") };
        *value
    }

    pub fn items(&self, name: &str) -> &[Value] {
        let Value::List(values) = self.get(name) else { panic!("{name} is no list in {self:?}") };
        values
    }

    pub fn bytes(&self, name: &str) -> &[u8] {
        let Value::Bytes(bytes) = self.get(name) else { panic!("{name} is not bytes in {self:?}") };
        bytes
    }

    /// As Kafka's JSON converters print it, without spaces.
    pub fn json(&self) -> String {
        let mut out = String::new();
        self.write_json(&mut out);
        out
    }

    fn write_json(&self, out: &mut String) {
        match self {
            Value::Null => out.push_str("null"),
            Value::Int(value) => write!(out, "{value}").unwrap(),
            Value::Text(value) => write!(out, "\"{value}\"").unwrap(),
            // Kafka's converter leaves the bytes of records out.
            Value::Bytes(_) => out.push_str("\"\""),
            Value::List(values) => {
                out.push('[');
                for (place, value) in values.iter().enumerate() {
                    out.push_str(if place > 0 { "," } else { "" });
                    value.write_json(out);
                }
                out.push(']');
            }
            Value::Struct(fields) => {
                out.push('{');
                for (place, (name, value)) in fields.iter().enumerate() {
                    write!(out, "{}\"{name}\":", if place > 0 { "," } else { "" }).unwrap();
                    value.write_json(out);
                }
                out.push('}');
            }
        }
    }
}

/// The whole of `bytes` as that message; panics on anything left over or missing.
pub fn decode(message: &Message, version: i16, bytes: &[u8]) -> Value {
    let mut reader = Reader::new(bytes, 0, version >= message.flexible);
    let value = decode_struct(message.fields, version, &mut reader);
    reader.finish().unwrap();
    value
}

fn served(field: &Field, version: i16) -> bool {
    (field.since..=field.until).contains(&version)
}

fn decode_struct(fields: &'static [Field], version: i16, reader: &mut Reader<'_>) -> Value {
    let mut values: Vec<Option<Value>> = Vec::new();
    for field in fields {
        let plain = served(field, version) && field.tag.is_none();
        values.push(plain.then(|| decode_field(field, version, reader)));
    }
    let tags = reader.tagged(|tag, inside| {
        for (field, value) in fields.iter().zip(&mut values) {
            if served(field, version) && field.tag == Some(tag) {
                *value = Some(decode_field(field, version, inside));
                return Ok(true);
            }
        }
        Ok(false)
    });
    tags.unwrap();
    let named = fields.iter().zip(values).filter_map(|(field, value)| Some((field.name, value?)));
    Value::Struct(named.collect())
}

fn decode_field(field: &'static Field, version: i16, reader: &mut Reader<'_>) -> Value {
    let name = field.name;
    let value = match &field.kind {
        Kind::Int8 => Value::Int(reader.i8(name).unwrap().into()),
        Kind::Int16 => Value::Int(reader.i16(name).unwrap().into()),
        Kind::Int32 => Value::Int(reader.i32(name).unwrap().into()),
        Kind::Int64 => Value::Int(reader.i64(name).unwrap()),
        Kind::Uuid => Value::Text(reader.uuid(name).unwrap().to_string()),
        Kind::Text => reader.nullable_string(name).unwrap().map_or(Value::Null, text),
        Kind::Records => {
            let range = reader.nullable_bytes_range(name).unwrap();
            range.map_or(Value::Null, |range| Value::Bytes(reader.bytes_at(range).to_vec()))
        }
        Kind::Ints => list(
            (0..reader.array(4, name).unwrap()).map(|_| reader.i32(name).unwrap().into()).map(Value::Int),
        ),
        Kind::Structs(fields) => match reader.nullable_array(1, name).unwrap() {
            Some(count) => list((0..count).map(|_| decode_struct(fields, version, reader))),
            None => Value::Null,
        },
        Kind::Struct(fields) => decode_struct(fields, version, reader),
    };
    assert!(value != Value::Null || field.nullable, "{name} is null");
    value
}

/// The body of `value`; panics on a field that the version lacks a value for. Fields of other versions are passed over.
pub fn encode(message: &Message, version: i16, value: &Value) -> Vec<u8> {
    let mut writer = Writer::new(version >= message.flexible, 0);
    encode_struct(message.fields, version, value, &mut writer);
    writer.into_bytes()
}

fn encode_struct(fields: &'static [Field], version: i16, value: &Value, writer: &mut Writer) {
    for field in fields.iter().filter(|field| served(field, version) && field.tag.is_none()) {
        encode_field(field, version, value.get(field.name), writer);
    }
    if !writer.is_flexible() {
        return;
    }
    let tagged =
        fields.iter().filter(|field| served(field, version) && field.tag.is_some() && value.has(field.name));
    let tagged: Vec<&Field> = tagged.collect();
    writer.uvarint(u32::try_from(tagged.len()).unwrap());
    for field in tagged {
        let mut inside = Writer::new(true, 0);
        encode_field(field, version, value.get(field.name), &mut inside);
        let inside = inside.into_bytes();
        writer.uvarint(field.tag.unwrap());
        writer.uvarint(u32::try_from(inside.len()).unwrap());
        writer.raw(&inside);
    }
}

fn encode_field(field: &'static Field, version: i16, value: &Value, writer: &mut Writer) {
    match (&field.kind, value) {
        (Kind::Int8, Value::Int(value)) => writer.i8(i8::try_from(*value).unwrap()),
        (Kind::Int16, Value::Int(value)) => writer.i16(i16::try_from(*value).unwrap()),
        (Kind::Int32, Value::Int(value)) => writer.i32(i32::try_from(*value).unwrap()),
        (Kind::Int64, Value::Int(value)) => writer.i64(*value),
        (Kind::Uuid, Value::Text(value)) => writer.uuid(value.parse::<Uuid>().unwrap()),
        (Kind::Text, Value::Text(value)) => writer.string(value),
        (Kind::Text, Value::Null) => writer.nullable_string(None),
        (Kind::Records | Kind::Structs(_), Value::Null) => writer.null_array(),
        (Kind::Records, Value::Bytes(bytes)) => {
            writer.bytes_length(bytes.len());
            writer.raw(bytes);
        }
        (Kind::Structs(fields), Value::List(values)) => {
            writer.array(values.len());
            for value in values {
                encode_struct(fields, version, value, writer);
            }
        }
        (Kind::Ints, Value::List(values)) => {
            writer.array(values.len());
            for value in values {
                let Value::Int(value) = value else { panic!("{} holds {value:?}", field.name) };
                writer.i32(i32::try_from(*value).unwrap());
            }
        }
        (Kind::Struct(fields), value) => encode_struct(fields, version, value, writer),
        (_, value) => panic!("{} cannot be {value:?}", field.name),
    }
}
