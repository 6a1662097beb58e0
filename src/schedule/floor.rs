use chrono::TimeDelta;

/// How long an account that posts so often may be left alone before more than `capacity` posts are
/// new with a probability above `epsilon`: a visit lists no more, and what fell off is a gap.
///
/// Posts are Poisson: the greatest mean m with P(Poisson(m) > capacity) ≤ epsilon, by bisection.
pub(super) fn page_capacity(posts_per_day: f64, capacity: u32, epsilon: f64) -> TimeDelta {
    let logs: f64 = (1..=capacity.saturating_add(1)).map(|number| f64::from(number).ln()).sum();
    let (mut low, mut high) = (0.0, f64::from(capacity) + 1.0);
    for _ in 0..40 {
        let middle = f64::midpoint(low, high);
        if overflow(middle, capacity, logs) <= epsilon { low = middle } else { high = middle }
    }
    let seconds = low / posts_per_day.max(1e-9) * 86_400.0;
    TimeDelta::seconds(seconds.min(1e10) as i64)
}

/// P(Poisson(mean) > count), `logs` being ln (count + 1)!: the terms from count + 1 on, each from
/// the one before, until they no longer count. `mean` is at most count + 1: each is smaller.
fn overflow(mean: f64, count: u32, logs: f64) -> f64 {
    let mut number = f64::from(count) + 1.0;
    let mut term = (number * mean.ln() - mean - logs).exp();
    let mut sum = term;
    while term > sum * 1e-16 {
        number += 1.0;
        term *= mean / number;
        sum += term;
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tail_of_a_poisson_count() {
        // By hand: 1 - e^-1 (1 + 1 + 1/2) and 1 - e^-1.
        assert!((overflow(1.0, 2, 6f64.ln()) - (1.0 - 2.5 * (-1f64).exp())).abs() < 1e-12);
        assert!((overflow(1.0, 0, 0.0) - (1.0 - (-1f64).exp())).abs() < 1e-12);
        let logs: f64 = (1..=1001).map(|number| f64::from(number).ln()).sum();
        assert!(overflow(500.0, 1000, logs) < 1e-9);
        assert_eq!(overflow(0.0, 2, 6f64.ln()), 0.0);
    }

    #[test]
    fn a_busy_account_is_left_alone_for_less_than_its_page_holds() {
        let hours = |rate, capacity| page_capacity(rate, capacity, 0.01).as_seconds_f64() / 3600.0;
        // Twenty items, 24 posts a day: 20 hours would hold them on average, 11 nearly always.
        assert!((10.0..13.0).contains(&hours(24.0, 20)), "{}", hours(24.0, 20));
        assert!(hours(24.0, 40) > 2.0 * hours(24.0, 20));
        assert!((hours(48.0, 20) * 2.0 - hours(24.0, 20)).abs() < 0.01);
        assert!(hours(0.0, 20) > 1e5);
    }
}
