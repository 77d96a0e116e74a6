//! The tenant access tokens that the server has issued.

use crate::random::derive_key;

#[derive(Debug, Default)]
pub(super) struct TokenStore {
    /// Tokens with the time (Unix seconds) at which they expire.
    issued: Vec<(String, i64)>,
}

impl TokenStore {
    /// Returns a token and the seconds until it expires; `now` is Unix seconds.
    pub(super) fn issue(&mut self, seed: u64, life_s: i64, now: i64) -> (String, i64) {
        self.issued.retain(|(_, expires)| *expires > now);
        // The same token is issued again while it is valid for at least half an hour.
        if let Some((token, expires)) = self.issued.last()
            && (1800..=life_s).contains(&(expires - now))
        {
            return (token.clone(), expires - now);
        }
        let fresh = derive_key(derive_key(seed, 0x746F_6B65), (now as u64) << 16 | self.issued.len() as u64);
        let token = format!("t-g1{:016x}{:016x}", derive_key(fresh, 1), derive_key(fresh, 2));
        self.issued.push((token.clone(), now + life_s));
        (token, life_s)
    }

    pub(super) fn is_valid(&self, token: &str, now: i64) -> bool {
        self.issued.iter().any(|(known, expires)| known == token && *expires > now)
    }

    pub(super) fn revoke_all(&mut self) {
        self.issued.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_issued_again_until_half_an_hour_is_left() {
        let mut tokens = TokenStore::default();
        let (first, life) = tokens.issue(1, 7200, 1000);
        assert_eq!(life, 7200);
        assert_eq!(tokens.issue(1, 7200, 6000), (first.clone(), 2200));
        let (second, life) = tokens.issue(1, 7200, 6500);
        assert_ne!(second, first);
        assert_eq!(life, 7200);
        assert!(tokens.is_valid(&first, 8199), "both work for a while");
        assert!(!tokens.is_valid(&first, 8200));
        assert!(tokens.is_valid(&second, 8200));
        tokens.revoke_all();
        assert!(!tokens.is_valid(&second, 8200));
    }

    #[test]
    fn a_short_lived_token_is_new_each_time() {
        let mut tokens = TokenStore::default();
        let (first, _) = tokens.issue(1, 5, 1000);
        let (second, _) = tokens.issue(1, 5, 1000);
        assert_ne!(first, second);
        assert!(tokens.is_valid(&first, 1004));
        assert!(!tokens.is_valid(&first, 1005));
    }
}
