//! Keeps secrets out of everything that is said: whatever is printed or logged passes through a [`Redactor`].

use feishu_vc::Mask;

pub(crate) use feishu_vc::HIDDEN;

/// Knows the secrets of this run and takes them out of text. Clones share what they know, and so does the vendor client
/// that was given its [`Mask`]: a token that is fetched later is hidden from then on.
#[derive(Debug, Clone, Default)]
pub(crate) struct Redactor {
    mask: Mask,
}

impl Redactor {
    /// Learns a secret: the app's secret, a given token, a token that the vendor handed out.
    pub(crate) fn hide(&self, secret: &str) {
        self.mask.hide(secret);
    }

    /// The text without the secrets, in whatever form they stand there.
    pub(crate) fn clean(&self, text: &str) -> String {
        self.mask.clean(text)
    }

    /// What the redactor knows, to share it.
    pub(crate) fn mask(&self) -> Mask {
        self.mask.clone()
    }
}
