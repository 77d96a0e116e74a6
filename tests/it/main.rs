//! The integration tests: the real binary, the real simulator over HTTP, a real DuckDB.

mod sync;
