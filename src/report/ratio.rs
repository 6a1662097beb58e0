/// `part` of `whole` in percent with so many decimals, rounded half up, from integers alone:
/// `82.48 %` of 259 of 314; `—` where there is nothing to divide by.
pub fn percent(part: u64, whole: u64, decimals: u32) -> String {
    if whole == 0 {
        return "—".to_owned();
    }
    let scale = 10_u128.pow(decimals.min(6));
    let (part, whole) = (u128::from(part), u128::from(whole));
    let units = (part * 100 * scale * 2 + whole) / (whole * 2);
    let (full, rest) = (units / scale, units % scale);
    if decimals == 0 {
        return format!("{full}%");
    }
    let width = decimals.min(6) as usize;
    format!("{full}.{rest:0width$}%")
}
