mod books;
mod compiled;
mod laddering;
mod sorting;
mod verdicts;

/// The measures that the shipped rules use.
pub(crate) const MEASURE_IDS: [&str; 6] =
    ["coverage", "posts", "followers", "original_share", "inquiries", "replied"];
