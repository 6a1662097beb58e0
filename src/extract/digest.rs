//! What is kept of a text: a digest that tells whether it changed, and one that tells how much.

use sha2::{Digest, Sha256};

use super::text::plain;

/// Characters in one feature of the similarity digest.
const FEATURE_CHARACTERS: usize = 3;

/// The text without markup, blanks and case: the same words give the same digest.
pub(crate) fn normalised(text: &str) -> String {
    let plain = plain(text);
    let mut out = String::with_capacity(plain.len());
    for character in plain.chars().filter(|c| !c.is_whitespace()) {
        match character {
            '\0'..='\x7f' => out.push(character.to_ascii_lowercase()),
            // The ideographs have no case.
            '\u{3400}'..='\u{9fff}' => out.push(character),
            other => out.extend(other.to_lowercase()),
        }
    }
    out
}

/// `sha256:…` of a normalised text.
pub(crate) fn sha256(normalised: &str) -> String {
    format!("sha256:{}", hex::encode(Sha256::digest(normalised.as_bytes())))
}

/// The 64-bit simhash of a normalised text, as sixteen hexadecimal digits (Charikar 2002).
///
/// Features are all runs of three characters; two texts that share most of them differ in few bits.
pub(crate) fn simhash(normalised: &str) -> String {
    let characters = normalised.chars().collect::<Vec<_>>();
    let width = FEATURE_CHARACTERS.min(characters.len().max(1));
    let features = characters.windows(width).map(|feature| {
        let hash = feature.iter().fold(FNV_OFFSET, |hash, character| {
            (hash ^ u64::from(u32::from(*character))).wrapping_mul(FNV_PRIME)
        });
        spread(hash)
    });
    let (ones, all) = ones(features);
    let digest = ones.iter().enumerate().filter(|(_, ones)| **ones * 2 > all);
    format!("{:016x}", digest.fold(0_u64, |sum, (bit, _)| sum | 1 << bit))
}

/// How many of the hashes have each bit, and how many hashes there are.
///
/// Bits of the same place in each byte are counted together, in the bytes of one word.
fn ones(hashes: impl Iterator<Item = u64>) -> ([u32; 64], u32) {
    const EACH_BYTE: u64 = 0x0101_0101_0101_0101;
    let (mut counts, mut all) = ([0_u32; 64], 0_u32);
    let mut bytes = [0_u64; 8];
    let flush = |bytes: &mut [u64; 8], counts: &mut [u32; 64]| {
        for (place, word) in bytes.iter_mut().enumerate() {
            for (byte, count) in word.to_le_bytes().into_iter().enumerate() {
                counts[byte * 8 + place] += u32::from(count);
            }
            *word = 0;
        }
    };
    for hash in hashes {
        for (place, word) in bytes.iter_mut().enumerate() {
            *word += hash >> place & EACH_BYTE;
        }
        all += 1;
        // A byte counts to 255.
        if all % 255 == 0 {
            flush(&mut bytes, &mut counts);
        }
    }
    flush(&mut bytes, &mut counts);
    (counts, all)
}

const FNV_OFFSET: u64 = 0xcbf2_9ce4_8422_2325;
const FNV_PRIME: u64 = 0x0000_0100_0000_01b3;

/// FNV leaves the upper bits of short inputs alike; the finaliser of MurmurHash3 spreads them.
fn spread(mut hash: u64) -> u64 {
    hash ^= hash >> 33;
    hash = hash.wrapping_mul(0xff51_afd7_ed55_8ccd);
    hash ^= hash >> 33;
    hash = hash.wrapping_mul(0xc4ce_b9fe_1a85_ec53);
    hash ^ hash >> 33
}

#[cfg(test)]
mod tests {
    use super::*;

    fn distance(a: &str, b: &str) -> u32 {
        let bits = |text: &str| u64::from_str_radix(&simhash(&normalised(text)), 16).unwrap();
        (bits(a) ^ bits(b)).count_ones()
    }

    #[test]
    fn markup_and_blanks_do_not_change_a_text() {
        assert_eq!(normalised("<p>今天　天气</p>\n很好&nbsp;OK"), "今天天气很好ok");
        assert_eq!(sha256(&normalised("<b>甲 乙</b>")), sha256(&normalised("甲乙")));
    }

    #[test]
    fn similar_texts_have_similar_digests() {
        let long = "市政务服务中心自下周一起调整办理时间，请广大市民合理安排行程，有关事项可拨打热线咨询。";
        let edited = long.replace("下周一", "下周二");
        let other =
            "我市昨日召开防汛工作会议，部署近期强降雨防范应对工作，要求各县区加强值班值守。";
        assert!(distance(long, &edited) < 16, "{}", distance(long, &edited));
        assert!(distance(long, other) > 16, "{}", distance(long, other));
        assert_eq!(simhash("").len(), 16);
    }

    /// Stored digests stay comparable: the digest of a text never changes.
    #[test]
    fn bits_are_counted_one_by_one_or_together() {
        let hashes = (0..1000_u64).map(|number| spread(number.wrapping_mul(FNV_PRIME)));
        let (ones, all) = ones(hashes.clone());
        assert_eq!(all, 1000);
        for (bit, count) in ones.into_iter().enumerate() {
            let with = hashes.clone().filter(|hash| hash >> bit & 1 == 1).count();
            assert_eq!(count as usize, with, "bit {bit}");
        }
    }
}
