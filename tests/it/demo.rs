//! `demo`: a simulated tenant with incidents, from nothing to the first page.

use crate::support::test_env::{RunOutput, TestEnv};

#[test]
fn the_demo_ends_with_what_happened_and_what_to_type_next() {
    let env = TestEnv::new();
    let demo = || {
        // Without --store it would use ./vcq-demo.
        let store = env.store();
        let mut command = env.vcq(&["demo", "--days", "14", "--people", "40", "--meetings-per-day", "16", "--store"]);
        command.arg(store);
        command.env_remove("VCQ_BASE_URL").env_remove("VCQ_APP_ID").env_remove("VCQ_APP_SECRET");
        RunOutput::new(command.output().expect("the binary runs")).expect_exit(0)
    };
    let first = demo();
    let after_summary = first.stdout.split_once("What happened").expect("the incidents are named").1;
    let next = after_summary.split_once("Next steps:\n").expect("what to type next").1;
    assert!(next.lines().next().is_some_and(|line| line.contains(" report html")), "{next}");
    assert!(next.contains(" report run incidents --since 14d"), "the window has all days: {next}");
    assert!(env.number("select count(*) from buildings") > 10);
    assert!(env.number("select count(distinct building) from participant_facts") >= 3);
    // A second demo keeps the store of the first.
    let generation = || env.number("select max(generation) from meta");
    let before = generation();
    demo();
    assert!(generation() >= before);
    let asked = env.vcq(&["report", "html", "--out", "page.html"]).output().expect("the binary runs");
    RunOutput::new(asked).expect_exit(0);
}
