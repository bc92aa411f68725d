//! An order of texts in which each is followed by the one that is most like it.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

/// Of the runs of eight bytes, one in so many is looked at.
const SAMPLE: u64 = 8;
/// A run that more texts have says nothing about them.
const COMMON: usize = 200;
/// How much of a text must be in the one before it, in percent; below that it is as good anywhere else.
const ALIKE: usize = 15;
/// Counted as runs that every text has of its own: a short one has few, and they may be anybody's.
const GROUND: usize = 8;

/// The order, as indexes. What resembles nothing stays in the order that it came in.
pub(crate) fn order(texts: &[&[u8]]) -> Vec<usize> {
    let runs: Vec<BTreeSet<u64>> = texts.iter().map(|text| sampled(text)).collect();
    let mut owners: BTreeMap<u64, Vec<usize>> = BTreeMap::new();
    for (text, runs) in runs.iter().enumerate() {
        for run in runs {
            owners.entry(*run).or_default().push(text);
        }
    }
    owners.retain(|_, owners| (2..=COMMON).contains(&owners.len()));

    let mut left: BTreeSet<usize> = (0..texts.len()).collect();
    let mut order = Vec::with_capacity(texts.len());
    let mut next = left.pop_first();
    while let Some(text) = next {
        order.push(text);
        left.remove(&text);
        let mut shared: BTreeMap<usize, usize> = BTreeMap::new();
        for owner in runs.get(text).into_iter().flatten().filter_map(|run| owners.get(run)).flatten() {
            if left.contains(owner) {
                *shared.entry(*owner).or_default() += 1;
            }
        }
        let share = |(other, shared): (usize, usize)| {
            let all = runs.get(other).map_or(0, BTreeSet::len) + GROUND;
            (shared * 100 / all, Reverse(other))
        };
        let best = shared.into_iter().map(share).max().filter(|(share, _)| *share >= ALIKE);
        next = best.map(|(_, Reverse(other))| other).or_else(|| left.first().copied());
    }
    order
}

/// The runs that are looked at: the same of every text, wherever they are in it.
fn sampled(text: &[u8]) -> BTreeSet<u64> {
    let run = |bytes: &[u8]| bytes.iter().fold(0_u64, |run, byte| run << 8 | u64::from(*byte));
    // The factor, 2^64 over the golden ratio, spreads what differs in few bits.
    let scattered = |run: u64| run.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    text.windows(8).map(|bytes| scattered(run(bytes))).filter(|run| (run >> 32).is_multiple_of(SAMPLE)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Bytes that are like nothing else.
    fn noise(seed: u8) -> Vec<u8> {
        let mut state = u64::from(seed) + 1;
        let mut next = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            state.to_be_bytes()[0]
        };
        std::iter::repeat_with(&mut next).take(4_000).collect()
    }

    #[test]
    fn what_is_alike_becomes_neighbours() {
        let (one, other) = (noise(1), noise(2));
        let nearly = |text: &[u8]| [text, b"!"].concat();
        let texts = [one.clone(), other.clone(), noise(3), nearly(&other), nearly(&one)];
        let texts: Vec<&[u8]> = texts.iter().map(Vec::as_slice).collect();
        assert_eq!(order(&texts), [0, 4, 1, 3, 2]);
    }

    #[test]
    fn everything_is_there_once() {
        let texts: [&[u8]; 4] = [b"", b"short", b"", b"short"];
        assert_eq!(order(&texts), [0, 1, 2, 3]);
        assert!(order(&[]).is_empty());
    }
}
