//! Elements as the library of selectors asks about them.

use html5ever::Namespace;
use scraper::selector::{CssLocalName, CssString, NonTSPseudoClass, PseudoElement, Simple};
use selectors::attr::{AttrSelectorOperation, CaseSensitivity, NamespaceConstraint};
use selectors::bloom::BloomFilter;
use selectors::matching::{
    ElementSelectorFlags, MatchingContext, MatchingForInvalidation, MatchingMode,
    NeedsSelectorFlags, QuirksMode, SelectorCaches, matches_selector,
};
use selectors::parser::SelectorList;
use selectors::{Element as _, OpaqueElement};

use super::attribute::AttributeName;
use super::element::Element;

/// Whether an element is one of those that are selected below a scope.
pub fn matches(list: &SelectorList<Simple>, element: Element<'_>, scope: Element<'_>) -> bool {
    first_matching(list, scope, std::iter::once(element), Some).is_some()
}

/// The first result of `found` that is one, over those of some elements that are selected.
pub fn first_matching<'a, R>(
    list: &SelectorList<Simple>,
    scope: Element<'a>,
    mut elements: impl Iterator<Item = Element<'a>>,
    mut found: impl FnMut(Element<'a>) -> Option<R>,
) -> Option<R> {
    let mut caches = SelectorCaches::default();
    let mut context = MatchingContext::new(
        MatchingMode::Normal,
        None,
        &mut caches,
        QuirksMode::NoQuirks,
        NeedsSelectorFlags::No,
        MatchingForInvalidation::No,
    );
    context.scope_element = Some(scope.opaque());
    elements.find_map(|element| {
        let mut selectors = list.slice().iter();
        let selected = selectors.any(|one| matches_selector(one, 0, None, &element, &mut context));
        if selected { found(element) } else { None }
    })
}

impl selectors::Element for Element<'_> {
    type Impl = Simple;

    fn opaque(&self) -> OpaqueElement {
        OpaqueElement::new(&self.tree.records[self.at as usize])
    }

    fn parent_element(&self) -> Option<Self> {
        self.parent()
    }

    fn parent_node_is_shadow_root(&self) -> bool {
        false
    }

    fn containing_shadow_host(&self) -> Option<Self> {
        None
    }

    fn is_pseudo_element(&self) -> bool {
        false
    }

    fn prev_sibling_element(&self) -> Option<Self> {
        self.previous_elements().next()
    }

    fn next_sibling_element(&self) -> Option<Self> {
        self.next_element()
    }

    fn first_element_child(&self) -> Option<Self> {
        self.child_elements().next()
    }

    fn is_html_element_in_html_document(&self) -> bool {
        !self.is_foreign()
    }

    fn has_local_name(&self, name: &CssLocalName) -> bool {
        self.name() == &*name.0
    }

    fn has_namespace(&self, namespace: &Namespace) -> bool {
        self.is_foreign() != (*namespace == html5ever::ns!(html))
    }

    fn is_same_type(&self, other: &Self) -> bool {
        self.name() == other.name() && self.is_foreign() == other.is_foreign()
    }

    fn attr_matches(
        &self,
        namespace: &NamespaceConstraint<&Namespace>,
        name: &CssLocalName,
        operation: &AttrSelectorOperation<&CssString>,
    ) -> bool {
        let other = matches!(namespace, NamespaceConstraint::Specific(one) if !one.is_empty());
        !other
            && self
                .attribute(&AttributeName::of(&name.0))
                .is_some_and(|value| operation.eval_str(value))
    }

    fn match_non_ts_pseudo_class(
        &self,
        _: &NonTSPseudoClass,
        _: &mut MatchingContext<'_, Simple>,
    ) -> bool {
        false
    }

    fn match_pseudo_element(&self, _: &PseudoElement, _: &mut MatchingContext<'_, Simple>) -> bool {
        false
    }

    fn apply_selector_flags(&self, _: ElementSelectorFlags) {}

    fn is_link(&self) -> bool {
        self.name() == "link"
    }

    fn is_html_slot_element(&self) -> bool {
        false
    }

    fn has_id(&self, id: &CssLocalName, case: CaseSensitivity) -> bool {
        self.attribute(&AttributeName::ID)
            .is_some_and(|value| case.eq(id.0.as_bytes(), value.as_bytes()))
    }

    fn has_class(&self, name: &CssLocalName, case: CaseSensitivity) -> bool {
        let mut classes =
            self.attribute(&AttributeName::CLASS).into_iter().flat_map(str::split_ascii_whitespace);
        classes.any(|class| case.eq(name.0.as_bytes(), class.as_bytes()))
    }

    fn has_custom_state(&self, _: &CssLocalName) -> bool {
        false
    }

    fn imported_part(&self, _: &CssLocalName) -> Option<CssLocalName> {
        None
    }

    fn is_part(&self, _: &CssLocalName) -> bool {
        false
    }

    fn is_empty(&self) -> bool {
        self.children().next().is_none()
    }

    fn is_root(&self) -> bool {
        self.parent().is_none()
    }

    fn add_element_unique_hashes(&self, _: &mut BloomFilter) -> bool {
        false
    }
}
