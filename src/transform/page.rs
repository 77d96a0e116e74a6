//! One page of participant_quality_list, read straight from its bytes into rows: no tree, no string a value.

use std::fmt;

use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::slots::{LAYOUT, Leaf, SectionLeaves};

use crate::schema::Raw;

/// An answered page that is no page: a defect of the raw log, because `extract` keeps only pages it could read.
#[derive(Debug, thiserror::Error)]
#[error("an answered page of participant_quality_list cannot be read")]
pub struct PageError(#[from] serde_json::Error);

/// Takes the leaves of a page in the order in which they stand there.
pub(super) trait Sink {
    /// A leaf of the current item.
    fn leaf(&mut self, leaf: &Leaf, raw: Raw<'_>);
    /// A field that no column holds.
    fn unknown(&mut self, section: Option<&'static str>, field: &str);
    /// The current item has ended.
    fn item_end(&mut self);
}

/// Reads one page into `sink`. Items that are no object end without a leaf.
pub(super) fn read_page(body: &[u8], sink: &mut impl Sink) -> Result<(), PageError> {
    let mut deserializer = serde_json::Deserializer::from_slice(body);
    Object { key: "data", inner: Object { key: LIST_KEY, inner: List(sink) } }.deserialize(&mut deserializer)?;
    Ok(deserializer.end()?)
}

pub(super) const LIST_KEY: &str = "participant_quality_list";

/// The JSON of every item as it was sent, for `rejects`. Read once a page, however many rejects it has.
pub(super) fn item_texts(body: &[u8]) -> Vec<&str> {
    feishu_vc::read_list(body, LIST_KEY).map(|list| list.items).unwrap_or_default()
}

/// Descends into one key of an object; other keys, and anything that is no object, are passed over.
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

/// Passes over every scalar.
macro_rules! ignore_scalars {
    () => {
        fn visit_bool<E>(self, _: bool) -> Result<(), E> {
            Ok(())
        }
        fn visit_i64<E>(self, _: i64) -> Result<(), E> {
            Ok(())
        }
        fn visit_u64<E>(self, _: u64) -> Result<(), E> {
            Ok(())
        }
        fn visit_f64<E>(self, _: f64) -> Result<(), E> {
            Ok(())
        }
        fn visit_str<E>(self, _: &str) -> Result<(), E> {
            Ok(())
        }
        fn visit_unit<E>(self) -> Result<(), E> {
            Ok(())
        }
    };
}

/// Hands every scalar to the sink as the leaf that the seed is for.
macro_rules! leaf_scalars {
    () => {
        fn visit_bool<E>(self, flag: bool) -> Result<(), E> {
            self.take(Raw::Bool(flag))
        }
        fn visit_i64<E>(self, number: i64) -> Result<(), E> {
            self.take(Raw::Integer(number))
        }
        fn visit_u64<E>(self, number: u64) -> Result<(), E> {
            self.take(unsigned(number))
        }
        fn visit_f64<E>(self, number: f64) -> Result<(), E> {
            self.take(Raw::Float(number))
        }
        fn visit_str<E>(self, text: &str) -> Result<(), E> {
            self.take(Raw::Text(text))
        }
    };
}

fn pass_over_seq<'de, A: SeqAccess<'de>>(mut seq: A) -> Result<(), A::Error> {
    while seq.next_element::<IgnoredAny>()?.is_some() {}
    Ok(())
}

fn pass_over_map<'de, A: MapAccess<'de>>(mut map: A) -> Result<(), A::Error> {
    while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
    Ok(())
}

impl<'de, T: DeserializeSeed<'de>> Visitor<'de> for Object<T> {
    type Value = ();
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "an object with {}", self.key)
    }
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
    fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<(), A::Error> {
        pass_over_seq(seq)
    }
    ignore_scalars!();
}

/// True where the key is this one.
struct KeyIs(&'static str);

impl<'de> DeserializeSeed<'de> for KeyIs {
    type Value = bool;
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<bool, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for KeyIs {
    type Value = bool;
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }
    fn visit_str<E>(self, key: &str) -> Result<bool, E> {
        Ok(key == self.0)
    }
}

struct List<'s, S>(&'s mut S);

impl<'de, S: Sink> DeserializeSeed<'de> for List<'_, S> {
    type Value = ();
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de, S: Sink> Visitor<'de> for List<'_, S> {
    type Value = ();
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of items")
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        while seq.next_element_seed(ItemSeed(&mut *self.0))?.is_some() {
            self.0.item_end();
        }
        Ok(())
    }
    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<(), A::Error> {
        pass_over_map(map)
    }
    ignore_scalars!();
}

struct ItemSeed<'s, S>(&'s mut S);

impl<'de, S: Sink> DeserializeSeed<'de> for ItemSeed<'_, S> {
    type Value = ();
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de, S: Sink> Visitor<'de> for ItemSeed<'_, S> {
    type Value = ();
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an item")
    }
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
    fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<(), A::Error> {
        pass_over_seq(seq)
    }
    ignore_scalars!();
}

struct SectionKey<'s, S>(&'s mut S);

impl<'de, S: Sink> DeserializeSeed<'de> for SectionKey<'_, S> {
    type Value = Option<&'static SectionLeaves>;
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl<S: Sink> Visitor<'_> for SectionKey<'_, S> {
    type Value = Option<&'static SectionLeaves>;
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a section's name")
    }
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
    /// A section that is no object: its scalar counts as the section's time, so that it is missing or a reject.
    fn take<E>(self, raw: Raw<'_>) -> Result<(), E> {
        self.sink.leaf(&self.section.leaves[0], raw);
        Ok(())
    }
}

impl<'de, S: Sink> DeserializeSeed<'de> for SectionSeed<'_, S> {
    type Value = ();
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de, S: Sink> Visitor<'de> for SectionSeed<'_, S> {
    type Value = ();
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the section {}", self.section.name)
    }
    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        // The vendor sends leaves in the documented order, so the next one is nearly always the guess.
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
    fn visit_unit<E>(self) -> Result<(), E> {
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
    leaf_scalars!();
}

fn unsigned(number: u64) -> Raw<'static> {
    i64::try_from(number).map_or(Raw::Unsigned(number), Raw::Integer)
}

struct LeafKey<'s, S> {
    section: &'static SectionLeaves,
    guess: usize,
    sink: &'s mut S,
}

impl<'de, S: Sink> DeserializeSeed<'de> for LeafKey<'_, S> {
    type Value = Option<usize>;
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl<S: Sink> Visitor<'_> for LeafKey<'_, S> {
    type Value = Option<usize>;
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a leaf's name")
    }
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

impl<'de, S: Sink> DeserializeSeed<'de> for LeafSeed<'_, S> {
    type Value = ();
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de, S: Sink> Visitor<'de> for LeafSeed<'_, S> {
    type Value = ();
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a leaf")
    }
    fn visit_unit<E>(self) -> Result<(), E> {
        self.sink.leaf(self.leaf, Raw::Absent);
        Ok(())
    }
    leaf_scalars!();
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
