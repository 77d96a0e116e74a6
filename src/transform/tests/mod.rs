mod lists;
mod optional;
mod samples;
