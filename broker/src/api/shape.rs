//! The shape of a request per version, walked by the gate before the codec sees a byte (design decision 8): the codec
//! reserves memory for whatever count a peer claims.

/// A request's fields over all versions.
#[derive(Clone, Copy, Debug)]
pub struct Shape {
    /// First flexible version (compact lengths and tag blocks), `i16::MAX` for never.
    pub flexible: i16,
    /// Fields in wire order; tagged ones may stand anywhere.
    pub fields: &'static [Field],
}

/// One field.
#[derive(Clone, Copy, Debug)]
pub struct Field {
    /// First version that has it.
    pub since: i16,
    /// Last version that has it.
    pub until: i16,
    /// First version in which null is allowed, `i16::MAX` for never.
    pub nullable: i16,
    /// Its tag, when it is a tagged field.
    pub tag: Option<u32>,
    /// What it is.
    pub kind: Kind,
}

/// What a field is.
#[derive(Clone, Copy, Debug)]
pub enum Kind {
    /// A fixed number of bytes: bool and int8 1, int16 2, int32 4, int64 and float64 8, uuid 16.
    Fixed(usize),
    /// A string (UTF-8).
    Text,
    /// Bytes or records.
    Bytes,
    /// An array of plain elements.
    Array(&'static Kind),
    /// An array of structures.
    Structs(&'static [Field]),
    /// One structure.
    Struct(&'static [Field]),
}

impl Field {
    const fn of(kind: Kind) -> Self {
        Self { since: 0, until: i16::MAX, nullable: i16::MAX, tag: None, kind }
    }

    /// Whether this version has the field.
    #[must_use]
    pub const fn is_in(&self, version: i16) -> bool {
        self.since <= version && version <= self.until
    }

    /// Whether it is a structure that may be null in this version: a byte before it says so.
    #[must_use]
    pub const fn is_marked(&self, version: i16) -> bool {
        matches!(self.kind, Kind::Struct(_)) && self.nullable <= version
    }

    /// Only from this version on.
    #[must_use]
    pub const fn since(mut self, version: i16) -> Self {
        self.since = version;
        self
    }

    /// Only up to this version.
    #[must_use]
    pub const fn until(mut self, version: i16) -> Self {
        self.until = version;
        self
    }

    /// Null is allowed from this version on.
    #[must_use]
    pub const fn nullable(mut self, version: i16) -> Self {
        self.nullable = version;
        self
    }

    /// A tagged field.
    #[must_use]
    pub const fn tagged(mut self, tag: u32) -> Self {
        self.tag = Some(tag);
        self
    }
}

/// bool
pub const fn boolean() -> Field {
    Field::of(Kind::Fixed(1))
}
/// int8
pub const fn int8() -> Field {
    Field::of(Kind::Fixed(1))
}
/// int16
pub const fn int16() -> Field {
    Field::of(Kind::Fixed(2))
}
/// int32
pub const fn int32() -> Field {
    Field::of(Kind::Fixed(4))
}
/// int64
pub const fn int64() -> Field {
    Field::of(Kind::Fixed(8))
}
/// uuid
pub const fn uuid() -> Field {
    Field::of(Kind::Fixed(16))
}
/// string
pub const fn text() -> Field {
    Field::of(Kind::Text)
}
/// bytes or records
pub const fn bytes() -> Field {
    Field::of(Kind::Bytes)
}
/// array of plain elements, e.g. `array(&Kind::Fixed(4))`
pub const fn array(element: &'static Kind) -> Field {
    Field::of(Kind::Array(element))
}
/// array of structures
pub const fn structs(fields: &'static [Field]) -> Field {
    Field::of(Kind::Structs(fields))
}
/// one structure
pub const fn structure(fields: &'static [Field]) -> Field {
    Field::of(Kind::Struct(fields))
}
