use super::*;

use tokio::sync::mpsc;

#[tokio::test]
async fn the_first_signal_cancels_the_token_and_the_second_ends_the_watch() {
    let (send, receive) = mpsc::unbounded_channel();
    let signals = stream::unfold(receive, |mut receive| async {
        receive.recv().await.map(|()| ((), receive))
    });
    let token = CancellationToken::new();
    let watched = token.clone();
    let watching = tokio::spawn(async move { watch(signals, &watched).await });

    send.send(()).unwrap();
    token.cancelled().await;
    tokio::task::yield_now().await;
    assert!(!watching.is_finished());

    send.send(()).unwrap();
    watching.await.unwrap();
}
