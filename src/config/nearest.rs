//! The word somebody most likely meant.

/// The candidate nearest to `word`, if one is near: a third of its letters may differ, at least one. Case,
/// `-` and `_` do not count.
pub(crate) fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let word = fold(word);
    candidates
        .into_iter()
        .filter_map(|candidate| {
            let folded = fold(candidate);
            let allowed = (folded.chars().count().max(word.chars().count()) / 3).max(1);
            let distance = strsim::osa_distance(&word, &folded);
            (distance <= allowed).then_some((distance, candidate))
        })
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

fn fold(word: &str) -> String {
    word.to_lowercase().replace('-', "_")
}
