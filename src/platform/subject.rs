//! What an element must have for a selector to fit it, told from the element itself and from what
//! stands above it.

use scraper::selector::Simple;
use selectors::attr::{AttrSelectorOperator, CaseSensitivity, ParsedCaseSensitivity};
use selectors::parser::{Combinator, Component, SelectorList};

use crate::html::{AttributeName, Element, Tag};

/// What the elements have that one alternative selects.
#[derive(Clone, PartialEq)]
pub(super) struct Subject {
    /// The elements that it may be, a bit for each tag.
    tags: u128,
    /// The name of one that has no tag of its own.
    name: Option<String>,
    tests: Vec<Test>,
    /// What it must not be, told from itself.
    none: Vec<Subject>,
    /// What it must not be, told from what stands above it alone.
    not_below: Vec<Subject>,
    /// What an element above it has; whether it must be the one right above.
    pub(super) above: Option<(bool, Box<Subject>)>,
    /// Whether that is all that the alternative says.
    pub(super) whole: bool,
}

/// A test of one element.
#[derive(Clone, PartialEq)]
enum Test {
    Class(String),
    Has(AttributeName),
    Value(AttributeName, AttrSelectorOperator, String, CaseSensitivity),
    Any(Vec<Subject>),
}

const _: () = assert!((Tag::Other as u32) < u128::BITS, "a bit for each tag");

/// A tag's bit.
pub(super) fn bit(tag: Tag) -> u128 {
    1 << tag as u8
}

impl Subject {
    fn anything() -> Self {
        Self {
            tags: u128::MAX,
            name: None,
            tests: Vec::new(),
            none: Vec::new(),
            not_below: Vec::new(),
            above: None,
            whole: true,
        }
    }

    /// The elements that may fit, a bit for each tag.
    pub(super) fn tags(&self) -> u128 {
        let among = self.tests.iter().filter_map(|test| match test {
            Test::Any(subjects) => Some(subjects.iter().fold(0, |tags, one| tags | one.tags())),
            _ => None,
        });
        among.fold(self.tags, |tags, one| tags & one)
    }

    /// Takes in another one that differs in nothing but tags, its own or of what is above it.
    fn takes_in(&mut self, other: &Self) -> bool {
        if (Self { tags: other.tags, ..self.clone() }) == *other {
            self.tags |= other.tags;
            return true;
        }
        let Self { above: Some((right, above)), .. } = self.clone() else { return false };
        match &other.above {
            Some((other_right, other_above))
                if right == *other_right
                    && (Self { above: None, ..self.clone() })
                        == (Self { above: None, ..other.clone() }) =>
            {
                let mut above = above;
                let joined = above.takes_in(other_above);
                self.above = Some((right, above));
                joined
            }
            _ => false,
        }
    }

    fn fits(&self, element: Element<'_>) -> bool {
        self.fits_itself(element) && self.is_placed(element) && !self.is_excluded(element)
    }

    pub(super) fn fits_itself(&self, element: Element<'_>) -> bool {
        self.tags & bit(element.tag()) != 0
            && self.name.as_ref().is_none_or(|name| element.name() == name)
            && self.tests.iter().all(|test| test.fits(element))
    }

    fn is_below(&self, element: Element<'_>) -> bool {
        self.above.as_ref().is_none_or(|(right, above)| {
            let mut elements = element.ancestors();
            if *right {
                elements.next().is_some_and(|one| above.fits(one))
            } else {
                elements.any(|one| above.fits(one))
            }
        })
    }

    /// Whether it stands where it must: the same for all that one parent holds.
    pub(super) fn is_placed(&self, element: Element<'_>) -> bool {
        self.is_below(element) && !self.not_below.iter().any(|subject| subject.is_below(element))
    }

    /// Whether where an element stands has a bearing.
    pub(super) fn looks_above(&self) -> bool {
        self.above.is_some() || !self.not_below.is_empty()
    }

    pub(super) fn is_excluded(&self, element: Element<'_>) -> bool {
        self.none.iter().any(|subject| subject.fits(element))
    }
}

impl Test {
    fn fits(&self, element: Element<'_>) -> bool {
        match self {
            Self::Class(class) => element
                .attribute(&AttributeName::CLASS)
                .is_some_and(|value| value.split_ascii_whitespace().any(|one| one == class)),
            Self::Has(wanted) => element.attribute(wanted).is_some(),
            Self::Value(wanted, operator, expected, case) => element
                .attribute(wanted)
                .is_some_and(|value| operator.eval_str(value, expected, *case)),
            Self::Any(subjects) => subjects.iter().any(|subject| subject.fits(element)),
        }
    }
}

/// What an element must have for each alternative; those that differ in tags alone are one.
pub(super) fn subjects(list: &SelectorList<Simple>) -> Vec<Subject> {
    let mut subjects: Vec<Subject> = Vec::new();
    for one in list.slice().iter().map(subject) {
        if !subjects.iter_mut().any(|known| known.takes_in(&one)) {
            subjects.push(one);
        }
    }
    subjects
}

/// What an element must have, by the rightmost parts of an alternative.
fn subject(alternative: &selectors::parser::Selector<Simple>) -> Subject {
    let mut components = alternative.iter_raw_match_order();
    let (mut subject, combinator) = compound(&mut components, true);
    if let Some(combinator) = combinator {
        // More than one step up is left to the library, whose time does not multiply.
        let (above, further) = compound(&mut components, false);
        subject.whole &= above.whole && further.is_none();
        match combinator {
            Combinator::Child => subject.above = Some((true, Box::new(above))),
            Combinator::Descendant => subject.above = Some((false, Box::new(above))),
            _ => subject.whole = false,
        }
    }
    subject
}

/// The tests up to the next combinator; of what is no test, that there is more.
fn compound<'s>(
    components: &mut impl Iterator<Item = &'s Component<Simple>>,
    choices: bool,
) -> (Subject, Option<Combinator>) {
    let mut subject = Subject::anything();
    for component in components {
        match component {
            Component::Combinator(combinator) => return (subject, Some(*combinator)),
            // A name in capitals means another one in parts of another language.
            Component::LocalName(name) if name.name == name.lower_name => {
                let tag = Tag::of(&name.lower_name.0);
                subject.tags = bit(tag);
                subject.name = (tag == Tag::Other).then(|| name.lower_name.0.to_string());
            }
            Component::Class(class) => subject.tests.push(Test::Class(class.0.to_string())),
            Component::AttributeInNoNamespaceExists { local_name, local_name_lower }
                if local_name == local_name_lower =>
            {
                subject.tests.push(Test::Has(AttributeName::of(&local_name.0)));
            }
            Component::AttributeInNoNamespace { local_name, operator, value, case_sensitivity } => {
                subject.tests.push(Test::Value(
                    AttributeName::of(&local_name.0),
                    *operator,
                    value.0.clone(),
                    case(*case_sensitivity),
                ));
                let depends =
                    ParsedCaseSensitivity::AsciiCaseInsensitiveIfInHtmlElementInHtmlDocument;
                subject.whole &= *case_sensitivity != depends;
            }
            Component::Is(list) | Component::Where(list) if choices => {
                let subjects = subjects(list);
                subject.whole &= subjects.iter().all(|one| one.whole);
                subject.tests.push(Test::Any(subjects));
            }
            Component::Negation(list) if choices => {
                let mut subjects = subjects(list);
                subject.whole &= subjects.iter().all(|one| one.whole);
                // Of what is told in part, nobody knows that it fits.
                subjects.retain(|one| one.whole);
                for one in subjects {
                    let anything = Subject { above: None, ..one.clone() } == Subject::anything();
                    let above_alone = anything && one.above.is_some();
                    let list = if above_alone { &mut subject.not_below } else { &mut subject.none };
                    list.push(one);
                }
            }
            Component::ID(id) => subject.tests.push(Test::Value(
                AttributeName::ID,
                AttrSelectorOperator::Equal,
                id.0.to_string(),
                CaseSensitivity::CaseSensitive,
            )),
            Component::ExplicitUniversalType => {}
            _ => subject.whole = false,
        }
    }
    (subject, None)
}

/// The case that values are compared in; where that depends on the element, any.
fn case(written: ParsedCaseSensitivity) -> CaseSensitivity {
    match written {
        ParsedCaseSensitivity::ExplicitCaseSensitive | ParsedCaseSensitivity::CaseSensitive => {
            CaseSensitivity::CaseSensitive
        }
        _ => CaseSensitivity::AsciiCaseInsensitive,
    }
}

/// Whether a part of the selectors counts siblings or looks for what an element holds.
pub(super) fn counts_or_looks_inside(list: &SelectorList<Simple>) -> bool {
    list.slice().iter().flat_map(|one| one.iter_raw_match_order()).any(|part| match part {
        Component::Nth(_) | Component::NthOf(_) | Component::Has(_) => true,
        Component::Is(inner) | Component::Where(inner) | Component::Negation(inner) => {
            counts_or_looks_inside(inner)
        }
        _ => false,
    })
}
