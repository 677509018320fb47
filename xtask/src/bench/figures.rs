//! From the rounds of a measurement to a row of a table.

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;

/// The figures of one part.
pub(crate) struct Section {
    pub(crate) title: String,
    /// The first row names the columns.
    pub(crate) table: Vec<Vec<String>>,
    /// What the columns do not say.
    pub(crate) notes: Vec<String>,
    /// Every round, for programs.
    pub(crate) json: Value,
}

impl Section {
    /// The table, with columns of words to the left and columns of figures to the right, and the
    /// notes below.
    pub(crate) fn text(&self) -> String {
        let columns = self.table.iter().map(Vec::len).max().unwrap_or(0);
        let width = |column: usize| {
            let cells = self.table.iter().filter_map(|row| row.get(column));
            cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
        };
        let has_words = |column: usize| {
            let mut cells = self.table.iter().skip(1).filter_map(|row| row.get(column));
            cells.any(|cell| cell.starts_with(char::is_alphabetic))
        };
        let shapes: Vec<(usize, bool)> = (0..columns)
            .map(|column| (width(column), has_words(column)))
            .collect();
        let line = |row: &Vec<String>| {
            let cells = row.iter().zip(&shapes).map(|(cell, (width, words))| {
                if *words {
                    format!("{cell:<width$}")
                } else {
                    format!("{cell:>width$}")
                }
            });
            cells.collect::<Vec<_>>().join("  ").trim_end().to_owned()
        };
        let mut lines: Vec<String> = self.table.iter().map(line).collect();
        if !self.notes.is_empty() {
            lines.push(String::new());
            lines.extend(self.notes.iter().cloned());
        }
        lines.join("\n")
    }
}

/// A row from texts.
pub(crate) fn row<const N: usize>(cells: [&str; N]) -> Vec<String> {
    cells.map(str::to_owned).to_vec()
}

/// The number at a path of members.
pub(crate) fn number(value: &Value, path: &[&str]) -> Result<f64> {
    let found = path
        .iter()
        .try_fold(value, |value, member| value.get(member));
    found
        .and_then(Value::as_f64)
        .with_context(|| format!("no number at {}", path.join(".")))
}

/// The median of one figure over all rounds.
pub(crate) fn median_of(rounds: &[Value], path: &[&str]) -> Result<f64> {
    let values: Result<Vec<f64>> = rounds.iter().map(|round| number(round, path)).collect();
    median(values?)
}

/// The upper of the two middle ones, if there are two.
pub(crate) fn median(mut values: Vec<f64>) -> Result<f64> {
    values.sort_by(f64::total_cmp);
    values
        .get(values.len() / 2)
        .copied()
        .context("nothing was measured")
}

/// What one is to the other in the same round: the median, with the smallest and the largest behind.
pub(crate) fn ratio_of(rounds: &[Value], of: &[&str], to: &[&str]) -> Result<String> {
    let ratios: Result<Vec<f64>> = rounds
        .iter()
        .map(|round| Ok(number(round, of)? / number(round, to)?))
        .collect();
    let mut ratios = ratios?;
    ensure!(!ratios.is_empty(), "nothing was measured");
    ratios.sort_by(f64::total_cmp);
    let (least, most) = (ratios.first().copied(), ratios.last().copied());
    let spread = least.zip(most).map(|(least, most)| {
        let middle = median(ratios.clone())?;
        anyhow::Ok(format!("{middle:.2} ({least:.2}–{most:.2})"))
    });
    spread.context("nothing was measured")?
}

/// A count with its thousands set apart.
pub(crate) fn grouped(count: f64) -> String {
    let digits = format!("{count:.0}");
    let mut text = String::new();
    for (position, digit) in digits.chars().enumerate() {
        if position > 0 && (digits.len() - position).is_multiple_of(3) {
            text.push(' ');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::{Section, grouped, median_of, ratio_of, row};
    use serde_json::{Value, json};

    fn rounds() -> Vec<Value> {
        [(10, 20), (10, 10), (9, 12)]
            .map(|(ours, floor)| json!({"ours": {"rate": ours}, "floor": {"rate": floor}}))
            .to_vec()
    }

    #[test]
    fn a_ratio_is_taken_within_each_round() {
        let ratio = ratio_of(&rounds(), &["ours", "rate"], &["floor", "rate"]);
        assert_eq!(ratio.unwrap(), "0.75 (0.50–1.00)");
        let floor = median_of(&rounds(), &["floor", "rate"]);
        assert_eq!(grouped(floor.unwrap()), "12");
        assert!(median_of(&rounds(), &["floor", "rates"]).is_err());
        assert!(ratio_of(&[], &["a"], &["b"]).is_err());
    }

    #[test]
    fn columns_are_aligned_and_thousands_set_apart() {
        let section = Section {
            title: String::new(),
            table: vec![
                row(["what", "rate", "x"]),
                row(["a thing", &grouped(1_234_567.4), "200"]),
            ],
            notes: vec!["A note.".to_owned()],
            json: Value::Null,
        };
        assert_eq!(
            section.text(),
            "what          rate    x\na thing  1 234 567  200\n\nA note."
        );
        assert_eq!([grouped(0.0), grouped(999.6)], ["0", "1 000"]);
    }
}
