//! The access tokens that the server has issued: of tenants, and of a store app.

use crate::random::derive_key;

#[derive(Debug, Default)]
pub(super) struct TokenStore {
    issued: Vec<Issued>,
}

#[derive(Debug)]
struct Issued {
    token: String,
    /// Unix seconds.
    expires: i64,
    /// Whose token it is, such as the number of the tenant.
    owner: usize,
}

impl TokenStore {
    /// Returns a token and the seconds until it expires; `now` is Unix seconds.
    pub(super) fn issue(&mut self, prefix: &str, owner: usize, seed: u64, life_s: i64, now: i64) -> (String, i64) {
        self.issued.retain(|issued| issued.expires > now);
        // The same token is issued again while it is valid for at least half an hour.
        if let Some(issued) = self.issued.iter().rev().find(|issued| issued.owner == owner)
            && (1800..=life_s).contains(&(issued.expires - now))
        {
            return (issued.token.clone(), issued.expires - now);
        }
        let token = random_token(prefix, seed, (now as u64) << 16 | self.issued.len() as u64);
        self.issued.push(Issued { token: token.clone(), expires: now + life_s, owner });
        (token, life_s)
    }

    /// Whose token it is, if it is valid.
    pub(super) fn owner(&self, token: &str, now: i64) -> Option<usize> {
        let found = self.issued.iter().find(|issued| issued.token == token && issued.expires > now);
        found.map(|issued| issued.owner)
    }

    pub(super) fn revoke_all(&mut self) {
        self.issued.clear();
    }
}

/// A text that is different for each number.
pub(super) fn random_token(prefix: &str, seed: u64, number: u64) -> String {
    let fresh = derive_key(derive_key(seed, 0x746F_6B65), number);
    format!("{prefix}{:016x}{:016x}", derive_key(fresh, 1), derive_key(fresh, 2))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn issue(tokens: &mut TokenStore, life_s: i64, now: i64) -> (String, i64) {
        tokens.issue("t-g1", 0, 1, life_s, now)
    }

    #[test]
    fn a_token_is_issued_again_until_half_an_hour_is_left() {
        let mut tokens = TokenStore::default();
        let (first, life) = issue(&mut tokens, 7200, 1000);
        assert_eq!(life, 7200);
        assert_eq!(issue(&mut tokens, 7200, 6000), (first.clone(), 2200));
        let (second, life) = issue(&mut tokens, 7200, 6500);
        assert_ne!(second, first);
        assert_eq!(life, 7200);
        assert!(tokens.owner(&first, 8199).is_some(), "both work for a while");
        assert!(tokens.owner(&first, 8200).is_none());
        assert!(tokens.owner(&second, 8200).is_some());
        tokens.revoke_all();
        assert!(tokens.owner(&second, 8200).is_none());
    }

    #[test]
    fn a_short_lived_token_is_new_each_time() {
        let mut tokens = TokenStore::default();
        let (first, _) = issue(&mut tokens, 5, 1000);
        let (second, _) = issue(&mut tokens, 5, 1000);
        assert_ne!(first, second);
        assert!(tokens.owner(&first, 1004).is_some());
        assert!(tokens.owner(&first, 1005).is_none());
    }
}
