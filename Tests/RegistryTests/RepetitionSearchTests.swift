import Testing

@testable import Registry

/// Names that must differ, of more devices than memory should hold.
@Suite struct RepetitionSearchTests {
    /// Several batches; the two that are the same are far apart, or neighbours, or in the last batch.
    @Test(arguments: [(0, 4999), (1023, 1024), (4998, 4999), (17, 3000)])
    func whatComesTwiceIsFound(first: Int, second: Int) throws {
        let search = try RepetitionSearch()
        for number in 0..<5000 {
            try search.add("coap://\(number == second ? first : number).local/*")
        }
        #expect(try search.repeated() == "coap://\(first).local/*")
    }

    @Test func whatDiffersIsNotTheSame() throws {
        let search = try RepetitionSearch()
        #expect(try search.repeated() == nil)
        for number in 0..<5000 { try search.add("\(number)") }
        // Peers compare octets: neither case nor composition of letters makes two names one.
        for text in ["a", "A", "a ", "", "\u{fc}", "u\u{308}", "01", "1.0"] { try search.add(text) }
        #expect(try search.repeated() == nil)
        try search.add("")
        #expect(try search.repeated() == "")
    }

    @Test func aFullDiskIsSaid() throws {
        let search = try RepetitionSearch(pageLimit: 4)
        let error = failure {
            for number in 0..<5000 { try search.add("coap://\(number).local/*") }
            _ = try search.repeated()
        }
        #expect(error?.code == .registryUnavailable)
        #expect(error?.reason.contains("full") == true, "\(error?.reason ?? "none")")
        #expect(error?.hint?.contains("SQLITE_TMPDIR") == true)
    }
}
