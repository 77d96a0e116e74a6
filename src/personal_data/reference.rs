//! The table of docs/PRIVACY.md, from the columns and from what is written of an example.

use super::{Identity, Key, Networks, Pseudonyms, Topics};
use crate::schema::{Personal, TABLES};

const HEAD: &str = "| what | columns | Feishu sends | `pseudonym` writes | `none` writes |\n|---|---|---|---|---|\n";

fn example(class: Personal) -> &'static str {
    match class {
        Personal::Id => "ou_5f3a91",
        Personal::Name => "Ann Lee",
        Personal::Email => "ann.lee@example.com",
        Personal::Phone => "+86 138 0013 8000",
        Personal::Device => "Ann's AirPods",
        Personal::Address => "10.11.3.175",
        Personal::Topic => "Review with Ann",
    }
}

pub(crate) fn markdown() -> String {
    let written = |identity, topics, class| {
        let pseudonyms = Pseudonyms::new(Key::new(&[7; Key::BYTES]), identity, topics, Networks::default());
        pseudonyms.replaced(class, example(class)).map_or("NULL".to_owned(), |text| format!("`{text}`"))
    };
    let row = |class: &Personal| {
        let class = *class;
        let columns: Vec<String> = TABLES
            .iter()
            .flat_map(|table| table.columns.iter().map(move |column| (table.name, column)))
            .filter(|(_, column)| column.personal == Some(class))
            .map(|(table, column)| format!("`{table}.{}`", column.name))
            .collect();
        let [pseudonym, none] =
            [Identity::Pseudonym, Identity::None].map(|identity| written(identity, Topics::Keep, class));
        let dropped = written(Identity::Full, Topics::Drop, class) == "NULL";
        let none = if dropped { format!("{none}; with `topics = \"drop\"` NULL in every mode") } else { none };
        format!("| {} | {} | `{}` | {pseudonym} | {none} |\n", class.name(), columns.join(", "), example(class))
    };
    format!("{HEAD}{}", Personal::ALL.iter().map(row).collect::<String>())
}
