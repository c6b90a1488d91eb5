//! JSON as it is written: the keys of an object in their order, and an error where one comes twice inside a value.

use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};

/// An object in its order, doubled keys included.
pub(crate) struct InOrder(pub(crate) Vec<(String, Value)>);

impl<'de> Deserialize<'de> for InOrder {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Fields)
    }
}

struct Fields;
impl<'de> Visitor<'de> for Fields {
    type Value = InOrder;
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }
    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<InOrder, A::Error> {
        let mut fields = Vec::new();
        while let Some((key, Distinct(value))) = map.next_entry()? {
            fields.push((key, value));
        }
        Ok(InOrder(fields))
    }
}

/// A value whose objects have every key once; `serde_json` alone would keep the last one without a word.
struct Distinct(Value);

impl<'de> Deserialize<'de> for Distinct {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Any;
        impl<'de> Visitor<'de> for Any {
            type Value = Distinct;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a value")
            }
            fn visit_unit<E: Error>(self) -> Result<Distinct, E> {
                Ok(Distinct(Value::Null))
            }
            fn visit_bool<E: Error>(self, value: bool) -> Result<Distinct, E> {
                Ok(Distinct(value.into()))
            }
            fn visit_i64<E: Error>(self, value: i64) -> Result<Distinct, E> {
                Ok(Distinct(value.into()))
            }
            fn visit_u64<E: Error>(self, value: u64) -> Result<Distinct, E> {
                Ok(Distinct(value.into()))
            }
            fn visit_f64<E: Error>(self, value: f64) -> Result<Distinct, E> {
                Ok(Distinct(value.into()))
            }
            fn visit_str<E: Error>(self, value: &str) -> Result<Distinct, E> {
                Ok(Distinct(value.into()))
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Distinct, A::Error> {
                let mut values = Vec::new();
                while let Some(Distinct(value)) = list.next_element()? {
                    values.push(value);
                }
                Ok(Distinct(values.into()))
            }
            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Distinct, A::Error> {
                let mut distinct = Map::new();
                for (key, value) in Fields.visit_map(map)?.0 {
                    if distinct.contains_key(&key) {
                        return Err(A::Error::custom(format!("the key {key:?} comes twice")));
                    }
                    distinct.insert(key, value);
                }
                Ok(Distinct(distinct.into()))
            }
        }
        deserializer.deserialize_any(Any)
    }
}
