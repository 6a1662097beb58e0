//! The elements that the HTML standard treats in a way of their own.

use std::sync::LazyLock;

use super::attribute::hash;

/// Places of the table of names; many more than names, so that few share one.
const SLOTS: usize = 1024;

macro_rules! tags {
    ($($tag:ident $name:literal)*) => {
        /// An element by its name, where the standard or a page's readers ask for it.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Tag {
            $(#[doc = concat!("`", $name, "`")] $tag,)*
            /// Any other name.
            Other,
        }

        const NAMES: &[(&str, Tag)] = &[$(($name, Tag::$tag),)*];
    };
}

tags! {
    A "a" Address "address" Applet "applet" Area "area" Article "article" Aside "aside" B "b"
    Base "base" Basefont "basefont" Bgsound "bgsound" Big "big" Blockquote "blockquote"
    Body "body" Br "br" Button "button" Caption "caption" Center "center" Code "code" Col "col"
    Colgroup "colgroup" Dd "dd" Details "details" Dialog "dialog" Dir "dir" Div "div" Dl "dl"
    Dt "dt" Em "em" Embed "embed" Fieldset "fieldset" Figcaption "figcaption" Figure "figure"
    Font "font" Footer "footer" Form "form" Frame "frame" Frameset "frameset" H1 "h1" H2 "h2"
    H3 "h3" H4 "h4" H5 "h5" H6 "h6" Head "head" Header "header" Hgroup "hgroup" Hr "hr"
    Html "html" I "i" Iframe "iframe" Image "image" Img "img" Input "input" Isindex "isindex"
    Keygen "keygen" Label "label" Li "li" Link "link" Listing "listing" Main "main"
    Marquee "marquee" Math "math" Menu "menu" Meta "meta" Nav "nav" Nobr "nobr"
    Noembed "noembed" Noframes "noframes" Noscript "noscript" Object "object" Ol "ol"
    Optgroup "optgroup" Option "option" P "p" Param "param" Plaintext "plaintext" Pre "pre"
    Rb "rb" Rp "rp" Rt "rt" Rtc "rtc" S "s" Script "script" Search "search" Section "section"
    Select "select" Small "small" Source "source" Span "span" Strike "strike" Strong "strong"
    Style "style" Summary "summary" Svg "svg" Table "table" Tbody "tbody" Td "td"
    Template "template" Textarea "textarea" Tfoot "tfoot" Th "th" Thead "thead" Time "time"
    Title "title" Tr "tr" Track "track" Tt "tt" U "u" Ul "ul" Wbr "wbr" Xmp "xmp"
}

/// Where in [`NAMES`] a name stands, by its hash; those of one hash one after the other.
static PLACES: LazyLock<[u8; SLOTS]> = LazyLock::new(|| {
    let mut places = [u8::MAX; SLOTS];
    for (index, (name, _)) in (0..).zip(NAMES) {
        let mut slot = hash(name) as usize % SLOTS;
        while places[slot] != u8::MAX {
            slot = (slot + 1) % SLOTS;
        }
        places[slot] = index;
    }
    places
});

impl Tag {
    /// Its name; none for [`Tag::Other`].
    pub(super) fn name(self) -> Option<&'static str> {
        NAMES.get(self as usize).map(|(name, _)| *name)
    }

    /// The element of a name in lower case.
    pub(crate) fn of(name: &str) -> Self {
        Self::hashed(name, hash(name))
    }

    /// The same, of a name whose hash is known.
    pub(super) fn hashed(name: &str, hash: u32) -> Self {
        let mut slot = hash as usize % SLOTS;
        while let Some((known, tag)) = NAMES.get(usize::from(PLACES[slot])) {
            if *known == name {
                return *tag;
            }
            slot = (slot + 1) % SLOTS;
        }
        Self::Other
    }

    /// What ends the search for most open elements (13.2.4.2).
    pub(super) fn bounds_scope(self) -> bool {
        matches!(
            self,
            Self::Applet
                | Self::Caption
                | Self::Html
                | Self::Marquee
                | Self::Object
                | Self::Select
                | Self::Table
                | Self::Td
                | Self::Template
                | Self::Th
        )
    }

    /// What ends the search for a table's parts.
    pub(super) fn bounds_tables(self) -> bool {
        matches!(self, Self::Html | Self::Table | Self::Template)
    }

    /// Whether its end need not be written (13.2.6.3).
    pub(super) fn ends_by_itself(self) -> bool {
        matches!(
            self,
            Self::Dd
                | Self::Dt
                | Self::Li
                | Self::Optgroup
                | Self::Option
                | Self::P
                | Self::Rb
                | Self::Rp
                | Self::Rt
                | Self::Rtc
        )
    }

    /// Whether it is a heading.
    pub(super) fn is_heading(self) -> bool {
        matches!(self, Self::H1 | Self::H2 | Self::H3 | Self::H4 | Self::H5 | Self::H6)
    }

    /// Whether it holds lines of a table.
    pub(super) fn is_table_body(self) -> bool {
        matches!(self, Self::Tbody | Self::Tfoot | Self::Thead)
    }

    /// Whether it is what the standard calls special (13.2.4.2): nothing else that is named here
    /// is not, but formatting, phrases and a few that came later.
    pub(super) fn is_special(self) -> bool {
        !matches!(
            self,
            Self::A
                | Self::B
                | Self::Big
                | Self::Code
                | Self::Dialog
                | Self::Em
                | Self::Font
                | Self::I
                | Self::Image
                | Self::Keygen
                | Self::Label
                | Self::Math
                | Self::Nobr
                | Self::Optgroup
                | Self::Option
                | Self::Other
                | Self::Rb
                | Self::Rp
                | Self::Rt
                | Self::Rtc
                | Self::S
                | Self::Search
                | Self::Small
                | Self::Span
                | Self::Strike
                | Self::Strong
                | Self::Svg
                | Self::Time
                | Self::Tt
                | Self::U
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_is_found_and_no_other() {
        for (name, tag) in NAMES {
            assert_eq!((Tag::of(name), tag.name()), (*tag, Some(*name)));
        }
        for name in ["", "tim", "timee", "ruby", "x-a", "DIV"] {
            assert_eq!(Tag::of(name), Tag::Other, "{name}");
        }
    }
}
