/// Rates of this project and of a peer, measured one right after the other: the machine is not always as fast,
/// and its best moments are not both's.
struct Round {
    /// Both in the same unit.
    let own: Double
    let peer: Double

    /// The one with the median of the ratios.
    ///
    /// - Precondition: there is one.
    static func middle(_ rounds: [Round]) -> Round {
        rounds.sorted { $0.own / $0.peer < $1.own / $1.peer }[rounds.count / 2]
    }
}
