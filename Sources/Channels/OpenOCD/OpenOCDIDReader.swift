public import Attestation
public import Provisioning

/// Reads a chip's ID through OpenOCD's Tcl port, while the core runs and whoever holds the GDB server.
public struct OpenOCDIDReader: DeviceIDReader {
    private let host: String
    private let port: UInt16
    private let location: DeviceIDLocation
    private let connectTimeout: Duration
    private let replyTimeout: Duration
    private let interruption: Interruption

    public init(
        host: String, port: UInt16, location: DeviceIDLocation, connectTimeout: Duration,
        replyTimeout: Duration, interruption: Interruption
    ) {
        self.host = host
        self.port = port
        self.location = location
        self.connectTimeout = connectTimeout
        self.replyTimeout = replyTimeout
        self.interruption = interruption
    }

    public func readDeviceID() throws(ProvisioningError) -> DeviceID {
        let control = try OpenOCDControl.connect(
            host: host, port: port, within: connectTimeout, replyTimeout: replyTimeout,
            interruption: interruption)
        defer { control.close() }
        let memory = OpenOCDMemory(control)
        var bytes: [UInt8] = []
        for region in location.regions {
            bytes += try memory.read(at: region.address, count: region.length)
        }
        guard let id = DeviceID(location.id(from: bytes)) else {
            throw ProvisioningError(
                .probeProtocol, "\(location) are no device ID: it has 1 to 64 octets")
        }
        return id
    }
}
