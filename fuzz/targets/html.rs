#![no_main]
//! Pages in HTML, or with JSON in a script, read as the shipped files say.

use libfuzzer_sys::fuzz_target;
use xunjian::platform::Format;

fuzz_target!(|input: &[u8]| xunjian_fuzz::read_named(input, |format| {
    matches!(format, Format::Html | Format::HtmlJson(_) | Format::Generic)
}));
