//! Figures beside their goals.

/// What was held against goals so far.
#[derive(Debug, Default)]
pub(crate) struct Verdicts {
    missed: bool,
}

impl Verdicts {
    /// A figure that should be no more than this.
    pub(crate) fn at_most(&mut self, what: &str, figure: f64, goal: f64, unit: &str) {
        self.say(what, &format!("{figure:.2} {unit}"), &format!("at most {goal}"), figure <= goal);
    }

    /// A figure that should be no less than this.
    pub(crate) fn at_least(&mut self, what: &str, figure: f64, goal: f64, unit: &str) {
        self.say(what, &format!("{figure:.2} {unit}"), &format!("at least {goal}"), figure >= goal);
    }

    /// Whether every goal was met.
    pub(crate) fn met(self) -> bool {
        !self.missed
    }

    fn say(&mut self, what: &str, figure: &str, goal: &str, met: bool) {
        self.missed |= !met;
        let said = if met { "met" } else { "MISSED" };
        println!("{what:<58} {figure:>12}   goal {goal:<14} {said}");
    }
}
