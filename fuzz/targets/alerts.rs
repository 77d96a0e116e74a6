#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| vcq_etl::fuzzing::run("alerts", data));
