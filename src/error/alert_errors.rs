//! From errors of alert rules to failures.

use super::exit_code::ExitCode;
use super::failure::Failure;
use super::input_errors::did_you_mean;
use crate::alerts::AlertError;

impl From<AlertError> for Failure {
    fn from(error: AlertError) -> Failure {
        let failure = Failure::of(ExitCode::Usage, &error);
        match error {
            // The hints and the exit code of the report's own error.
            AlertError::Report { rule, source } => {
                let inner = Failure::from(*source);
                Failure { message: format!("rule {rule}: {}", inner.message), ..inner }
            }
            AlertError::UnknownKey { key, known, .. } => {
                let failure = did_you_mean(failure, &key, &known);
                failure.hint(format!("the keys and parameters are {}", known.join(", ")))
            }
            AlertError::UnknownColumn { column, known, .. } => {
                let failure = did_you_mean(failure, &column, &known);
                failure.hint(format!("the columns are {}", known.join(", ")))
            }
            AlertError::UnknownChannel { channel, known, .. } | AlertError::NoChannel { channel, known } => {
                let failure = did_you_mean(failure, &channel, &known);
                match known.is_empty() {
                    true => failure.hint("add [channels.NAME] to vcq.toml"),
                    false => failure.hint(format!("the channels are {}", known.join(", "))),
                }
            }
            AlertError::NoWindow { report, .. } => {
                failure.hint(format!("vcq-etl report show {report} lists its parameters"))
            }
            AlertError::Condition { .. } => {
                failure.hint("where is one SQL condition over the report's columns, such as severity <> 'minor'")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use feishu_vc::Redactor;

    #[test]
    fn a_wrong_name_in_a_rule_comes_with_the_nearest() {
        let text = |error: AlertError| Failure::from(error).text(&Redactor::default());
        let known = ["severity", "participants"].map(str::to_owned).to_vec();
        let (rule, column) = ("outage".to_owned(), "severty".to_owned());
        insta::assert_snapshot!(text(AlertError::UnknownColumn { rule, column, known }), @r#"
        error: rule outage: where names "severty", which is not a column of its report
        hint: did you mean severity?
        hint: the columns are severity, participants
        "#);
        let (rule, channel) = ("outage".to_owned(), "it-op".to_owned());
        let known = vec!["it-ops".to_owned()];
        insta::assert_snapshot!(text(AlertError::UnknownChannel { rule, channel, known }), @r#"
        error: rule outage: there is no channel "it-op"
        hint: did you mean it-ops?
        hint: the channels are it-ops
        "#);
        let known = vec!["incidents".to_owned()];
        let source = Box::new(crate::report::ReportError::Unknown { name: "incident".to_owned(), known });
        insta::assert_snapshot!(text(AlertError::Report { rule: "outage".to_owned(), source }), @r#"
        error: rule outage: there is no report "incident"
        hint: did you mean incidents?
        hint: the reports are incidents
        "#);
    }
}
