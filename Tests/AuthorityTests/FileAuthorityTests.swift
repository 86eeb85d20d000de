import Authority
import COSE
import Foundation
import Issuance
import OpenSSL
import OpenSSLJudge
import Provisioning
import Testing

@Suite struct FileAuthorityTests {
    private static let files = [
        "root.key", "root.crt", "issuing.key", "issuing.crt", "cwt.key", "cwt.pub",
    ]

    private func mode(_ path: String) throws -> Int {
        let attributes = try FileManager.default.attributesOfItem(atPath: path)
        return try #require(attributes[.posixPermissions] as? Int)
    }

    private func setMode(_ mode: Int, _ path: String) throws {
        try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: path)
    }

    @Test func filesArePrivate() throws {
        let fixture = try Fixture()
        #expect(try mode(fixture.path) == 0o700)
        let names = try FileManager.default.contentsOfDirectory(atPath: fixture.path)
        #expect(names.sorted() == Self.files.sorted())
        for name in names { #expect(try mode(fixture.path + "/" + name) == 0o600) }
        let beside = try FileManager.default.contentsOfDirectory(
            atPath: fixture.openssl.folder.path)
        #expect(beside == ["authority"])
    }

    @Test func keysAreWhatOpenSSLReads() throws {
        let fixture = try Fixture()
        for name in ["root", "issuing"] {
            let key = try fixture.openssl.run(
                "pkey", "-in", "\(fixture.path)/\(name).key", "-pubout")
            let certificate = try fixture.openssl.run(
                "x509", "-in", "\(fixture.path)/\(name).crt", "-noout", "-pubkey")
            #expect(key.status == 0)
            #expect(key.output == certificate.output)
        }
    }

    @Test func opensAgain() throws {
        let fixture = try Fixture()
        let again = try FileAuthority.open(at: fixture.path)
        #expect(again.summary == fixture.authority.summary)
        let (opened, isNew) = try FileAuthority.openOrCreate(
            at: fixture.path, name: "Other", now: fixture.now)
        #expect(!isNew)
        #expect(opened.summary == fixture.authority.summary)
        #expect(throws: ProvisioningError(.authorityUnavailable, "")) {
            try FileAuthority.create(at: fixture.path, name: "Other", now: fixture.now)
        }
    }

    /// What a copy or a mount left there has modes of its own, which are not the matter.
    @Test(arguments: [S_IFDIR, S_IFIFO], ["issuing.key", "cwt.key", "issuing.crt"])
    func onlyRegularFilesAreRead(_ kind: mode_t, _ name: String) throws {
        let fixture = try Fixture()
        let path = fixture.path + "/" + name
        #expect(unlink(path) == 0)
        try #require((kind == S_IFDIR ? mkdir(path, 0o755) : mkfifo(path, 0o644)) == 0)
        let error = #expect(throws: ProvisioningError.self) {
            _ = try FileAuthority.open(at: fixture.path)
        }
        #expect(error?.code == .authorityUnavailable)
        #expect(error?.reason == "\(path) is no regular file")
        #expect(error?.hint?.contains("chmod") == false)
    }

    @Test func createsParentFolders() throws {
        let openssl = try OpenSSLCommand()
        let path = openssl.path("a/b/authority")
        let (authority, isNew) = try FileAuthority.openOrCreate(
            at: path, name: "Test", now: NumericDate(seconds: 1_800_000_000))
        #expect(isNew)
        #expect(authority.summary.path == path)
        #expect(try mode(openssl.path("a")) == 0o700)
        #expect(throws: ProvisioningError(.notFound, "")) {
            try FileAuthority.open(at: openssl.path("none"))
        }
    }

    @Test func neverWritesIntoAnothersFolder() throws {
        let openssl = try OpenSSLCommand()
        let path = openssl.path("authority")
        try FileManager.default.createDirectory(
            atPath: path, withIntermediateDirectories: false,
            attributes: [.posixPermissions: 0o700])
        try openssl.write("precious", to: "authority/note")
        #expect(throws: ProvisioningError(.notFound, "")) {
            try FileAuthority.openOrCreate(
                at: path, name: "Test", now: NumericDate(seconds: 1_800_000_000))
        }
        #expect(try FileManager.default.contentsOfDirectory(atPath: path) == ["note"])
        #expect(
            try FileManager.default.contentsOfDirectory(atPath: openssl.folder.path)
                == ["authority"])
    }

    /// Whatever is missing, the rest is not taken for a folder that never held an authority.
    @Test(arguments: files.dropFirst())
    func aLostFileIsToBePutBack(_ name: String) throws {
        let fixture = try Fixture()
        let path = "\(fixture.path)/\(name)"
        let content = try #require(FileManager.default.contents(atPath: path))
        try FileManager.default.removeItem(atPath: path)
        let attempts: [() throws -> Void] = [
            { _ = try FileAuthority.open(at: fixture.path) },
            {
                _ = try FileAuthority.openOrCreate(
                    at: fixture.path, name: "Other", now: fixture.now)
            },
            { _ = try FileAuthority.create(at: fixture.path, name: "Other", now: fixture.now) },
        ]
        for attempt in attempts {
            let error = #expect(throws: ProvisioningError.self) { try attempt() }
            #expect(error?.code == .authorityUnavailable)
            #expect(error?.reason.contains(path) == true)
            #expect(error?.hint?.contains("backup") == true)
        }
        try content.write(to: URL(fileURLWithPath: path))
        try setMode(0o600, path)
        #expect(try FileAuthority.open(at: fixture.path).summary == fixture.authority.summary)
    }

    @Test func ofManyCreatorsOneWinsAndAllUseIt() async throws {
        let openssl = try OpenSSLCommand()
        let path = openssl.path("authority")
        let results = try await withThrowingTaskGroup(of: (AuthorityDescription, Bool).self) {
            group in
            for _ in 0..<8 {
                group.addTask {
                    let (authority, isNew) = try FileAuthority.openOrCreate(
                        at: path, name: "Test", now: NumericDate(seconds: 1_800_000_000))
                    return (authority.summary, isNew)
                }
            }
            return try await group.reduce(into: []) { $0.append($1) }
        }
        #expect(results.filter(\.1).count == 1)
        #expect(Set(results.map(\.0)).count == 1)
        #expect(
            try FileManager.default.contentsOfDirectory(atPath: openssl.folder.path)
                == ["authority"])
    }

    /// What a process left that was killed is removed; what another one fills, or somebody keeps, stays.
    @Test func removesWhatIsLeftUnfinished() throws {
        let fixture = try Fixture()
        let folder = fixture.openssl.folder.path
        func make(_ name: String) throws {
            try FileManager.default.createDirectory(
                atPath: folder + "/" + name, withIntermediateDirectories: false,
                attributes: [.posixPermissions: 0o700])
            try fixture.openssl.write("secret", to: name + "/root.key")
        }
        let left = ["authority": "Left00", "other": "Left01"].mapValues { ".unfinished.\($0)" }
        let kept = [
            ".authority.backup", ".authority.unfinished", ".authority.unfinished.elsewhere",
            ".authority.unfinished.Filled", "authority.unfinished.Left02",
        ]
        for name in kept + left.map({ ".\($0)\($1)" }) { try make(name) }
        let descriptor = open(folder + "/.authority.unfinished.Filled", O_RDONLY | O_DIRECTORY)
        try #require(flock(descriptor, LOCK_EX) == 0)
        defer { close(descriptor) }

        #expect(
            try !FileAuthority.openOrCreate(at: fixture.path, name: "Test", now: fixture.now).isNew)
        _ = try FileAuthority.create(at: folder + "/other", name: "Test", now: fixture.now)
        let names = try FileManager.default.contentsOfDirectory(atPath: folder)
        #expect(Set(names) == Set(kept + ["authority", "other"]))
        for name in kept {
            #expect(FileManager.default.fileExists(atPath: "\(folder)/\(name)/root.key"))
        }
    }

    @Test(arguments: [
        ("", 0o750), ("/root.key", 0o640), ("/issuing.key", 0o604), ("/cwt.key", 0o660),
        ("/root.crt", 0o622), ("/cwt.pub", 0o602),
    ])
    func refusesWhatOthersCanReach(_ name: String, _ wrong: Int) throws {
        let fixture = try Fixture()
        let path = fixture.path + name
        try setMode(wrong, path)
        let error = #expect(throws: ProvisioningError(.authorityUnavailable, "")) {
            try FileAuthority.open(at: fixture.path)
        }
        #expect(error?.reason.contains("\(path) has mode 0\(String(wrong, radix: 8))") == true)
        let remedy = try #require(error?.hint?.split(separator: " ").dropFirst().first)
        try setMode(try #require(Int(remedy, radix: 8)), path)
        _ = try FileAuthority.open(at: fixture.path)
    }

    @Test(.enabled(if: geteuid() == 0, "only root may give files away"))
    func refusesAnotherUsersFiles() throws {
        let fixture = try Fixture()
        for path in [fixture.path + "/issuing.key", fixture.path] {
            #expect(chown(path, 65534, 65534) == 0)
            let error = #expect(throws: ProvisioningError(.authorityUnavailable, "")) {
                try FileAuthority.open(at: fixture.path)
            }
            #expect(error?.reason == "\(path) belongs to user 65534, this is user 0")
            #expect(chown(path, 0, 0) == 0)
        }
    }

    @Test func refusesSymbolicLinks() throws {
        let fixture = try Fixture()
        let key = fixture.path + "/issuing.key"
        try FileManager.default.moveItem(atPath: key, toPath: fixture.openssl.path("elsewhere"))
        try FileManager.default.createSymbolicLink(
            atPath: key, withDestinationPath: fixture.openssl.path("elsewhere"))
        #expect(throws: ProvisioningError(.authorityUnavailable, "")) {
            try FileAuthority.open(at: fixture.path)
        }
    }

    @Test func refusesPipes() throws {
        let fixture = try Fixture()
        try FileManager.default.removeItem(atPath: fixture.path + "/issuing.key")
        #expect(mkfifo(fixture.path + "/issuing.key", 0o600) == 0)
        #expect(throws: ProvisioningError(.authorityUnavailable, "")) {
            try FileAuthority.open(at: fixture.path)
        }
    }

    @Test(arguments: files)
    func refusesFilesOfAnotherAuthority(_ name: String) throws {
        let (fixture, other) = (try Fixture(), try Fixture())
        let file = fixture.path + "/" + name
        try fixture.openssl.write(other.openssl.read("authority/\(name)"), to: "authority/\(name)")
        try setMode(0o600, file)
        let error = #expect(throws: ProvisioningError(.authorityUnavailable, "")) {
            try FileAuthority.open(at: fixture.path)
        }
        #expect(error?.reason.contains(fixture.path) == true)
    }

    @Test(arguments: files.filter { $0 != "root.key" })
    func refusesMissingAndDamagedFilesWithoutShowingThem(_ name: String) throws {
        let fixture = try Fixture()
        let whole = try fixture.openssl.read("authority/\(name)")
        for damaged in [[], Array(whole.prefix(whole.count / 2)), Array("nonsense".utf8)] {
            try fixture.openssl.write(damaged, to: "authority/\(name)")
            try setMode(0o600, fixture.path + "/" + name)
            let error = #expect(throws: ProvisioningError(.authorityUnavailable, "")) {
                try FileAuthority.open(at: fixture.path)
            }
            let line = String(decoding: whole, as: UTF8.self).split(separator: "\n").dropFirst()
                .first
            if let line { #expect(error?.description.contains(line) == false) }
        }
        try FileManager.default.removeItem(atPath: fixture.path + "/" + name)
        #expect(throws: ProvisioningError.self) { try FileAuthority.open(at: fixture.path) }
    }

    @Test func worksWithoutTheRootKeyButForTheRootsList() throws {
        let fixture = try Fixture()
        try FileManager.default.removeItem(atPath: fixture.path + "/root.key")
        let authority = try FileAuthority.open(at: fixture.path)
        #expect(!authority.summary.hasRootKey)
        _ = try authority.sign(Fixture.plan(notBefore: fixture.now))
        let next = NumericDate(seconds: fixture.now.seconds + 1)
        let error = #expect(throws: ProvisioningError(.authorityUnavailable, "")) {
            try authority.rootCertificateRevocationList(
                number: 1, thisUpdate: fixture.now, nextUpdate: next)
        }
        #expect(error?.reason == "\(fixture.path)/root.key is not there")
    }

    /// Replaces `issuing.crt` by what the root signs after `change`.
    private func reissue(
        _ fixture: Fixture, _ change: (inout CertificateTemplate) -> Void
    ) throws {
        let rootKey = try SigningKey(pem: Secret(fixture.openssl.read("authority/root.key")))
        let issuingKey = try SigningKey(pem: Secret(fixture.openssl.read("authority/issuing.key")))
        let root = try Certificate(
            pem: String(decoding: fixture.openssl.read("authority/root.crt"), as: UTF8.self))
        var template = try AuthorityCertificateProfile.issuing(
            name: "Test", publicKey: issuingKey.publicKey, serialNumber: [9],
            notBefore: fixture.now, root: root)
        change(&template)
        try fixture.openssl.write(template.signed(by: rootKey).pem, to: "authority/issuing.crt")
        try setMode(0o600, fixture.path + "/issuing.crt")
    }

    @Test func refusesAnIssuingCertificateThatIsNoCA() throws {
        let fixture = try Fixture()
        try reissue(fixture) { template in
            template.basicConstraints = .endEntity
            template.keyUsage = .digitalSignature
        }
        let error = #expect(throws: ProvisioningError(.authorityUnavailable, "")) {
            try FileAuthority.open(at: fixture.path)
        }
        #expect(error?.reason.hasSuffix("it is not a CA certificate") == true)
    }

    @Test func issuesNothingThatOutlivesIt() throws {
        let fixture = try Fixture()
        let end = fixture.now.seconds + 1000
        try reissue(fixture) { $0.notAfter = CertificateTime(seconds: end) ?? .noExpiry }
        let authority = try FileAuthority.open(at: fixture.path)
        #expect(authority.summary.issuing.notAfter == NumericDate(seconds: end))
        let inTime = NumericDate(seconds: end)
        _ = try authority.sign(Fixture.plan(notBefore: fixture.now, notAfter: inTime))
        for late in [NumericDate(seconds: end + 1), nil] {
            #expect(throws: ProvisioningError(.issuanceFailed, "")) {
                try authority.sign(Fixture.plan(notBefore: fixture.now, notAfter: late))
            }
        }
    }

    @Test func nothingSecretIsShown() throws {
        let fixture = try Fixture()
        var dumped = ""
        dump(fixture.authority, to: &dumped)
        dump(fixture.authority.summary, to: &dumped)
        for name in ["root.key", "issuing.key", "cwt.key"] {
            let pem = try String(decoding: fixture.openssl.read("authority/\(name)"), as: UTF8.self)
            let line = try #require(pem.split(separator: "\n").dropFirst().first)
            #expect(!dumped.contains(line))
        }
        #expect(dumped.contains("<redacted>"))
    }

    @Test(arguments: ["", String(repeating: "x", count: 49), "a\nb"])
    func refusesNames(_ name: String) throws {
        let openssl = try OpenSSLCommand()
        #expect(throws: ProvisioningError(.issuanceFailed, "")) {
            try FileAuthority.create(
                at: openssl.path("authority"), name: name, now: NumericDate(seconds: 0))
        }
        #expect(try FileManager.default.contentsOfDirectory(atPath: openssl.folder.path).isEmpty)
    }
}
