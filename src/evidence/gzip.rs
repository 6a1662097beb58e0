//! Gzip members (RFC 1952), with a compressor that is kept: making one anew for each record costs a
//! tenth of packing a page.

use std::cell::RefCell;

use flate2::{Compress, Compression, Crc, FlushCompress, Status};

thread_local! {
    /// The compressor of the level asked for last.
    static PACKER: RefCell<Option<(u32, Compress)>> = const { RefCell::new(None) };
}

/// Free bytes that the compressor finds at least.
const ROOM: usize = 16 * 1024;

/// Appends one member that holds the parts; nothing in its header speaks of time or machine.
pub(super) fn member<'a>(out: &mut Vec<u8>, parts: impl Iterator<Item = &'a [u8]>, level: u32) {
    PACKER.with_borrow_mut(|kept| {
        if kept.as_ref().is_none_or(|(known, _)| *known != level) {
            *kept = Some((level, Compress::new(Compression::new(level), false)));
        }
        let (_, packer) = kept.as_mut().expect("it was made where there was none");
        packer.reset();
        // Deflate, no flags, no time; fastest, best or neither; system unknown.
        let kind = if level <= 1 { 4 } else { 2 * u8::from(level >= 9) };
        out.extend([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, kind, 0xff]);
        let mut sum = Crc::new();
        for part in parts {
            sum.update(part);
            let mut rest = part;
            while !rest.is_empty() {
                let before = packer.total_in();
                pack(packer, rest, out, FlushCompress::None);
                let taken = usize::try_from(packer.total_in() - before);
                rest = &rest[taken.expect("no more than the part")..];
            }
        }
        while pack(packer, &[], out, FlushCompress::Finish) != Status::StreamEnd {}
        out.extend(sum.sum().to_le_bytes());
        out.extend(sum.amount().to_le_bytes());
    });
}

fn pack(packer: &mut Compress, part: &[u8], out: &mut Vec<u8>, flush: FlushCompress) -> Status {
    out.reserve(ROOM);
    packer.compress_vec(part, out, flush).expect("a compressor takes any bytes")
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};

    use flate2::GzBuilder;
    use flate2::read::MultiGzDecoder;

    use super::*;

    #[test]
    fn members_follow_each_other_and_say_what_was_put_in() {
        let noise: Vec<u8> = (0..300_000_u32).map(|at| (at.wrapping_mul(at) >> 7) as u8).collect();
        let text = "关于做好有关工作的通知\n".repeat(9_000);
        let parts: [&[u8]; 5] = [b"", b"head\r\n", &noise, text.as_bytes(), b"\r\n"];
        for level in [1, 6, 9, 1] {
            let mut out = b"before".to_vec();
            member(&mut out, parts.into_iter(), level);
            member(&mut out, [&b"again"[..]].into_iter(), level);
            let mut read = Vec::new();
            MultiGzDecoder::new(&out[6..]).read_to_end(&mut read).unwrap();
            assert!(read == [&parts.concat()[..], b"again"].concat(), "level {level}");
        }
    }

    #[test]
    fn a_member_is_that_of_a_compressor_made_for_it() {
        let text = "政务新媒体检查指标\n".repeat(700);
        for level in [1, 1, 1, 6, 6, 9, 9] {
            let other = "另一页".repeat(40_000 + level as usize);
            member(&mut Vec::new(), [other.as_bytes()].into_iter(), level);
            let mut fresh = GzBuilder::new().write(Vec::new(), Compression::new(level));
            fresh.write_all(text.as_bytes()).unwrap();
            let mut kept = Vec::new();
            member(&mut kept, [text.as_bytes()].into_iter(), level);
            assert_eq!(kept, fresh.finish().unwrap(), "level {level}");
        }
    }
}
