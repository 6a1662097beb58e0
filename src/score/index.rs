//! Published index formulas, re-implemented; all logarithms are natural.

use libm::log1p;

/// BCI (微博传播指数) as registered on 浙江省数据知识产权登记平台 in 2024:
/// `(0.2·W1 + 0.8·W2) × 160` with `W1 = ln(posts+1)` and
/// `W2 = 0.4 ln(reposts+1) + 0.4 ln(comments+1) + 0.2 ln(likes+1)`.
///
/// Our own computation, not the value that a vendor publishes. Logarithms come from the pure-Rust
/// `libm`, so that every machine gives the same bits.
pub fn bci_registered(posts: f64, reposts: f64, comments: f64, likes: f64) -> f64 {
    let spread = 0.4 * log1p(reposts) + 0.4 * log1p(comments) + 0.2 * log1p(likes);
    (0.2 * log1p(posts) + 0.8 * spread) * 160.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bci_gives_its_published_vector() {
        assert_eq!(format!("{:.4}", bci_registered(50.0, 300.0, 120.0, 800.0)), "834.7250");
        assert_eq!(bci_registered(0.0, 0.0, 0.0, 0.0), 0.0);
    }
}
