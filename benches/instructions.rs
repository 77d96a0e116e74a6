//! One parser, so often: `instructions NAME TIMES`. What `tools/bench-instructions.py` runs under callgrind.
//!
//! Without arguments it prints the names, which is all that `cargo bench` gets of it.

#![expect(clippy::print_stdout, reason = "the list of names is this program's result")]

use std::hint::black_box;

use vcq_etl::WalkParser;

#[path = "inputs.rs"]
mod inputs;

/// The name of the whole page beside the parsers of single values.
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

/// Reads all the texts of one parser `times` times over, or types the page so often.
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
