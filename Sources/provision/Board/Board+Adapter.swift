import Channels
import Foundation
import Platforms
import Provisioning

// The board's adapter: a program that lives as long as the run.
extension Board {
    /// The platform's adapter, started and greeted when it is first needed.
    ///
    /// - Throws: `.adapterFailed`, `.adapterSilent`, `.adapterProtocol`, `.versionUnsupported`.
    func adapter() throws(ProvisioningError) -> AdapterSession {
        if let adapterSession { return adapterSession }
        guard let adapter = platform.adapter else { throw missingAdapter }
        let session = AdapterSession(
            try AdapterProcess(adapter.find(), interruption: interruption) { [reporter] line in
                reporter.noted(line)
            }, timeouts: .init(platform.timeouts))
        // From here on it is let go with the board.
        adapterSession = session
        var selection = AdapterSession.Selection()
        selection.port = connection.serialPort
        selection.probe = connection.probe
        selection.probeSerial = connection.probeSerial
        selection.usbSerial = connection.usbSerial
        _ = try session.hello(selection)
        return session
    }

    var missingAdapter: ProvisioningError {
        ProvisioningError(
            .usage, "the platform \(platform.name) has no adapter",
            hint: "leave --channel adapter away")
    }

    func adapterFlasher() throws(ProvisioningError) -> any Flasher {
        AdapterFlasher(try adapter()) { [reporter] done, total in
            reporter.progressed(.flash, done: done, of: total)
        }
    }

    /// Nil where the adapter can't.
    func adapterIDReader() throws(ProvisioningError) -> (any DeviceIDReader)? {
        let session = try adapter()
        return session.abilities.contains(.identify) ? AdapterIDReader(session) : nil
    }
}

extension AdapterSession.Timeouts {
    init(_ timeouts: Timeouts) {
        self.init()
        // How long its board needs says nothing of how soon a program starts: it may be given more, not less.
        start = max(start, timeouts[.connect])
        answer = timeouts[.connect]
        flash = timeouts.flash
        probe = timeouts[.probe]
        connect = timeouts[.connect]
    }
}
