import Foundation

/// PyPI's cbor2, in a process that answers line by line: an independent judge. See Judges/cbor.py.
///
/// Its process ends with it.
public final class CBOR2 {
    public struct Failure: Error, CustomStringConvertible {
        public let description: String
    }

    private let process = Process()
    private let input = Pipe()
    private let output = Pipe()
    private var received = Data()

    public init() throws {
        let tests = URL(filePath: #filePath).deletingLastPathComponent()
            .deletingLastPathComponent()
        let python = tests.deletingLastPathComponent().appending(
            path: ".build/judges/bin/python")
        guard FileManager.default.isExecutableFile(atPath: python.path) else {
            throw Failure(
                description: "the judges are not installed: run Scripts/setup --test")
        }
        process.executableURL = python
        process.arguments = [tests.appending(path: "Judges/cbor.py").path]
        process.standardInput = input
        process.standardOutput = output
        try process.run()
    }

    deinit {
        try? input.fileHandleForWriting.close()
        process.waitUntilExit()
        // Foundation would keep it for as long as the tests run.
        try? output.fileHandleForReading.close()
    }

    /// What cbor2 reads in `bytes`, encoded by cbor2 in the deterministic form of RFC 8949 §4.2.1.
    public func deterministic(_ bytes: [UInt8]) throws -> [UInt8] {
        try octets(ask("read \(digits(bytes))"))
    }

    /// The same for the payload of a COSE_Sign1.
    public func deterministicPayload(of message: [UInt8]) throws -> [UInt8] {
        try octets(ask("claims \(digits(message))"))
    }

    /// A random value in an encoding of cbor2's own, and in the deterministic one.
    public func make(seed: Int) throws -> (encoding: [UInt8], deterministic: [UInt8]) {
        let parts = try ask("make \(seed)").split(separator: " ").map(String.init)
        guard parts.count == 2 else { throw Failure(description: "\(parts.count) parts") }
        return (try octets(parts[0]), try octets(parts[1]))
    }

    private func ask(_ line: String) throws -> String {
        try input.fileHandleForWriting.write(contentsOf: Data((line + "\n").utf8))
        while true {
            if let end = received.firstIndex(of: 0x0A) {
                let answer = String(decoding: received[..<end], as: UTF8.self)
                received = Data(received[received.index(after: end)...])
                guard !answer.hasPrefix("error: ") else {
                    throw Failure(description: "\(answer) to \(line.prefix(1000))")
                }
                return answer
            }
            let more = output.fileHandleForReading.availableData
            guard !more.isEmpty else { throw Failure(description: "cbor.py ended") }
            received += more
        }
    }

    private func digits(_ bytes: [UInt8]) -> String {
        bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }

    private func octets(_ digits: String) throws -> [UInt8] {
        let values = digits.compactMap(\.hexDigitValue)
        guard values.count == digits.count, values.count.isMultiple(of: 2) else {
            throw Failure(description: "no hexadecimal: \(digits.prefix(100))")
        }
        return stride(from: 0, to: values.count, by: 2).map {
            UInt8(values[$0] << 4 | values[$0 + 1])
        }
    }
}
