//! What is kept of a text: a digest that tells whether it changed, and one that tells how much.

use sha2::{Digest, Sha256};

use super::text::plain;

/// Characters in one feature of the similarity digest.
const FEATURE_CHARACTERS: usize = 3;

/// The text without markup, blanks and case: the same words give the same digest.
pub(crate) fn normalised(text: &str) -> String {
    plain(text).chars().filter(|c| !c.is_whitespace()).flat_map(char::to_lowercase).collect()
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
    let mut weights = [0_i64; 64];
    let width = FEATURE_CHARACTERS.min(characters.len().max(1));
    for feature in characters.windows(width) {
        let hash = feature.iter().fold(FNV_OFFSET, |hash, character| {
            (hash ^ u64::from(u32::from(*character))).wrapping_mul(FNV_PRIME)
        });
        let hash = spread(hash);
        for (bit, weight) in weights.iter_mut().enumerate() {
            *weight += if hash >> bit & 1 == 1 { 1 } else { -1 };
        }
    }
    let digest = weights.iter().enumerate().filter(|(_, weight)| **weight > 0);
    format!("{:016x}", digest.fold(0_u64, |sum, (bit, _)| sum | 1 << bit))
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
}
