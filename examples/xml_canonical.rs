//! What the reader makes of streams, for `tests/xml_oracles`, which compares it with expat.
//!
//! Each input on standard input is a length (32 bits, big-endian) and so many bytes: a client's stream from its
//! header on. Each answer is a verdict in one byte, how many bytes were read, the number of stanzas, and for each
//! its length and the bytes of a document that holds it in canonical form.
//!
//! Verdicts: `A` accepted, `C` accepted and closed, `U` a stanza is unfinished, `R` refused.

use std::io::{self, Read, Write};

use stube::xml::{Item, Limits, Reader, ns};

fn main() -> io::Result<()> {
    let (mut input, mut output) = (io::stdin().lock(), io::BufWriter::new(io::stdout().lock()));
    let mut length = [0; 4];
    loop {
        match input.read_exact(&mut length) {
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return output.flush(),
            result => result?,
        }
        let mut source = vec![0; u32::from_be_bytes(length) as usize];
        input.read_exact(&mut source)?;
        let (verdict, used, stanzas) = read(&source);
        output.write_all(&[verdict])?;
        write_number(&mut output, used)?;
        write_number(&mut output, stanzas.len())?;
        for stanza in &stanzas {
            write_number(&mut output, stanza.len())?;
            output.write_all(stanza)?;
        }
        output.flush()?;
    }
}

fn read(source: &[u8]) -> (u8, usize, Vec<Vec<u8>>) {
    let mut reader = Reader::new(Limits::after_login(1 << 20), ns::CLIENT);
    let mut stanzas = Vec::new();
    for (at, byte) in source.chunks(1).enumerate() {
        let mut byte = byte;
        loop {
            match reader.next(&mut byte) {
                Ok(None) => break,
                Ok(Some(Item::Header(_))) => {}
                Ok(Some(Item::Stanza(stanza))) => stanzas.push(stanza.to_element().to_bytes("")),
                Ok(Some(Item::Close)) => return (b'C', at + 1, stanzas),
                Err(_) => return (b'R', at + 1, stanzas),
            }
        }
    }
    (if reader.held() > 0 { b'U' } else { b'A' }, source.len(), stanzas)
}

fn write_number(output: &mut impl Write, number: usize) -> io::Result<()> {
    output.write_all(&u32::try_from(number).unwrap_or(u32::MAX).to_be_bytes())
}
