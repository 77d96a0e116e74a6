//! A webhook: our fields as JSON, and `text` as chat programs take it.

use super::channel::ChannelUrl;
use super::error::DeliveryError;
use super::http::Answer;

pub(super) fn read_answer(answer: &Answer, url: &ChannelUrl) -> Result<(), DeliveryError> {
    match answer.status {
        200..300 => Ok(()),
        status => Err(DeliveryError::Status { host: url.host(), status }),
    }
}
