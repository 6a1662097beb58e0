use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};

use cel::{Context, Env, ExecutionError, Program, Value};

/// The most measures one expression may use: its interval costs two evaluations for each more.
const MEASURES_MAX: usize = 6;
/// The longest expression, in bytes.
const LENGTH_MAX: usize = 1_000;

static STANDARD: LazyLock<Arc<Env>> = LazyLock::new(|| Arc::new(Env::stdlib()));

/// The functions beyond the standard of CEL, as written in messages.
const FUNCTIONS: &str = "ramp(x, none_at, all_at), log_ramp(x, all_at), min(a, b), max(a, b)";

/// A compiled expression that gives a number for measures.
///
/// Measures are CEL doubles, so constants are written with a point: `25.0 * ramp(posts, 0.0, 3.0)`.
#[derive(Debug)]
pub struct Expression {
    text: String,
    measures: Vec<String>,
    program: Program,
    is_condition: bool,
}

impl Expression {
    /// Compiles an expression over known measures; gives every reason why it cannot be used.
    pub(super) fn compile(text: &str, known: &[&str]) -> Result<Self, Vec<String>> {
        Self::of_kind(text, known, false)
    }

    /// Compiles a condition: true gives 1, false 0.
    pub(super) fn condition(text: &str, known: &[&str]) -> Result<Self, Vec<String>> {
        Self::of_kind(text, known, true)
    }

    fn of_kind(text: &str, known: &[&str], is_condition: bool) -> Result<Self, Vec<String>> {
        if text.len() > LENGTH_MAX {
            return Err(vec![format!("{} bytes, more than {LENGTH_MAX}", text.len())]);
        }
        let program = Program::compile(text).map_err(|errors| {
            errors
                .errors
                .iter()
                .map(|error| format!("no CEL expression: {}", error.msg))
                .collect::<Vec<_>>()
        })?;
        let mut measures: Vec<String> =
            program.references().variables().into_iter().map(str::to_owned).collect();
        measures.sort();
        let mut reasons: Vec<String> = measures
            .iter()
            .filter(|measure| !known.contains(&measure.as_str()))
            .map(|measure| format!("{measure:?} is no measure; known are {}", known.join(", ")))
            .collect();
        if measures.len() > MEASURES_MAX {
            reasons.push(format!("uses {} measures, more than {MEASURES_MAX}", measures.len()));
        }
        let expression = Self { text: text.to_owned(), measures, program, is_condition };
        if reasons.is_empty() {
            expression.probe().map_err(|reason| vec![reason])?;
            return Ok(expression);
        }
        Err(reasons)
    }

    /// The expression as written.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The measures used, sorted.
    pub fn measures(&self) -> &[String] {
        &self.measures
    }

    /// The number for these values of the measures.
    ///
    /// # Errors
    ///
    /// A sentence where the expression gives no finite number for them, or one is missing.
    pub fn evaluate(&self, values: &BTreeMap<&str, f64>) -> Result<f64, String> {
        let mut context = context();
        for measure in &self.measures {
            let value = values
                .get(measure.as_str())
                .ok_or_else(|| format!("no value for the measure {measure:?}"))?;
            context.add_variable_from_value(measure.as_str(), Value::Float(*value));
        }
        let number = match self.program.execute(&context) {
            Ok(Value::Bool(holds)) if self.is_condition => f64::from(u8::from(holds)),
            Ok(other) if self.is_condition => {
                return Err(format!("gives {other:?}, not true or false"));
            }
            Ok(Value::Float(number)) => number,
            #[expect(clippy::cast_precision_loss, reason = "points are far below 2^53")]
            Ok(Value::Int(number)) => number as f64,
            Ok(other) => return Err(format!("gives {other:?}, not a number")),
            Err(
                error @ (ExecutionError::NoSuchOverload(_)
                | ExecutionError::UnsupportedBinaryOperator(..)),
            ) => return Err(format!("{error}; write constants with a point, as 30.0")),
            Err(error) => return Err(format!("{error}; functions are {FUNCTIONS}")),
        };
        if number.is_finite() { Ok(number) } else { Err(format!("gives {number}, not a number")) }
    }

    /// Evaluates over a grid: every point must give a number, and along each measure the numbers
    /// must only rise or only fall. Then the ends of a measure's interval give the ends of the
    /// points' interval.
    fn probe(&self) -> Result<(), String> {
        const GRID: [f64; 22] = [
            0.0, 0.05, 0.1, 0.3, 0.5, 0.7, 0.9, 1.0, 2.0, 3.0, 5.0, 7.0, 10.0, 14.0, 21.0, 30.0,
            60.0, 100.0, 300.0, 1e3, 1e5, 1e9,
        ];
        const ELSEWHERE: [f64; 5] = [0.0, 0.5, 1.0, 12.0, 1e4];
        if self.measures.is_empty() {
            return self.evaluate(&BTreeMap::new()).map(|_| ());
        }
        for measure in &self.measures {
            for other in ELSEWHERE {
                let mut values: BTreeMap<&str, f64> =
                    self.measures.iter().map(|name| (name.as_str(), other)).collect();
                let (mut rises, mut falls) = (false, false);
                let mut before = None;
                for value in GRID {
                    values.insert(measure, value);
                    let points = self
                        .evaluate(&values)
                        .map_err(|reason| format!("at {measure} = {value}: {reason}"))?;
                    rises |= before.is_some_and(|before| points > before);
                    falls |= before.is_some_and(|before| points < before);
                    before = Some(points);
                }
                if rises && falls {
                    let what = if self.is_condition { "the condition" } else { "the points" };
                    return Err(format!(
                        "{what} both rise and fall in {measure}; split them into two lines"
                    ));
                }
            }
        }
        Ok(())
    }
}

/// A context with the standard of CEL and the functions named in [`FUNCTIONS`].
fn context() -> Context<'static, 'static> {
    let mut context = Context::with_env(Arc::clone(&STANDARD));
    let added = [
        context.add_function("ramp", |x: Value, none_at: Value, all_at: Value| {
            Ok::<f64, ExecutionError>(ramp(number(&x)?, number(&none_at)?, number(&all_at)?))
        }),
        context.add_function("log_ramp", |x: Value, all_at: Value| {
            Ok::<f64, ExecutionError>(log_ramp(number(&x)?, number(&all_at)?))
        }),
        context.add_function("min", |a: Value, b: Value| {
            Ok::<f64, ExecutionError>(number(&a)?.min(number(&b)?))
        }),
        context.add_function("max", |a: Value, b: Value| {
            Ok::<f64, ExecutionError>(number(&a)?.max(number(&b)?))
        }),
    ];
    debug_assert!(added.iter().all(Result::is_ok), "the standard of CEL took one of the names");
    context
}

fn number(value: &Value) -> Result<f64, ExecutionError> {
    match value {
        Value::Float(number) => Ok(*number),
        #[expect(clippy::cast_precision_loss, reason = "constants of a scheme, far below 2^53")]
        Value::Int(number) => Ok(*number as f64),
        other => Err(ExecutionError::function_error("number", format!("{other:?} is no number"))),
    }
}

/// 0 at `none_at`, 1 at `all_at`, straight between, and never beyond; `all_at` may be the smaller.
fn ramp(x: f64, none_at: f64, all_at: f64) -> f64 {
    ((x - none_at) / (all_at - none_at)).clamp(0.0, 1.0)
}

/// 0 at 0, 1 at `all_at` and beyond, by the logarithm between: each tenfold counts alike.
fn log_ramp(x: f64, all_at: f64) -> f64 {
    (libm::log1p(x.max(0.0)) / libm::log1p(all_at)).clamp(0.0, 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    const KNOWN: [&str; 3] = ["posts", "gap", "rate"];

    fn value(text: &str, posts: f64) -> Result<f64, String> {
        let expression = Expression::compile(text, &KNOWN).map_err(|reasons| reasons.join("; "))?;
        expression.evaluate(&BTreeMap::from([("posts", posts), ("gap", 0.0), ("rate", 0.0)]))
    }

    #[test]
    fn expressions_give_numbers() {
        for (text, posts, want) in [
            ("25.0 * ramp(posts, 0.0, 3.0)", 1.5, 12.5),
            ("25.0 * ramp(posts, 0, 3)", 9.0, 25.0),
            ("30.0 * ramp(posts, 14.0, 4.0)", 14.0, 0.0),
            ("30.0 * ramp(posts, 14.0, 4.0)", 4.0, 30.0),
            ("posts >= 10.0 ? 5.0 : 0.0", 10.0, 5.0),
            ("posts > 10 ? 5.0 : 0.0", 10.0, 0.0),
            ("min(posts, 7.0)", 9.0, 7.0),
            ("60.0 * log_ramp(posts, 99.0)", 9.0, 30.0),
            ("7", 0.0, 7.0),
        ] {
            assert_eq!(value(text, posts), Ok(want), "{text}");
        }
    }

    #[test]
    fn conditions_give_true_or_false() {
        let holds = |text: &str, posts: f64| {
            let values = BTreeMap::from([("posts", posts), ("gap", 3.0), ("rate", 0.5)]);
            Expression::condition(text, &KNOWN).map(|one| one.evaluate(&values))
        };
        for (text, posts, want) in [
            ("posts < 3.0", 2.0, 1.0),
            ("posts < 3.0", 3.0, 0.0),
            ("posts >= 3.0 && gap > 2.0", 3.0, 1.0),
            ("posts > 3.0 || rate >= 0.5", 0.0, 1.0),
            ("!(posts > 3.0)", 4.0, 0.0),
        ] {
            assert_eq!(holds(text, posts), Ok(Ok(want)), "{text}");
        }
        for (text, want) in [
            ("posts + 1.0", "not true or false"),
            ("posts > 1.0 && posts < 3.0", "the condition both rise and fall in posts"),
            ("fans > 1.0", "no measure"),
        ] {
            assert!(holds(text, 0.0).unwrap_err()[0].contains(want), "{text}");
        }
    }

    #[test]
    fn what_cannot_be_scored_with_is_refused_with_its_reason() {
        for (text, want) in [
            ("posts +", "no CEL expression"),
            ("followers * 2.0", "\"followers\" is no measure; known are posts, gap, rate"),
            ("posts * 2", "write constants with a point"),
            ("posts > 3.0", "not a number"),
            ("1.0 / posts", "at posts = 0"),
            ("posts > 3.0 && posts < 9.0 ? 5.0 : 0.0", "both rise and fall in posts"),
            ("root(posts)", "functions are ramp"),
            ("'ten'", "not a number"),
        ] {
            let shown = value(text, 1.0).unwrap_err();
            assert!(shown.contains(want), "{text}: {shown}");
        }
    }
}
