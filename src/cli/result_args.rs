//! The flags that say in which format a result is written and where to, and writing it there.

use std::fs::File;
use std::io::{self, BufWriter, IsTerminal, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use clap::{Args, ValueHint};

use super::command::{Choice, Context, one_of};
use super::output::{self, WidthArg, write_error};
use crate::error::{ExitCode, Failure};
use crate::files;
use crate::report::{OUTPUT_FORMATS, OutputFormat, TextFormat};
use crate::text::counted;

#[derive(Debug, Args)]
pub(super) struct ResultArgs {
    /// Output format [default: from the extension of --out, else table]
    #[arg(long, value_name = "FORMAT", value_parser = one_of(FORMATS))]
    format: Option<OutputFormat>,

    #[command(flatten)]
    width: WidthArg,

    /// Output file [default: stdout]
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(super) out: Option<PathBuf>,

    /// Begin CSV with a byte order mark, so that Excel reads it as UTF-8 [default: for an --out file named .csv whose
    /// text is not ASCII]
    #[arg(long, conflicts_with = "no_bom")]
    bom: bool,

    /// Never write a byte order mark: for programs that read the file
    #[arg(long)]
    no_bom: bool,
}

const CSV: OutputFormat = OutputFormat::Text(TextFormat::Csv);

const FORMATS: &[Choice<OutputFormat>] = &[
    ("table", "For a terminal", OutputFormat::Text(TextFormat::Table)),
    ("csv", "For a spreadsheet or a program", CSV),
    ("json", "An array of objects", OutputFormat::Text(TextFormat::Json)),
    ("markdown", "For a wiki or an issue", OutputFormat::Text(TextFormat::Markdown)),
    ("parquet", "For data tools", OutputFormat::Parquet),
    ("html", "A self-contained page", OutputFormat::Text(TextFormat::Html)),
    ("xlsx", "An Excel workbook", OutputFormat::Xlsx),
];

const BYTE_ORDER_MARK: &str = "\u{feff}";

/// Takes the next part of a text; false if nobody reads the rest.
pub(super) type Sink<'a> = &'a mut dyn FnMut(&str) -> Result<bool, Failure>;

impl ResultArgs {
    /// The format, after checking that it fits the other flags and that the file is not one of the store.
    pub(super) fn format(&self, store: &Path) -> Result<OutputFormat, Failure> {
        let format = self.given_format()?;
        if let Some(path) = &self.out {
            output::check_outside_store(path, store)?;
        }
        if self.bom && format != CSV {
            return Err(
                Failure::new(ExitCode::Usage, "--bom is for CSV only").hint("add --format csv or --out FILE.csv")
            );
        }
        let binary = match format {
            OutputFormat::Text(_) => None,
            OutputFormat::Parquet => Some(("Parquet", "parquet")),
            OutputFormat::Xlsx => Some(("a workbook", "xlsx")),
        };
        match binary {
            Some((what, extension)) if self.out.is_none() && io::stdout().is_terminal() => {
                Err(Failure::new(ExitCode::Usage, format!("refusing to write {what} to a terminal"))
                    .hint(format!("give a file with --out FILE.{extension}, or redirect the output")))
            }
            _ => Ok(format),
        }
    }

    /// The given format, else the one of the file extension.
    fn given_format(&self) -> Result<OutputFormat, Failure> {
        let Some(path) = &self.out else { return Ok(self.format.unwrap_or(OutputFormat::Text(TextFormat::Table))) };
        self.format.or_else(|| OutputFormat::from_path(path)).ok_or_else(|| {
            let extensions = OUTPUT_FORMATS.iter().flat_map(|(_, extensions, _)| *extensions);
            let extensions: Vec<String> = extensions.map(|extension| format!(".{extension}")).collect();
            Failure::new(ExitCode::Usage, format!("no output format follows from the file name {}", path.display()))
                .hint(format!("give --format, or use one of the extensions {}", extensions.join(", ")))
        })
    }

    /// The width of a table.
    pub(super) fn columns(&self) -> u16 {
        self.width.columns(self.out.is_none())
    }

    /// True if a byte order mark precedes a text that is not ASCII.
    fn marks_by_default(&self) -> bool {
        !self.no_bom && self.out.as_deref().and_then(OutputFormat::from_path) == Some(CSV)
    }

    /// Writes a text with this number of rows to stdout or the file.
    pub(super) fn write_text(
        &self,
        format: TextFormat,
        text: &str,
        rows: u64,
        context: &Context,
    ) -> Result<(), Failure> {
        self.stream_text(format, context, |sink| sink(text).map(|_| rows)).map(|_| ())
    }

    /// Writes a text part by part to stdout or the file, as `write` passes it on. `write` returns the number of rows.
    pub(super) fn stream_text(
        &self,
        format: TextFormat,
        context: &Context,
        write: impl FnOnce(Sink<'_>) -> Result<u64, Failure>,
    ) -> Result<u64, Failure> {
        let is_csv = OutputFormat::Text(format) == CSV;
        let Some(path) = &self.out else {
            let mut mark = if is_csv && self.bom { BYTE_ORDER_MARK } else { "" };
            return write(&mut |text| {
                let marked = format!("{}{text}", std::mem::take(&mut mark));
                context.output.print_part(marked.as_bytes())
            });
        };
        let failed = |error: io::Error| write_error(path, &error);
        let rows = output::replace_file(path, |partial| {
            let mut file = files::options().read(true).write(true).open(partial).map_err(failed)?;
            let is_marked = is_csv && (self.bom || self.marks_by_default());
            let mut is_ascii = true;
            let mut writer = BufWriter::new(&file);
            if is_marked {
                writer.write_all(BYTE_ORDER_MARK.as_bytes()).map_err(failed)?;
            }
            let rows = write(&mut |text| {
                is_ascii &= text.is_ascii();
                writer.write_all(text.as_bytes()).map(|()| true).map_err(failed)
            })?;
            writer.flush().map_err(failed)?;
            drop(writer);
            if is_marked && is_ascii && !self.bom {
                remove_mark(&mut file, partial).map_err(failed)?;
            }
            Ok(rows)
        })?;
        wrote(rows, path, context);
        Ok(rows)
    }

    /// Writes a file that `write` puts at a path, or its bytes to stdout. `write` returns the number of rows.
    pub(super) fn write_file(
        &self,
        context: &Context,
        write: impl FnOnce(&Path) -> Result<u64, Failure>,
    ) -> Result<u64, Failure> {
        match &self.out {
            Some(path) => {
                let rows = output::replace_file(path, write)?;
                wrote(rows, path, context);
                Ok(rows)
            }
            None => {
                let (rows, bytes) = output::via_temporary_file(write)?;
                context.output.print_bytes(&bytes)?;
                Ok(rows)
            }
        }
    }
}

/// Rewrites a file without its byte order mark.
fn remove_mark(file: &mut File, path: &Path) -> io::Result<()> {
    let rest = path.with_extension("ascii");
    file.seek(SeekFrom::Start(BYTE_ORDER_MARK.len() as u64))?;
    let copied = files::create(&rest).and_then(|mut copy| io::copy(file, &mut copy));
    copied.and_then(|_| std::fs::rename(&rest, path)).inspect_err(|_| {
        // The first error is the one to report.
        let _ = std::fs::remove_file(&rest);
    })
}

fn wrote(rows: u64, path: &Path, context: &Context) {
    context.console.info(&format!("wrote {} to {}", counted(rows, "row"), path.display()));
}
