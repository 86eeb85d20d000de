import Provisioning
import Testing

@testable import Registry

/// How users call devices and keys.
@Suite struct NameTests {
    let files = try! TemporaryRegistry()

    /// One letter, or a letter and its accent: on the screen they are the same.
    @Test func `What looks the same is one nickname`() throws {
        let (composed, decomposed) = ("kitch\u{E9}n", "kitche\u{301}n")
        let registry = try files.open()
        for key in 1...2 { _ = try registry.register(claim(key, device: identity(key)), at: noon) }
        for name in [composed, decomposed] {
            try registry.setNickname(name, of: identity(1), at: noon)
            let other = name == composed ? decomposed : composed
            for form in [name, other] {
                let error = failure { try registry.setNickname(form, of: identity(2), at: noon) }
                #expect(error?.code == .registryConflict)
                #expect(try registry.device(named: form).identity == identity(1))
            }
            try registry.setNickname(nil, of: identity(1), at: noon)
        }
        try registry.setNickname(decomposed, of: identity(2), at: noon)
        #expect(try files.count("device WHERE nickname = '\(composed)'") == 1)
        #expect(try registry.verify().isIntact)
    }

    /// An earlier version kept what was typed.
    @Test func `A nickname that was kept otherwise is found and taken`() throws {
        let decomposed = "kitche\u{301}n"
        let registry = try files.open()
        for key in 1...2 { _ = try registry.register(claim(key, device: identity(key)), at: noon) }
        try files.tamper("UPDATE device SET nickname = '\(decomposed)' WHERE id = 1")
        #expect(try registry.device(named: "kitch\u{E9}n").identity == identity(1))
        let error = failure { try registry.setNickname("kitch\u{E9}n", of: identity(2), at: noon) }
        #expect(error?.code == .registryConflict)
    }

    @Test func `A nickname names one device`() throws {
        let registry = try files.open()
        for key in 1...2 { _ = try registry.register(claim(key, device: identity(key)), at: noon) }
        try registry.setNickname("lamp", of: identity(1), at: noon)
        let head = try registry.verify().head
        try registry.setNickname("lamp", of: identity(1), at: noon)
        #expect(try registry.verify().head == head)
        let taken = failure { try registry.setNickname("lamp", of: identity(2), at: noon) }
        #expect(taken?.code == .registryConflict)
        #expect(taken?.reason.contains(identity(1).description) == true)
        for bad in [
            "", "  ", "a/b", "a\u{1b}[31m", "a\u{202e}", "a\u{e000}",
            String(repeating: "x", count: 65),
        ] {
            let error = failure { try registry.setNickname(bad, of: identity(2), at: noon) }
            #expect(error?.code == .usage)
        }
        #expect(try registry.register(claim(1, device: identity(1)), at: noon).nickname == "lamp")
        try registry.setNickname(nil, of: identity(1), at: noon)
        try registry.setNickname("lamp", of: identity(2), at: noon)
        #expect(try registry.device(named: "lamp").identity == identity(2))
    }

    @Test func `A nickname never stands for another device's ID`() throws {
        let registry = try files.open()
        let device = identity(1)
        let other = identity(2)
        for key in 1...2 { _ = try registry.register(claim(key, device: identity(key)), at: noon) }
        for bad in [other.id.description, other.id.description.uppercased(), "cafe", "00"] {
            let error = failure { try registry.setNickname(bad, of: device, at: noon) }
            #expect(error?.code == .usage)
            #expect(error?.reason.contains(bad) == true && error?.hint != nil)
        }
        // As an earlier version allowed it.
        _ = try registry.write(at: noon) { log in
            try log.append(
                .deviceNamed(RegistryChange.DeviceNamed(nickname: other.id.description)),
                to: log.database.requireDevice(device).row)
        }
        #expect(try registry.device(named: other.id.description).identity == other)
        #expect(try registry.device(named: other.description).identity == other)
        try registry.setNickname("face it", of: device, at: noon)
        #expect(try registry.device(named: "face it").identity == device)
    }

    @Test func `Devices and keys are found by their names`() throws {
        let registry = try files.open()
        let twin = identity(1, board: "other/board")
        _ = try registry.register(claim(1, device: identity(1)), at: noon)
        _ = try registry.register(claim(2, device: twin), at: noon)
        _ = try registry.register(claim(3, device: identity(2)), at: noon)
        #expect(try registry.device(named: identity(2).id.description).identity == identity(2))
        #expect(try registry.device(named: twin.description).identity == twin)
        let ambiguous = failure { _ = try registry.device(named: identity(1).id.description) }
        #expect(ambiguous?.code == .usage)
        #expect(ambiguous?.reason.contains(twin.description) == true)
        #expect(failure { _ = try registry.device(named: "nobody") }?.code == .notFound)

        let name = hexadecimal(thumbprint(1))
        for length in [8, 9, 63, 64] {
            let prefix = String(name.prefix(length)).uppercased()
            #expect(try registry.key(thumbprintPrefix: prefix).thumbprint == thumbprint(1))
        }
        for bad in [String(name.prefix(7)), name + "0", "zzzzzzzzz", ""] {
            let error = failure { _ = try registry.key(thumbprintPrefix: bad) }
            #expect(error?.code == .usage)
        }
        #expect(
            failure { _ = try registry.key(thumbprintPrefix: "00000000") }?.code == .notFound)
        var close = claim(4, device: identity(4))
        close.thumbprint = Array(thumbprint(1).dropLast()) + [thumbprint(1)[31] ^ 1]
        _ = try registry.register(close, at: noon)
        let several = failure {
            _ = try registry.key(thumbprintPrefix: String(name.prefix(8)))
        }
        #expect(several?.code == .usage)
        #expect(several?.reason.contains(hexadecimal(close.thumbprint)) == true)
        #expect(try registry.key(thumbprintPrefix: name).thumbprint == thumbprint(1))
    }
}
