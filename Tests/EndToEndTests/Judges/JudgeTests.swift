import Foundation
import Testing

/// OpenSSL and PyPI's COSE libraries judge what a run left behind.
@Suite struct JudgeTests {
    @Test func othersAcceptWhatARunExports() throws {
        let image = try Firmware.native()
        try Executable.withHome { provision in
            let run = try provision(
                "run", "--platform", "native", "--firmware", image, "--detach", "--json")
            try #require(run.status == 0, "\(run.standardError)")
            let record = try run.json()
            let device = try #require(record["device"] as? String)
            let thumbprint = try #require(record["thumbprint"] as? String)
            let files = try Files(provision, device: device)

            try files.verifyChain(revoked: false)
            let subject = try files.openssl("x509", "-in", files.chain, "-noout", "-subject")
            #expect(subject.contains("serialNumber = \(device)"))

            let evidence = try files.judge("evidence", files.evidence)
            #expect(evidence["device"] as? String == device)
            #expect(evidence["thumbprint"] as? String == thumbprint)
            let token = try files.judge("cwt", files.cwt, files.home + "/authority/cwt.pub")
            #expect(token["subject"] as? String == device)
            #expect(token["thumbprint"] as? String == thumbprint)
            #expect(try files.judge("keyset", files.keyset)["keys"] as? [String] == [thumbprint])

            try #require(
                try provision("revoke", "--device", device, "--reason", "key-compromise").status
                    == 0)
            try files.exportLists()
            try files.verifyChain(revoked: true)
            #expect(try files.judge("keyset", files.keyset)["keys"] as? [String] == [])
        }
    }
}

/// What `export` writes, and the judges that read it.
private struct Files {
    let provision: Executable
    var home: String { provision.home.path }
    var chain: String { home + "/chain.pem" }
    var cwt: String { home + "/device.cwt" }
    var evidence: String { home + "/evidence.cbor" }
    var keyset: String { home + "/keyset.cbor" }
    var lists: String { home + "/crl.pem" }

    init(_ provision: Executable, device: String) throws {
        self.provision = provision
        for (format, file) in [("chain", chain), ("cwt", cwt), ("evidence", evidence)] {
            let result = try provision(
                "export", "--format", format, "--device", device, "--output", file)
            try #require(result.status == 0, "\(result.standardError)")
        }
        try exportLists()
    }

    func exportLists() throws {
        for (format, file) in [("keyset", keyset), ("crl", lists)] {
            let result = try provision("export", "--format", format, "--output", file)
            try #require(result.status == 0, "\(result.standardError)")
        }
    }

    func verifyChain(revoked: Bool) throws {
        let result = try provision.run(
            URL(filePath: "/usr/bin/openssl"),
            [
                "verify", "-x509_strict", "-crl_check_all", "-CAfile", home + "/authority/root.crt",
                "-untrusted", home + "/authority/issuing.crt", "-CRLfile", lists, chain,
            ])
        #expect((result.status == 0) != revoked, "\(result.text)\(result.standardError)")
        #expect(result.standardError.contains("certificate revoked") == revoked)
    }

    func openssl(_ arguments: String...) throws -> String {
        let result = try provision.run(URL(filePath: "/usr/bin/openssl"), arguments)
        try #require(result.status == 0, "\(result.standardError)")
        return result.text
    }

    func judge(_ arguments: String...) throws -> [String: Any] {
        let python = Executable.packageRoot.appending(path: ".build/judges/bin/python")
        try #require(
            FileManager.default.isExecutableFile(atPath: python.path),
            "the judges are not installed: run Scripts/setup --test")
        let script = Executable.packageRoot.appending(path: "Tests/Judges/verify.py").path
        let result = try provision.run(python, [script] + arguments)
        try #require(result.status == 0, "\(result.standardError)")
        return try result.json()
    }
}
