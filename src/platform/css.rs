//! CSS selectors that know which elements need no closer look.

use std::fmt;

use cssparser::ToCss;
use scraper::selector::{Parser, Simple};
use selectors::parser::{ParseRelative, SelectorList};

use crate::html::{Element, first_matching, matches};

use super::subject::{Subject, bit, counts_or_looks_inside, subjects};

/// A CSS selector, compiled once.
///
/// Most elements of a page are told by their name or an attribute to be none of those that are
/// looked for, which costs a fraction of what matching does.
#[derive(Clone)]
pub struct Css {
    list: SelectorList<Simple>,
    /// What an element must have, one for each alternative; none where matching goes by its own
    /// caches: elements counted among their siblings, or known by what they hold.
    subjects: Option<Vec<Subject>>,
    /// The elements that any alternative may select, a bit for each tag.
    tags: u128,
}

impl Css {
    /// Compiles a selector.
    ///
    /// # Errors
    /// Why it is none.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut parser = cssparser::Parser::new(text);
        let list = SelectorList::parse(&Parser, &mut parser, ParseRelative::No);
        let list = list.map_err(|error| format!("{:?}", error.kind))?;
        let quick = !counts_or_looks_inside(&list);
        let subjects = subjects(&list);
        let tags = subjects.iter().fold(0, |tags, subject| tags | subject.tags());
        Ok(Self { list, subjects: quick.then_some(subjects), tags })
    }

    /// The first result of `found` that is one, over the elements below one, in the order of the
    /// document.
    pub fn find<'a, R>(
        &self,
        scope: Element<'a>,
        mut found: impl FnMut(Element<'a>) -> Option<R>,
    ) -> Option<R> {
        let below = scope.descendants().filter(|one| self.tags & bit(one.tag()) != 0);
        let Some(subjects) = &self.subjects else {
            return first_matching(&self.list, scope, below, found);
        };
        let mut above = Above::of(subjects, scope);
        let mut below = below.filter(|one| self.selects(subjects, *one, scope, &mut above));
        below.find_map(&mut found)
    }

    /// Whether it selects an element of a page.
    pub fn matches(&self, element: Element<'_>) -> bool {
        let root = element.root();
        match &self.subjects {
            _ if self.tags & bit(element.tag()) == 0 => false,
            Some(subjects) => self.selects(subjects, element, root, &mut Above::default()),
            None => matches(&self.list, element, root),
        }
    }

    fn selects(
        &self,
        subjects: &[Subject],
        element: Element<'_>,
        scope: Element<'_>,
        above: &mut Above,
    ) -> bool {
        let fits = |(index, subject): &(usize, &Subject)| above.fits(*index, subject, element);
        let mut fitting = subjects.iter().enumerate().filter(fits).map(|(_, subject)| subject);
        let Some(first) = fitting.next() else { return false };
        first.whole || fitting.any(|subject| subject.whole) || matches(&self.list, element, scope)
    }
}

/// What is known of the elements above: the same for all that one parent holds.
#[derive(Default)]
struct Above {
    /// For each alternative the last parent, and whether it and those above it fit.
    known: Vec<Option<(u32, bool)>>,
}

impl Above {
    /// For a search of a whole page; one of a few elements has nothing to remember.
    fn of(subjects: &[Subject], scope: Element<'_>) -> Self {
        let whole = scope.place() == 0 && subjects.iter().any(Subject::looks_above);
        Self { known: vec![None; if whole { subjects.len() } else { 0 }] }
    }

    fn fits(&mut self, index: usize, subject: &Subject, element: Element<'_>) -> bool {
        if !subject.fits_itself(element) {
            return false;
        }
        let below = match (self.known.get_mut(index), element.parent()) {
            (Some(known), Some(parent)) => match *known {
                Some((place, fits)) if place == parent.place() => fits,
                _ => known.insert((parent.place(), subject.is_placed(element))).1,
            },
            _ => subject.is_placed(element),
        };
        below && !subject.is_excluded(element)
    }
}

impl fmt::Debug for Css {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.list.to_css_string())
    }
}

impl fmt::Display for Css {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.list.to_css_string())
    }
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;

    use scraper::{ElementRef, Html, Selector};

    use super::*;
    use crate::html;

    /// The elements that a selector finds below a page's body are those that the library finds.
    fn check(page: &str, selector: &str) {
        let (theirs, tree) =
            (Html::parse_document(page), html::parse(Cow::Borrowed(page)).unwrap());
        let wanted = Selector::parse(selector).unwrap();
        let css = Css::parse(selector).unwrap();
        // What a template holds is no part of our tree.
        let is_held =
            |one: &ElementRef<'_>| one.ancestors().any(|above| above.value().is_fragment());
        let elements = theirs.tree.nodes().filter_map(ElementRef::wrap);
        let elements = elements.filter(|one| !is_held(one)).collect::<Vec<_>>();
        let place = |one: ElementRef<'_>| elements.iter().position(|known| *known == one);
        let ours = std::iter::once(tree.root()).chain(tree.root().descendants());
        let ours = ours.collect::<Vec<_>>();
        for (scope, own_scope) in elements.iter().zip(&ours) {
            let wanted = scope.select(&wanted).filter_map(place).collect::<Vec<_>>();
            let mut found = Vec::new();
            let _: Option<()> = css.find(*own_scope, |one| {
                found.extend(ours.iter().position(|known| *known == one));
                None
            });
            assert_eq!(found, wanted, "{selector} in {page}");
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
            "p:not(.b :not(.a *)), :not(ul *, .a > *), a:not([href^='#']):not(.Next)",
            ":is(.a, ul :is(p, a), ul > li) , :where([class*=List] p):not(.b)",
        ];
        for page in pages {
            selectors.into_iter().for_each(|selector| check(page, selector));
        }
    }
}
