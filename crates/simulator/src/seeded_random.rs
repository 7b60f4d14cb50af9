//! Random decisions that depend on the seed and on their subject, never on earlier decisions. Calls in parallel cannot change
//! each other's results, and every run with a seed has the same faults.
//!
//! The generator is a portable one of `rand`: the same seed gives the same decisions on every platform. A new version of `rand`
//! may change them.

use rand::rngs::Xoshiro256PlusPlus;
use rand::{RngExt, SeedableRng};
use sha2::{Digest, Sha256};

/// Returns true with this probability, from 0 to 1.
pub fn chance(probability: f64, seed: u64, subject: &[&str], number: u64) -> bool {
    generator(seed, subject, number).random::<f64>() < probability
}

/// Returns a number below `limit`, which is above 0.
pub fn below(limit: u64, seed: u64, subject: &[&str], number: u64) -> u64 {
    generator(seed, subject, number).random_range(0..limit.max(1))
}

fn generator(seed: u64, subject: &[&str], number: u64) -> Xoshiro256PlusPlus {
    let mut digest = Sha256::new();
    digest.update(seed.to_be_bytes());
    digest.update(number.to_be_bytes());
    for word in subject {
        digest.update(word.as_bytes());
        digest.update([0]);
    }
    Xoshiro256PlusPlus::from_seed(digest.finalize().into())
}

#[cfg(test)]
mod tests;
