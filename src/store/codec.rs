//! The bytes of a value: a version byte, then fields in a fixed order.
//!
//! Numbers are big-endian; strings and byte strings carry their length as a `u32` in front. [`Encoder`] writes,
//! [`Decoder`] reads with every bound checked: a damaged value becomes a [`Malformed`], never a panic and never
//! an allocation larger than the value itself.

use std::fmt;

/// Writes one value.
pub struct Encoder(Vec<u8>);

impl Encoder {
    pub fn new(version: u8) -> Encoder {
        Encoder(vec![version])
    }

    pub fn u8(mut self, number: u8) -> Encoder {
        self.0.push(number);
        self
    }

    pub fn bool(self, flag: bool) -> Encoder {
        self.u8(flag.into())
    }

    pub fn u32(mut self, number: u32) -> Encoder {
        self.0.extend_from_slice(&number.to_be_bytes());
        self
    }

    pub fn u64(mut self, number: u64) -> Encoder {
        self.0.extend_from_slice(&number.to_be_bytes());
        self
    }

    /// A length: redb refuses values of 3 GiB long before one could overflow its `u32`.
    pub fn length(self, length: usize) -> Encoder {
        self.u32(u32::try_from(length).unwrap_or(u32::MAX))
    }

    pub fn bytes(self, bytes: &[u8]) -> Encoder {
        let mut encoder = self.length(bytes.len());
        encoder.0.extend_from_slice(bytes);
        encoder
    }

    pub fn str(self, text: &str) -> Encoder {
        self.bytes(text.as_bytes())
    }

    pub fn option_str(self, text: Option<&str>) -> Encoder {
        match text {
            None => self.bool(false),
            Some(text) => self.bool(true).str(text),
        }
    }

    pub fn strings(self, list: &[String]) -> Encoder {
        list.iter().fold(self.length(list.len()), |encoder, text| encoder.str(text))
    }

    /// Bytes to the end of the value: the last field of a record needs no length.
    pub fn rest(mut self, bytes: &[u8]) -> Encoder {
        self.0.extend_from_slice(bytes);
        self
    }

    pub fn finish(self) -> Vec<u8> {
        self.0
    }
}

/// Reads one value.
pub struct Decoder<'a>(&'a [u8]);

impl<'a> Decoder<'a> {
    /// Takes the version byte off `value`; the record's `decode` matches on it.
    pub fn new(value: &'a [u8]) -> Result<(u8, Decoder<'a>), Malformed> {
        let mut decoder = Decoder(value);
        let version = decoder.u8()?;
        Ok((version, decoder))
    }

    fn take(&mut self, length: usize) -> Result<&'a [u8], Malformed> {
        let (taken, rest) = self.0.split_at_checked(length).ok_or(Malformed::Truncated)?;
        self.0 = rest;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], Malformed> {
        let (taken, rest) = self.0.split_first_chunk().ok_or(Malformed::Truncated)?;
        self.0 = rest;
        Ok(*taken)
    }

    pub fn u8(&mut self) -> Result<u8, Malformed> {
        self.array::<1>().map(|[byte]| byte)
    }

    pub fn bool(&mut self) -> Result<bool, Malformed> {
        match self.u8()? {
            0 => Ok(false),
            1 => Ok(true),
            other => Err(Malformed::OutOfRange(other)),
        }
    }

    pub fn u32(&mut self) -> Result<u32, Malformed> {
        self.array().map(u32::from_be_bytes)
    }

    pub fn u64(&mut self) -> Result<u64, Malformed> {
        self.array().map(u64::from_be_bytes)
    }

    pub fn bytes(&mut self) -> Result<&'a [u8], Malformed> {
        let length = self.u32()?;
        self.take(length.try_into().map_err(|_| Malformed::Truncated)?)
    }

    pub fn str(&mut self) -> Result<&'a str, Malformed> {
        std::str::from_utf8(self.bytes()?).map_err(|_| Malformed::NotUtf8)
    }

    pub fn option_str(&mut self) -> Result<Option<&'a str>, Malformed> {
        Ok(if self.bool()? { Some(self.str()?) } else { None })
    }

    /// Grows as it reads: the count in front is not trusted with an allocation.
    pub fn strings(&mut self) -> Result<Vec<String>, Malformed> {
        let count = self.u32()?;
        let mut list = Vec::new();
        for _ in 0..count {
            list.push(self.str()?.to_owned());
        }
        Ok(list)
    }

    /// Everything that is left.
    pub fn rest(self) -> &'a [u8] {
        self.0
    }

    /// There must be nothing left: what this version does not know it must not drop silently.
    pub fn end(self) -> Result<(), Malformed> {
        if self.0.is_empty() { Ok(()) } else { Err(Malformed::Trailing(self.0.len())) }
    }
}

/// What is wrong with a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Malformed {
    Version(u8),
    Truncated,
    Trailing(usize),
    NotUtf8,
    OutOfRange(u8),
}

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Malformed::Version(version) => write!(f, "version {version} is unknown to this stube"),
            Malformed::Truncated => f.write_str("it ends too early"),
            Malformed::Trailing(bytes) => write!(f, "{bytes} bytes too many"),
            Malformed::NotUtf8 => f.write_str("text is not UTF-8"),
            Malformed::OutOfRange(byte) => write!(f, "{byte} is not a value of its field"),
        }
    }
}

impl std::error::Error for Malformed {}
