import Foundation
import Testing

extension Executable {
    /// That a run behind one that was killed ended well, and that its device has one key that is in force.
    func expectOneKeyInForce(after result: Result, _ comment: Comment) throws {
        try #require(result.status == 0, "\(comment): \(result.standardError)")
        let report = try result.json()
        #expect(report["keyState"] as? String == "active", comment)
        #expect((report["credentials"] as? [Any])?.isEmpty == false, comment)
        let device = try #require(report["device"] as? String)
        let keys = try #require(
            try self("keys", "--device", device, "--json").json()["keys"] as? [[String: Any]])
        let valid = keys.filter { $0["state"] as? String != "revoked" }
        #expect(valid.count == 1, comment)
        #expect(
            valid.first?["thumbprint"] as? String == report["thumbprint"] as? String, comment)
        #expect(try self("registry", "verify").status == 0, comment)
    }
}
