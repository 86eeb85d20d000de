import Attestation
import Foundation
import Testing

/// One file of `Vectors`: a header that says what is expected, and the octets in hexadecimal.
struct Vector: CustomTestStringConvertible, Sendable {
    let name: String
    /// The code of the refusal; nil: accepted.
    let expected: RefusalCode?
    let bytes: [UInt8]
    var testDescription: String { name }

    static let all: [Vector] = {
        let folder = Bundle.module.resourceURL!.appending(path: "Vectors")
        let names = try! FileManager.default.contentsOfDirectory(atPath: folder.path)
        return names.filter { !$0.contains(".") }.sorted().map { name in
            let text = try! String(contentsOf: folder.appending(path: name), encoding: .utf8)
            return Vector(name: name, text: text)
        }
    }()

    static func named(_ name: String) -> Vector { all.first { $0.name == name }! }

    private init(name: String, text: String) {
        self.name = name
        let parts = text.split(separator: "\n\n", maxSplits: 1)
        let expect = parts[0].split(separator: "\n").first { $0.hasPrefix("expect: ") }!
        let code = String(expect.dropFirst("expect: ".count))
        expected = code == "accepted" ? nil : RefusalCode(rawValue: code)!
        bytes = parts.count == 2 ? hex(String(parts[1])) : []
    }
}

/// The octets that hexadecimal digits spell; white space is skipped.
func hex(_ digits: String) -> [UInt8] {
    let values = digits.filter { !$0.isWhitespace }.map { UInt8($0.hexDigitValue!) }
    precondition(values.count.isMultiple(of: 2))
    return stride(from: 0, to: values.count, by: 2).map { values[$0] << 4 | values[$0 + 1] }
}

/// What the run that the vectors answer knows: see `Vectors/make.py`.
enum Run {
    static let nonce = Array(0x10..<0x30) as [UInt8]
    static let id = DeviceID(hexadecimal: "1f0c5a9922ee4b07")!
    static let otherID = DeviceID(hexadecimal: "77b0000000000001")!
    static let publicKey = hex(
        """
        04 ffa331739b8e121143cff673d657e802742b552293910be624d8facdf37d0ace
        1101048cc593c0b245468f23e9a89d62f068b67951a6ab3638091b789696b9e3
        """)
    static let expectation = Attestation.Expectation(
        nonce: nonce, identity: DeviceIdentity(board: "microbit", id: id), publicKey: publicKey,
        algorithm: .es256, probedID: id)

    static func evidence(_ name: String = "good") throws -> Evidence {
        try Evidence(Vector.named(name).bytes)
    }

    static func result() throws -> AttestationResult {
        try Verifier.appraise(evidence(), against: expectation)
    }

    /// The code with which `bytes` are refused; nil: accepted.
    static func refusal(of bytes: [UInt8], _ expectation: Attestation.Expectation = expectation)
        -> RefusalCode?
    {
        let evidence: Evidence
        do throws(EvidenceError) {
            evidence = try Evidence(bytes)
        } catch {
            return error.code
        }
        do throws(AppraisalError) {
            _ = try Verifier.appraise(evidence, against: expectation)
            return nil
        } catch {
            return error.code
        }
    }
}
