//! Reads any page of participant_quality_list with serde_json, without building a tree or a string for each value.

use std::fmt;

use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::sample_layout::{LAYOUT, LIST_KEY, Leaf, SectionLeaves, Sink};
use crate::schema::Raw;

/// A page of the raw log that is not JSON. `extract` stores only pages that it could read, so the log is damaged.
#[derive(Debug, thiserror::Error)]
#[error("a stored page of participant_quality_list is unreadable")]
pub struct PageError(#[from] serde_json::Error);

/// Reads one page into `sink`. Items that are not objects end without a value.
pub(super) fn read_page(body: &[u8], sink: &mut impl Sink) -> Result<(), PageError> {
    let mut deserializer = serde_json::Deserializer::from_slice(body);
    Object { key: "data", inner: Object { key: LIST_KEY, inner: List(sink) } }.deserialize(&mut deserializer)?;
    Ok(deserializer.end()?)
}

/// The JSON of every item as sent, for `rejects`.
pub(super) fn item_texts(body: &[u8]) -> Vec<&str> {
    feishu_vc::read_list(body, LIST_KEY).map(|list| list.items).unwrap_or_default()
}

/// Descends into one key of an object; other keys, and values that are not objects, are ignored.
struct Object<T> {
    key: &'static str,
    inner: T,
}

impl<'de, T: DeserializeSeed<'de>> DeserializeSeed<'de> for Object<T> {
    type Value = ();
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

/// Implements [`DeserializeSeed`] for a type that is its own [`Visitor`].
macro_rules! seed {
    ([$($bounds:tt)*] $seed:ty => $value:ty, $deserialize:ident) => {
        impl<'de $($bounds)*> DeserializeSeed<'de> for $seed {
            type Value = $value;
            fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<$value, D::Error> {
                deserializer.$deserialize(self)
            }
        }
    };
}

macro_rules! expecting {
    ($what:literal) => {
        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str($what)
        }
    };
}

/// Ignores every scalar.
macro_rules! ignore_scalars {
    () => { ignore_scalars!(visit_bool(bool) visit_i64(i64) visit_u64(u64) visit_f64(f64) visit_str(&str)); };
    ($($visit:ident($type:ty))+) => {
        $(fn $visit<E>(self, _: $type) -> Result<(), E> {
            Ok(())
        })+
        fn visit_unit<E>(self) -> Result<(), E> {
            Ok(())
        }
    };
}

/// Passes every scalar to `self.take`; null is an absent value.
macro_rules! scalars {
    () => {
        fn visit_bool<E>(self, flag: bool) -> Result<(), E> {
            self.take(Raw::Bool(flag))
        }
        fn visit_i64<E>(self, number: i64) -> Result<(), E> {
            self.take(Raw::Integer(number))
        }
        fn visit_u64<E>(self, number: u64) -> Result<(), E> {
            self.take(i64::try_from(number).map_or(Raw::Unsigned(number), Raw::Integer))
        }
        fn visit_f64<E>(self, number: f64) -> Result<(), E> {
            self.take(Raw::Float(number))
        }
        fn visit_str<E>(self, text: &str) -> Result<(), E> {
            self.take(Raw::Text(text))
        }
        fn visit_unit<E>(self) -> Result<(), E> {
            self.take(Raw::Absent)
        }
    };
}

macro_rules! ignore_seq {
    () => {
        fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
            while seq.next_element::<IgnoredAny>()?.is_some() {}
            Ok(())
        }
    };
}

impl<'de, T: DeserializeSeed<'de>> Visitor<'de> for Object<T> {
    type Value = ();
    expecting!("an object");
    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let mut inner = Some(self.inner);
        while let Some(is_ours) = map.next_key_seed(KeyIs(self.key))? {
            match inner.take_if(|_| is_ours) {
                Some(inner) => {
                    map.next_value_seed(inner)?;
                }
                None => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(())
    }
    ignore_seq!();
    ignore_scalars!();
}

/// Whether the key is this one.
struct KeyIs(&'static str);

seed!([] KeyIs => bool, deserialize_str);

impl Visitor<'_> for KeyIs {
    type Value = bool;
    expecting!("a key");
    fn visit_str<E>(self, key: &str) -> Result<bool, E> {
        Ok(key == self.0)
    }
}

struct List<'s, S>(&'s mut S);

seed!([, S: Sink] List<'_, S> => (), deserialize_any);

impl<'de, S: Sink> Visitor<'de> for List<'_, S> {
    type Value = ();
    expecting!("a list of items");
    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        while seq.next_element_seed(ItemSeed(&mut *self.0))?.is_some() {
            self.0.item_end();
        }
        Ok(())
    }
    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(())
    }
    ignore_scalars!();
}

struct ItemSeed<'s, S>(&'s mut S);

seed!([, S: Sink] ItemSeed<'_, S> => (), deserialize_any);

impl<'de, S: Sink> Visitor<'de> for ItemSeed<'_, S> {
    type Value = ();
    expecting!("an item");
    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(section) = map.next_key_seed(SectionKey(&mut *self.0))? {
            match section {
                Some(section) => map.next_value_seed(SectionSeed { section, sink: &mut *self.0 })?,
                None => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(())
    }
    ignore_seq!();
    ignore_scalars!();
}

struct SectionKey<'s, S>(&'s mut S);

seed!([, S: Sink] SectionKey<'_, S> => Option<&'static SectionLeaves>, deserialize_str);

impl<S: Sink> Visitor<'_> for SectionKey<'_, S> {
    type Value = Option<&'static SectionLeaves>;
    expecting!("a section's name");
    fn visit_str<E>(self, key: &str) -> Result<Self::Value, E> {
        let section = LAYOUT.iter().find(|section| section.name == key);
        if section.is_none() {
            self.0.unknown(None, key);
        }
        Ok(section)
    }
}

struct SectionSeed<'s, S> {
    section: &'static SectionLeaves,
    sink: &'s mut S,
}

impl<S: Sink> SectionSeed<'_, S> {
    /// A section that is not an object counts as the section's time, so that it is missing or a reject.
    fn take<E>(self, raw: Raw<'_>) -> Result<(), E> {
        if !matches!(raw, Raw::Absent) {
            self.sink.leaf(&self.section.leaves[0], raw);
        }
        Ok(())
    }
}

seed!([, S: Sink] SectionSeed<'_, S> => (), deserialize_any);

impl<'de, S: Sink> Visitor<'de> for SectionSeed<'_, S> {
    type Value = ();
    expecting!("a section");
    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        // Values nearly always come in the documented order.
        let mut guess = 0;
        while let Some(found) = map.next_key_seed(LeafKey { section: self.section, guess, sink: &mut *self.sink })? {
            match found {
                Some(index) => {
                    guess = index + 1;
                    map.next_value_seed(LeafSeed { leaf: &self.section.leaves[index], sink: &mut *self.sink })?;
                }
                None => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(())
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        let mut values = Vec::new();
        while let Some(value) = seq.next_element::<serde_json::Value>()? {
            values.push(value);
        }
        if !values.is_empty() {
            self.sink.leaf(&self.section.leaves[0], Raw::Nested(&serde_json::Value::Array(values)));
        }
        Ok(())
    }
    scalars!();
}

struct LeafKey<'s, S> {
    section: &'static SectionLeaves,
    guess: usize,
    sink: &'s mut S,
}

seed!([, S: Sink] LeafKey<'_, S> => Option<usize>, deserialize_str);

impl<S: Sink> Visitor<'_> for LeafKey<'_, S> {
    type Value = Option<usize>;
    expecting!("a leaf's name");
    fn visit_str<E>(self, key: &str) -> Result<Self::Value, E> {
        let leaves = &self.section.leaves;
        if leaves.get(self.guess).is_some_and(|leaf| leaf.field == key) {
            return Ok(Some(self.guess));
        }
        let found = leaves.iter().position(|leaf| leaf.field == key);
        if found.is_none() {
            self.sink.unknown(Some(self.section.name), key);
        }
        Ok(found)
    }
}

struct LeafSeed<'s, S> {
    leaf: &'static Leaf,
    sink: &'s mut S,
}

impl<S: Sink> LeafSeed<'_, S> {
    fn take<E>(self, raw: Raw<'_>) -> Result<(), E> {
        self.sink.leaf(self.leaf, raw);
        Ok(())
    }
}

seed!([, S: Sink] LeafSeed<'_, S> => (), deserialize_any);

impl<'de, S: Sink> Visitor<'de> for LeafSeed<'_, S> {
    type Value = ();
    expecting!("a leaf");
    scalars!();
    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<(), A::Error> {
        let value = serde_json::Value::deserialize(serde::de::value::MapAccessDeserializer::new(map))?;
        self.sink.leaf(self.leaf, Raw::Nested(&value));
        Ok(())
    }
    fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<(), A::Error> {
        let value = serde_json::Value::deserialize(serde::de::value::SeqAccessDeserializer::new(seq))?;
        self.sink.leaf(self.leaf, Raw::Nested(&value));
        Ok(())
    }
}
