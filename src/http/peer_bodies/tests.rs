use super::*;

#[test]
fn each_client_has_a_number_of_bodies_and_of_bytes() {
    let bodies = PeerBodies::new(2, 100);
    let (one, other) = ([192, 0, 2, 1].into(), [192, 0, 2, 2].into());
    let mut first = bodies.begin(one).unwrap();
    let mut second = bodies.begin(one).unwrap();
    assert!(bodies.begin(one).is_none());
    assert!(first.grow(60) && !second.grow(41) && second.grow(40));
    let mut of_other = bodies.begin(other).unwrap();
    assert!(of_other.grow(100));
    drop(first);
    assert!(second.grow(60));
    drop((second, of_other));
    assert!(bodies.0.lock().is_empty());
    assert!(UnfinishedBody::uncounted().grow(1000));
}
