extension String {
    /// How many characters must be inserted, removed, replaced or swapped with their neighbour to make
    /// `other` of this: the optimal string alignment distance.
    func editDistance(to other: String) -> Int {
        let (a, b) = (Array(self), Array(other))
        guard !a.isEmpty, !b.isEmpty else { return Swift.max(a.count, b.count) }
        var beforePrevious: [Int] = []
        var previous = Array(0...b.count)
        for i in 1...a.count {
            var current = [i]
            for j in 1...b.count {
                let replaced = previous[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1)
                var best = Swift.min(replaced, previous[j] + 1, current[j - 1] + 1)
                if i > 1, j > 1, a[i - 1] == b[j - 2], a[i - 2] == b[j - 1] {
                    best = Swift.min(best, beforePrevious[j - 2] + 1)
                }
                current.append(best)
            }
            (beforePrevious, previous) = (previous, current)
        }
        return previous[b.count]
    }

    /// The candidate that the user probably meant, nil if none is near or `self` is too long to be a
    /// name at all.
    package func nearest(among candidates: some Sequence<String>) -> String? {
        guard count <= 64 else { return nil }
        let ranked = candidates.map { (name: $0, distance: editDistance(to: $0)) }
            .min { ($0.distance, $0.name) < ($1.distance, $1.name) }
        guard let ranked, ranked.distance <= Swift.max(2, count / 3) else { return nil }
        return ranked.name
    }
}
