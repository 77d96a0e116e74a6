//! From the pages of one participant's walk to the rows of `quality_samples`.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use arrow::array::{
    ArrayRef, Float64Array, Int64Array, NullBufferBuilder, RecordBatch, StringBuilder, TimestampMicrosecondArray,
};
use arrow::datatypes::{DataType, Schema};
use arrow::error::ArrowError;

use super::fast;
use super::page::{self, PageError, Sink};
use super::reject::WHOLE_ROW;
use super::slots::{LAYOUT, Leaf, SLOT_COUNT, time_slot};
use super::{Reject, UnknownFields, count_unknown_field};
use crate::schema::{Kind, Moment, ParsedTime, QUALITY_SAMPLES, Raw, Reason, arrow_schema, parse};
use crate::text::readable;

/// How many sections an item has.
const SECTION_COUNT: usize = 5;
/// The sections whose zone a zone-less time may borrow: cpu_usage, the last, prints none.
const ZONE_SECTIONS: usize = 4;

/// One minute, typed. A slot holds the bits of a double, a whole number or microseconds, as its column's kind says.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Sample {
    time: Moment,
    present: u64,
    slots: [u64; SLOT_COUNT],
}

/// A sample as what makes it equal to another.
type Bits = (i64, i32, u64, [u64; SLOT_COUNT]);

impl Sample {
    fn bits(&self) -> Bits {
        (self.time.utc_us, self.time.offset_min, self.present, self.slots)
    }
}

/// The typed walk of one participant: what its duplicates share.
#[derive(Debug, Default)]
pub struct TypedWalk {
    /// Sorted by sample time, each time once.
    samples: Vec<Sample>,
    rejects: Vec<WalkReject>,
}

/// A reject that still lacks the participant's key.
#[derive(Debug)]
struct WalkReject {
    /// The sample's unix second, or the item's index where it has no time.
    at: Result<i64, usize>,
    column_name: &'static str,
    raw_text: String,
    reason: Reason,
}

impl TypedWalk {
    /// How many samples the walk holds.
    pub fn sample_count(&self) -> usize {
        self.samples.len()
    }

    /// The rejects of the walk, for one participant.
    pub fn rejects<'a>(&'a self, participant_key: &'a str, first_seen_us: i64) -> impl Iterator<Item = Reject> + 'a {
        self.rejects.iter().map(move |reject| Reject {
            table_name: QUALITY_SAMPLES.name,
            row_key: match reject.at {
                Ok(unix_s) => format!("{participant_key}@{unix_s}"),
                Err(index) => format!("{participant_key}@item{index}"),
            },
            column_name: reject.column_name,
            raw_text: reject.raw_text.clone(),
            reason: reject.reason,
            first_seen_us,
        })
    }
}

/// An item as it was read, before its time is settled.
#[derive(Debug, Clone, Copy)]
struct Item {
    sample: Sample,
    index: usize,
}

/// Types the pages of one walk after the other. Reused from walk to walk, so that it allocates once.
#[derive(Debug)]
pub struct WalkParser {
    items: Vec<Item>,
    /// Rejects of cells, with the index of their item.
    cell_rejects: Vec<(usize, &'static str, String, Reason)>,
    /// Items without any time.
    timeless: Vec<usize>,
    unknown: UnknownFields,
    next_index: usize,
    /// Indexes at which each page begins.
    page_starts: Vec<usize>,
    join_offset_min: i32,
    // The item under way.
    present: u64,
    slots: [u64; SLOT_COUNT],
    clocks: [Option<ParsedTime>; SECTION_COUNT],
}

/// How far a walk was read when a page began.
struct Begun {
    items: usize,
    cell_rejects: usize,
    timeless: usize,
    next_index: usize,
    unknown: UnknownFields,
}

impl Default for WalkParser {
    fn default() -> WalkParser {
        WalkParser {
            items: Vec::new(),
            cell_rejects: Vec::new(),
            timeless: Vec::new(),
            unknown: UnknownFields::new(),
            next_index: 0,
            page_starts: Vec::new(),
            join_offset_min: 0,
            present: 0,
            slots: [0; SLOT_COUNT],
            clocks: [None; SECTION_COUNT],
        }
    }
}

impl WalkParser {
    /// Types a whole walk: its pages in order, and the offset of the participant's join for times without a zone.
    ///
    /// # Errors
    /// Where a page is no JSON.
    pub fn walk(&mut self, pages: &[&[u8]], join_offset_min: i32) -> Result<TypedWalk, PageError> {
        self.items.clear();
        self.cell_rejects.clear();
        self.timeless.clear();
        self.page_starts.clear();
        self.next_index = 0;
        self.join_offset_min = join_offset_min;
        for body in pages {
            self.page_starts.push(self.next_index);
            self.page(body)?;
        }
        Ok(self.settle(pages))
    }

    /// Reads a page: first as one of the usual form, then as any JSON. One that JSON allows and the reader cannot hold is
    /// read again as near to it as can be.
    fn page(&mut self, body: &[u8]) -> Result<(), PageError> {
        let begun = self.begun();
        if fast::read_page(body, self).is_ok() {
            return Ok(());
        }
        self.take_back(&begun);
        if page::read_page(body, self).is_ok() {
            return Ok(());
        }
        self.take_back(&begun);
        page::read_page(readable(&String::from_utf8_lossy(body)).as_bytes(), self)
    }

    fn begun(&self) -> Begun {
        Begun {
            items: self.items.len(),
            cell_rejects: self.cell_rejects.len(),
            timeless: self.timeless.len(),
            next_index: self.next_index,
            unknown: self.unknown.clone(),
        }
    }

    /// Forgets what was read of a page that has to be read in another way.
    fn take_back(&mut self, begun: &Begun) {
        self.items.truncate(begun.items);
        self.cell_rejects.truncate(begun.cell_rejects);
        self.timeless.truncate(begun.timeless);
        self.next_index = begun.next_index;
        self.unknown.clone_from(&begun.unknown);
        self.begin_item();
    }

    /// The unknown fields seen since the last call.
    pub fn take_unknown_fields(&mut self) -> UnknownFields {
        std::mem::take(&mut self.unknown)
    }

    /// Sorts, lets equal samples collapse, keeps the later of different ones, and gives every reject its row.
    fn settle(&mut self, pages: &[&[u8]]) -> TypedWalk {
        let mut texts: Vec<Option<Vec<&str>>> = vec![None; pages.len()];
        let mut text = |index: usize| -> String {
            let page = self.page_starts.partition_point(|start| *start <= index) - 1;
            let items = texts[page].get_or_insert_with(|| page::item_texts(pages[page]));
            items.get(index - self.page_starts[page]).copied().unwrap_or_default().to_owned()
        };
        let mut walk = TypedWalk::default();
        for index in &self.timeless {
            walk.rejects.push(WalkReject {
                at: Err(*index),
                column_name: WHOLE_ROW,
                raw_text: text(*index),
                reason: Reason::NoTime,
            });
        }
        // Stable, so that of one time the later item stays behind the earlier. Nearly always sorted already.
        if !self.items.is_sorted_by_key(|item| item.sample.time.utc_us) {
            self.items.sort_by_key(|item| item.sample.time.utc_us);
        }
        // Items that are rejects as a whole, by index: their cell rejects go with them.
        let mut superseded = HashSet::new();
        walk.samples.reserve(self.items.len());
        for same_time in self.items.chunk_by(|a, b| a.sample.time.utc_us == b.sample.time.utc_us) {
            // Pages can overlap: an equal item further on makes an earlier one a mere repetition.
            let mut last_of: HashMap<Bits, usize> = HashMap::new();
            if same_time.len() > 1 {
                last_of.extend(same_time.iter().enumerate().map(|(position, item)| (item.sample.bits(), position)));
            }
            for (position, item) in same_time.iter().enumerate().take(same_time.len() - 1) {
                if last_of.get(&item.sample.bits()) == Some(&position) {
                    superseded.insert(item.index);
                    walk.rejects.push(WalkReject {
                        at: Ok(item.sample.time.unix_s()),
                        column_name: WHOLE_ROW,
                        raw_text: text(item.index),
                        reason: Reason::DuplicateSample,
                    });
                }
            }
            walk.samples.extend(same_time.last().map(|item| item.sample));
        }
        if !self.cell_rejects.is_empty() {
            let times: HashMap<usize, i64> =
                self.items.iter().map(|item| (item.index, item.sample.time.unix_s())).collect();
            for (index, column_name, raw_text, reason) in self.cell_rejects.drain(..) {
                // A timeless item is a reject as a whole, and so is a superseded one that differs.
                if let Some(unix_s) = times.get(&index).filter(|_| !superseded.contains(&index)) {
                    walk.rejects.push(WalkReject { at: Ok(*unix_s), column_name, raw_text, reason });
                }
            }
        }
        walk
    }

    fn set(&mut self, slot: usize, bits: u64) {
        self.slots[slot] = bits;
        self.present |= 1 << slot;
    }
}

impl Sink for WalkParser {
    fn leaf(&mut self, leaf: &Leaf, raw: Raw<'_>) {
        let outcome = match leaf.kind {
            Kind::Instant => parse::time(&raw).map(|clock| {
                if let Some(section) = LAYOUT.iter().position(|section| section.leaves[0].slot == leaf.slot) {
                    self.clocks[section] = clock;
                }
            }),
            Kind::PictureHeight => parse::height_px(&raw).map(|height| match height {
                Some(height) => self.set(leaf.slot, height as u64),
                None => self.unset(leaf.slot),
            }),
            kind => parse::measure(&raw, kind).map(|value| match value {
                Some(value) => self.set(leaf.slot, value.to_bits()),
                None => self.unset(leaf.slot),
            }),
        };
        if let Err(reason) = outcome {
            // The last of two equal keys counts, also where it can't be read.
            match LAYOUT.iter().position(|section| section.leaves[0].slot == leaf.slot) {
                Some(section) => self.clocks[section] = None,
                None => self.unset(leaf.slot),
            }
            self.cell_rejects.push((self.next_index, leaf.column, raw.text().into_owned(), reason));
        }
    }

    fn unknown(&mut self, section: Option<&'static str>, field: &str) {
        match section {
            None => count_unknown_field(&mut self.unknown, field, 1),
            Some(section) => count_unknown_field(&mut self.unknown, &format!("{section}.{field}"), 1),
        }
    }

    fn item_end(&mut self) {
        let index = self.next_index;
        self.next_index += 1;
        let offset_min = self.clocks[..ZONE_SECTIONS]
            .iter()
            .flatten()
            .find_map(ParsedTime::sent_offset)
            .unwrap_or(self.join_offset_min);
        let mut time = None;
        for section in 0..SECTION_COUNT {
            if let Some(clock) = self.clocks[section] {
                let moment = clock.with_default_offset(offset_min);
                time.get_or_insert(moment);
                self.set(time_slot(section), moment.utc_us as u64);
            }
        }
        match time {
            Some(time) => {
                let sample = Sample { time, present: self.present, slots: self.slots };
                self.items.push(Item { sample, index });
            }
            None => self.timeless.push(index),
        }
        self.begin_item();
    }
}

impl WalkParser {
    fn begin_item(&mut self) {
        self.present = 0;
        self.slots = [0; SLOT_COUNT];
        self.clocks = [None; SECTION_COUNT];
    }

    /// A key that stands twice in one object: the last one counts, as everywhere in JSON.
    fn unset(&mut self, slot: usize) {
        self.slots[slot] = 0;
        self.present &= !(1 << slot);
    }
}

/// Collects rows of `quality_samples` into record batches.
pub struct SampleBatches {
    schema: Arc<Schema>,
    participant_keys: StringBuilder,
    meeting_keys: StringBuilder,
    times: Vec<Moment>,
    slots: Vec<SlotColumn>,
}

struct SlotColumn {
    bits: Vec<u64>,
    nulls: NullBufferBuilder,
}

impl Default for SampleBatches {
    fn default() -> SampleBatches {
        SampleBatches::new()
    }
}

impl SampleBatches {
    /// An empty collector.
    pub fn new() -> SampleBatches {
        SampleBatches {
            schema: Arc::new(arrow_schema::file_schema(&QUALITY_SAMPLES)),
            participant_keys: StringBuilder::new(),
            meeting_keys: StringBuilder::new(),
            times: Vec::new(),
            slots: (0..SLOT_COUNT).map(|_| SlotColumn { bits: Vec::new(), nulls: NullBufferBuilder::new(0) }).collect(),
        }
    }

    /// Adds the samples of one participant. Participants come in the order of their keys.
    pub fn append(&mut self, participant_key: &str, meeting_key: &str, walk: &TypedWalk) {
        for sample in &walk.samples {
            self.participant_keys.append_value(participant_key);
            self.meeting_keys.append_value(meeting_key);
            self.times.push(sample.time);
        }
        for (slot, column) in self.slots.iter_mut().enumerate() {
            for sample in &walk.samples {
                column.bits.push(sample.slots[slot]);
                column.nulls.append(sample.present >> slot & 1 == 1);
            }
        }
    }

    /// How many rows wait.
    pub fn row_count(&self) -> usize {
        self.times.len()
    }

    /// The waiting rows as one batch; the collector is empty afterwards.
    ///
    /// # Errors
    /// Never on input: only where a column's kind has no array here, which is a defect of ours.
    pub fn take(&mut self) -> Result<RecordBatch, ArrowError> {
        let mut slot = 0;
        let mut arrays: Vec<ArrayRef> = Vec::with_capacity(QUALITY_SAMPLES.columns.len());
        for column in QUALITY_SAMPLES.file_columns() {
            if !column.source.is_empty() {
                arrays.push(self.slots[slot].take(column.kind));
                slot += 1;
                continue;
            }
            let times = self.times.iter();
            arrays.push(match column.name {
                "participant_key" => Arc::new(self.participant_keys.finish()),
                "meeting_key" => Arc::new(self.meeting_keys.finish()),
                "sample_time_utc" => Arc::new(
                    TimestampMicrosecondArray::from_iter_values(times.map(|time| time.utc_us)).with_timezone("UTC"),
                ),
                "sample_time_local" => {
                    Arc::new(TimestampMicrosecondArray::from_iter_values(times.map(Moment::local_us)))
                }
                "utc_offset_min" => Arc::new(Int64Array::from_iter_values(times.map(|time| time.offset_min.into()))),
                other => return Err(ArrowError::SchemaError(format!("quality_samples.{other} has no source"))),
            });
        }
        self.times.clear();
        RecordBatch::try_new(Arc::clone(&self.schema), arrays)
    }
}

impl SlotColumn {
    fn take(&mut self, kind: Kind) -> ArrayRef {
        let nulls = self.nulls.finish();
        let bits = self.bits.drain(..);
        match kind.arrow() {
            DataType::Float64 => Arc::new(Float64Array::new(bits.map(f64::from_bits).collect(), nulls)),
            DataType::Int64 => Arc::new(Int64Array::new(bits.map(|bits| bits as i64).collect(), nulls)),
            _ => {
                let times = TimestampMicrosecondArray::new(bits.map(|bits| bits as i64).collect(), nulls);
                Arc::new(times.with_timezone("UTC"))
            }
        }
    }
}

#[cfg(test)]
#[path = "samples_tests.rs"]
mod tests;
