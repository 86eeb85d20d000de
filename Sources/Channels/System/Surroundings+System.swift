import COSE
import Foundation
public import Provisioning

extension Surroundings {
    /// This computer's clock, and the kernel's random number generator.
    public static let system = Surroundings(
        now: { NumericDate(seconds: Int64(Date().timeIntervalSince1970)) },
        randomBytes: { count throws(ProvisioningError) in
            var generator = SystemRandomNumberGenerator()
            return (0..<count).map { _ in UInt8.random(in: .min ... .max, using: &generator) }
        })
}
