mod lists;
mod samples;
