//! From the pages of a participant's walk to typed samples.

use std::collections::{HashMap, HashSet};

use super::page_deserializer::PageError;
use super::reject::WHOLE_ROW;
use super::sample_layout::{LAYOUT, Leaf, SECTION_COUNT, SLOT_COUNT, Sink, time_slot};
use super::sent_fields::FieldCounts;
use super::typed_walk::{Sample, TypedWalk, WalkReject};
use super::unknown_fields::count_unknown_field;
use super::{page_deserializer, page_scanner};
use crate::schema::{Kind, ParsedTime, Raw, Reason, parse};
use crate::text::readable;

/// Sections whose offset applies to times without one: `cpu_usage`, the last section, never has an offset.
const OFFSET_SECTIONS: usize = 4;

#[derive(Debug, Clone, Copy)]
struct Item {
    sample: Sample,
    index: usize,
}

/// Converts the pages of walks. One parser is reused for many walks, so that it allocates once.
#[derive(Debug, Default)]
pub struct WalkParser {
    items: Vec<Item>,
    /// Rejects of single values: item, column, text, reason.
    cell_rejects: Vec<(usize, &'static str, String, Reason)>,
    /// Items without a time.
    timeless: Vec<usize>,
    fields: FieldCounts,
    next_index: usize,
    /// The index of the first item of each page.
    page_starts: Vec<usize>,
    join_offset_min: i32,
    current: CurrentItem,
}

/// The item that is being read.
#[derive(Debug)]
struct CurrentItem {
    /// The slots whose keys the item has, with or without a value.
    sent: u64,
    present: u64,
    slots: [u64; SLOT_COUNT],
    /// By section.
    times: [Option<ParsedTime>; SECTION_COUNT],
}

impl Default for CurrentItem {
    fn default() -> CurrentItem {
        CurrentItem { sent: 0, present: 0, slots: [0; SLOT_COUNT], times: [None; SECTION_COUNT] }
    }
}

impl WalkParser {
    /// Converts the pages of a walk, in order. Times without an offset use that of the participant's join.
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
        Ok(self.finish(pages))
    }

    /// Reads a page of the common form; if that fails, any JSON; if that fails too, valid JSON that serde_json does not
    /// accept, after replacing what it rejects.
    fn page(&mut self, body: &[u8]) -> Result<(), PageError> {
        let (items, cell_rejects, timeless) = (self.items.len(), self.cell_rejects.len(), self.timeless.len());
        let (next_index, fields) = (self.next_index, self.fields.clone());
        let discard_page = |parser: &mut WalkParser| {
            parser.items.truncate(items);
            parser.cell_rejects.truncate(cell_rejects);
            parser.timeless.truncate(timeless);
            parser.next_index = next_index;
            parser.fields.clone_from(&fields);
            parser.current = CurrentItem::default();
        };
        if page_scanner::read_page(body, self).is_ok() {
            return Ok(());
        }
        discard_page(self);
        if page_deserializer::read_page(body, self).is_ok() {
            return Ok(());
        }
        discard_page(self);
        page_deserializer::read_page(readable(&String::from_utf8_lossy(body)).as_bytes(), self)
    }

    /// The fields seen since the last call.
    pub(crate) fn take_fields(&mut self) -> FieldCounts {
        std::mem::take(&mut self.fields)
    }

    /// Sorts the samples, keeps the last of several with the same time, and sets the row of every reject.
    fn finish(&mut self, pages: &[&[u8]]) -> TypedWalk {
        let mut texts: Vec<Option<Vec<&str>>> = vec![None; pages.len()];
        let mut item_reject = |index: usize, at: Result<i64, usize>, reason: Reason| {
            let page = self.page_starts.partition_point(|start| *start <= index) - 1;
            let items = texts[page].get_or_insert_with(|| page_deserializer::item_texts(pages[page]));
            let raw_text = items.get(index - self.page_starts[page]).copied().unwrap_or_default().to_owned();
            WalkReject { at, column_name: WHOLE_ROW, raw_text, reason }
        };
        let mut walk = TypedWalk::default();
        walk.rejects.extend(self.timeless.iter().map(|index| item_reject(*index, Err(*index), Reason::NoTime)));
        // A stable sort, so that items with the same time keep their order. Nearly always sorted already.
        if !self.items.is_sorted_by_key(|item| item.sample.time.utc_us) {
            self.items.sort_by_key(|item| item.sample.time.utc_us);
        }
        // Items that are complete rejects, by index: their individual values are not rejected separately.
        let mut superseded = HashSet::new();
        walk.samples.reserve(self.items.len());
        for same_time in self.items.chunk_by(|a, b| a.sample.time.utc_us == b.sample.time.utc_us) {
            // Pages can overlap: an item that is repeated later is not a reject.
            let mut last_of: HashMap<Sample, usize> = HashMap::new();
            if same_time.len() > 1 {
                last_of.extend(same_time.iter().enumerate().map(|(position, item)| (item.sample, position)));
            }
            for (position, item) in same_time.iter().enumerate().take(same_time.len() - 1) {
                if last_of.get(&item.sample) == Some(&position) {
                    superseded.insert(item.index);
                    let at = Ok(item.sample.time.unix_s());
                    walk.rejects.push(item_reject(item.index, at, Reason::DuplicateSample));
                }
            }
            walk.samples.extend(same_time.last().map(|item| item.sample));
        }
        if !self.cell_rejects.is_empty() {
            let times: HashMap<usize, i64> =
                self.items.iter().map(|item| (item.index, item.sample.time.unix_s())).collect();
            for (index, column_name, raw_text, reason) in self.cell_rejects.drain(..) {
                // Items without a time and superseded items are complete rejects.
                if let Some(unix_s) = times.get(&index).filter(|_| !superseded.contains(&index)) {
                    walk.rejects.push(WalkReject { at: Ok(*unix_s), column_name, raw_text, reason });
                }
            }
        }
        walk
    }
}

impl CurrentItem {
    /// Called again for a key that occurs twice in an object: the last one applies, even if it is missing.
    fn set(&mut self, slot: usize, bits: Option<u64>) {
        self.slots[slot] = bits.unwrap_or_default();
        self.present = self.present & !(1 << slot) | u64::from(bits.is_some()) << slot;
    }

    fn set_time(&mut self, leaf: &Leaf, time: Option<ParsedTime>) {
        if let Some(section) = LAYOUT.iter().position(|section| section.leaves[0].slot == leaf.slot) {
            self.times[section] = time;
        }
    }
}

impl Sink for WalkParser {
    fn leaf(&mut self, leaf: &Leaf, raw: Raw<'_>) {
        let current = &mut self.current;
        current.sent |= 1 << leaf.slot;
        let outcome = match leaf.kind {
            Kind::Instant => parse::time(&raw).map(|time| current.set_time(leaf, time)),
            Kind::PictureHeight => {
                parse::height_px(&raw).map(|height| current.set(leaf.slot, height.map(|height| height as u64)))
            }
            kind => parse::measure(&raw, kind).map(|value| current.set(leaf.slot, value.map(f64::to_bits))),
        };
        if let Err(reason) = outcome {
            match leaf.kind {
                Kind::Instant => current.set_time(leaf, None),
                _ => current.set(leaf.slot, None),
            }
            self.cell_rejects.push((self.next_index, leaf.column, raw.text().into_owned(), reason));
        }
    }

    fn unknown(&mut self, section: Option<&'static str>, field: &str) {
        match section {
            None => count_unknown_field(&mut self.fields.unknown, field, 1),
            Some(section) => count_unknown_field(&mut self.fields.unknown, &format!("{section}.{field}"), 1),
        }
    }

    fn item_end(&mut self) {
        let index = self.next_index;
        self.next_index += 1;
        let current = &mut self.current;
        self.fields.sent.count_sample(current.sent);
        let sent_offset = current.times[..OFFSET_SECTIONS].iter().flatten().find_map(ParsedTime::sent_offset);
        let offset_min = sent_offset.unwrap_or(self.join_offset_min);
        let mut sample_time = None;
        for section in 0..SECTION_COUNT {
            if let Some(time) = current.times[section] {
                let moment = time.with_default_offset(offset_min);
                sample_time.get_or_insert(moment);
                current.set(time_slot(section), Some(moment.utc_us as u64));
            }
        }
        match sample_time {
            Some(time) => {
                let sample = Sample { time, present: current.present, slots: current.slots };
                self.items.push(Item { sample, index });
            }
            None => self.timeless.push(index),
        }
        self.current = CurrentItem::default();
    }
}
