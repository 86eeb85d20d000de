import Testing

@testable import Channels

@Suite struct RTTPaceTests {
    @Test func theCoreRunsAtLeastAsLongAsItStands() {
        var pace = RTTPace(haltsCore: true)
        for cost in [Duration.microseconds(100), .milliseconds(5), .milliseconds(80)] {
            for _ in 0..<50 { pace.looked(for: cost, moved: false) }
            #expect(pace.least >= cost && pace.pause >= pace.least)
        }
    }

    @Test func aCoreThatFillsItsRingIsLookedAtSooner() {
        var pace = RTTPace(haltsCore: true)
        let usual = pace.least
        for _ in 0..<10 {
            let before = pace.least
            pace.looked(for: .microseconds(100), moved: true, fill: 1)
            #expect(pace.least <= before && pace.least > .zero)
        }
        #expect(pace.least < usual)
        // Four fifths of it in that time: all of it in a quarter more. What is far off is approached.
        let short = pace.least
        pace.looked(for: .microseconds(100), moved: true, fill: 0.8)
        #expect(abs(pace.least / short - 1.25) < 0.01)
        pace.looked(for: .microseconds(100), moved: true, fill: 0.1)
        #expect(abs(pace.least / short - 1.40625) < 0.01)
        for _ in 0..<10 { pace.looked(for: .microseconds(100), moved: true) }
        #expect(pace.least == usual)
        // A slow probe does not keep the core from running.
        for _ in 0..<50 { pace.looked(for: .milliseconds(64), moved: true, fill: 1) }
        #expect(pace.least == .milliseconds(1))
    }

    /// Neither much longer than the core needs, nor every third time too short.
    @Test func thePaceStaysNearWhatTheCoreNeeds() {
        var pace = RTTPace(haltsCore: true)
        let need = Duration.microseconds(150)
        var (short, total) = (0, Duration.zero)
        for index in 0..<400 {
            let (ran, fill) = (pace.least, min(1, pace.least / need))
            pace.looked(for: .milliseconds(2), moved: true, fill: fill)
            guard index >= 100 else { continue }
            total += ran
            if fill < RTTControlBlock.Ring.nearlyFull { short += 1 }
        }
        #expect((1...30).contains(short), "\(short)")
        #expect(total / 300 < need * 1.15, "\(total / 300)")
    }

    /// What was too short once does not hold the pace back when the core became faster.
    @Test func whatWasTooShortIsForgotten() {
        var pace = RTTPace(haltsCore: true)
        pace.looked(for: .milliseconds(2), moved: true, fill: 0.5)
        for _ in 0..<45 { pace.looked(for: .milliseconds(2), moved: true, fill: 1) }
        #expect(pace.least < .microseconds(60), "\(pace.least)")
    }

    @Test func looksBecomeRareWhileNothingMoves() {
        for haltsCore in [true, false] {
            var pace = RTTPace(haltsCore: haltsCore)
            var last = Duration.zero
            for _ in 0..<50 {
                pace.looked(for: .microseconds(100), moved: false)
                #expect(pace.pause >= last && pace.pause <= .milliseconds(10))
                last = pace.pause
            }
            #expect(last == .milliseconds(10))
            pace.looked(for: .microseconds(100), moved: true)
            #expect(pace.pause < .milliseconds(1))
        }
    }
}
