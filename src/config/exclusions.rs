//! Settings that cannot be combined.

/// Keys of settings that cannot both be given. A higher layer does not silently override a lower one here, because the
/// run could then read the wrong tenant.
pub(super) const EXCLUSIONS: &[(&str, &str)] = &[
    ("region", "base_url"),
    ("app_secret", "app_secret_file"),
    ("access_token", "access_token_file"),
    ("app_ticket_file", "app_ticket_command"),
    ("app_id", "access_token"),
    ("app_id", "access_token_file"),
    ("app_secret", "access_token"),
    ("app_secret", "access_token_file"),
    ("app_secret_file", "access_token"),
    ("app_secret_file", "access_token_file"),
    ("tenant_key", "access_token"),
    ("tenant_key", "access_token_file"),
    ("tenant_key", "refresh_token_file"),
    ("app_ticket_file", "access_token"),
    ("app_ticket_file", "access_token_file"),
    ("app_ticket_file", "refresh_token_file"),
    ("app_ticket_command", "access_token"),
    ("app_ticket_command", "access_token_file"),
    ("app_ticket_command", "refresh_token_file"),
    ("refresh_token_file", "access_token"),
    ("refresh_token_file", "access_token_file"),
    ("publish_key", "publish_key_file"),
];
