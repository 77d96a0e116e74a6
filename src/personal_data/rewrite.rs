//! Rewriting a response body: one pass that copies everything but what is replaced.

use std::borrow::Cow;
use std::ops::Range;

use serde_json::value::RawValue;

use super::error_texts::{detail, is_log_id, is_member, is_withheld, message, withheld};
use super::fields::{Field, List, Rule, list};
use super::mode::Identity;
use super::person::{Person, Whom};
use super::pseudonyms::{Learned, Pseudonyms};
use super::scanner::{Mark, Scanner, key_text, scalar_text, value};
use crate::schema::{Kind, Personal, Raw, Reason, parse};
use crate::text::snake_case;

impl Pseudonyms {
    /// A body with its personal values replaced. `endpoint` is the name in the raw log; `event` for an event.
    ///
    /// For everybody, all else that is not known to be harmless is replaced too: messages, values without a column, and
    /// a body that is not JSON. For single people only their items change: what else a body may say about them, such as
    /// the message of a refusal, is up to the caller.
    pub(crate) fn rewrite_body<'b>(&self, endpoint: &str, body: &'b [u8], whom: Whom<'_>) -> Cow<'b, [u8]> {
        self.rewrite_learning(endpoint, body, whom, &mut |_| ())
    }

    /// The same, and passes what later requests need to `learn`.
    pub(crate) fn rewrite_learning<'b>(
        &self,
        endpoint: &str,
        body: &'b [u8],
        whom: Whom<'_>,
        learn: &mut dyn FnMut(Learned<'_>),
    ) -> Cow<'b, [u8]> {
        if !self.is_active() {
            return Cow::Borrowed(body);
        }
        rewrite(self, list(endpoint), body, whom, learn)
    }
}

/// The body with what is replaced; borrowed if nothing is. `list` is `None` for an endpoint without a list.
fn rewrite<'b>(
    pseudonyms: &Pseudonyms,
    list: Option<&'static List>,
    body: &'b [u8],
    whom: Whom<'_>,
    learn: &mut dyn FnMut(Learned<'_>),
) -> Cow<'b, [u8]> {
    let text = match std::str::from_utf8(body) {
        Ok(text) if serde_json::from_str::<&RawValue>(text).is_ok() => text,
        _ => return without_text(pseudonyms, body, whom),
    };
    let is_item = list.is_some_and(|list| list.path.is_empty());
    let containers = vec![if is_item { Container::Items } else { Container::Top }];
    let (key, out) = (Cow::Borrowed(""), Vec::new());
    Rewriter { pseudonyms, list, text, whom, learn, containers, key, item: None, out, copied: 0 }.run()
}

/// What stands for a body that is not JSON.
fn without_text<'b>(pseudonyms: &Pseudonyms, body: &'b [u8], whom: Whom<'_>) -> Cow<'b, [u8]> {
    let is_kept = pseudonyms.identity() == Identity::Full
        || matches!(whom, Whom::Those(_))
        || body.is_empty()
        || std::str::from_utf8(body).is_ok_and(is_withheld);
    if is_kept {
        return Cow::Borrowed(body);
    }
    let mode = pseudonyms.identity().name();
    Cow::Owned(format!("{}: {} bytes that are not JSON", withheld(mode), body.len()).into_bytes())
}

/// What a value is, by its place.
#[derive(Clone, Copy)]
enum Place {
    Response,
    /// `data`, or an object on the way to the list, with the number of keys that lead there and its other members.
    Data(usize, Option<&'static Field>),
    List,
    Item,
    Field(&'static Field),
    /// A value of a field that is an array.
    Element(&'static Field),
    /// In `error`.
    Detail,
    Message,
    LogId,
    Kept,
    Unknown,
}

/// What an open object or array is.
#[derive(Clone, Copy)]
enum Container {
    Top,
    Response,
    Data(usize, Option<&'static Field>),
    Items,
    Members(&'static Field),
    Elements(&'static Field),
    Detail,
    Unknown,
}

/// An item that is being rewritten.
struct Item {
    /// The number of containers around it.
    depth: usize,
    /// A room is not a person.
    is_room: bool,
}

struct Rewriter<'a, 'b> {
    pseudonyms: &'a Pseudonyms,
    list: Option<&'static List>,
    text: &'b str,
    whom: Whom<'a>,
    learn: &'a mut dyn FnMut(Learned<'_>),
    containers: Vec<Container>,
    /// The newest key.
    key: Cow<'b, str>,
    item: Option<Item>,
    out: Vec<u8>,
    copied: usize,
}

impl<'b> Rewriter<'_, 'b> {
    fn run(mut self) -> Cow<'b, [u8]> {
        let mut scanner = Scanner::new(self.text, 0);
        while let Some((mark, range)) = scanner.next() {
            match mark {
                Mark::Key => self.take_key(range),
                Mark::Scalar => self.replace_scalar(range),
                Mark::Open { is_array } => {
                    let place = self.place();
                    if matches!(place, Place::Item) && !self.begin_item(range.start) {
                        let around = scanner.depth() - 1;
                        while scanner.depth() > around && scanner.next().is_some() {}
                    } else {
                        self.containers.push(self.container(place, is_array));
                    }
                }
                Mark::Close => {
                    self.containers.pop();
                    self.item.take_if(|item| item.depth == self.containers.len());
                }
            }
        }
        if self.copied == 0 {
            return Cow::Borrowed(self.text.as_bytes());
        }
        self.out.extend_from_slice(&self.text.as_bytes()[self.copied..]);
        Cow::Owned(self.out)
    }

    fn put(&mut self, range: Range<usize>, replacement: &str) {
        self.out.extend_from_slice(&self.text.as_bytes()[self.copied..range.start]);
        self.out.extend_from_slice(replacement.as_bytes());
        self.copied = range.end;
    }

    /// What the next value is.
    fn place(&self) -> Place {
        match self.containers.last() {
            Some(Container::Top) => Place::Response,
            Some(Container::Response) => match &*self.key {
                "code" | "expire" | "expires_in" | "refresh_token_expires_in" => Place::Kept,
                "tenant_access_token" | "app_access_token" | "access_token" | "refresh_token" => Place::Kept,
                "msg" | "error_description" => Place::Message,
                "log_id" => Place::LogId,
                "data" => Place::Data(0, self.list.map(|list| &list.beside)),
                "error" => Place::Detail,
                _ => Place::Unknown,
            },
            Some(Container::Data(depth, beside)) => {
                let path = self.list.map_or(&[][..], |list| list.path);
                let member = beside.and_then(|field| field.member(&self.key));
                match path.get(*depth) {
                    Some(key) if *key == self.key && depth + 1 == path.len() => Place::List,
                    Some(key) if *key == self.key => Place::Data(depth + 1, member),
                    _ => member.map_or(Place::Unknown, Place::Field),
                }
            }
            Some(Container::Items) => Place::Item,
            Some(Container::Members(field)) => member(self.list, field, &self.key).map_or(Place::Unknown, Place::Field),
            Some(Container::Elements(field)) => Place::Element(field),
            Some(Container::Detail) => Place::Detail,
            Some(Container::Unknown) | None => Place::Unknown,
        }
    }

    fn container(&self, place: Place, is_array: bool) -> Container {
        match (place, is_array) {
            (Place::Response, false) => Container::Response,
            (Place::Data(depth, beside), false) => Container::Data(depth, beside),
            (Place::List, true) => Container::Items,
            (Place::Item, false) => self.list.map_or(Container::Unknown, |list| Container::Members(&list.item)),
            (Place::Field(field) | Place::Element(field), false) if !field.members.is_empty() => {
                Container::Members(field)
            }
            (Place::Field(field), true) if field.is_list => Container::Elements(field),
            (Place::Detail, _) => Container::Detail,
            _ => Container::Unknown,
        }
    }

    /// Whether values are replaced here.
    fn is_active(&self) -> bool {
        matches!(self.whom, Whom::Everybody) || self.item.is_some()
    }

    /// False if the item is that of somebody else.
    fn begin_item(&mut self, start: usize) -> bool {
        let Some(list) = self.list else { return true };
        let mut is_room = false;
        if list.has_rooms || matches!(self.whom, Whom::Those(_)) {
            let found = read_person(list, self.text, start);
            if let Whom::Those(is_one) = self.whom
                && !is_one(&found.person)
            {
                return false;
            }
            is_room = list.has_rooms && found.has_room && !found.has_user;
        }
        self.item = Some(Item { depth: self.containers.len(), is_room });
        true
    }

    /// A key may be a value, such as the ID of a person. Only the names of an item's fields stay, which are counted.
    fn take_key(&mut self, range: Range<usize>) {
        self.key = key_text(&self.text[range.clone()]);
        let is_unknown = match self.containers.last() {
            Some(Container::Unknown) => true,
            Some(Container::Response | Container::Data(..)) => matches!(self.place(), Place::Unknown),
            Some(Container::Detail) => !is_member(&self.key),
            _ => false,
        };
        if is_unknown && self.is_active() && self.pseudonyms.identity() != Identity::Full {
            let key = self.key.clone();
            if let Cow::Owned(token) = self.pseudonyms.other(&key) {
                self.put(range, &format!("\"{token}\""));
            }
        }
    }

    fn replace_scalar(&mut self, range: Range<usize>) {
        let scalar = &self.text[range.clone()];
        if scalar == "null" || !self.is_active() {
            return;
        }
        if let Some(replacement) = self.replacement(scalar) {
            self.put(range, &replacement);
        }
    }

    /// The JSON in place of a scalar; `None` if it stays.
    fn replacement(&mut self, scalar: &str) -> Option<String> {
        let pseudonyms = self.pseudonyms;
        let quoted = |text: &str| serde_json::Value::from(text).to_string();
        let mode = pseudonyms.identity().name();
        let place = self.place();
        if let Place::Field(field) | Place::Element(field) = place
            && let Rule::Personal(class) = field.rule
        {
            if class == Personal::Name && self.item.as_ref().is_some_and(|item| item.is_room) {
                return None;
            }
            let text = scalar_text(scalar);
            return match pseudonyms.replaced(class, &text) {
                None => Some("null".to_owned()),
                Some(Cow::Borrowed(_)) => None,
                Some(Cow::Owned(token)) => {
                    if class == Personal::Id && self.list.is_some_and(|list| list.has_rooms) && self.key == "user_id" {
                        (self.learn)(Learned::Participant { token: &token, id: &text });
                    }
                    Some(quoted(&token))
                }
            };
        }
        if pseudonyms.identity() == Identity::Full {
            return None;
        }
        let is_flag = matches!(scalar, "true" | "false");
        match place {
            Place::Kept => None,
            Place::LogId if is_log_id(&scalar_text(scalar)) => None,
            Place::Message => message(mode, &scalar_text(scalar)).map(|text| quoted(&text)),
            Place::Detail => detail(mode, &self.key, &scalar_text(scalar)).map(|text| quoted(&text)),
            Place::Field(Field { rule: Rule::Keep(kind), .. })
            | Place::Element(Field { rule: Rule::Keep(kind), .. })
                if is_of_kind(*kind, scalar) =>
            {
                None
            }
            _ if is_flag => None,
            _ => {
                let text = scalar_text(scalar);
                let Cow::Owned(token) = pseudonyms.other(&text) else { return None };
                if matches!(place, Place::Field(Field { rule: Rule::PageToken, .. })) {
                    (self.learn)(Learned::PageToken { token: &token, page_token: &text });
                }
                Some(quoted(&token))
            }
        }
    }
}

fn member(list: Option<&List>, field: &'static Field, key: &str) -> Option<&'static Field> {
    let found = field.member(key);
    if found.is_none() && list.is_some_and(|list| list.has_camel_case) {
        // As `transform` reads the keys of alarms.
        return field.member(&snake_case(key));
    }
    found
}

/// Whether a value may be one of its kind. A text that is none can be anything, such as a name in a shifted field; its
/// token is none either, so it stays a reject with the same reason.
fn is_of_kind(kind: Kind, scalar: &str) -> bool {
    const MAX_PLAIN_BYTES: usize = 42;
    const MAX_PLAIN_LETTERS: usize = 4;
    if matches!(kind, Kind::Text | Kind::Id) || !scalar.starts_with('"') {
        return true;
    }
    let plain = scalar.as_bytes();
    let is_plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"\" .:-+/%()".contains(byte);
    let letters = plain.iter().filter(|byte| byte.is_ascii_alphabetic()).count();
    if plain.len() <= MAX_PLAIN_BYTES && letters <= MAX_PLAIN_LETTERS && plain.iter().all(is_plain) {
        return true;
    }
    let value = value(scalar);
    let raw = Raw::of(Some(&value));
    let parsed = match kind {
        Kind::Count | Kind::Minutes => parse::count(&raw).map(drop),
        Kind::Flag => parse::flag(&raw).map(drop),
        Kind::Seconds => parse::seconds(&raw).map(drop),
        Kind::PictureHeight => parse::height_px(&raw).map(drop),
        Kind::Instant | Kind::WallClock => parse::time(&raw).map(drop),
        kind => parse::measure(&raw, kind).map(drop),
    };
    parsed != Err(Reason::Unparsable)
}

struct FoundPerson<'t> {
    person: Person<'t>,
    has_user: bool,
    has_room: bool,
}

/// The person of the item that starts at `start`.
fn read_person<'t>(list: &'static List, text: &'t str, start: usize) -> FoundPerson<'t> {
    let mut found = FoundPerson { person: Person::default(), has_user: false, has_room: false };
    let mut scanner = Scanner::new(text, start);
    // The fields of the open containers; an array has that of its place.
    let mut open: Vec<Option<&'static Field>> = Vec::new();
    let mut next = Some(&list.item);
    let mut key = Cow::Borrowed("");
    while let Some((mark, range)) = scanner.next() {
        match mark {
            Mark::Open { .. } => open.push(next),
            Mark::Close => {
                open.pop();
            }
            Mark::Key => {
                key = key_text(&text[range]);
                next = open.last().copied().flatten().and_then(|field| member(Some(list), field, &key));
                continue;
            }
            Mark::Scalar => {
                let value = || scalar_text(&text[range.clone()]);
                let is_there = |value: &str| !matches!(value.trim(), "" | "-");
                let is_null = &text[range.clone()] == "null";
                match next.map(|field| field.rule) {
                    Some(Rule::Personal(Personal::Id)) if !is_null => {
                        found.has_user |= open.len() == 1 && key == "user_id" && is_there(&value());
                        found.person.ids.push(value());
                    }
                    Some(Rule::Personal(Personal::Email)) if !is_null => found.person.emails.push(value()),
                    Some(Rule::Personal(Personal::Name)) if !is_null => found.person.names.push(value()),
                    _ if !is_null && open.len() == 1 && key == "meeting_room_id" => {
                        found.has_room |= is_there(&value())
                    }
                    _ => {}
                }
            }
        }
        if scanner.depth() == 0 {
            break;
        }
        next = open.last().copied().flatten();
    }
    found
}
