//! Random requests made from a SHAPE alone.

use crate::api::shape::{Field, Kind, Shape};

/// A request in the making, and then made.
pub(super) struct Generator {
    /// The body.
    pub(super) bytes: Vec<u8>,
    /// Whether it holds a tagged field: the codec leaves those with a default value out.
    pub(super) has_tags: bool,
    /// Where the counts of arrays stand.
    pub(super) counts: Vec<std::ops::Range<usize>>,
    random: Random,
    version: i16,
    flexible: bool,
}

impl Generator {
    pub(super) fn run(shape: &Shape, version: i16, seed: u64) -> Self {
        let random = Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
        let flexible = version >= shape.flexible;
        let (bytes, counts) = (Vec::new(), Vec::new());
        let mut made = Self { bytes, has_tags: false, counts, random, version, flexible };
        made.fields(shape.fields, 0);
        made
    }

    /// The body with another count at `place`.
    pub(super) fn with_count(&self, place: &std::ops::Range<usize>, count: i32, flexible: bool) -> Vec<u8> {
        let mut bytes = self.bytes[..place.start].to_vec();
        if flexible {
            varint(&mut bytes, u32::from_ne_bytes(count.to_ne_bytes()));
        } else {
            bytes.extend(count.to_be_bytes());
        }
        bytes.extend(&self.bytes[place.end..]);
        bytes
    }

    fn fields(&mut self, fields: &'static [Field], depth: usize) {
        let version = self.version;
        for field in fields.iter().filter(|field| field.tag.is_none() && field.is_in(version)) {
            self.value(&field.kind, field.nullable <= version, depth);
        }
        if self.flexible {
            self.tags(fields, depth);
        }
    }

    fn value(&mut self, kind: &'static Kind, nullable: bool, depth: usize) {
        let null = nullable && self.random.below(4) == 0;
        match kind {
            // A bool or small number; any other byte would come back as 1 from a bool.
            Kind::Fixed(1) => {
                let byte = self.random.byte() & 1;
                self.bytes.push(byte);
            }
            Kind::Fixed(size) => {
                for _ in 0..*size {
                    let byte = self.random.byte();
                    self.bytes.push(byte);
                }
            }
            Kind::Text if null => self.length(None, 2),
            Kind::Text => {
                let text: String =
                    (0..self.random.below(9)).map(|_| ['a', 'Z', '.', 'ß', '語'][self.random.below(5)]).collect();
                self.length(Some(text.len()), 2);
                self.bytes.extend(text.as_bytes());
            }
            Kind::Bytes | Kind::Array(_) | Kind::Structs(_) if null => self.length(None, 4),
            Kind::Bytes => {
                let bytes: Vec<u8> = (0..self.random.below(20)).map(|_| self.random.byte()).collect();
                self.length(Some(bytes.len()), 4);
                self.bytes.extend(bytes);
            }
            Kind::Array(element) => {
                let count = self.count(depth);
                (0..count).for_each(|_| self.value(element, false, depth + 1));
            }
            Kind::Structs(fields) => {
                let count = self.count(depth);
                (0..count).for_each(|_| self.fields(fields, depth + 1));
            }
            Kind::Struct(_) if null => self.bytes.push(0xff),
            Kind::Struct(fields) => {
                if nullable {
                    self.bytes.push(1);
                }
                self.fields(fields, depth + 1);
            }
        }
    }

    fn count(&mut self, depth: usize) -> usize {
        let count = self.random.below(if depth == 0 { 5 } else { 3 });
        let from = self.bytes.len();
        self.length(Some(count), 4);
        self.counts.push(from..self.bytes.len());
        count
    }

    fn length(&mut self, length: Option<usize>, width: usize) {
        if self.flexible {
            let said = length.map_or(0, |length| u32::try_from(length).unwrap() + 1);
            varint(&mut self.bytes, said);
        } else {
            let said = length.map_or(-1, |length| i32::try_from(length).unwrap());
            self.bytes.extend(&said.to_be_bytes()[4 - width..]);
        }
    }

    fn tags(&mut self, fields: &'static [Field], depth: usize) {
        let version = self.version;
        let known = fields.iter().filter(|field| field.tag.is_some() && field.is_in(version));
        let mut tags: Vec<(u32, Option<&'static Field>)> =
            known.map(|field| (field.tag.unwrap(), Some(field))).collect();
        tags.retain(|_| self.random.below(2) == 0);
        if self.random.below(8) == 0 {
            tags.push((1000, None));
        }
        tags.sort_by_key(|(tag, _)| *tag);
        self.has_tags |= !tags.is_empty();
        varint(&mut self.bytes, u32::try_from(tags.len()).unwrap());
        for (tag, field) in tags {
            let outer = std::mem::take(&mut self.bytes);
            let counts = self.counts.len();
            match field {
                Some(field) => self.value(&field.kind, field.nullable <= version, depth + 1),
                None => self.bytes.extend([1, 2, 3]),
            }
            // Counts inside a tagged field would move with its size: the untagged ones are enough.
            self.counts.truncate(counts);
            let inner = std::mem::replace(&mut self.bytes, outer);
            varint(&mut self.bytes, tag);
            varint(&mut self.bytes, u32::try_from(inner.len()).unwrap());
            self.bytes.extend(inner);
        }
    }
}

/// Some bytes changed, removed, doubled or set to the extremes.
pub(super) fn damage(bytes: &[u8], salt: u64) -> Vec<u8> {
    let mut random = Random((salt + 1).wrapping_mul(0x2545_f491_4f6c_dd1d) ^ bytes.len() as u64);
    let mut damaged = bytes.to_vec();
    for _ in 0..=random.below(3) {
        if damaged.is_empty() {
            return damaged;
        }
        let at = random.below(damaged.len());
        match random.below(5) {
            0 => damaged[at] = random.byte(),
            1 => damaged[at] = 0xff,
            2 => damaged[at] = damaged[at].wrapping_add(1),
            3 => drop(damaged.remove(at)),
            _ => damaged.insert(at, random.byte()),
        }
    }
    damaged
}

fn varint(into: &mut Vec<u8>, mut value: u32) {
    while value >= 0x80 {
        into.push(u8::try_from(value & 0x7f).unwrap() | 0x80);
        value >>= 7;
    }
    into.push(u8::try_from(value).unwrap());
}

/// xorshift.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.next() >> 33).unwrap() % bound
    }

    fn byte(&mut self) -> u8 {
        self.next().to_be_bytes()[0]
    }
}
