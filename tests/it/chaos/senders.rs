//! Senders at a fixed rate, which repeat a delivery until it is answered 200, and send some again after that, as Avinode does.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use tokio::task::JoinSet;
use tokio::time::{MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::model::Model;
use super::waits::Waits;
use crate::crash::load::{client, post};

const SENDERS: usize = 6;
/// The time between two deliveries of one sender.
const PACE: Duration = Duration::from_millis(120);

/// The state of all senders.
pub struct Sending {
    pub model: Mutex<Model>,
    random: Mutex<StdRng>,
    /// Where the receiver is now; a restart changes it.
    pub address: Mutex<String>,
    /// The delivery of each answer 200.
    pub acknowledged: Mutex<Vec<Uuid>>,
    pub waits: Waits,
}

impl Sending {
    pub fn new(seed: u64, address: &str) -> Arc<Self> {
        Arc::new(Self {
            model: Mutex::default(),
            random: Mutex::new(StdRng::seed_from_u64(seed)),
            address: Mutex::new(address.to_owned()),
            acknowledged: Mutex::default(),
            waits: Waits::default(),
        })
    }

    /// Sends until `stop`; then what was begun is sent to its end.
    pub fn start(self: &Arc<Self>, stop: &CancellationToken) -> JoinSet<()> {
        (0..SENDERS)
            .map(|_| {
                let (sending, stop) = (Arc::clone(self), stop.clone());
                async move {
                    let mut pace = interval(PACE);
                    pace.set_missed_tick_behavior(MissedTickBehavior::Delay);
                    while !stop.is_cancelled() {
                        pace.tick().await;
                        sending.send_next().await;
                    }
                }
            })
            .collect()
    }

    /// Sends one new event until it is acknowledged, one in eight of them once more. Returns its first delivery.
    pub async fn send_next(&self) -> Uuid {
        let (body, twice) = {
            let mut random = self.random.lock().unwrap();
            let event = self.model.lock().unwrap().next_event(&mut random);
            (serde_json::to_vec(&event).unwrap(), random.random_range(0..8) == 0)
        };
        let delivery = self.send(&body).await;
        if twice {
            self.send(&body).await;
        }
        delivery
    }

    /// Sends a body until it is acknowledged.
    pub async fn send(&self, body: &[u8]) -> Uuid {
        let client = client("127.0.0.1:0");
        let waiting = self.waits.begin();
        let mut pace = interval(Duration::from_millis(50));
        loop {
            pace.tick().await;
            let address = self.address.lock().unwrap().clone();
            match post(&client, &address, body.to_vec()).await {
                Some((200, answer, _)) => {
                    let delivery = answer["delivery"].as_str().unwrap().parse().unwrap();
                    self.acknowledged.lock().unwrap().push(delivery);
                    self.waits.end(waiting);
                    return delivery;
                }
                // Not kept: Avinode sends it again.
                Some((503, answer, _)) => self.waits.refuse(waiting, format!("503 {answer}")),
                None => self.waits.refuse(waiting, "no answer of the service".to_owned()),
                Some(other) => panic!("{other:?}"),
            }
        }
    }
}
