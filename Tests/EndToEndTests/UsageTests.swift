import Testing

/// What somebody who mistypes a command gets to read.
@Suite struct UsageTests {
    @Test(arguments: [("revok", "did you mean revoke?"), ("bogus", "known: run, flash,")])
    func anUnknownCommandIsNamed(word: String, hint: String) throws {
        try Executable.withHome { provision in
            let result = try provision(word)
            #expect(result.status == 2)
            #expect(result.standardError.contains("error[usage]: there is no command \"\(word)\""))
            #expect(result.standardError.contains(hint), "\(result.standardError)")
        }
    }

    @Test func optionsAloneStillMeanTheDefaultCommand() throws {
        try Executable.withHome { provision in
            let result = try provision("--platform", "native", "--no-build", "--dry-run")
            #expect(result.status == 0, "\(result.standardError)")
            #expect(try provision("help", "run").text.contains("USAGE: provision run"))
        }
    }
}
