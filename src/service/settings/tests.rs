use super::*;

#[test]
fn the_defaults_of_the_parts_are_those_of_the_command_line() {
    let settings = ServiceSettings::default();
    assert_eq!(settings.retry, RetryPolicy::default());
    let (webhook, server) = (WebhookLimits::default(), ServerLimits::default());
    assert_eq!(
        (
            settings.webhook.body,
            settings.webhook.body_time,
            settings.webhook.memory
        ),
        (webhook.body, webhook.body_time, webhook.memory)
    );
    assert_eq!(settings.server.connections, server.connections);
    assert_eq!((settings.receives, settings.workers), (true, 2));
}
