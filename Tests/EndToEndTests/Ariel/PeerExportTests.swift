import Foundation
import Testing

/// Exports for CoAP peers, as their own libraries read them.
@Suite struct PeerExportTests {
    /// Two boards that report by a line, of which one has a nickname, and one that speaks the device protocol.
    private func withDevices(_ body: (OneWayDesk, CoAPJudge) throws -> Void) throws {
        let image = try Firmware.native()
        try OneWayDesk.with { desk in
            for (id, x) in [
                ([1, 2, 3, 255], ArielLog.x),
                ([4, 5], "91306c2acc2cdfc12695e307198ee5246d7e7b0474c70d5e2fa8998bc1d2e1a7"),
            ] as [([UInt8], String)] {
                let log = try desk.file("log", ArielLog.provisioned(board: "native", id: id, x: x))
                _ = try desk.json(["enroll", "--platform", "native", "--log", log])
            }
            let run = try desk.provision(
                "run", "--platform", "native", "--firmware", image, "--detach")
            try #require(run.status == 0, "\(run.standardError)")
            let named = try desk.provision("devices", "name", "0405", "kitchen-lamp")
            try #require(named.status == 0, "\(named.standardError)")
            try body(desk, CoAPJudge(provision: desk.provision))
        }
    }

    @Test func theMostSpecialScopeCounts() throws {
        try withDevices { desk, judge in
            let path = desk.provision.home.path + "/peers.yml"
            let result = try desk.provision(
                "export", "--format", "ariel-peers", "--output", path,
                "--scope", "/.well-known/core=GET", "--scope",
                "kitchen-*:/led=GET,PUT;/a \"b\": #c=ipatch",
                "--scope", "01*:allow-all", "--scope", "nobody:allow-all",
                "--unauthenticated", "/poem=GET")
            try #require(result.status == 0, "\(result.standardError)")
            #expect(result.standardError.contains("--scope nobody: fits no device"))
            let list = try judge("ariel", path)
            #expect(list["unauthenticated"] as? NSArray == [["/poem", 1]])
            let peers = try #require(list["peers"] as? [String: Any])
            #expect(peers.count == 3)
            #expect(peers[ArielLog.x] as? Bool == true)
            let lamp = peers.values.compactMap { $0 as? NSArray }.filter { $0.count == 2 }
            #expect(lamp == [[["/led", 1 | 4], ["/a \"b\": #c", 64]]])
            let keys = try desk.provision("keys", "--json").json()["keys"] as? [[String: Any]]
            // A SEC 1 point begins with its form.
            let x = Set(
                (keys ?? []).compactMap { $0["publicKey"] as? String }.map { key in
                    key.count == 64 ? key : String(key.dropFirst(2).prefix(64))
                })
            #expect(Set(peers.keys) == x)
        }
    }

    @Test func whoHasNoScopeIsLeftOut() throws {
        try withDevices { desk, judge in
            let path = desk.provision.home.path + "/peers.yml"
            func export(_ arguments: String...) throws -> Executable.Result {
                try desk.run(["export", "--format", "ariel-peers", "--output", path] + arguments)
            }
            let some = try export("--scope", "kitchen-lamp:allow-all")
            #expect(some.standardError.contains("2 devices have no --scope"))
            #expect((try judge("ariel", path)["peers"] as? [String: Any])?.count == 1)
            let most = try export("--scope", "kitchen-lamp:allow-all", "--scope", "01*:allow-all")
            #expect(most.standardError.contains("1 device has no --scope"))
            // YAML has a limit for keys on the line of their value.
            for length in [900, 999, 1000, 1024, 3000] {
                let long = "/" + String(repeating: "x", count: length - 1)
                let result = try export("--scope", "kitchen-lamp:\(long)=GET;/led=PUT")
                try #require(result.status == 0, "\(result.standardError)")
                let scopes = try #require(try judge("ariel", path)["peers"] as? [String: NSArray])
                #expect(Array(scopes.values) == [[[long, 1], ["/led", 4]]])
            }
            _ = try export("--scope", "nobody:allow-all")
            #expect((try judge("ariel", path)["peers"] as? [String: Any])?.isEmpty == true)
            try export().expectError("usage", status: 2, "--scope allow-all")
            for (scope, part) in [
                ("", "\"\" is neither"), (":", "before the colon"), ("a:", "\"\" is neither"),
                (":allow-all", "before the colon"), ("led=GET", "\"led\" is no path"),
                ("/led", "\"/led\" is neither"), ("/led=", "\"\" is no method of /led"),
                ("/led=GET,GET", "/led has GET twice"), ("/a=get;/b=PUT,LOOK", "GET, POST, PUT"),
                ("lamp:/b=PUT,LOOK", "\"LOOK\" is no method of /b"),
                ("/a=GET;/a=PUT", "/a is there twice"), ("/a=GET;", "\"\" is neither"),
                ("/a\n=GET", "is no path"),
            ] {
                try export("--scope", scope).expectError("usage", status: 2, "--scope", part)
            }
            try export("--unauthenticated", "/b=PUT,LOOK")
                .expectError("usage", status: 2, "\"LOOK\" is no method of /b")
        }
    }

    @Test func aiocoapLoadsItsFile() throws {
        try withDevices { desk, judge in
            let home = desk.provision.home.path
            let path = home + "/credentials.diag"
            func export(_ arguments: String...) throws -> Executable.Result {
                try desk.run(["export", "--format", "aiocoap", "--output", path] + arguments)
            }
            let all = try export()
            try #require(all.status == 0, "\(all.standardError)")
            let loaded = try #require(try judge("aiocoap", path) as? [String: [String: String]])
            #expect(loaded.count == 3)
            #expect(loaded["coap://010203ff.local/*"]?["key"] == ArielLog.x)
            #expect(loaded["coap://010203ff.local/*"]?["style"] == "by-value")

            // A client with a key of its own: the file is named, and not read.
            let key = String(repeating: "07", count: 32)
            let keyFile = try desk.file("client \"mine\".cosekey", "{1: 2, -1: 1, -4: h'\(key)'}")
            try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: keyFile)
            let credential = try desk.file("client.diag", ArielLog.claims("2b") + "\n")
            let named = try export(
                "--uri", "coap://{nickname}.example/*", "--client-key", keyFile,
                "--client-credential", credential)
            try #require(named.status == 0, "\(named.standardError)")
            #expect(named.standardError.contains("2 devices have no nickname"))
            let lamp = try #require(try judge("aiocoap", path) as? [String: [String: String]])
            #expect(Array(lamp.keys) == ["coap://kitchen-lamp.example/*"])
            #expect(lamp.values.first?["style"] == "by-key-id")
            #expect(lamp.values.first?["own"] == key)

            // An asterisk would be any host to a client.
            #expect(try desk.provision("devices", "name", "0405", "*").status == 0)
            let asterisk = try export("--uri", "coap://{nickname}.example/*")
            try #require(asterisk.status == 0, "\(asterisk.standardError)")
            let escaped = try judge("aiocoap", path)
            #expect(Array(escaped.keys) == ["coap://%2A.example/*"])

            let before = try Data(contentsOf: URL(filePath: path))
            try export("--uri", "coap://same.example/*")
                .expectError("usage", status: 2, "would both be", "native/0405")
            // Half a document is none for whoever reads standard output.
            let clash = try desk.run([
                "export", "--format", "aiocoap", "--uri", "coap://same.example/*",
            ])
            #expect(clash.status == 2 && clash.text.isEmpty, "\(clash.text)")
            let open = try desk.file("open.diag", "{8: {1: {1: 2, -1: 1, -2: h'00', -4: h'00'}}}")
            try export("--client-key", keyFile, "--client-credential", open)
                .expectError("usage", status: 2, "private key")
            try export("--client-key", keyFile, "--client-credential", "/dev/zero")
                .expectError("usage", status: 2, "4096")
            #expect(try Data(contentsOf: URL(filePath: path)) == before)
        }
    }

    @Test func watchingNeedsAFileThatCanFollow() throws {
        try OneWayDesk.with { desk in
            try desk.run(["export", "--format", "jsonl", "--watch"])
                .expectError("usage", status: 2, "--output")
            try desk.run(["export", "--format", "crl", "--watch", "--output", "x"])
                .expectError("usage", status: 2, "--watch")
            try desk.run(["export", "--format", "jsonl", "--uri", "coap://x/*"])
                .expectError("usage", status: 2, "aiocoap")
        }
    }

    /// A client takes one credential for each place.
    @Test func ofTwoKeysOfADeviceOneIsRevoked() throws {
        let points = [
            ArielLog.x, "91306c2acc2cdfc12695e307198ee5246d7e7b0474c70d5e2fa8998bc1d2e1a7",
        ]
        try OneWayDesk.with { desk in
            var keys: [String] = []
            for (keyID, x) in zip(["1", "2"], points) {
                let log = try desk.file(
                    "log", ArielLog.provisioned(board: "native", id: [4, 5], x: x))
                let record = try desk.json([
                    "enroll", "--platform", "native", "--log", log, "--key-id", keyID,
                    "--replace-key",
                ])
                keys.append(String(try #require(record["thumbprint"] as? String).prefix(16)))
            }
            let export = ["export", "--format", "aiocoap"]
            let result = try desk.run(export)
            result.expectError(
                "usage", status: 2, "\(keys[0]) (key ID 1) and \(keys[1]) (key ID 2)",
                "of native/0405 would both be coap://0405.local/*")
            #expect(result.hint?.contains("provision revoke --key THUMBPRINT") == true)
            let revoked = try desk.provision("revoke", "--key", keys[0])
            try #require(revoked.status == 0, "\(revoked.standardError)")
            let rest = try desk.run(export)
            #expect(rest.status == 0 && rest.text.contains("0405.local"), "\(rest.standardError)")
        }
    }
}
