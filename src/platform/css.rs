//! CSS selectors that know which elements need no closer look.

use std::fmt;

use html5ever::{LocalName, ns};
use scraper::selector::{Parser, Simple};
use scraper::{ElementRef, Selector};
use selectors::attr::{AttrSelectorOperator, CaseSensitivity, ParsedCaseSensitivity};
use selectors::parser::{Combinator, Component, ParseRelative, SelectorList};

/// A CSS selector, compiled once.
///
/// Most elements of a page are told by their name or an attribute to be none of those that are
/// looked for, which costs a fraction of what matching does.
#[derive(Clone)]
pub struct Css {
    selector: Selector,
    /// What an element must have, one for each alternative; none where matching goes by its own
    /// caches: elements counted among their siblings, or known by what they hold.
    subjects: Option<Vec<Subject>>,
}

/// What the elements have that one alternative selects.
#[derive(Clone, Default)]
struct Subject {
    name: Option<LocalName>,
    tests: Vec<Test>,
    /// What an element above it has; whether it must be the one right above.
    above: Option<(bool, Box<Subject>)>,
    /// Whether that is all that the alternative says.
    whole: bool,
}

/// A test of one element.
#[derive(Clone)]
enum Test {
    Class(String),
    Has(LocalName),
    Value(LocalName, AttrSelectorOperator, String, CaseSensitivity),
    Any(Vec<Subject>),
}

impl Css {
    /// Compiles a selector.
    ///
    /// # Errors
    /// Why it is none.
    pub fn parse(text: &str) -> Result<Self, String> {
        let selector = Selector::parse(text).map_err(|error| error.to_string())?;
        let mut parser = cssparser::Parser::new(text);
        let list = SelectorList::parse(&Parser, &mut parser, ParseRelative::No);
        let subjects = list.ok().filter(|list| !counts_or_looks_inside(list));
        let subjects = subjects.map(|list| list.slice().iter().map(subject).collect());
        Ok(Self { selector, subjects })
    }

    /// The selector.
    pub fn selector(&self) -> &Selector {
        &self.selector
    }

    /// The first result of `found` that is one, over the elements below one, in the order of the
    /// document.
    pub fn find<'a, R>(
        &self,
        scope: ElementRef<'a>,
        mut found: impl FnMut(ElementRef<'a>) -> Option<R>,
    ) -> Option<R> {
        let Some(subjects) = &self.subjects else {
            return scope.select(&self.selector).find_map(found);
        };
        let mut next = scope.first_child();
        while let Some(node) = next {
            if let Some(element) = ElementRef::wrap(node)
                && self.matches(subjects, element, scope)
                && let Some(result) = found(element)
            {
                return Some(result);
            }
            next = node.first_child();
            let mut above = node;
            while next.is_none() && above.id() != scope.id() {
                next = above.next_sibling();
                let Some(parent) = above.parent() else { break };
                above = parent;
            }
        }
        None
    }

    fn matches(
        &self,
        subjects: &[Subject],
        element: ElementRef<'_>,
        scope: ElementRef<'_>,
    ) -> bool {
        let mut fitting = subjects.iter().filter(|subject| subject.fits(element));
        let Some(first) = fitting.next() else { return false };
        first.whole
            || fitting.any(|subject| subject.whole)
            || self.selector.matches_with_scope(&element, Some(scope))
    }
}

impl fmt::Debug for Css {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.selector.fmt(f)
    }
}

impl Subject {
    fn fits(&self, element: ElementRef<'_>) -> bool {
        self.name.as_ref().is_none_or(|name| *name == element.value().name.local)
            && self.tests.iter().all(|test| test.fits(element))
            && self.above.as_ref().is_none_or(|(right, above)| {
                let mut elements = std::iter::successors(parent(element), |one| parent(*one));
                if *right {
                    elements.next().is_some_and(|one| above.fits(one))
                } else {
                    elements.any(|one| above.fits(one))
                }
            })
    }
}

fn parent(element: ElementRef<'_>) -> Option<ElementRef<'_>> {
    element.parent().and_then(ElementRef::wrap)
}

impl Test {
    fn fits(&self, element: ElementRef<'_>) -> bool {
        let mut attributes = element.value().attrs.iter();
        match self {
            Self::Class(class) => attributes.any(|(name, value)| {
                *name.local == *"class" && value.split_ascii_whitespace().any(|one| one == class)
            }),
            Self::Has(wanted) => {
                attributes.any(|(name, _)| name.local == *wanted && name.ns == ns!())
            }
            Self::Value(wanted, operator, expected, case) => attributes.any(|(name, value)| {
                name.local == *wanted
                    && name.ns == ns!()
                    && operator.eval_str(value, expected, *case)
            }),
            Self::Any(subjects) => subjects.iter().any(|subject| subject.fits(element)),
        }
    }
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
    let mut subject = Subject { whole: true, ..Subject::default() };
    for component in components {
        match component {
            Component::Combinator(combinator) => return (subject, Some(*combinator)),
            // A name in capitals means another one in parts of another language.
            Component::LocalName(name) if name.name == name.lower_name => {
                subject.name = Some(name.lower_name.0.clone());
            }
            Component::Class(class) => subject.tests.push(Test::Class(class.0.to_string())),
            Component::AttributeInNoNamespaceExists { local_name, local_name_lower }
                if local_name == local_name_lower =>
            {
                subject.tests.push(Test::Has(local_name.0.clone()));
            }
            Component::AttributeInNoNamespace { local_name, operator, value, case_sensitivity } => {
                subject.tests.push(Test::Value(
                    local_name.0.clone(),
                    *operator,
                    value.0.clone(),
                    case(*case_sensitivity),
                ));
                let depends =
                    ParsedCaseSensitivity::AsciiCaseInsensitiveIfInHtmlElementInHtmlDocument;
                subject.whole &= *case_sensitivity != depends;
            }
            Component::Is(list) | Component::Where(list) if choices => {
                let subjects = list.slice().iter().map(self::subject).collect::<Vec<_>>();
                subject.whole &= subjects.iter().all(|one| one.whole);
                subject.tests.push(Test::Any(subjects));
            }
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
fn counts_or_looks_inside(list: &SelectorList<Simple>) -> bool {
    list.slice().iter().flat_map(|one| one.iter_raw_match_order()).any(|part| match part {
        Component::Nth(_) | Component::NthOf(_) | Component::Has(_) => true,
        Component::Is(inner) | Component::Where(inner) | Component::Negation(inner) => {
            counts_or_looks_inside(inner)
        }
        _ => false,
    })
}

#[cfg(test)]
mod tests {
    use scraper::Html;

    use super::*;

    /// The elements that a selector finds below a page's body are those that the library finds.
    fn check(page: &str, selector: &str) {
        let html = Html::parse_document(page);
        let body = html.select(&Selector::parse("body").unwrap()).next().unwrap();
        let css = Css::parse(selector).unwrap();
        for scope in std::iter::once(body).chain(body.descendent_elements()) {
            let wanted = scope.select(css.selector()).map(|one| one.id()).collect::<Vec<_>>();
            let mut ours = Vec::new();
            let _: Option<()> = css.find(scope, |one| {
                ours.push(one.id());
                None
            });
            assert_eq!(ours, wanted, "{selector} in {page}");
        }
    }

    #[test]
    fn the_same_elements_are_found() {
        let pages = [
            "<ul class='list a'><li><a HREF='/Video/1' class=\"x Next y\" title>一</a><li id=M_1>\
             <p hidden>二<span>三</span></ul>\
             <div class=List-news><p>四<a href=#>五</a></div>",
            "<svg class=a viewBox='0 0'><a xlink:href='/video/' href=/video/2><foreignObject>\
             <p class=a>\
             </foreignObject></svg><template><p class=a>六</template><table><tr>\
             <td CLASS=A>七<math><mi>",
            "<dl><dt>1<dd class=a>2<dt class='a b'>3</dl><input TYPE=Text>\
             <div lang=zh-CN><b class=''>",
        ];
        let selectors = [
            "li, tr, dl, dd, dt, p, div, td, article, section",
            ".a",
            ".a.b, P.a",
            "a[href*='/video/']",
            "a[href*='/video/' i]",
            "[type=text], [lang|=zh], [class~=Next], [class^=l], [class$=s]",
            "a:not([href$='/'], [href^='#'])",
            "dt ~ dt, dl > dd, ul li a",
            ":is(.a, [class*=list] p):not([hidden])",
            "li:nth-child(2), li:has(span), dd:first-child, :not(:nth-child(1)), :empty",
            "#M_1, li#M_1, foreignObject, foreignobject, [viewBox], [viewbox], [xlink\\:href], *",
            ":scope > li, :scope > p",
            "ul > li, div p a, [class*=list] > p, .a > .a, ul .Next + p, dl dt",
            ":is(.a, ul :is(p, a), ul > li) , :where([class*=List] p):not(.b)",
        ];
        for page in pages {
            selectors.into_iter().for_each(|selector| check(page, selector));
        }
    }
}
