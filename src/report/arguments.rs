//! The values of a report's parameters.

use super::ReportError;
use super::header::{Header, Parameter, ParameterKind};
use crate::text::Language;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Argument {
    pub name: String,
    pub kind: ParameterKind,
    /// A value that the kind accepts; `None` is NULL.
    pub value: Option<String>,
}

impl Argument {
    /// The value for people.
    pub(crate) fn shown(&self, language: Language) -> &str {
        self.value.as_deref().unwrap_or(language.pick("any", "不限"))
    }
}

/// The values of all parameters of a report, in the order of its header.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Arguments(Vec<Argument>);

impl Arguments {
    pub(crate) const NONE: Arguments = Arguments(Vec::new());

    /// Checks the given values against the header and fills in the defaults. An empty value removes a default.
    pub(crate) fn resolve(report: &str, header: &Header, given: &[(String, String)]) -> Result<Arguments, ReportError> {
        let mut arguments: Vec<Argument> = header
            .parameters
            .iter()
            .map(|Parameter { name, kind, default, .. }| Argument {
                name: name.clone(),
                kind: *kind,
                value: default.clone(),
            })
            .collect();
        for (index, (name, text)) in given.iter().enumerate() {
            let Some(at) = header.parameters.iter().position(|parameter| parameter.name == *name) else {
                return Err(ReportError::UnknownParameter {
                    report: report.to_owned(),
                    name: name.clone(),
                    known: header.parameters.iter().map(|parameter| parameter.name.clone()).collect(),
                });
            };
            if given[..index].iter().any(|(other, _)| other == name) {
                return Err(ReportError::DuplicateParameter { report: report.to_owned(), name: name.clone() });
            }
            let (parameter, text) = (&header.parameters[at], text.trim());
            if !text.is_empty() && !parameter.accepts(text) {
                return Err(ReportError::InvalidParameter {
                    report: report.to_owned(),
                    name: name.clone(),
                    text: text.to_owned(),
                    expected: parameter.expected(),
                });
            }
            arguments[at].value = (!text.is_empty()).then(|| text.to_owned());
        }
        let missing =
            |(parameter, argument): &(&Parameter, &Argument)| parameter.is_required && argument.value.is_none();
        if let Some((parameter, _)) = header.parameters.iter().zip(&arguments).find(missing) {
            return Err(ReportError::MissingParameter {
                report: report.to_owned(),
                name: parameter.name.clone(),
                doc: parameter.doc.clone(),
            });
        }
        Ok(Arguments(arguments))
    }

    /// Parses `name=value` as typed on the command line.
    pub(crate) fn parse_assignment(text: &str) -> Result<(String, String), ReportError> {
        let (name, value) =
            text.split_once('=').ok_or_else(|| ReportError::InvalidAssignment { text: text.to_owned() })?;
        Ok((name.trim().to_owned(), value.trim().to_owned()))
    }

    /// The value of a parameter; `None` for NULL and for an unknown parameter.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|argument| argument.name == name)?.value.as_deref()
    }

    /// The arguments in the order of the header.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Argument> {
        self.0.iter()
    }

    /// The values on one line, `without` those of some parameters: `profile=cqd, top=20`.
    pub(crate) fn summary(&self, without: &[&str], language: Language) -> String {
        let shown = |argument: &Argument| format!("{}={}", argument.name, argument.shown(language));
        let arguments = self.0.iter().filter(|argument| !without.contains(&argument.name.as_str()));
        arguments.map(shown).collect::<Vec<_>>().join(language.pick(", ", "，"))
    }

    /// The same arguments with another value of a parameter that they have.
    pub(crate) fn with(&self, name: &str, value: &str) -> Arguments {
        let replaced = |argument: &Argument| match argument.name == name {
            true => Argument { value: Some(value.to_owned()), ..argument.clone() },
            false => argument.clone(),
        };
        Arguments(self.0.iter().map(replaced).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resolve(given: &[(&str, &str)]) -> Result<Arguments, ReportError> {
        let sql = "-- title: T\n-- question: Q?\n-- parameter: who text needed: Whom.\n\
            -- parameter: since date: From.\n-- parameter: by_what text = site | floor: By what.\n\
            -- parameter: top integer = 5: Rows.\n-- column: a: A.\n";
        let given: Vec<(String, String)> =
            given.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        Arguments::resolve("r", &Header::parse("r", sql).expect("header"), &given)
    }

    #[test]
    fn missing_values_have_defaults() {
        let arguments = resolve(&[("who", "ann"), ("top", ""), ("by_what", "floor")]).expect("arguments");
        assert_eq!(arguments.summary(&["since"], Language::English), "who=ann, by_what=floor, top=any");
        assert_eq!(
            arguments.with("top", "7").summary(&[], Language::English),
            "who=ann, since=any, by_what=floor, top=7"
        );
        assert_eq!((arguments.get("who"), arguments.get("top"), arguments.get("none")), (Some("ann"), None, None));
    }

    #[test]
    fn invalid_values_are_refused() {
        let refused = |given: &[(&str, &str)]| resolve(given).expect_err("refused").to_string();
        assert_eq!(refused(&[("hwo", "ann")]), "the report r has no parameter \"hwo\"");
        assert_eq!(refused(&[]), "the report r requires the parameter who");
        assert_eq!(refused(&[("who", " ")]), "the report r requires the parameter who");
        assert_eq!(refused(&[("who", "a"), ("who", "b")]), "the parameter who of the report r is given twice");
        assert_eq!(
            refused(&[("who", "a"), ("since", "2d")]),
            "the parameter since of the report r: \"2d\" is not a date like 2026-11-01"
        );
        assert_eq!(
            refused(&[("who", "a"), ("by_what", "room")]),
            "the parameter by_what of the report r: \"room\" is not one of site, floor"
        );
        assert!(matches!(Arguments::parse_assignment("since"), Err(ReportError::InvalidAssignment { .. })));
        assert_eq!(Arguments::parse_assignment("a = b=c").expect("both"), ("a".to_owned(), "b=c".to_owned()));
    }
}
