//! A tar file (POSIX ustar) in the one way this program writes it, so that no byte is free to vary.

const BLOCK: usize = 512;

/// Writes files in this order; names of at most 100 ASCII bytes.
pub(super) fn write(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut out = Vec::new();
    for (name, content) in files {
        out.extend(header(name, content.len()));
        out.extend(*content);
        out.resize(out.len().next_multiple_of(BLOCK), 0);
    }
    out.resize(out.len() + 2 * BLOCK, 0);
    out
}

/// Reads what [`write()`] wrote: names and contents.
///
/// # Errors
/// Any byte that it would have written otherwise.
pub(super) fn read(bytes: &[u8]) -> Result<Vec<(&str, &[u8])>, String> {
    let mut files = Vec::new();
    let mut at = 0;
    loop {
        let rest = bytes.get(at..).filter(|rest| rest.len() >= 2 * BLOCK).ok_or("cut off")?;
        if rest[..BLOCK].iter().all(|byte| *byte == 0) {
            let ends = rest.len() == 2 * BLOCK && rest.iter().all(|byte| *byte == 0);
            return if ends { Ok(files) } else { Err("bytes after its end".to_owned()) };
        }
        let (name, size) = named(rest).ok_or_else(|| format!("no file header at byte {at}"))?;
        if rest[..BLOCK] != header(name, size) {
            return Err(format!("the header of {name} at byte {at} is not as it was written"));
        }
        let content = rest.get(BLOCK..BLOCK + size).ok_or_else(|| format!("{name} is cut off"))?;
        let padded = size.next_multiple_of(BLOCK);
        let padding = rest.get(BLOCK + size..BLOCK + padded);
        if !padding.is_some_and(|padding| padding.iter().all(|byte| *byte == 0)) {
            return Err(format!("the padding after {name} is not empty"));
        }
        files.push((name, content));
        at += BLOCK + padded;
    }
}

fn named(block: &[u8]) -> Option<(&str, usize)> {
    let end = block[..100].iter().position(|byte| *byte == 0)?;
    let name = std::str::from_utf8(&block[..end]).ok().filter(|name| !name.is_empty())?;
    let size = std::str::from_utf8(&block[124..135]).ok()?;
    Some((name, usize::from_str_radix(size, 8).ok()?))
}

/// A regular file that anybody may read, of nobody and of no time.
fn header(name: &str, size: usize) -> [u8; BLOCK] {
    let mut block = [0; BLOCK];
    let mut put = |at: usize, text: &str| {
        let end = at + text.len().min(BLOCK - at);
        block[at..end].copy_from_slice(&text.as_bytes()[..end - at]);
    };
    put(0, name.get(..name.len().min(99)).unwrap_or_default());
    put(100, "0000644\0");
    put(108, "0000000\0");
    put(116, "0000000\0");
    put(124, &format!("{size:011o}\0"));
    put(136, "00000000000\0");
    put(148, "        ");
    put(156, "0");
    put(257, "ustar\x0000");
    let sum: u32 = block.iter().map(|byte| u32::from(*byte)).sum();
    block[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    block
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_come_back_and_no_byte_may_differ() {
        let files: [(&str, &[u8]); 3] = [("a.txt", b"one"), ("b", b""), ("c", &[7; 1024])];
        let bytes = write(&files);
        assert_eq!(read(&bytes).unwrap(), files);
        let contents = |at: usize| (512..515).contains(&at) || (2048..3072).contains(&at);
        for at in (0..bytes.len()).filter(|at| !contents(*at)) {
            let mut other = bytes.clone();
            other[at] ^= 1;
            assert_ne!(read(&other).ok(), Some(files.to_vec()), "byte {at}");
        }
        assert!(read(&bytes[..bytes.len() - 1]).is_err());
        assert!(read(&[bytes.clone(), vec![0]].concat()).is_err());
    }
}
