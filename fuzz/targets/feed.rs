#![no_main]
//! RSS, Atom and JSON Feed, read as the shipped files say.

use libfuzzer_sys::fuzz_target;
use xunjian::platform::Format;

fuzz_target!(|input: &[u8]| {
    xunjian_fuzz::read_named(input, |format| matches!(format, Format::Feed));
});
