internal import CBOR
internal import Channels
internal import Platforms
internal import Provisioning

extension FuzzTarget {
    /// What a tool prints of a chip's ID: the first byte is how many words are asked for, then lines.
    static let identify = FuzzTarget("identify", maximumLength: 1024) { input in
        var choices = FuzzInput(input)
        let length = 4 * (1 + Int(choices.byte() % 8))
        guard let region = AddressRange(address: 0x1000_0060, length: length) else {
            throw BrokenProperty("no region of \(length) bytes")
        }
        let lines = choices.rest.split(separator: 0x0a, omittingEmptySubsequences: false).map {
            String(decoding: $0, as: UTF8.self)
        }
        for format in DeviceIDFormat.allCases {
            let bytes = format.memory(in: lines, of: region)
            let id = format.id(in: lines)
            try require(bytes == nil || id == nil, "\(format) reads words and an ID")
            if let bytes {
                try require(format.isOfMemory, "\(format) is not of memory")
                try require(bytes.count == length, "\(bytes.count) bytes of \(length)")
                try require(
                    format.memory(in: lines + lines, of: region) == nil, "twice is taken for once")
                try require(areSaid(bytes, wordsIn: choices.rest), "words that nobody said")
            }
            if let id {
                try require(!format.isOfMemory, "\(format) is of memory")
                try require((1...64).contains(id.count), "an ID of \(id.count) bytes")
                let digits = lines.joined().utf8.filter { $0.hexadecimalValue != nil }
                try require(digits.count >= 2 * id.count, "an ID of digits that nobody said")
            }
        }
    }

    /// Each word is in what was said, in eight digits.
    private static func areSaid(_ bytes: [UInt8], wordsIn said: ArraySlice<UInt8>) -> Bool {
        let text = String(decoding: said, as: UTF8.self).lowercased()
        return bytes.pieces(of: 4).allSatisfy { word in
            let digits = String(
                word.reversed().reduce(UInt64(1)) { $0 << 8 | UInt64($1) }, radix: 16)
            return text.contains(digits.dropFirst())
        }
    }

    /// A firmware package's own settings.
    static let settings = FuzzTarget("settings", maximumLength: 2048) { input in
        do {
            let settings = try PackageSettings(
                parsing: input, file: "fuzz.toml", package: "package")
            try require(
                (settings.platformFolders + [settings.firmware].compactMap { $0 }).allSatisfy {
                    $0.hasPrefix("/") || $0.hasPrefix("package/")
                }, "a path of another folder")
            try require(settings.credentials?.isEmpty != true, "credentials of no kind")
            try require(
                settings.timeouts.values.allSatisfy { $0 >= .milliseconds(1) }, "no time at all")
        } catch let error as ProvisioningError {
            try require(error.code == .platformInvalid, "the error is \(error.code)")
            try require(
                error.reason.hasPrefix("fuzz.toml"), "no file in \"\(error.reason)\"")
        }
    }

    /// Lines of QEMU's control socket.
    static let monitor = FuzzTarget("monitor") { input in
        try withServer(saying: input) { channel in
            do {
                let monitor = try MachineMonitor(channel: channel, answerTimeout: .seconds(15))
                try monitor.pause()
                guard let region = AddressRange(address: 0, length: 1024) else { return }
                try monitor.save(region, to: "/dev/null")
                try monitor.quit()
            } catch let error as ProvisioningError {
                let expected: Set<ErrorCode> = [
                    .emulatorFailed, .channelClosed, .channelUnavailable,
                ]
                try require(expected.contains(error.code), "the error is \(error.code)")
                try checkPlain(error.reason)
            }
        }
    }
}
