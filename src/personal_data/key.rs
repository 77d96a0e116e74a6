//! The identity key.

use std::fmt;

use ring::hmac;

use crate::text::hex;

/// 256 bits. Whoever has them can test whether a token is that of a known value.
#[derive(Clone)]
pub(crate) struct Key(hmac::Key);

impl Key {
    pub(crate) const BYTES: usize = 32;
    const ID_TEXT: &'static [u8] = b"key id";
    const ID_BYTES: usize = 4;

    pub(crate) fn new(bytes: &[u8; Key::BYTES]) -> Key {
        Key(hmac::Key::new(hmac::HMAC_SHA256, bytes))
    }

    /// Identifies the key without revealing it.
    pub(crate) fn id(&self) -> String {
        hex(&hmac::sign(&self.0, Key::ID_TEXT).as_ref()[..Key::ID_BYTES])
    }

    /// The first eight bytes of the keyed hash of a class and a text, in hexadecimal.
    pub(super) fn hash(&self, class: u8, text: &str) -> String {
        let mut context = hmac::Context::with_key(&self.0);
        context.update(&[class]);
        context.update(text.as_bytes());
        hex(&context.sign().as_ref()[..8])
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Key({})", self.id())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_id_tells_keys_apart_and_shows_nothing_of_them() {
        let (one, other) = (Key::new(&[1; 32]), Key::new(&[2; 32]));
        assert_eq!(one.id(), Key::new(&[1; 32]).id());
        assert_ne!(one.id(), other.id());
        assert_eq!((one.id().len(), format!("{one:?}")), (8, format!("Key({})", one.id())));
    }
}
