import Testing

/// Arguments that no run can use are wrong usage, not a crash.
@Suite struct ArgumentTests {
    @Test(arguments: ["0", "299", "12000001", "4294967296", "99999999999"])
    func aBaudRateThatNoPortHasIsWrongUsage(rate: String) throws {
        try Executable.withHome { provision in
            // The rate is looked at first: there is no such port.
            let result = try provision(
                "enroll", "--platform", "native", "--port", "/nonexistent", "--baud", rate)
            #expect(result.status == 2, "\(result.standardError)")
            #expect(result.standardError.contains("not \(rate)"))
        }
    }
}
