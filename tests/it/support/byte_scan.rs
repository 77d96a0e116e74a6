//! Searches bytes for planted identifiers, and counts what it found by layer of the store and by kind.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use aho_corasick::{AhoCorasick, MatchKind};
use vcq_simulator::{Identifier, IdentifierKind};

/// Where bytes are. The names are those of the table that is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Layer {
    Names,
    RawFile,
    RawHeader,
    RawLines,
    ParquetFile,
    ParquetFooter,
    ParquetPage,
    ParquetDictionary,
    ParquetCell,
    SqliteFile,
    SqliteCell,
    DuckdbFile,
    DuckdbCell,
    DuckdbCatalogue,
    OtherFile,
    Output,
    HtmlPage,
    Workbook,
}

/// What is searched for.
pub(crate) struct Scanner {
    patterns: AhoCorasick,
    /// The kind of each pattern, and whether it is only the beginning of identifiers of that kind.
    kinds: Vec<(IdentifierKind, bool)>,
}

/// A layer, a kind, and whether only the beginning was found.
type Key = (Layer, IdentifierKind, bool);

/// What a scan found.
#[derive(Default)]
pub(crate) struct Scan {
    pub bytes: BTreeMap<Layer, u64>,
    /// Numbers of the patterns.
    found: BTreeMap<Key, BTreeSet<usize>>,
    /// The first place of each layer and kind, with the text around it.
    examples: BTreeMap<Key, (String, String)>,
}

impl Scanner {
    /// For all identifiers of a tenant, and for their beginnings: statistics of text hold the first eight bytes of the
    /// least and the greatest value.
    pub(crate) fn new(identifiers: &[Identifier]) -> Scanner {
        let mut beginnings = BTreeSet::new();
        for Identifier { kind, text } in identifiers {
            let length = match kind {
                IdentifierKind::Address => continue,
                IdentifierKind::Phone => 7,
                IdentifierKind::UserId => 8,
                _ => 6,
            };
            beginnings.insert((*kind, text[..length].to_owned()));
        }
        Scanner::with(identifiers, beginnings)
    }

    /// For identifiers that begin like others.
    pub(crate) fn of_some(identifiers: &[Identifier]) -> Scanner {
        Scanner::with(identifiers, BTreeSet::new())
    }

    fn with(identifiers: &[Identifier], beginnings: BTreeSet<(IdentifierKind, String)>) -> Scanner {
        let whole = identifiers.iter().map(|identifier| ((identifier.kind, false), identifier.text.clone()));
        let beginnings = beginnings.into_iter().map(|(kind, text)| ((kind, true), text));
        let (kinds, texts): (Vec<_>, Vec<String>) = whole.chain(beginnings).unzip();
        let patterns = AhoCorasick::builder()
            .ascii_case_insensitive(true)
            .match_kind(MatchKind::LeftmostLongest)
            .build(texts)
            .expect("patterns");
        Scanner { patterns, kinds }
    }

    /// Adds what the bytes contain to `scan`.
    pub(crate) fn scan(&self, scan: &mut Scan, layer: Layer, place: &str, bytes: &[u8]) {
        *scan.bytes.entry(layer).or_default() += bytes.len() as u64;
        for (pattern, range) in self.matches(bytes) {
            let (kind, is_beginning) = self.kinds[pattern];
            let key = (layer, kind, is_beginning);
            scan.found.entry(key).or_default().insert(pattern);
            scan.examples.entry(key).or_insert_with(|| {
                let around = &bytes[range.start.saturating_sub(60)..(range.end + 40).min(bytes.len())];
                (place.to_owned(), String::from_utf8_lossy(around).escape_debug().to_string())
            });
        }
    }

    fn matches<'a>(&'a self, bytes: &'a [u8]) -> impl Iterator<Item = (usize, std::ops::Range<usize>)> + 'a {
        self.patterns.find_iter(bytes).filter_map(move |found| {
            let pattern = found.pattern().as_usize();
            let is_one = match self.kinds[pattern] {
                (IdentifierKind::Address, _) => is_whole_address(bytes, &found.range()),
                // Long numbers contain these digits by chance.
                (IdentifierKind::Phone, true) => {
                    !bytes[..found.start()].last().is_some_and(|byte| byte.is_ascii_digit() || *byte == b'.')
                }
                _ => true,
            };
            is_one.then(|| (pattern, found.range()))
        })
    }

    /// The text with `§` for each identifier, and the network of each address, which depends on nothing but the
    /// address.
    pub(crate) fn mask(&self, text: &str) -> String {
        let mut masked = String::new();
        let mut end = 0;
        for (pattern, range) in self.matches(text.as_bytes()) {
            masked.push_str(&text[end..range.start]);
            match self.kinds[pattern].0 {
                IdentifierKind::Address => masked.push_str(&network_of(&text[range.clone()])),
                _ => masked.push('§'),
            }
            end = range.end;
        }
        masked.push_str(&text[end..]);
        masked
    }
}

/// False if the match is part of another address, or the first address of a network.
fn is_whole_address(bytes: &[u8], range: &std::ops::Range<usize>) -> bool {
    let is_part = |byte: &u8| byte.is_ascii_hexdigit() || *byte == b':';
    let (before, after) = (bytes[..range.start].last(), &bytes[range.end..]);
    let digits: Vec<u8> = after.iter().skip(1).copied().take_while(u8::is_ascii_digit).collect();
    let continues = match after.first() {
        Some(b'/') => !digits.is_empty() && digits != b"32" && digits != b"128",
        Some(b'.') => !digits.is_empty(),
        Some(byte) => is_part(byte),
        None => false,
    };
    !continues && !before.is_some_and(|byte| is_part(byte) || *byte == b'.')
}

/// The /24 of an IPv4 address, the /48 of an IPv6 address.
pub(crate) fn network_of(address: &str) -> String {
    match address.parse() {
        Ok(std::net::IpAddr::V4(ip)) => {
            let [a, b, c, _] = ip.octets();
            format!("{a}.{b}.{c}.0/24")
        }
        Ok(std::net::IpAddr::V6(ip)) => {
            let [a, b, c, ..] = ip.segments();
            format!("{}/48", std::net::Ipv6Addr::new(a, b, c, 0, 0, 0, 0, 0))
        }
        Err(_) => address.to_owned(),
    }
}

impl Scan {
    /// Different identifiers of a kind that were found in any layer.
    pub(crate) fn count(&self, kind: IdentifierKind) -> usize {
        let of_kind = self.found.iter().filter(|((_, found, is_beginning), _)| *found == kind && !is_beginning);
        of_kind.flat_map(|(_, patterns)| patterns).collect::<BTreeSet<_>>().len()
    }

    /// Different identifiers that were found in a layer.
    pub(crate) fn count_in(&self, layer: Layer) -> usize {
        let in_layer = self.found.iter().filter(|((found, _, is_beginning), _)| *found == layer && !is_beginning);
        in_layer.map(|(_, patterns)| patterns.len()).sum()
    }

    /// Different identifiers in all layers.
    pub(crate) fn total(&self) -> usize {
        IdentifierKind::ALL.iter().map(|kind| self.count(*kind)).sum()
    }

    /// The layers in which something was found that is not of the `kept` kinds, with an example; beginnings count.
    pub(crate) fn leaks(&self, kept: &[IdentifierKind]) -> Vec<String> {
        let leaks = self.examples.iter().filter(|((_, kind, _), _)| !kept.contains(kind));
        leaks
            .map(|(key, (place, text))| {
                let (layer, kind, is_beginning) = key;
                let what = if *is_beginning { "beginnings of " } else { "" };
                format!("{layer:?}: {} {what}{kind:?}, such as {place}: {text}", self.found[key].len())
            })
            .collect()
    }

    /// A line per layer: bytes, and the number of different identifiers by kind.
    pub(crate) fn table(&self, title: &str) -> String {
        let mut text = format!("{title}: {} identifiers\n{:18}{:>12}", self.total(), "layer", "bytes");
        for kind in IdentifierKind::ALL {
            let _ = write!(text, " {:>10.10}", format!("{kind:?}"));
        }
        text.push_str("  beginning\n");
        for (layer, bytes) in &self.bytes {
            let _ = write!(text, "{:18}{bytes:>12}", format!("{layer:?}"));
            let count = |kind: IdentifierKind| self.found.get(&(*layer, kind, false)).map_or(0, BTreeSet::len);
            for kind in IdentifierKind::ALL {
                let _ = write!(text, " {:>10}", count(*kind));
            }
            let beginnings = self.found.keys().filter(|(found, _, is_beginning)| found == layer && *is_beginning);
            let _ = write!(text, " {:>10}", beginnings.count());
            text.push('\n');
        }
        text
    }
}

#[test]
fn an_identifier_is_found_whatever_its_case_and_its_beginning_too() {
    let identifiers = [(IdentifierKind::Name, "Zqvxjn000001"), (IdentifierKind::Address, "10.11.3.45")]
        .map(|(kind, text)| Identifier { kind, text: text.to_owned() });
    let scanner = Scanner::new(&identifiers);
    for (bytes, found) in [
        ("ZQVXJN000001", 1),
        ("by=zqvxjn000001%40", 1),
        ("10.11.3.45", 1),
        ("[10.11.3.45]", 1),
        ("10.11.3.45/32", 1),
        ("at 10.11.3.45. Then", 1),
        ("10.11.3.451", 0),
        ("110.11.3.45", 0),
        ("10.11.3.45/26", 0),
        ("10.11.3.45.6", 0),
        ("zqvx", 0),
    ] {
        let mut scan = Scan::default();
        scanner.scan(&mut scan, Layer::Output, "test", bytes.as_bytes());
        assert_eq!((scan.total(), scan.leaks(&[]).len()), (found, found), "{bytes}");
    }
    let mut scan = Scan::default();
    scanner.scan(&mut scan, Layer::Output, "test", b"\0Zqvxjn00\0");
    assert_eq!((scan.total(), scan.leaks(&[]).len()), (0, 1), "a beginning is a leak");
    assert_eq!(scanner.mask("Zqvxjn000001 at 10.11.3.45, 10.11.3.46"), "§ at 10.11.3.0/24, 10.11.3.46");
}
