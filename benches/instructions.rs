//! Runs one parser TIMES times: `instructions NAME TIMES`. `tools/bench-instructions.py` runs it under callgrind.
//!
//! Without arguments it prints the names of the parsers.

#![expect(clippy::print_stdout, reason = "the list of names is the output of this program")]

use std::hint::black_box;

use vcq_etl::WalkParser;

#[path = "inputs.rs"]
mod inputs;

/// Name of the benchmark of a whole page.
const PAGE: &str = "page_of_100";

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| !argument.starts_with('-')).collect();
    match arguments.as_slice() {
        [name, times] => run(name, times.parse().expect("TIMES is a number")),
        _ => {
            for parser in inputs::PARSERS {
                println!("{}", parser.name);
            }
            println!("{PAGE}");
        }
    }
}

/// Parses all texts of one parser `times` times, or types the page `times` times.
fn run(name: &str, times: usize) {
    if name == PAGE {
        let page = inputs::page();
        let mut parser = WalkParser::default();
        for _ in 0..times {
            black_box(inputs::type_page(&mut parser, black_box(&page)));
        }
        return;
    }
    let parser = inputs::PARSERS.iter().find(|parser| parser.name == name).expect("a name of the list");
    for _ in 0..times {
        parser.texts.iter().for_each(|text| (parser.read)(black_box(text)));
    }
}
