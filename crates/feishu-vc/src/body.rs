//! The bytes of a response.

use std::fmt;
use std::ops::Deref;

/// The bytes of a response body. The `Debug` form shows their number only, because they contain personal data.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Body(pub(crate) Vec<u8>);

impl Body {
    /// The bytes.
    pub fn into_bytes(self) -> Vec<u8> {
        self.0
    }
}

impl Deref for Body {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Body({} bytes)", self.0.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_form_shows_no_content() {
        assert_eq!(format!("{:?}", Body(b"person".to_vec())), "Body(6 bytes)");
    }
}
