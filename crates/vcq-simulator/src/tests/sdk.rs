//! Feishu's own client against the simulator; see `tests/sdk/test_sdk.py`.

use super::client::{Client, fast, recent, small};

/// Needs a Python with `tests/sdk/requirements.txt`, named by `VCQ_SDK_PYTHON`.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Feishu's SDK: VCQ_SDK_PYTHON=... cargo test -p vcq-simulator sdk -- --ignored"]
async fn the_official_sdk_reads_everything() {
    let python = std::env::var("VCQ_SDK_PYTHON").expect("VCQ_SDK_PYTHON names a Python that has the SDK");
    let client = Client::new(&recent(small()), fast()).await;
    let server = &client.server;
    let mut expected = serde_json::json!(server.tenant().totals());
    expected["start"] = server.tenant().spec().start().into();
    expected["end"] = server.tenant().spec().end().into();
    let mut command = std::process::Command::new(python);
    command
        .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/sdk/test_sdk.py"))
        .env("VCQ_BASE_URL", server.base_url())
        .env("VCQ_APP_ID", server.app_id())
        .env("VCQ_APP_SECRET", server.app_secret())
        .env("VCQ_SIM_EXPECT", expected.to_string())
        .env("NO_PROXY", "127.0.0.1");
    let output = tokio::task::spawn_blocking(move || command.output()).await.expect("no panic").expect("Python starts");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}
