#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| polylink_testutil::ntfs::targets::check(data));
