//! Counting: what the test runners say about themselves.

/// How many tests passed and failed so far.
#[derive(Default, Debug, PartialEq, Eq)]
pub(crate) struct Tally {
    /// Tests that passed.
    pub(crate) passed: u64,
    /// Tests that failed, a suite that could not run counting as one.
    pub(crate) failed: u64,
    /// The suites that could not run.
    pub(crate) broken: Vec<String>,
}

impl Tally {
    /// Counts a line of libtest's (`test result: ok. 3 passed; 0 failed; …`) or node's (`ℹ pass 3`, `ℹ fail 0`).
    pub(crate) fn read(&mut self, line: &str) {
        if let Some(result) = line.strip_prefix("test result: ") {
            self.passed += number_before(result, " passed");
            self.failed += number_before(result, " failed");
        } else if let Some(count) = line.strip_prefix("ℹ pass ").and_then(|count| count.trim().parse::<u64>().ok()) {
            self.passed += count;
        } else if let Some(count) = line.strip_prefix("ℹ fail ").and_then(|count| count.trim().parse::<u64>().ok()) {
            self.failed += count;
        }
    }

    /// Counts a suite that did not run to its end.
    pub(crate) fn broke(&mut self, suite: &str) {
        self.failed += 1;
        self.broken.push(suite.to_owned());
    }
}

fn number_before(text: &str, word: &str) -> u64 {
    let before = text.split(word).next().unwrap_or_default();
    before.rsplit(' ').next().and_then(|number| number.parse().ok()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_runners_are_understood() {
        let mut tally = Tally::default();
        tally
            .read("test result: FAILED. 12 passed; 3 failed; 0 ignored; 0 measured; 1 filtered out; finished in 0.01s");
        tally.read("test result: ok. 4 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.01s");
        tally.read("ℹ tests 7");
        tally.read("ℹ pass 5");
        tally.read("ℹ fail 2");
        tally.read("test some::test ... ok");
        assert_eq!(tally, Tally { passed: 21, failed: 5, broken: Vec::new() });
    }
}
