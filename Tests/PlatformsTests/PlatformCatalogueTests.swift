import Foundation
import Platforms
import Provisioning
import Testing

@Suite struct PlatformCatalogueTests {
    private func text(_ name: String, _ description: String) -> String {
        """
        name = "\(name)"
        description = "\(description)"
        board = "board"
        [flash]
        method = "gdb"
        [channel]
        kind = "uart"
        """
    }

    private func failure(_ body: () throws(ProvisioningError) -> Void) -> ProvisioningError? {
        do throws(ProvisioningError) {
            try body()
            return nil
        } catch {
            return error
        }
    }

    @Test func firstFolderWins() throws {
        let folder = try TemporaryFolder()
        let places = ["a", "b", "package/platforms", "config/provision/platforms"]
        for (index, place) in places.enumerated() {
            for name in 0...index {
                try folder.write(text("p\(name)", place), to: "\(place)/p\(name).toml")
            }
            try folder.write(text("native", place), to: "\(place)/native.toml")
        }
        let catalogue = try PlatformCatalogue(
            requested: ["\(folder.path)/a", "\(folder.path)/b"], package: "\(folder.path)/package",
            environment: ["XDG_CONFIG_HOME": "\(folder.path)/config"])
        for (index, place) in places.enumerated() {
            #expect(try catalogue.platform(named: "p\(index)").description == place)
        }
        #expect(try catalogue.platform(named: "native").description == "a")
        #expect(try catalogue.platform(named: "native").origin == "\(folder.path)/a/native.toml")
        #expect(try catalogue.platform(named: "microbit").origin == "built in")
    }

    @Test func configurationFolder() throws {
        #expect(
            try PlatformCatalogue(environment: ["HOME": "/home/x"]).directories
                == ["/home/x/.config/provision/platforms"])
        #expect(
            try PlatformCatalogue(environment: ["HOME": "/home/x", "XDG_CONFIG_HOME": "relative"])
                .directories == ["/home/x/.config/provision/platforms"])
        #expect(try PlatformCatalogue().directories.isEmpty)
    }

    @Test func unknownPlatformNamesTheNearest() throws {
        let error = try #require(
            failure { () throws(ProvisioningError) in
                _ = try PlatformCatalogue().platform(named: "microbit-qmeu")
            })
        #expect(error.code == .platformUnknown)
        #expect(error.reason == "no platform is called \"microbit-qmeu\"")
        #expect(
            error.hint
                == "did you mean microbit-qemu? provision platforms lists all "
                + "\(try PlatformCatalogue().names.count)")
    }

    @Test(arguments: ["", "..", "../platforms/native", "/etc/passwd", "x\0y", "xyzxyzxyz"])
    func whatIsNoNameIsUnknown(_ name: String) throws {
        let error = try #require(
            failure { () throws(ProvisioningError) in
                _ = try PlatformCatalogue().platform(named: name)
            })
        #expect(error.code == .platformUnknown)
        #expect(error.hint?.hasPrefix("provision platforms lists") == true)
    }

    @Test func requestedFolderMustExist() throws {
        let folder = try TemporaryFolder()
        try folder.write("", to: "file")
        for path in ["\(folder.path)/missing", "\(folder.path)/file"] {
            let error = failure { () throws(ProvisioningError) in
                _ = try PlatformCatalogue(requested: [path])
            }
            #expect(error?.code == .usage)
            #expect(error?.reason.contains(path) == true)
        }
    }

    @Test func badFilesHideNoOthers() throws {
        let folder = try TemporaryFolder()
        try folder.write(text("good", "good"), to: "good.toml")
        try folder.write("name = 7", to: "bad.toml")
        try folder.write(text("Upper", "bad name"), to: "Upper.toml")
        try folder.write("no platform", to: "README.md")
        #expect(mkfifo("\(folder.path)/pipe.toml", 0o600) == 0)
        try FileManager.default.createDirectory(
            atPath: "\(folder.path)/folder.toml", withIntermediateDirectories: false)
        let entries = try PlatformCatalogue(requested: [folder.path]).entries()
        var isGood: [String: Bool] = [:]
        for entry in entries where entry.origin != "built in" {
            isGood[entry.name] = (try? entry.platform.get()) != nil
        }
        #expect(
            isGood == ["good": true, "bad": false, "Upper": false, "pipe": false, "folder": false])
        #expect(entries.contains { $0.name == "microbit" })
    }
}
