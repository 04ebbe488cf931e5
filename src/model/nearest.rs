//! The word that somebody probably meant.

/// The word of the list that is nearest to what was typed, if one is near enough to suggest.
#[must_use]
pub fn nearest<'a>(typed: &str, words: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let limit = (typed.chars().count() / 3).max(1) + 1;
    words
        .into_iter()
        .map(|word| (distance(&typed.to_lowercase(), &word.to_lowercase()), word))
        // With every letter another it is another word.
        .filter(|(distance, word)| {
            *distance <= limit && *distance < word.chars().count().max(typed.chars().count())
        })
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, word)| word)
}

/// The number of letters to add, drop, replace or swap with a neighbour (optimal string alignment).
pub(crate) fn distance(from: &str, to: &str) -> usize {
    let from: Vec<char> = from.chars().collect();
    let to: Vec<char> = to.chars().collect();
    let mut rows: Vec<Vec<usize>> = vec![(0..=to.len()).collect()];
    for i in 1..=from.len() {
        let mut row = vec![i];
        for j in 1..=to.len() {
            let above = &rows[i - 1];
            let replaced = above[j - 1] + usize::from(from[i - 1] != to[j - 1]);
            let mut best = replaced.min(above[j] + 1).min(row[j - 1] + 1);
            if i > 1 && j > 1 && from[i - 1] == to[j - 2] && from[i - 2] == to[j - 1] {
                best = best.min(rows[i - 2][j - 2] + 1);
            }
            row.push(best);
        }
        rows.push(row);
    }
    rows[from.len()][to.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_of_the_finger_is_understood() {
        let words = ["command", "environment", "workingDirectory"];
        assert_eq!(nearest("comand", words), Some("command"));
        assert_eq!(nearest("workingdirectory", words), Some("workingDirectory"));
        assert_eq!(nearest("enviroment", words), Some("environment"));
        assert_eq!(nearest("colour", words), None);
        assert_eq!((nearest("es", ["k"]), nearest("ab", ["b"])), (None, Some("b")));
    }
}
