//! Chance as a function: of the seed and of what is decided, never of what was decided before. Parallel calls then cannot
//! take each other's luck away, and the same run meets the same faults.

use sha2::{Digest, Sha256};

/// A number from 0 to below 1, the same for the same seed and words.
pub fn share(seed: u64, words: &[&str], number: u64) -> f64 {
    // 53 bits are what a float holds exactly.
    let bits = draw(seed, words, number) >> 11;
    #[expect(clippy::cast_precision_loss, reason = "53 bits fit")]
    let share = bits as f64 / (1u64 << 53) as f64;
    share
}

/// A number below `limit`, which is above 0, the same for the same seed and words.
pub fn below(limit: u64, seed: u64, words: &[&str], number: u64) -> u64 {
    draw(seed, words, number) % limit.max(1)
}

fn draw(seed: u64, words: &[&str], number: u64) -> u64 {
    let mut digest = Sha256::new();
    digest.update(seed.to_be_bytes());
    digest.update(number.to_be_bytes());
    for word in words {
        digest.update(word.as_bytes());
        digest.update([0]);
    }
    let digest = digest.finalize();
    digest
        .iter()
        .take(8)
        .fold(0, |number, byte| number << 8 | u64::from(*byte))
}

#[cfg(test)]
mod tests;
