//! The values of a report's parameters.

use super::{Header, Parameter, ParameterKind, ReportError};

/// The value of one parameter: what was chosen, else the default.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Argument {
    pub name: String,
    pub kind: ParameterKind,
    /// The value, which the kind accepts; `None`: NULL.
    pub value: Option<String>,
}

/// The values of all the parameters of a report, in the order of its header.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Arguments(Vec<Argument>);

impl Arguments {
    /// Checks what was chosen against the header and fills in the defaults. An empty value takes a default away.
    ///
    /// # Errors
    /// Where a name is unknown or comes twice, a value is not what the parameter wants, or a needed one is missing.
    pub(crate) fn choose(report: &str, header: &Header, chosen: &[(String, String)]) -> Result<Arguments, ReportError> {
        let mut arguments: Vec<Argument> = header
            .parameters
            .iter()
            .map(|Parameter { name, kind, default, .. }| Argument {
                name: name.clone(),
                kind: *kind,
                value: default.clone(),
            })
            .collect();
        for (index, (name, text)) in chosen.iter().enumerate() {
            let Some(at) = header.parameters.iter().position(|parameter| parameter.name == *name) else {
                return Err(ReportError::UnknownParameter {
                    report: report.to_owned(),
                    name: name.clone(),
                    known: header.parameters.iter().map(|parameter| parameter.name.clone()).collect(),
                });
            };
            if chosen[..index].iter().any(|(other, _)| other == name) {
                return Err(ReportError::GivenTwice { report: report.to_owned(), name: name.clone() });
            }
            let (parameter, text) = (&header.parameters[at], text.trim());
            if !text.is_empty() && !parameter.accepts(text) {
                return Err(ReportError::BadParameter {
                    report: report.to_owned(),
                    name: name.clone(),
                    text: text.to_owned(),
                    wants: parameter.wants(),
                });
            }
            arguments[at].value = (!text.is_empty()).then(|| text.to_owned());
        }
        let missing = |(parameter, argument): &(&Parameter, &Argument)| parameter.is_needed && argument.value.is_none();
        if let Some((parameter, _)) = header.parameters.iter().zip(&arguments).find(missing) {
            return Err(ReportError::Needed {
                report: report.to_owned(),
                name: parameter.name.clone(),
                doc: parameter.doc.clone(),
            });
        }
        Ok(Arguments(arguments))
    }

    /// `name=value`, as it is typed.
    ///
    /// # Errors
    /// Where there is no equals sign.
    pub(crate) fn assignment(text: &str) -> Result<(String, String), ReportError> {
        let (name, value) = text.split_once('=').ok_or_else(|| ReportError::NotAssigned { text: text.to_owned() })?;
        Ok((name.trim().to_owned(), value.trim().to_owned()))
    }

    /// The value of a parameter; `None` for NULL and for a parameter that the report does not have.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|argument| argument.name == name)?.value.as_deref()
    }

    /// Every value, in the order of the header.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Argument> {
        self.0.iter()
    }

    /// All of them on one line: `since=2026-11-01, until=any, top=20`.
    pub(crate) fn text(&self) -> String {
        let shown = |argument: &Argument| format!("{}={}", argument.name, argument.value.as_deref().unwrap_or("any"));
        self.0.iter().map(shown).collect::<Vec<_>>().join(", ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn choose(chosen: &[(&str, &str)]) -> Result<Arguments, ReportError> {
        let sql = "-- title: T\n-- question: Q?\n-- parameter: who text needed: Whom.\n\
            -- parameter: since date: From.\n-- parameter: by_what text = site | floor: By what.\n\
            -- parameter: top integer = 5: Rows.\n-- column: a: A.\n";
        let chosen: Vec<(String, String)> =
            chosen.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        Arguments::choose("r", &Header::parse("r", sql).expect("header"), &chosen)
    }

    #[test]
    fn what_is_not_chosen_has_its_default() {
        let arguments = choose(&[("who", "ann"), ("top", ""), ("by_what", "floor")]).expect("arguments");
        assert_eq!(arguments.text(), "who=ann, since=any, by_what=floor, top=any");
        assert_eq!((arguments.get("who"), arguments.get("top"), arguments.get("none")), (Some("ann"), None, None));
    }

    #[test]
    fn wrong_values_are_refused() {
        let refused = |chosen: &[(&str, &str)]| choose(chosen).expect_err("refused").to_string();
        assert_eq!(refused(&[("hwo", "ann")]), "the report r has no parameter \"hwo\"");
        assert_eq!(refused(&[]), "the report r needs the parameter who");
        assert_eq!(refused(&[("who", " ")]), "the report r needs the parameter who");
        assert_eq!(refused(&[("who", "a"), ("who", "b")]), "the parameter who of the report r is given twice");
        assert_eq!(
            refused(&[("who", "a"), ("since", "2d")]),
            "the parameter since of the report r: \"2d\" is not a date like 2026-11-01"
        );
        assert_eq!(
            refused(&[("who", "a"), ("by_what", "room")]),
            "the parameter by_what of the report r: \"room\" is not one of site, floor"
        );
        assert!(matches!(Arguments::assignment("since"), Err(ReportError::NotAssigned { .. })));
        assert_eq!(Arguments::assignment("a = b=c").expect("both"), ("a".to_owned(), "b=c".to_owned()));
    }
}
