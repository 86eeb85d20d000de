import Authority
import COSE
import Foundation
import Provisioning
import Registry

extension State {
    /// Seconds. Slow clocks and wrong time zones stay within it, an empty battery does not.
    private static let clockTolerance: Int64 = 86_400

    /// A wrong clock must be found out before a board is touched: what is signed with it is wrong for as
    /// long as it lives. Of smaller errors the registry and the authority take care, with the time that
    /// they know has passed.
    ///
    /// - Parameter isAccepted: the clock is right; the one that the registry was changed by was ahead.
    /// - Throws: `.clockWrong` if the clock is more than a day behind the registry's last change, or the
    ///   beginning of the authority.
    func checkClock(
        _ registry: SQLiteRegistry, _ authority: FileAuthority, isAccepted: Bool
    ) throws(ProvisioningError) {
        let now = Surroundings.system.now()
        let begin = authority.summary.issuing.notBefore
        guard now.seconds >= begin.seconds - Self.clockTolerance else {
            throw ProvisioningError(
                .clockWrong,
                "the clock says \(now.utc), the authority in \(directory.authority) began at "
                    + begin.utc,
                hint: "set the clock; if it is right, the authority was made while it was ahead: "
                    + "put it aside, then: provision authority create --replace")
        }
        guard !isAccepted, let last = try registry.lastChange(),
            now.seconds < last.seconds - Self.clockTolerance
        else { return }
        throw ProvisioningError(
            .clockWrong,
            "the clock says \(now.utc), the registry last changed at \(last.utc)",
            hint: "set the clock; if it is right, it was ahead then: go on with --accept-clock")
    }

    /// For what must not wait for a clock, such as a revocation: says which time is recorded instead.
    func warnOfClock(_ registry: SQLiteRegistry) throws(ProvisioningError) {
        let now = Surroundings.system.now()
        guard let last = try registry.lastChange(), now.seconds < last.seconds - Self.clockTolerance
        else { return }
        Terminal.standardError.remark(
            "the clock says \(now.utc), the registry last changed at \(last.utc): this is recorded as of then"
        )
    }
}
