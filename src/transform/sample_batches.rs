//! Collects rows of `quality_samples` into record batches.

use std::sync::Arc;

use arrow::array::{
    ArrayRef, Float64Array, Int64Array, NullBufferBuilder, RecordBatch, StringBuilder, TimestampMicrosecondArray,
};
use arrow::datatypes::{DataType, Schema};
use arrow::error::ArrowError;

use super::sample_layout::SLOT_COUNT;
use super::typed_walk::TypedWalk;
use crate::schema::{Kind, Moment, QUALITY_SAMPLES, arrow_schema};

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
        SampleBatches {
            schema: Arc::new(arrow_schema::file_schema(&QUALITY_SAMPLES)),
            participant_keys: StringBuilder::new(),
            meeting_keys: StringBuilder::new(),
            times: Vec::new(),
            slots: (0..SLOT_COUNT).map(|_| SlotColumn { bits: Vec::new(), nulls: NullBufferBuilder::new(0) }).collect(),
        }
    }
}

impl SampleBatches {
    /// Adds the samples of one participant. Participants must be added in the order of their keys.
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

    /// Rows since the last batch.
    pub fn row_count(&self) -> usize {
        self.times.len()
    }

    /// The rows since the last batch. An error is an internal error, whatever the input.
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
