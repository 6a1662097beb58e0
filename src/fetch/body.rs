//! Unpacks a body while it arrives, so that a small answer cannot become a large one.

use std::io::{self, Write};

use flate2::write::MultiGzDecoder;

/// What becomes of a body that is larger than the cap.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Excess {
    /// The whole answer is refused.
    Refuse,
    /// The first bytes are kept (robots.txt, RFC 9309 section 2.5).
    Cut,
}

/// The most bytes of a body, on the wire and unpacked alike.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Cap {
    pub(super) bytes: usize,
    pub(super) excess: Excess,
}

/// Why a body could not be read.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum BodyError {
    TooLarge(String),
    Broken(String),
}

/// Whether more of the body is wanted.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Progress {
    More,
    Enough,
}

/// A body under way.
pub(super) struct BodyReader {
    decoder: Decoder,
    cap: Cap,
    pub(super) wire_bytes: usize,
}

enum Decoder {
    Plain(Sink),
    Gzip(Box<MultiGzDecoder<Sink>>),
}

impl BodyReader {
    /// For a body of a `Content-Encoding`: only gzip is asked for, and only gzip is read.
    pub(super) fn new(encoding: Option<&str>, cap: Cap) -> Result<Self, BodyError> {
        let sink = Sink { kept: Vec::new(), limit: cap.bytes, exceeded: false };
        let encoding = encoding.unwrap_or_default().trim().to_ascii_lowercase();
        let decoder = match encoding.as_str() {
            "" | "identity" => Decoder::Plain(sink),
            "gzip" | "x-gzip" => Decoder::Gzip(Box::new(MultiGzDecoder::new(sink))),
            other => {
                let detail = format!("Content-Encoding {other:.40} was not asked for");
                return Err(BodyError::Broken(detail));
            }
        };
        Ok(Self { decoder, cap, wire_bytes: 0 })
    }

    /// Refuses a declared length beyond the cap before a byte of it is read.
    pub(super) fn expect(&self, wire_bytes: Option<u64>) -> Result<(), BodyError> {
        match wire_bytes {
            Some(bytes) if bytes > self.cap.bytes as u64 => self.excess("body").map(drop),
            _ => Ok(()),
        }
    }

    /// Takes the next bytes of the wire.
    pub(super) fn push(&mut self, chunk: &[u8]) -> Result<Progress, BodyError> {
        self.wire_bytes += chunk.len();
        let written = match &mut self.decoder {
            Decoder::Plain(sink) => sink.write_all(chunk),
            Decoder::Gzip(decoder) => decoder.write_all(chunk).and_then(|()| decoder.flush()),
        };
        if self.sink().exceeded {
            return self.excess("body");
        }
        if let Err(error) = written {
            return Err(BodyError::Broken(format!("gzip: {error}")));
        }
        if self.wire_bytes > self.cap.bytes {
            return self.excess("packed body");
        }
        Ok(Progress::More)
    }

    /// The unpacked body; a packed one that breaks off is an error, for a cut list looks complete.
    pub(super) fn finish(self) -> Result<Vec<u8>, BodyError> {
        let cut = self.wire_bytes > self.cap.bytes || self.sink().exceeded;
        match self.decoder {
            Decoder::Plain(sink) => Ok(sink.kept),
            Decoder::Gzip(mut decoder) if cut || self.wire_bytes == 0 => {
                Ok(std::mem::take(&mut decoder.get_mut().kept))
            }
            Decoder::Gzip(decoder) => match decoder.finish() {
                Ok(sink) => Ok(sink.kept),
                Err(error) => Err(BodyError::Broken(format!("gzip: {error}"))),
            },
        }
    }

    fn sink(&self) -> &Sink {
        match &self.decoder {
            Decoder::Plain(sink) => sink,
            Decoder::Gzip(decoder) => decoder.get_ref(),
        }
    }

    fn excess(&self, what: &str) -> Result<Progress, BodyError> {
        match self.cap.excess {
            Excess::Cut => Ok(Progress::Enough),
            Excess::Refuse => {
                let detail = format!("{what} of more than {} bytes", self.cap.bytes);
                Err(BodyError::TooLarge(detail))
            }
        }
    }
}

/// Keeps at most `limit` bytes; the write that would pass it fails, which stops the unpacking.
struct Sink {
    kept: Vec<u8>,
    limit: usize,
    exceeded: bool,
}

impl Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let room = self.limit - self.kept.len();
        if bytes.len() > room {
            self.kept.extend_from_slice(&bytes[..room]);
            self.exceeded = true;
            return Err(io::Error::other("larger than allowed"));
        }
        self.kept.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use flate2::Compression;
    use flate2::write::GzEncoder;

    use super::*;

    fn gzip(plain: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(plain).unwrap();
        encoder.finish().unwrap()
    }

    fn read(
        encoding: &str,
        wire: &[u8],
        bytes: usize,
        excess: Excess,
    ) -> Result<Vec<u8>, BodyError> {
        let mut reader = BodyReader::new(Some(encoding), Cap { bytes, excess })?;
        for chunk in wire.chunks(7) {
            if reader.push(chunk)? == Progress::Enough {
                break;
            }
        }
        reader.finish()
    }

    #[test]
    fn bodies_are_unpacked_up_to_the_cap_exactly() {
        let text = "一".repeat(100).into_bytes();
        assert_eq!(read("", &text, 300, Excess::Refuse).unwrap(), text);
        assert_eq!(read("gzip", &gzip(&text), 300, Excess::Refuse).unwrap(), text);
        assert!(matches!(read("", &text, 299, Excess::Refuse), Err(BodyError::TooLarge(_))));
        let packed = read("gzip", &gzip(&text), 299, Excess::Refuse);
        assert!(matches!(packed, Err(BodyError::TooLarge(_))));
    }

    #[test]
    fn two_gzip_members_are_one_body() {
        let wire = [gzip(b"one "), gzip(b"two")].concat();
        assert_eq!(read("gzip", &wire, 100, Excess::Refuse).unwrap(), b"one two");
    }

    #[test]
    fn a_bomb_is_stopped_before_it_is_unpacked() {
        let wire = gzip(&vec![0; 50_000_000]);
        assert!(wire.len() < 60_000);
        let mut reader =
            BodyReader::new(Some("gzip"), Cap { bytes: 100_000, excess: Excess::Refuse }).unwrap();
        let stopped = wire.chunks(1000).position(|chunk| reader.push(chunk).is_err()).unwrap();
        assert!(stopped <= 1, "stopped only after {stopped} chunks");
        assert!(reader.sink().kept.len() <= 100_000);
    }

    #[test]
    fn a_header_that_never_ends_counts_as_wire_bytes() {
        let mut wire = vec![0x1f, 0x8b, 8, 8, 0, 0, 0, 0, 0, 3];
        wire.extend(vec![b'a'; 1000]);
        assert!(matches!(read("gzip", &wire, 100, Excess::Refuse), Err(BodyError::TooLarge(_))));
    }

    #[test]
    fn a_body_that_breaks_off_is_broken_and_not_short() {
        let wire = gzip("二".repeat(1000).as_bytes());
        let cut = read("gzip", &wire[..wire.len() - 9], 10_000, Excess::Refuse);
        assert!(matches!(cut, Err(BodyError::Broken(_))), "{cut:?}");
        assert!(matches!(read("gzip", b"plain", 100, Excess::Refuse), Err(BodyError::Broken(_))));
        assert!(matches!(read("br", b"x", 100, Excess::Refuse), Err(BodyError::Broken(_))));
        assert_eq!(read("gzip", b"", 100, Excess::Refuse).unwrap(), b"");
    }

    #[test]
    fn a_cut_body_keeps_its_first_bytes() {
        let text = b"0123456789".repeat(100);
        assert_eq!(read("", &text, 500, Excess::Cut).unwrap(), text[..500]);
        assert_eq!(read("gzip", &gzip(&text), 500, Excess::Cut).unwrap(), text[..500]);
    }
}
