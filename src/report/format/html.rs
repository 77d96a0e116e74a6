//! HTML: one page with the table and the report's documentation. No scripts and no external resources; light, dark and
//! print styles.

use super::answer::Answer;
use crate::report::header::ReportColumn;
use crate::text::on_one_line;

/// Content security policy: nothing is fetched or executed.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'";

const STYLE: &str = include_str!("report.css");

pub(super) fn render(answer: &Answer<'_>) -> String {
    let (header, language) = (&answer.report.header, answer.report.language);
    let mut page = format!(
        "<!doctype html>\n<html lang=\"{code}\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"{POLICY}\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <title>{title}</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n\
         <main>\n<h1>{title}</h1>\n<p class=\"question\">{question}</p>\n",
        code = language.pick("en", "zh-CN"),
        title = escape(&header.title),
        question = escape(&header.question),
    );
    let is_shown = |name: &str| answer.window.is_empty() || !matches!(name, "since" | "until");
    let window = Some(answer.window).filter(|window| !window.is_empty()).map(escape);
    let parameters = answer
        .arguments
        .iter()
        .filter(|argument| is_shown(&argument.name))
        .map(|argument| format!("{} <code>{}</code>", escape(&argument.name), escape(argument.shown(language))));
    let parameters: Vec<String> = window.into_iter().chain(parameters).collect();
    if !parameters.is_empty() {
        page.push_str(&format!("<p class=\"parameters\">{}</p>\n", parameters.join(" · ")));
    }
    match answer.result.rows.is_empty() {
        true => {
            let no_rows = language.pick("<strong>No rows.</strong> ", "<strong>没有结果。</strong>");
            page.push_str(&format!("<p>{no_rows}{}</p>\n", escape(answer.empty_reason)));
        }
        false => page.push_str(&rows(answer)),
    }
    if !header.columns.is_empty() {
        page.push_str(&column_docs(language.pick("Columns", "列"), &header.columns));
    }
    page.push_str(&list(language.pick("Thresholds", "阈值"), &header.thresholds));
    page.push_str(&list(language.pick("Caveats", "注意事项"), &header.caveats));
    let audience = match header.audience.is_empty() {
        true => String::new(),
        false => format!(" · {}{}", language.pick("for: ", "适用："), escape(&header.audience)),
    };
    let command = escape(&answer.command());
    page.push_str(&format!("</main>\n<footer>{command}{audience}</footer>\n</body>\n</html>\n"));
    page
}

fn rows(answer: &Answer<'_>) -> String {
    let result = answer.result;
    let class: Vec<&str> = (0..result.columns.len())
        .map(|index| if result.is_numeric(index) { " class=\"number\"" } else { "" })
        .collect();
    let mut text = "<div class=\"scroll\"><table class=\"rows\">\n<thead><tr>".to_owned();
    for (name, class) in result.columns.iter().zip(&class) {
        let doc = answer.column(name).map(|column| format!(" title=\"{}\"", escape(&column.doc))).unwrap_or_default();
        let unit = answer.column(name).map(unit).unwrap_or_default();
        text.push_str(&format!("<th scope=\"col\"{class}{doc}>{}{unit}</th>", escape(name)));
    }
    text.push_str("</tr></thead>\n<tbody>\n");
    let columns: Vec<Vec<String>> = (0..result.columns.len()).map(|index| result.display_column(index)).collect();
    for row in 0..result.rows.len() {
        text.push_str("<tr>");
        for (values, class) in columns.iter().zip(&class) {
            let value = values.get(row).map(|value| escape(value)).unwrap_or_default();
            text.push_str(&format!("<td{class}>{value}</td>"));
        }
        text.push_str("</tr>\n");
    }
    text + "</tbody></table></div>\n"
}

fn unit(column: &ReportColumn) -> String {
    match column.unit.is_empty() {
        true => String::new(),
        false => format!(" <span class=\"unit\">{}</span>", escape(&column.unit)),
    }
}

fn column_docs(heading: &str, columns: &[ReportColumn]) -> String {
    let mut text = format!("<h2>{heading}</h2>\n<table>\n");
    for column in columns {
        let unit = unit(column);
        let (name, doc) = (escape(&column.name), escape(&column.doc));
        text.push_str(&format!("<tr><th scope=\"row\">{name}{unit}</th><td>{doc}</td></tr>\n"));
    }
    text + "</table>\n"
}

fn list(heading: &str, texts: &[String]) -> String {
    if texts.is_empty() {
        return String::new();
    }
    let items: Vec<String> = texts.iter().map(|text| format!("<li>{}</li>\n", escape(text))).collect();
    format!("<h2>{heading}</h2>\n<ul>\n{}</ul>\n", items.concat())
}

/// Escapes text for an element and for a quoted attribute.
fn escape(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in on_one_line(text).chars() {
        match c {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            c => safe.push(c),
        }
    }
    safe
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::format::fixture_report;
    use crate::report::result::fixture;
    use crate::report::{Arguments, Cell, ResultSet};

    fn page(result: &ResultSet, profile: &str) -> String {
        let report = fixture_report();
        let chosen = [("profile".to_owned(), profile.to_owned())];
        let arguments = Arguments::resolve("topics", &report.header, &chosen).expect("arguments");
        let window = "2026-11-02, local time";
        render(&Answer {
            report: &report,
            arguments: &arguments,
            result,
            empty_reason: "Nobody <met>.",
            window,
            next: "",
        })
    }

    #[test]
    fn a_page_has_the_table_and_its_documentation() {
        let page = page(&fixture(), "cqd");
        let body = page.split_once("<body>").expect("a body").1;
        insta::assert_snapshot!(body, @r#"
        <main>
        <h1>Minutes &amp; &lt;topics&gt;</h1>
        <p class="question">Which topics?</p>
        <p class="parameters">2026-11-02, local time · profile <code>cqd</code></p>
        <div class="scroll"><table class="rows">
        <thead><tr><th scope="col" title="The topic.">topic</th><th scope="col" class="number" title="How many.">minutes <span class="unit">min</span></th><th scope="col" class="number" title="Poor ones.">poor_pct <span class="unit">%</span></th></tr></thead>
        <tbody>
        <tr><td>Weekly, &quot;all&quot; hands</td><td class="number">1200</td><td class="number">12.5</td></tr>
        <tr><td>=HYPERLINK(&quot;x&quot;)</td><td class="number">-7</td><td class="number"></td></tr>
        <tr><td>a|b�[31mred line &lt;b&gt;</td><td class="number"></td><td class="number">0.50</td></tr>
        </tbody></table></div>
        <h2>Columns</h2>
        <table>
        <tr><th scope="row">topic</th><td>The topic.</td></tr>
        <tr><th scope="row">minutes <span class="unit">min</span></th><td>How many.</td></tr>
        <tr><th scope="row">poor_pct <span class="unit">%</span></th><td>Poor ones.</td></tr>
        </table>
        <h2>Thresholds</h2>
        <ul>
        <li>Own choice.</li>
        </ul>
        <h2>Caveats</h2>
        <ul>
        <li>Not all of it.</li>
        </ul>
        </main>
        <footer>vcq-etl report run topics · for: everybody</footer>
        </body>
        </html>
        "#);
    }

    #[test]
    fn nothing_in_a_page_is_fetched_or_executed() {
        let hostile = "</td><script>alert(1)</script><img src=x onerror=\"y\">' onload='z";
        let result = ResultSet { columns: vec![hostile.to_owned()], rows: vec![vec![Cell::Text(hostile.to_owned())]] };
        let page = page(&result, hostile);
        for sign in ["<script", "<img", "<link", "src=x>", "http:", "https:", "url(", "@import", "' onload"] {
            assert!(!page.contains(sign), "{sign}");
        }
        assert_eq!(page.matches("&lt;script&gt;alert(1)").count(), 3);
        assert!(
            page.contains("default-src 'none'")
                && page.contains("prefers-color-scheme: dark")
                && page.contains("@media print")
        );
    }

    #[test]
    fn an_empty_result_is_explained() {
        let text = page(&ResultSet { columns: vec!["a".to_owned()], rows: Vec::new() }, "cqd");
        assert!(text.contains("<p><strong>No rows.</strong> Nobody &lt;met&gt;.</p>"), "{text}");
    }
}
