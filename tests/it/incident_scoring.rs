//! The scoring of `make bench PARTS=incidents`.

use crate::scoring::{Incident, Verdict, judge, wilson};

fn incident(scope: &str, metric: &str, hours: (i64, i64)) -> Incident {
    Incident {
        scope_kind: "site".to_owned(),
        scope: scope.to_owned(),
        metric: metric.to_owned(),
        is_chronic: false,
        start: hours.0 * 3600,
        end: hours.1 * 3600,
    }
}

#[test]
fn a_row_finds_what_it_agrees_with_in_scope_metric_and_half_of_the_time() {
    let planted = [incident("A", "loss", (0, 10))];
    let verdict = |row: Incident| judge(&planted, &[], &[row])[0];
    assert_eq!(verdict(incident("A", "loss", (0, 10))), Verdict::Finds(0));
    assert_eq!(verdict(incident("A", "loss", (5, 12))), Verdict::Finds(0));
    assert_eq!(verdict(incident("A", "loss", (0, 20))), Verdict::Finds(0));
    assert_eq!(verdict(incident("A", "loss", (6, 8))), Verdict::Repeats(0), "a part of it");
    assert_eq!(verdict(incident("A", "loss", (0, 21))), Verdict::False, "too long");
    assert_eq!(verdict(incident("A", "loss", (9, 19))), Verdict::False, "another time");
    assert_eq!(verdict(incident("A", "jitter", (0, 10))), Verdict::False);
    assert_eq!(verdict(incident("B", "loss", (0, 10))), Verdict::False);
}

#[test]
fn a_second_row_about_an_incident_repeats_it() {
    let planted = [incident("A", "loss", (0, 10))];
    let row = incident("A", "loss", (0, 9));
    assert_eq!(judge(&planted, &[], &[row.clone(), row]), [Verdict::Finds(0), Verdict::Repeats(0)]);
}

#[test]
fn a_chronic_incident_is_found_by_its_last_days() {
    let planted = [Incident { is_chronic: true, ..incident("A", "loss", (0, 100)) }];
    assert_eq!(judge(&planted, &[], &[incident("A", "loss", (70, 100))]), [Verdict::Finds(0)]);
    assert_eq!(judge(&planted, &[], &[incident("A", "loss", (90, 120))]), [Verdict::False]);
}

#[test]
fn a_usual_problem_is_neither_found_nor_false() {
    let usual = [incident("A", "cpu", (0, 100))];
    let rows = [incident("A", "frame_rate", (20, 30)), incident("B", "cpu", (0, 100))];
    assert_eq!(judge(&[], &usual, &rows), [Verdict::Usual, Verdict::False]);
}

#[test]
fn intervals_are_wilsons() {
    let (low, high) = wilson(5, 100);
    assert!((low - 0.0215).abs() < 5e-4 && (high - 0.1118).abs() < 5e-4, "{low} {high}");
    assert_eq!(wilson(0, 0), (0.0, 1.0));
}
