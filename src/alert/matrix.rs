use std::collections::{BTreeMap, HashMap};

use chrono::{DateTime, Utc};
use serde_json::json;

use crate::domain::{AccountId, EvidenceRef};

use super::evaluate::{Holding, Verdict};
use super::rule::NearDuplicateRule;

/// A post of a matrix, with what its text is like.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MatrixPost {
    /// Whose.
    pub account: AccountId,
    /// 账号编号 of the account.
    pub key: String,
    /// The platform's id.
    pub reference: String,
    /// When it counts as published.
    pub at: DateTime<Utc>,
    /// 64-bit similarity digest of the text.
    pub simhash: u64,
    /// A repost, which is a duty or a courtesy and no copy.
    pub is_repost: bool,
}

/// How much of an account's content other accounts of the matrix had before.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct NearDuplicates {
    /// Posts of its own that were compared.
    pub posts: usize,
    /// Those nearly like an earlier one of another account.
    pub alike: usize,
    /// Those posts, and by which they were preceded.
    pub pairs: Vec<(String, String)>,
}

/// Digests differ in at most three bits, so that of four bands of sixteen bits one is the same.
const BANDS: u32 = 4;

/// For each account of a matrix how many of its posts are nearly like an earlier post of another.
///
/// Reposts are left out. Of posts of one instant the account with the lower number came first.
pub fn near_duplicates(
    posts: &[MatrixPost],
    distance_max: u32,
) -> BTreeMap<AccountId, NearDuplicates> {
    let mut own: Vec<&MatrixPost> = posts.iter().filter(|post| !post.is_repost).collect();
    own.sort_by_key(|post| (post.at, post.account, &post.reference));
    let mut bands: HashMap<(u32, u16), Vec<&MatrixPost>> = HashMap::new();
    let mut found: BTreeMap<AccountId, NearDuplicates> = BTreeMap::new();
    for post in own {
        let of = |band: u32| u16::try_from(post.simhash >> (band * 16) & 0xffff).unwrap_or(0);
        let earlier =
            (0..BANDS).flat_map(|band| bands.get(&(band, of(band))).into_iter().flatten());
        let original = earlier
            .filter(|other| other.account != post.account)
            .filter(|other| (other.simhash ^ post.simhash).count_ones() <= distance_max)
            .min_by_key(|other| (other.at, other.account, &other.reference));
        let one = found.entry(post.account).or_default();
        one.posts += 1;
        if let Some(original) = original {
            one.alike += 1;
            one.pairs.push((post.reference.clone(), original.reference.clone()));
        }
        for band in 0..BANDS {
            bands.entry((band, of(band))).or_default().push(post);
        }
    }
    found
}

impl NearDuplicates {
    /// What the rule says of the account; with too few posts it is not told.
    pub fn judge(
        &self,
        rule: &NearDuplicateRule,
        key: &str,
        window: (DateTime<Utc>, DateTime<Utc>),
        period: &str,
    ) -> Verdict {
        if self.posts < rule.posts_min as usize {
            return Verdict::Quiet;
        }
        #[expect(clippy::cast_precision_loss, reason = "posts of a matrix are far below 2^53")]
        let share = self.alike as f64 / self.posts as f64;
        if share < rule.share_min {
            let proof = format!("雷同内容占 {:.0}%,低于界限", share * 100.0);
            return Verdict::Refuted { proof, at: None };
        }
        let evidence = self
            .pairs
            .iter()
            .map(|(post, _)| EvidenceRef::Post { key: key.to_owned(), reference: post.clone() });
        Verdict::Holds(Holding {
            occasion: period.to_owned(),
            statement: format!(
                "近 {} 天自行发布的 {} 条内容中有 {} 条({:.0}%)与矩阵内其他账号此前发布的内容雷同。",
                rule.within_days,
                self.posts,
                self.alike,
                share * 100.0
            ),
            window: Some(window),
            inputs: json!({
                "posts": self.posts,
                "alike": self.alike,
                "share": share,
                "distance_max": rule.distance_max,
            }),
            evidence: evidence.collect(),
            needs_approval: false,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn post(account: i64, reference: &str, minute: i64, simhash: u64) -> MatrixPost {
        MatrixPost {
            account: AccountId(account),
            key: format!("k{account}"),
            reference: reference.to_owned(),
            at: DateTime::from_timestamp(1_790_000_000 + minute * 60, 0).unwrap(),
            simhash,
            is_repost: false,
        }
    }

    /// Every pair compared, without bands.
    fn by_hand(posts: &[MatrixPost], distance_max: u32) -> BTreeMap<AccountId, usize> {
        let earlier = |a: &MatrixPost, b: &MatrixPost| (a.at, a.account) < (b.at, b.account);
        let mut found = BTreeMap::new();
        for post in posts.iter().filter(|post| !post.is_repost) {
            let copied = posts.iter().any(|other| {
                !other.is_repost
                    && other.account != post.account
                    && earlier(other, post)
                    && (other.simhash ^ post.simhash).count_ones() <= distance_max
            });
            *found.entry(post.account).or_default() += usize::from(copied);
        }
        found
    }

    #[test]
    fn the_copy_is_the_later_one_and_reposts_are_none() {
        let mut posts = vec![
            post(1, "a", 0, 0xffff_0000_ffff_0000),
            post(2, "b", 5, 0xffff_0000_ffff_0003),
            post(2, "c", 6, 0x1234),
            post(3, "d", 7, 0xffff_0000_ffff_000f),
        ];
        let found = near_duplicates(&posts, 3);
        assert_eq!(found[&AccountId(1)].alike, 0);
        assert_eq!(found[&AccountId(2)].pairs, [("b".to_owned(), "a".to_owned())]);
        assert_eq!(found[&AccountId(3)].pairs, [("d".to_owned(), "b".to_owned())]);
        posts[1].is_repost = true;
        let found = near_duplicates(&posts, 3);
        assert_eq!((found[&AccountId(2)].posts, found[&AccountId(2)].alike), (1, 0));
        assert_eq!(found[&AccountId(3)].alike, 0, "four bits from the first");
    }

    proptest::proptest! {
        #[test]
        fn bands_find_what_every_pair_compared_finds(
            seeds in proptest::collection::vec(
                (0i64..4, 0i64..50, 0u64..4, 0u32..64, 0u32..64), 0..40,
            ),
            distance in 0u32..=3,
        ) {
            let posts: Vec<MatrixPost> = seeds
                .iter()
                .enumerate()
                .map(|(place, (account, minute, base, one, other))| {
                    let text = base.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ (1 << one) ^ (1 << other);
                    post(*account, &place.to_string(), *minute, text)
                })
                .collect();
            let found = near_duplicates(&posts, distance);
            let counted: BTreeMap<AccountId, usize> =
                found.iter().map(|(account, one)| (*account, one.alike)).collect();
            proptest::prop_assert_eq!(counted, by_hand(&posts, distance));
        }
    }
}
