public import Provisioning

extension StreamChannel {
    /// Connects to a unix socket.
    ///
    /// - Parameter untilListening: keep trying until `timeout`: the server was only just started.
    /// - Throws: `.channelUnavailable` if nobody listens.
    public static func connect(
        unix path: String, within timeout: Duration = .seconds(5), untilListening: Bool = false,
        interruption: Interruption
    ) throws(ProvisioningError) -> StreamChannel {
        let descriptor = try Socket.connect(
            to: .unix(path: path), within: timeout, untilListening: untilListening, interruption)
        return try StreamChannel(descriptor: descriptor, name: path, interruption: interruption)
    }

    /// Connects to a socket of either kind.
    ///
    /// - Throws: `.channelUnavailable` if nobody listens.
    public static func connect(
        to endpoint: ProbeEndpoint, within timeout: Duration = .seconds(5),
        untilListening: Bool = false, interruption: Interruption
    ) throws(ProvisioningError) -> StreamChannel {
        let descriptor = try Socket.connect(
            to: endpoint, within: timeout, untilListening: untilListening, interruption)
        return try StreamChannel(
            descriptor: descriptor, name: endpoint.description, interruption: interruption)
    }

    /// Connects to a TCP port.
    ///
    /// - Throws: `.channelUnavailable` if nobody listens.
    public static func connect(
        host: String, port: UInt16, within timeout: Duration = .seconds(5),
        untilListening: Bool = false, interruption: Interruption
    ) throws(ProvisioningError) -> StreamChannel {
        let endpoint = ProbeEndpoint.tcp(host: host, port: port)
        let descriptor = try Socket.connect(
            to: endpoint, within: timeout, untilListening: untilListening, interruption)
        return try StreamChannel(
            descriptor: descriptor, name: endpoint.description, interruption: interruption)
    }
}
