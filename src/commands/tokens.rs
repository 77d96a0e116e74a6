//! The tokens by which people are found in a store where IDs, names and addresses are replaced.
//!
//! Only a user who may read the key has them. Without the key people are found only by what the store shows, and a
//! person with an ID on some dates and its token on others counts as two.

use std::borrow::Cow;
use std::path::Path;

use crate::load::StorePaths;
use crate::personal_data::{Identity, Networks, Pseudonyms, Topics, read_key};
use crate::schema::Personal;

/// The tokens of a store, or none if it has no key that this user may read.
pub(crate) struct Tokens(Option<Pseudonyms>);

impl Tokens {
    pub(crate) fn read(paths: &StorePaths) -> Tokens {
        Tokens::of_key_file(&paths.identity_key())
    }

    pub(super) fn of_key_file(path: &Path) -> Tokens {
        let key = read_key(path).ok().flatten();
        Tokens(key.map(|key| Pseudonyms::new(key, Identity::Pseudonym, Topics::Keep, Networks::default())))
    }

    /// The tokens of a typed ID, name, e-mail address or phone number; `None` without a key. A token is that of the
    /// exact text, so the text is tried as it was typed and in lower case, as addresses usually are.
    pub(crate) fn of_typed(&self, text: &str) -> Option<Vec<String>> {
        let pseudonyms = self.0.as_ref()?;
        let typed = text.trim();
        let mut tokens = pseudonyms.tokens_of(typed);
        tokens.extend(pseudonyms.tokens_of(&typed.to_lowercase()));
        tokens.sort_unstable();
        tokens.dedup();
        Some(tokens)
    }

    /// The token of an ID.
    pub(super) fn of_id(&self) -> Option<impl for<'t> Fn(&'t str) -> Cow<'t, str> + '_> {
        let pseudonyms = self.0.as_ref()?;
        Some(with_token(move |id| pseudonyms.token(Personal::Id, id)))
    }
}

/// Tells the compiler that the result borrows from the argument.
fn with_token<F: for<'t> Fn(&'t str) -> Cow<'t, str>>(token_of: F) -> F {
    token_of
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::personal_data::create_key;

    #[test]
    fn typed_text_has_the_tokens_of_every_class() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("identity.key");
        assert_eq!(Tokens::of_key_file(&path).of_typed("ou_1"), None);
        create_key(&path, &[3; 32]).expect("a key");
        let tokens = Tokens::of_key_file(&path);
        let typed = tokens.of_typed(" ou_1 ").expect("tokens");
        let of_id = tokens.of_id().expect("a key")("ou_1").into_owned();
        assert!(typed.contains(&of_id), "{typed:?}");
        assert!(typed.iter().any(|token| token.starts_with("n-")), "{typed:?}");
        assert!(typed.iter().any(|token| token.ends_with("@pseudonym.invalid")), "{typed:?}");
        let lower = tokens.of_typed("ann@example.com").expect("tokens");
        let mixed = tokens.of_typed("Ann@Example.com").expect("tokens");
        assert!(lower.iter().all(|token| mixed.contains(token)));
        assert!(tokens.of_typed(&of_id).expect("tokens").contains(&of_id), "a token is found as it is");
    }
}
