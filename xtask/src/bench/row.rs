//! A figure with its budget, as a line of a table or of JSON.

use serde_json::{Value, json};

use super::budget;

/// One line.
pub(super) struct Row {
    /// Where it was measured.
    pub(super) runtime: &'static str,
    /// What was measured.
    pub(super) workload: String,
    /// What came out.
    pub(super) figure: Figure,
}

/// What was measured.
pub(super) enum Figure {
    /// Under load.
    Load { cpu_ms: f64, p50_ms: f64, p99_ms: f64, ops_s: f64, budget_cpu_ms: Option<f64> },
    /// One number.
    Single { value: f64, unit: String, budget: Option<f64> },
    /// How long it took until something was so, of so many samples.
    Spread { p50: f64, p90: f64, p99: f64, max: f64, unit: String, samples: f64 },
}

impl Row {
    /// Every line has the same members; those that do not apply are null.
    pub(super) fn json(&self) -> Value {
        let mut line = json!({
            "runtime": self.runtime, "workload": self.workload, "cpu_ms": null, "p50_ms": null, "p99_ms": null,
            "ops_s": null, "budget_cpu_ms": null, "value": null, "unit": null, "budget": null, "p50": null, "p90": null,
            "p99": null, "max": null, "samples": null,
        });
        let figures = match &self.figure {
            Figure::Load { cpu_ms, p50_ms, p99_ms, ops_s, budget_cpu_ms } => json!({
                "cpu_ms": cpu_ms, "p50_ms": p50_ms, "p99_ms": p99_ms, "ops_s": ops_s, "budget_cpu_ms": budget_cpu_ms,
            }),
            Figure::Single { value, unit, budget } => json!({ "value": value, "unit": unit, "budget": budget }),
            Figure::Spread { p50, p90, p99, max, unit, samples } => json!({
                "p50": p50, "p90": p90, "p99": p99, "max": max, "unit": unit, "samples": samples,
            }),
        };
        if let (Some(line), Value::Object(figures)) = (line.as_object_mut(), figures) {
            line.extend(figures);
        }
        line
    }
}

/// Prints the loads, then the rest.
pub(super) fn print_table(rows: &[Row]) {
    println!(
        "{:<14} {:<30} {:>8} {:>8}  {:<12} {:>8} {:>8} {:>8}",
        "runtime", "operation", "CPU ms", "budget", "", "p50 ms", "p99 ms", "per s"
    );
    for row in rows {
        if let Figure::Load { cpu_ms, p50_ms, p99_ms, ops_s, budget_cpu_ms } = row.figure {
            let budget = budget_cpu_ms.map_or_else(String::new, |budget| format!("{budget:.3}"));
            let operation = format!("{} {}", row.workload, budget::title(&row.workload));
            let verdict = verdict(cpu_ms, budget_cpu_ms);
            println!(
                "{:<14} {operation:<30} {cpu_ms:>8.3} {budget:>8}  {verdict:<12} {p50_ms:>8.2} {p99_ms:>8.2} {ops_s:>8.0}",
                row.runtime
            );
        }
    }
    println!();
    for row in rows {
        if let Figure::Single { value, unit, budget } = &row.figure {
            let (value, budget) = (*value, *budget);
            let limit = budget.map_or_else(String::new, |budget| format!("{budget} {unit}"));
            let verdict = verdict(value, budget);
            // A deviation in the third place would be one.
            let places = if unit == "calls" || row.workload.ends_with("SAML") { 3 } else { 1 };
            println!("{:<14} {:<30} {value:>8.places$} {unit} {limit:>8}  {verdict}", row.runtime, row.workload);
        }
    }
    print_spreads(rows);
}

/// Latencies from a signal to a refusal.
fn print_spreads(rows: &[Row]) {
    let spreads = rows.iter().filter(|row| matches!(row.figure, Figure::Spread { .. }));
    for (number, row) in spreads.enumerate() {
        if number == 0 {
            println!("\n{:<14} {:<44} {:>8} {:>8} {:>8} {:>8}", "runtime", "until refused", "p50", "p90", "p99", "max");
        }
        if let Figure::Spread { p50, p90, p99, max, unit, samples } = &row.figure {
            let name = &row.workload;
            println!(
                "{:<14} {name:<44} {p50:>8.3} {p90:>8.3} {p99:>8.3} {max:>8.3} {unit}, {samples} samples",
                row.runtime
            );
        }
    }
}

fn verdict(value: f64, budget: Option<f64>) -> String {
    match budget {
        None => String::new(),
        Some(budget) if value <= budget => "within".to_owned(),
        Some(budget) => format!("over by {:.0} %", (value / budget - 1.0) * 100.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missed_budget_says_by_how_much() {
        assert_eq!(verdict(0.14, Some(0.1)), "over by 40 %");
        assert_eq!(verdict(0.1, Some(0.1)), "within");
        assert_eq!(verdict(0.1, None), "");
    }

    #[test]
    fn every_line_of_json_has_the_same_members() {
        let single = Figure::Single { value: 1.0, unit: "ms".to_owned(), budget: None };
        let load = Figure::Load { cpu_ms: 0.1, p50_ms: 1.0, p99_ms: 2.0, ops_s: 3.0, budget_cpu_ms: Some(0.2) };
        let line = |figure| Row { runtime: "native", workload: "W1".to_owned(), figure }.json();
        let spread = Figure::Spread { p50: 1.0, p90: 2.0, p99: 3.0, max: 4.0, unit: "s".to_owned(), samples: 60.0 };
        let (single, load, spread) = (line(single), line(load), line(spread));
        let names = |line: &Value| line.as_object().map(|members| members.keys().cloned().collect::<Vec<_>>());
        assert_eq!(names(&single), names(&load));
        assert_eq!(names(&spread), names(&load));
        assert_eq!(load["budget_cpu_ms"], 0.2);
        assert!(single["cpu_ms"].is_null());
    }
}
