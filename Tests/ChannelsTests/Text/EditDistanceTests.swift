import Testing

@testable import Channels

@Suite struct EditDistanceTests {
    @Test(arguments: [
        ("", "", 0), ("", "abc", 3), ("abc", "", 3), ("abc", "abc", 0), ("kitten", "sitting", 3),
        ("baud", "buad", 1), ("ca", "abc", 3), ("a", "b", 1), ("command", "comand", 1),
    ])
    func distance(_ a: String, _ b: String, _ expected: Int) {
        #expect(a.editDistance(to: b) == expected)
        #expect(b.editDistance(to: a) == expected)
    }

    @Test func nearestIsNearOrNothing() {
        let names = ["microbit", "microbit-qemu", "native"]
        #expect("microbti".nearest(among: names) == "microbit")
        #expect("natve".nearest(among: names) == "native")
        #expect("esp32".nearest(among: names) == nil)
        #expect("x".nearest(among: []) == nil)
        #expect(String(repeating: "a", count: 1_000).nearest(among: names) == nil)
    }
}
